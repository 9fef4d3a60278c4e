//! The ranks of two samples, and how likely they are where nothing differs (Mann and Whitney's test).
//!
//! Few rotations are played, and many of them take the same time. So the distribution is not approximated: it
//! is counted, over the ranks as they are, ties and all.

use super::ALPHA;
use crate::clock::Micros;

/// Up to this product of the smaller side and both sides together the distribution is counted: 40 a side, or 3
/// against 1,000. Beyond it the normal approximation does, with its corrections for ties and continuity.
const COUNTED: usize = 3_200;

/// The two-sided p of "these are two samples of one and the same", where every split of the values into two such
/// sides is as likely: twice how often the rank sum lies as far out as this one, or farther, on its side of the
/// distribution. (Twice, because ties may leave one side nothing as far out: a p of less than [`least`] would
/// come of the ties, and not of more evidence.)
pub(super) fn two_sided(a: &[Micros], b: &[Micros]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let pooled: Vec<Micros> = a.iter().chain(b).copied().collect();
    let ranks = doubled(&pooled);
    let (of_a, of_b) = ranks.split_at(a.len());
    let smaller = if a.len() <= b.len() { of_a } else { of_b };
    let sum: usize = smaller.iter().sum();
    if counted(a.len(), b.len()) {
        let ways = ways(&ranks, smaller.len());
        let all: u128 = ways.iter().sum();
        let (low, high): (u128, u128) = (ways[..=sum].iter().sum(), ways[sum..].iter().sum());
        (2.0 * low.min(high) as f64 / all as f64).min(1.0)
    } else {
        // Twice the mean rank sum of the smaller side.
        let mean = smaller.len() * (ranks.len() + 1);
        approximated(sum.abs_diff(mean) as f64 / 2.0, deviation(a.len(), b.len(), &ranks))
    }
}

/// The least p that so many values on each side can come to.
pub(super) fn least(n_a: usize, n_b: usize) -> f64 {
    let (few, all) = (n_a.min(n_b), n_a + n_b);
    let splits = (0..few).fold(1.0, |splits, i| splits * (all - i) as f64 / (i + 1) as f64);
    (2.0 / splits).min(1.0)
}

/// How many of the ordered pairwise differences lie beyond each end of the confidence interval, the end itself
/// counted: none where the sides are too small for one.
pub(super) fn beyond(n_a: usize, n_b: usize) -> usize {
    if n_a == 0 || n_b == 0 {
        return 0;
    }
    let few = n_a.min(n_b);
    if !counted(n_a, n_b) {
        let pairs = (n_a * n_b) as f64;
        let untied = (pairs * (n_a + n_b + 1) as f64 / 12.0).sqrt();
        return (pairs / 2.0 - 1.96 * untied).floor().max(0.0) as usize;
    }
    let untied: Vec<usize> = (1..=n_a + n_b).map(|rank| 2 * rank).collect();
    let ways = ways(&untied, few);
    let all: u128 = ways.iter().sum();
    let mut below = 0;
    let tails = ways[few * (few + 1)..].iter().step_by(2).map(|ways| {
        below += ways;
        2.0 * below as f64 / all as f64
    });
    tails.take_while(|tail| *tail < ALPHA).count()
}

fn counted(n_a: usize, n_b: usize) -> bool {
    n_a.min(n_b) * (n_a + n_b) <= COUNTED
}

/// Twice the rank of each value; equal ones share the mean of theirs.
fn doubled(values: &[Micros]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = |value: &Micros| {
        let below = sorted.partition_point(|other| other < value);
        let up_to = sorted.partition_point(|other| other <= value);
        // The first of them has rank `below + 1`, the last `up_to`.
        below + 1 + up_to
    };
    values.iter().map(rank).collect()
}

/// In how many ways so many of the ranks add up to each sum.
fn ways(ranks: &[usize], take: usize) -> Vec<u128> {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let most: usize = sorted.iter().rev().take(take).sum();
    // Of the ranks looked at so far: by how many were taken, and what those add up to.
    let mut ways = vec![vec![0u128; most + 1]; take + 1];
    ways[0][0] = 1;
    for (looked_at, &rank) in ranks.iter().enumerate() {
        for taken in (1..=take.min(looked_at + 1)).rev() {
            let (fewer, these) = ways.split_at_mut(taken);
            let with_it = these[0][rank..].iter_mut().zip(&fewer[taken - 1]);
            with_it.for_each(|(these, fewer)| *these += fewer);
        }
    }
    ways.swap_remove(take)
}

/// The standard deviation of the rank sum, ties taken into account.
fn deviation(n_a: usize, n_b: usize, ranks: &[usize]) -> f64 {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 =
        sorted.chunk_by(|a, b| a == b).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum();
    let all = (n_a + n_b) as f64;
    ((n_a * n_b) as f64 / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))).max(0.0).sqrt()
}

/// Two-sided, by the normal distribution.
fn approximated(apart: f64, deviation: f64) -> f64 {
    if deviation == 0.0 {
        return 1.0;
    }
    tails(((apart - 0.5).max(0.0) / deviation) / std::f64::consts::SQRT_2)
}

/// The complementary error function for what is not negative; Chebyshev's fit, good to 1.2e-7 of its value.
fn tails(z: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * z);
    let fit = FIT.iter().rev().fold(0.0, |sum, term| sum * t + term);
    (t * (fit - z * z).exp()).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(values: &[u64]) -> Vec<Micros> {
        values.iter().copied().map(Micros).collect()
    }

    fn p(a: &[u64], b: &[u64]) -> f64 {
        two_sided(&micros(a), &micros(b))
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    /// Every split, one by one.
    fn by_brute_force(a: &[u64], b: &[u64]) -> f64 {
        let pooled: Vec<u64> = a.iter().chain(b).copied().collect();
        // Twice how often a value of the one side lies above one of the other.
        let doubled_u = |side: u32| -> i64 {
            let one = |i: &usize| side & (1 << i) != 0;
            let pairs = (0..pooled.len())
                .filter(one)
                .flat_map(|i| (0..pooled.len()).filter(|j| !one(j)).map(move |j| (i, j)));
            pairs.map(|(i, j)| 1 + pooled[i].cmp(&pooled[j]) as i64).sum()
        };
        let seen = doubled_u((1 << a.len()) - 1);
        let splits = (0u32..1 << pooled.len()).filter(|side| side.count_ones() as usize == a.len());
        let (low, high, all) = splits.map(doubled_u).fold((0, 0, 0), |(low, high, all), u| {
            (low + i32::from(u <= seen), high + i32::from(u >= seen), all + 1)
        });
        (2.0 * f64::from(low.min(high)) / f64::from(all)).min(1.0)
    }

    #[test]
    fn small_ones_by_hand() {
        near(p(&[1, 2, 3], &[4, 5, 6]), 2.0 / 20.0);
        near(p(&[1, 2, 3, 4], &[5, 6, 7, 8]), 2.0 / 70.0);
        // U = 1 of 9, and the same on the other side: 2 splits each.
        near(p(&[1, 2, 4], &[3, 5, 6]), 4.0 / 20.0);
        // 1 2 2 | 2 3: ranks 1, 3, 3, 3, 5. The pair {3, 5} has 8, its mean is 6; as far are {1, 3} thrice
        // and {3, 5} thrice.
        near(p(&[1, 2, 2], &[2, 3]), 6.0 / 10.0);
        near(p(&[7, 7, 7], &[7, 7, 7]), 1.0);
        near(p(&[1], &[]), 1.0);
    }

    #[test]
    fn ranks_of_equals_are_shared() {
        assert_eq!(doubled(&micros(&[30, 10, 20, 20])), [8, 2, 5, 5]);
    }

    #[test]
    fn the_least_p_is_that_of_two_sides_apart() {
        for (n, expected) in [(1, 1.0), (2, 1.0 / 3.0), (3, 0.1), (4, 1.0 / 35.0), (5, 1.0 / 126.0)] {
            near(least(n, n), expected);
            let (low, high): (Vec<u64>, Vec<u64>) =
                ((0..n as u64).collect(), (100..100 + n as u64).collect());
            near(p(&low, &high), least(n, n));
        }
        near(least(2, 40), 2.0 / 861.0);
        near(least(0, 9), 1.0);
    }

    /// The critical values of the tables (Hollander and Wolfe, two-sided 5 %), one more than the largest U.
    #[test]
    fn so_many_differences_lie_beyond_the_interval() {
        for (n_a, n_b, expected) in [
            (3, 3, 0),
            (0, 9, 0),
            (4, 4, 1),
            (5, 5, 3),
            (6, 6, 6),
            (8, 8, 14),
            (10, 10, 24),
            (5, 9, 8),
            (20, 20, 128),
        ] {
            assert_eq!(beyond(n_a, n_b), expected, "{n_a} and {n_b}");
            assert_eq!(beyond(n_b, n_a), expected, "{n_b} and {n_a}");
        }
        assert_eq!(beyond(40, 40), 597, "counted");
        assert_eq!(beyond(41, 41), 629, "approximated");
    }

    #[test]
    fn beyond_what_is_counted_the_normal_distribution_does() {
        for (z, expected) in [(0.0, 1.0), (0.5, 0.479_500_122), (1.0, 0.157_299_207), (2.0, 0.004_677_735)] {
            assert!((tails(z) - expected).abs() < 2e-7, "{z}: {}", tails(z));
        }
        // The two meet: 40 a side is counted, and what the approximation makes of the same is close.
        let (a, b): (Vec<u64>, Vec<u64>) =
            ((0..40).map(|i| i % 7).collect(), (0..40).map(|i| i % 7 + i % 2).collect());
        let ranks = doubled(&micros(&[a.clone(), b.clone()].concat()));
        let apart = ranks[..40].iter().sum::<usize>().abs_diff(40 * 81) as f64 / 2.0;
        let (counted, approximated) = (p(&a, &b), approximated(apart, deviation(40, 40, &ranks)));
        assert!((counted - approximated).abs() < 0.01, "{counted} {approximated}");
        let many: Vec<u64> = (0..60).collect();
        assert!(p(&many, &many.iter().map(|v| v + 100).collect::<Vec<_>>()) < 1e-15);
        near(p(&many, &many), 1.0);
        near(p(&[1; 50], &[1; 50]), 1.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn counting_is_enumerating(
            a in prop::collection::vec(0u64..8, 1..6),
            b in prop::collection::vec(0u64..8, 1..6),
        ) {
            prop_assert!((p(&a, &b) - by_brute_force(&a, &b)).abs() < 1e-9);
            prop_assert!((p(&a, &b) - p(&b, &a)).abs() < 1e-12, "the sides are alike");
            prop_assert!(p(&a, &b) >= least(a.len(), b.len()) - 1e-12);
        }
    }
}
