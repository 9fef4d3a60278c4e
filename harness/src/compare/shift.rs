//! Whether the times of one side are longer than those of the other, and by how much.
//!
//! The shift is Hodges and Lehmann's: the median of all pairwise differences. Its interval and the p belong to
//! one and the same exact test, so they never contradict each other where no two times are equal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ALPHA, family, ranks};
use crate::clock::Micros;

/// A shift that is not surely more than one in so many of what it shifts is told as noise: nobody plans by it, and once
/// in twenty comparisons chance alone, or a busy host, would raise an alarm over some milliseconds.
const MATTERS: u64 = 10;

/// What lies between two samples of times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shift {
    /// How many times side A has.
    pub n_a: usize,
    /// How many side B has.
    pub n_b: usize,
    /// Half of those of side A were no longer.
    pub median_a_us: Micros,
    /// The same of side B.
    pub median_b_us: Micros,
    /// By how much B is later; negative: earlier.
    pub shift_us: i64,
    /// The lower end of its interval of 95 % confidence (or more, where times are equal); none: too few.
    pub low_us: Option<i64>,
    /// The upper end.
    pub high_us: Option<i64>,
    /// How often nothing but chance would set the sides as far apart.
    pub p: f64,
    /// The same, corrected for how many shifts the comparison asks about; none where this one cannot have an answer.
    pub p_corrected: Option<f64>,
    /// A shift that is not surely larger cannot be told from the harness's own error.
    pub resolution_us: Micros,
    /// What it comes to.
    pub verdict: ShiftVerdict,
}

/// What a shift comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShiftVerdict {
    /// B takes longer.
    Slower,
    /// B takes less time.
    Faster,
    /// Within what chance, or this host's own error, would do; or too small to matter.
    Within,
    /// Whatever the times are, so few of them can show nothing.
    TooFew {
        /// How many more on each side could.
        more: usize,
    },
}

impl Shift {
    /// Of these times, asked about alone; [`family::correct`](super::correct) corrects several of one comparison.
    pub fn between(a: &[Micros], b: &[Micros], resolution: Micros) -> Self {
        let mut differences: Vec<i64> =
            b.iter().flat_map(|b| a.iter().map(move |a| difference(*b, *a))).collect();
        differences.sort_unstable();
        let beyond = ranks::beyond(a.len(), b.len());
        let end = |at: Option<usize>| differences.get(at.filter(|_| beyond > 0)?).copied();
        let mut shift = Self {
            n_a: a.len(),
            n_b: b.len(),
            median_a_us: median_of(a),
            median_b_us: median_of(b),
            shift_us: middle(&differences).map_or(0, |(below, above)| mean(below, above)),
            low_us: end(beyond.checked_sub(1)),
            high_us: end(differences.len().checked_sub(beyond)),
            p: ranks::two_sided(a, b),
            p_corrected: None,
            resolution_us: resolution,
            verdict: ShiftVerdict::Within,
        };
        family::correct(&mut [&mut shift]);
        shift
    }

    /// It can be answered, and its corrected p is this.
    pub(super) fn settle(&mut self, corrected: f64) {
        let matters = self.median_a_us.0.min(self.median_b_us.0) / MATTERS;
        let noise = self.resolution_us.0.max(matters);
        self.p_corrected = Some(corrected);
        self.verdict = match corrected < ALPHA && self.at_least() > noise {
            true if self.shift_us > 0 => ShiftVerdict::Slower,
            true => ShiftVerdict::Faster,
            false => ShiftVerdict::Within,
        };
    }

    /// By so much at least they lie apart, whichever way: the end of the interval that is nearer to nothing, and nothing
    /// where the interval holds it.
    fn at_least(&self) -> u64 {
        match (self.low_us, self.high_us) {
            (Some(low), _) if low > 0 => low.unsigned_abs(),
            (_, Some(high)) if high < 0 => high.unsigned_abs(),
            _ => 0,
        }
    }

    /// It cannot be answered before there are so many more on each side.
    pub(super) fn leave_open(&mut self, more: usize) {
        self.p_corrected = None;
        self.verdict = ShiftVerdict::TooFew { more };
    }
}

/// A difference that may be negative.
fn difference(later: Micros, earlier: Micros) -> i64 {
    let apart = i128::from(later.0) - i128::from(earlier.0);
    apart.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The one or two in the middle.
fn middle<T: Copy>(sorted: &[T]) -> Option<(T, T)> {
    let last = sorted.len().checked_sub(1)?;
    Some((sorted[last / 2], sorted[last - last / 2]))
}

/// Between two, without overflow, rounded towards zero.
fn mean(below: i64, above: i64) -> i64 {
    ((i128::from(below) + i128::from(above)) / 2) as i64
}

fn median_of(times: &[Micros]) -> Micros {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    middle(&sorted).map_or(Micros(0), |(below, above)| Micros(below.0 + (above.0 - below.0) / 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(a: &[u64], b: &[u64], resolution: u64) -> Shift {
        let micros = |values: &[u64]| values.iter().copied().map(Micros).collect::<Vec<_>>();
        Shift::between(&micros(a), &micros(b), Micros(resolution))
    }

    #[test]
    fn by_hand() {
        // Differences, sorted: 1 3 4 6 | 6 7 8 9 | 9 10 11 12 | 12 14 15 17; the middle two are 9 and 9.
        let shift = between(&[1, 3, 6, 9], &[10, 15, 18, 12], 0);
        assert_eq!((shift.n_a, shift.n_b), (4, 4));
        assert_eq!((shift.median_a_us, shift.median_b_us), (Micros(4), Micros(13)));
        assert_eq!((shift.shift_us, shift.low_us, shift.high_us), (9, Some(1), Some(17)));
        assert!((shift.p - 2.0 / 70.0).abs() < 1e-12);
        assert_eq!(shift.p_corrected, Some(shift.p), "nothing else is asked");
        assert_eq!(shift.verdict, ShiftVerdict::Slower);
        assert_eq!(between(&[10, 12, 15, 18], &[1, 3, 6, 9], 0).verdict, ShiftVerdict::Faster);
        assert_eq!(between(&[10, 12, 15, 18], &[1, 3, 6, 9], 0).shift_us, -9);
    }

    #[test]
    fn what_the_host_cannot_resolve_is_noise() {
        // Surely by 11, the near end of the interval, and not by what is its middle.
        assert_eq!(between(&[1, 3, 6, 9], &[20, 25, 28, 22], 10).verdict, ShiftVerdict::Slower);
        assert_eq!(between(&[1, 3, 6, 9], &[20, 25, 28, 22], 11).verdict, ShiftVerdict::Within);
        assert_eq!(between(&[20, 25, 28, 22], &[1, 3, 6, 9], 10).verdict, ShiftVerdict::Faster);
        assert_eq!(between(&[10, 15, 18, 12], &[10, 15, 18, 12], 0).verdict, ShiftVerdict::Within);
    }

    #[test]
    fn less_than_a_tenth_of_what_it_shifts_matters_to_nobody_however_sure_it_is() {
        // No two of a side differ, so the interval is as narrow as can be.
        let a = [10_000; 8];
        for (later, faster, slower) in [
            // A tenth of the shorter median, 1000, and one more or less.
            (1_000, ShiftVerdict::Within, ShiftVerdict::Within),
            (1_001, ShiftVerdict::Faster, ShiftVerdict::Slower),
        ] {
            let b = [10_000 + later; 8];
            let (there, back) = (between(&a, &b, 0), between(&b, &a, 0));
            assert!(there.p_corrected.unwrap() < ALPHA / 100.0 && there.low_us.unwrap() > 0, "{there:?}");
            assert_eq!((there.shift_us, there.verdict), (later as i64, slower));
            assert_eq!((back.shift_us, back.verdict), (-(later as i64), faster));
        }
    }

    #[test]
    fn too_few_say_how_many_are_missing() {
        for (n_a, n_b, more) in [(3, 3, 1), (1, 1, 3), (0, 0, 4), (0, 4, 3), (1, 5, 2)] {
            let (a, b): (Vec<u64>, Vec<u64>) = ((0..n_a).collect(), (1000..1000 + n_b).collect());
            let shift = between(&a, &b, 0);
            assert_eq!(shift.verdict, ShiftVerdict::TooFew { more }, "{n_a} and {n_b}");
            assert_eq!((shift.low_us, shift.high_us, shift.p_corrected), (None, None, None));
        }
        assert_eq!(between(&[], &[], 0).shift_us, 0);
        assert_eq!(between(&[1], &[8], 0).shift_us, 7);
    }

    #[test]
    fn times_at_the_ends_of_the_clock_do_not_overflow() {
        let shift = between(&[0; 4], &[u64::MAX; 4], 0);
        assert_eq!((shift.shift_us, shift.median_b_us), (i64::MAX, Micros(u64::MAX)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn the_interval_holds_the_shift_and_agrees_with_the_test(
            values in prop::collection::btree_set(0u64..100_000, 8..24),
            order in any::<prop::sample::Index>(),
            resolution in 0u64..1_000,
        ) {
            // No two are equal. Dealt out in turns, from somewhere on.
            let mut values: Vec<u64> = values.into_iter().collect();
            let count = values.len();
            values.rotate_left(order.index(count));
            let cut = 4 + order.index(count - 7);
            let shift = between(&values[..cut], &values[cut..], resolution);
            let (low, high) = (shift.low_us.unwrap(), shift.high_us.unwrap());
            prop_assert!(low <= shift.shift_us && shift.shift_us <= high);
            // A difference of nothing is not between two that are not equal.
            prop_assert_eq!(shift.p < ALPHA, low > 0 || high < 0, "{:?}", shift);
        }

        #[test]
        fn it_follows_what_is_added_and_turns_with_the_sides(
            a in prop::collection::vec(0u64..500, 4..12),
            b in prop::collection::vec(0u64..500, 4..12),
            later in 0u64..1_000,
        ) {
            let moved: Vec<u64> = b.iter().map(|b| b + later).collect();
            let (before, after, turned) = (between(&a, &b, 0), between(&a, &moved, 0), between(&b, &a, 0));
            // A median of two is rounded towards zero, so it may be one off.
            prop_assert!((after.shift_us - before.shift_us - later as i64).abs() <= 1);
            prop_assert_eq!(after.low_us.unwrap() - before.low_us.unwrap(), later as i64);
            prop_assert_eq!(turned.shift_us, -before.shift_us);
            prop_assert_eq!(turned.low_us.unwrap(), -before.high_us.unwrap());
            prop_assert!((turned.p - before.p).abs() < 1e-12);
        }
    }
}
