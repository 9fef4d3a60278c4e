//! The tables: everything that was compared, changed or not.

use handover_harness::compare::{Comparison, Direction, Shift, ShiftVerdict};
use handover_harness::verdict::Verdict;

use super::headline::many;
use super::sections::{interval, p_value};
use crate::figures;
use crate::text::line;

/// Rows that say least are left out beyond so many.
const ROWS: usize = 200;

/// A table of plain text.
pub(super) struct Table {
    pub(super) headings: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    /// Columns of words; those behind them are figures, and stand to the right.
    pub(super) words: usize,
    /// How many rows were left out.
    pub(super) left_out: usize,
}

impl Table {
    fn of(headings: Vec<&'static str>, words: usize, mut rows: Vec<Vec<String>>) -> Option<Self> {
        let left_out = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        (!rows.is_empty()).then_some(Self { headings, rows, words, left_out })
    }

    /// Laid out for a terminal: the headings, then the rows.
    pub(super) fn lines(&self) -> Vec<String> {
        let headings: Vec<String> = self.headings.iter().map(|&heading| heading.to_owned()).collect();
        let rows = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let cell = |(column, text): (usize, &String)| match column < self.words {
            true => format!("{text:<0$}", widths[column]),
            false => format!("{text:>0$}", widths[column]),
        };
        let laid_out = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            cells.join("  ").trim_end().to_owned()
        };
        let note = (self.left_out > 0).then(|| more_rows(self.left_out));
        rows().map(laid_out).chain(note).collect()
    }
}

/// `… 12 rows more, in comparison.json`.
pub(super) fn more_rows(left_out: usize) -> String {
    format!("… {} more, in comparison.json", many(left_out, "row", "rows"))
}

/// All of them that have a row.
pub(super) fn tables(comparison: &Comparison) -> Vec<Table> {
    [phases(comparison), verdicts(comparison), times(comparison)].into_iter().flatten().collect()
}

fn phases(comparison: &Comparison) -> Option<Table> {
    let rows = comparison.crossing.iter().flat_map(|crossing| &crossing.phases).map(|phase| {
        let away = phase.outage_us.map_or("–".to_owned(), |outage| outage.to_string());
        vec![line(&phase.name), phase.began_us.to_string(), phase.ended_us.to_string(), away]
    });
    Table::of(vec!["phase", "from", "to", "away"], 1, rows.collect())
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
    Table::of(vec!["scenario", "A", "B", "change"], 4, rows.collect())
}

fn times(comparison: &Comparison) -> Option<Table> {
    let lags = comparison.crossing.iter().flat_map(|crossing| &crossing.lag);
    let lags = lags.map(|lag| (line(&lag.what), &lag.shift));
    let rows = comparison
        .times
        .iter()
        .map(|row| (line(&format!("{} {} to {}", row.scenario, row.credential, row.hop)), &row.shift));
    let rows = lags.chain(rows).map(|(what, shift)| cells(what, shift, comparison));
    Table::of(vec!["time", "says", "A", "B", "shift", "interval", "p"], 2, rows.collect())
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
