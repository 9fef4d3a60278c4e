//! The tables: everything that was compared, changed or not.

use handover_harness::compare::{Comparison, Direction, Shift, ShiftVerdict};
use handover_harness::verdict::Verdict;

use super::sections::{interval, p_value};
use crate::columns::Table;
use crate::figures;
use crate::text::{line, many};

/// The file that has everything.
const WHOLE: &str = "comparison.json";

/// All of them that have a row.
pub(super) fn tables(comparison: &Comparison) -> Vec<Table> {
    [phases(comparison), verdicts(comparison), times(comparison)].into_iter().flatten().collect()
}

fn table(headings: &[&str], words: usize, rows: Vec<Vec<String>>) -> Option<Table> {
    Table::of(headings.iter().map(|&heading| heading.to_owned()).collect(), words, rows, WHOLE)
}

fn phases(comparison: &Comparison) -> Option<Table> {
    let rows = comparison.crossing.iter().flat_map(|crossing| &crossing.phases).map(|phase| {
        let away = phase.outage_us.map_or("–".to_owned(), |outage| outage.to_string());
        vec![line(&phase.name), phase.began_us.to_string(), phase.ended_us.to_string(), away]
    });
    table(&["phase", "from", "to", "away"], 1, rows.collect())
}

fn verdicts(comparison: &Comparison) -> Option<Table> {
    let rows = comparison.verdicts.iter().map(|row| {
        let change = match row.direction {
            None => "",
            Some(Direction::Better) => "better",
            Some(Direction::Other) => "other",
            Some(Direction::Worse) => "worse",
        };
        let (a, b) = (row.a.words(Verdict::word), row.b.words(Verdict::word));
        vec![line(&row.scenario), a, b, change.to_owned()]
    });
    table(&["scenario", "A", "B", "change"], 4, rows.collect())
}

fn times(comparison: &Comparison) -> Option<Table> {
    let lags = comparison.crossing.iter().flat_map(|crossing| &crossing.lag);
    let lags = lags.map(|lag| (line(&lag.what), &lag.shift));
    let rows = comparison
        .times
        .iter()
        .map(|row| (line(&format!("{} {} to {}", row.scenario, row.credential, row.hop)), &row.shift));
    let rows = lags.chain(rows).map(|(what, shift)| cells(what, shift, comparison));
    table(&["time", "says", "A", "B", "shift", "interval", "p"], 2, rows.collect())
}

fn cells(what: String, shift: &Shift, comparison: &Comparison) -> Vec<String> {
    let dash = || "–".to_owned();
    let says = match shift.verdict {
        ShiftVerdict::Slower => "longer".to_owned(),
        ShiftVerdict::Faster => "shorter".to_owned(),
        ShiftVerdict::Within => "within noise".to_owned(),
        ShiftVerdict::TooFew { more } => {
            format!("too few: {}", many(comparison.rounds_for(shift, more), "more round", "more rounds"))
        }
    };
    vec![
        what,
        says,
        format!("{} ({})", shift.median_a_us, shift.n_a),
        format!("{} ({})", shift.median_b_us, shift.n_b),
        figures::signed(shift.shift_us),
        interval(shift).unwrap_or_else(dash),
        shift.p_corrected.map_or_else(dash, p_value),
    ]
}
