//! How figures are written: spans with two bounds, signed spans, event numbers.

use handover_harness::clock::Micros;
use handover_harness::plan::Bounds;

/// Event numbers are listed up to this many runs of neighbours; a report is no index.
const RUNS: usize = 6;

/// Both bounds where a reader would notice the difference (`3.1–23 ms`), else the upper one, which is the
/// one that a limit has to lie above.
pub(crate) fn bounds(bounds: Bounds) -> String {
    let Bounds { at_least, at_most } = bounds;
    match at_most {
        None => format!("≥ {at_least}"),
        Some(at_most) if !differ(at_least, at_most) => at_most.to_string(),
        Some(at_most) => range(&at_least.to_string(), &at_most.to_string()),
    }
}

/// Both bounds, always, in words.
pub(crate) fn both_bounds(bounds: Bounds) -> String {
    match bounds.at_most {
        None => format!("at least {}, no upper bound", bounds.at_least),
        Some(at_most) => format!("at least {}, at most {at_most}", bounds.at_least),
    }
}

/// A millisecond and one per cent apart: less is neither readable in a table nor of any use there.
fn differ(low: Micros, high: Micros) -> bool {
    let apart = (high - low).0;
    apart >= 1_000 && apart >= high.0 / 100
}

/// `3.1–23 ms`; a unit that both share is written once.
fn range(low: &str, high: &str) -> String {
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        (Some((figure, unit)), Some((_, other))) if unit == other => format!("{figure}–{high}"),
        _ => format!("{low}–{high}"),
    }
}

/// `+4.6 ms`, `-120 µs`.
pub(crate) fn signed(micros: i64) -> String {
    let sign = if micros < 0 { '-' } else { '+' };
    format!("{sign}{}", Micros(micros.unsigned_abs()))
}

/// `#3, #7–#9, and 40 more`.
pub(crate) fn events(seqs: &[u64]) -> String {
    let mut seqs = seqs.to_vec();
    seqs.sort_unstable();
    seqs.dedup();
    let runs: Vec<&[u64]> = seqs.chunk_by(|a, b| a + 1 == *b).collect();
    let shown = runs.iter().take(RUNS).map(|run| match run {
        [first, .., last] => format!("#{first}–#{last}"),
        run => format!("#{}", run[0]),
    });
    let more: usize = runs.iter().skip(RUNS).map(|run| run.len()).sum();
    shown.chain((more > 0).then(|| format!("and {more} more"))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(at_least: u64, at_most: impl Into<Option<u64>>) -> Bounds {
        Bounds { at_least: Micros(at_least), at_most: at_most.into().map(Micros) }
    }

    #[test]
    fn bounds_are_two_where_it_matters() {
        assert_eq!(bounds(of(3_100, 23_000)), "3.1–23 ms");
        assert_eq!(bounds(of(0, 23_000)), "0 µs–23 ms");
        assert_eq!(bounds(of(4_610_000, 4_611_000)), "4.61 s");
        assert_eq!(bounds(of(4_610_000, 4_810_000)), "4.61–4.81 s");
        assert_eq!(bounds(of(2_000_000, None)), "≥ 2.00 s");
        assert_eq!(both_bounds(of(4_610_000, 4_611_000)), "at least 4.61 s, at most 4.61 s");
        assert_eq!(both_bounds(of(1_000, None)), "at least 1.0 ms, no upper bound");
    }

    #[test]
    fn events_are_listed_as_runs() {
        assert_eq!(events(&[9, 3, 8, 7, 3]), "#3, #7–#9");
        assert_eq!(events(&[]), "");
        let far: Vec<u64> = (0..10).map(|n| n * 2).collect();
        assert_eq!(events(&far), "#0, #2, #4, #6, #8, #10, and 4 more");
        assert_eq!(signed(-120), "-120 µs");
        assert_eq!(signed(4_600), "+4.6 ms");
    }
}
