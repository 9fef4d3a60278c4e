//! Many questions at once: sixty hop times of noise must not raise an alarm.
//!
//! Holm's correction, over the questions that can have an answer at all: how few values there are is known before
//! anybody looks at them, so what can never be significant need not make the others harder (Tarone).

use super::shift::Shift;
use super::{ALPHA, ranks};

/// More values a side than this are never asked for.
const PLENTY: usize = 1_000;

/// Holm's correction: the p of each question as it is where all of them are asked, in their order.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut corrected = vec![1.0; ps.len()];
    let mut so_far: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        so_far = so_far.max((ps[index] * (ps.len() - rank) as f64).min(1.0));
        corrected[index] = so_far;
    }
    corrected
}

/// Corrects the shifts of one comparison for how many they are, and says anew what each comes to.
pub fn correct(shifts: &mut [&mut Shift]) {
    let sizes: Vec<(usize, usize)> = shifts.iter().map(|shift| (shift.n_a, shift.n_b)).collect();
    let answerable = answerable(&sizes);
    let ps: Vec<f64> =
        shifts.iter().zip(&answerable).filter(|(_, can)| **can).map(|(shift, _)| shift.p).collect();
    let mut corrected = holm(&ps).into_iter();
    for (index, shift) in shifts.iter_mut().enumerate() {
        match answerable[index] {
            true => shift.settle(corrected.next().expect("one for each that can be answered")),
            false => shift.leave_open(missing(&sizes, index)),
        }
    }
}

/// Which of the questions can be answered: for the least number `k` for which no more than `k` questions can come
/// below `ALPHA / k`, these.
fn answerable(sizes: &[(usize, usize)]) -> Vec<bool> {
    let least: Vec<f64> = sizes.iter().map(|(n_a, n_b)| ranks::least(*n_a, *n_b)).collect();
    let below = |k: usize| least.iter().map(move |least| least * (k as f64) < ALPHA);
    let k = (1..=sizes.len()).find(|k| below(*k).filter(|can| *can).count() <= *k);
    k.map_or_else(Vec::new, |k| below(k).collect())
}

/// How many more values a side (of every question, as further rounds bring them) one needs to be answerable.
fn missing(sizes: &[(usize, usize)], index: usize) -> usize {
    let with = |more: usize| sizes.iter().map(|(a, b)| (a + more, b + more)).collect::<Vec<_>>();
    (1..PLENTY).find(|more| answerable(&with(*more))[index]).unwrap_or(PLENTY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Micros;
    use crate::compare::ShiftVerdict;

    #[test]
    fn by_hand() {
        // Sorted 0.01 0.02 0.03 0.04 are 4, 3, 2 and 1 times as large, and none is less than the one before.
        let corrected = holm(&[0.03, 0.01, 0.04, 0.02]);
        for (found, expected) in corrected.iter().zip([0.06, 0.04, 0.06, 0.06]) {
            assert!((found - expected).abs() < 1e-12, "{corrected:?}");
        }
        assert_eq!(holm(&[0.7, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [] as [f64; 0]);
    }

    fn shift(n: u64, later: u64) -> Shift {
        let a: Vec<Micros> = (0..n).map(|i| Micros(i * 1_000)).collect();
        let b: Vec<Micros> = (0..n).map(|i| Micros(i * 1_000 + later)).collect();
        Shift::between(&a, &b, Micros(10))
    }

    fn verdicts(mut shifts: Vec<Shift>) -> Vec<ShiftVerdict> {
        correct(&mut shifts.iter_mut().collect::<Vec<_>>());
        shifts.into_iter().map(|shift| shift.verdict).collect()
    }

    #[test]
    fn what_stands_alone_may_fall_in_company() {
        assert_eq!(verdicts(vec![shift(4, 90_000)]), [ShiftVerdict::Slower]);
        // Two at 2/70 each: once more than one asks, four a side come to nothing below 0.05.
        let two = verdicts(vec![shift(4, 90_000), shift(4, 0)]);
        assert_eq!(two, [ShiftVerdict::TooFew { more: 1 }; 2]);
        assert_eq!(
            verdicts(vec![shift(5, 90_000), shift(5, 0)]),
            [ShiftVerdict::Slower, ShiftVerdict::Within]
        );
    }

    #[test]
    fn what_cannot_be_answered_costs_the_others_nothing() {
        let mut shifts = vec![shift(1, 0); 60];
        shifts.push(shift(5, 90_000));
        let verdicts = verdicts(shifts);
        assert_eq!(verdicts[60], ShiftVerdict::Slower);
        // 7 a side come to 2/3432, which 60 times over is below 0.05; 6 a side, to 2/924.
        assert_eq!(verdicts[0], ShiftVerdict::TooFew { more: 6 });
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn never_below_and_in_the_same_order(ps in prop::collection::vec(0.0f64..=1.0, 1..20)) {
            let corrected = holm(&ps);
            for (p, q) in ps.iter().zip(&corrected) {
                prop_assert!(q >= p && *q <= 1.0);
                prop_assert!(*q <= p * ps.len() as f64 + 1e-12, "no worse than Bonferroni's");
            }
            for (i, j) in (0..ps.len()).flat_map(|i| (0..ps.len()).map(move |j| (i, j))) {
                prop_assert!(ps[i] > ps[j] || corrected[i] <= corrected[j]);
            }
        }

        #[test]
        fn of_those_that_can_be_answered_each_can(sizes in prop::collection::vec((0usize..9, 0usize..9), 1..40)) {
            let can = answerable(&sizes);
            let family = can.iter().filter(|can| **can).count();
            for (can, (a, b)) in can.iter().zip(&sizes) {
                prop_assert!(!can || ranks::least(*a, *b) * family as f64 <= ALPHA);
            }
        }
    }
}
