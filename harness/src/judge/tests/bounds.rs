//! The two bounds of an outage, on generated samples with a known truth.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::clock::Micros;
use crate::event::Hop;
use crate::judge::outage::{Lifetime, measure};
use crate::mask::Masked;
use crate::plan::Bounds;
use crate::timeline::{Answer, Generation, Sample};

/// Microseconds between due times.
const EVERY: u64 = 20_000;

/// One login: how late it was asked, how long it took, and where in between the server decided.
#[derive(Clone, Debug)]
struct Login {
    late: u64,
    took: u64,
    decided: f64,
    fate: Fate,
}

/// What became of a login apart from the server's decision.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Answered,
    Unreachable,
    Unclear,
    Missed,
}

/// Logins on due times, and outages from a moment until another.
#[derive(Clone, Debug)]
struct Case {
    logins: Vec<Login>,
    outages: Vec<(u64, u64)>,
}

impl Case {
    fn samples(&self) -> Vec<Sample> {
        let samples = self.logins.iter().enumerate().map(|(i, login)| {
            let due = 1_000_000 + i as u64 * EVERY;
            let asked = due + login.late;
            let decided = asked + (login.took as f64 * login.decided) as u64;
            let refused = self.outages.iter().any(|(from, until)| (*from..*until).contains(&decided));
            let answer = match login.fate {
                Fate::Answered if refused => Answer::Refused(Some(Generation(0))),
                Fate::Answered => Answer::Accepted(Some(Generation(0))),
                Fate::Unreachable => Answer::Unreachable(Masked::own("reset")),
                Fate::Unclear => Answer::Unclear(Masked::own("too many connections")),
                Fate::Missed => Answer::Missed,
            };
            sample(i as u64 + 1, asked, asked + login.took, answer)
        });
        let mut samples: Vec<_> = samples.collect();
        // The recorder writes answers in the order in which they come.
        samples.sort_by_key(|sample| sample.answered);
        samples
    }

    /// How long the longest outage lasted.
    fn lasted(&self) -> Micros {
        Micros(self.outages.iter().map(|(from, until)| until - from).max().unwrap_or_default())
    }

    /// When the first of them began.
    fn rotated(&self) -> Option<Micros> {
        self.outages.iter().map(|(from, _)| Micros(*from)).min()
    }

    fn bounds(&self) -> Bounds {
        longest(&self.samples(), self.rotated())
    }
}

fn sample(seq: u64, asked: u64, answered: u64, answer: Answer) -> Sample {
    let (due, asked, answered) = (Micros(asked), Micros(asked), Micros(answered));
    Sample { seq, hop: Hop::Login, probe: "web".into(), by: None, due, asked, answered, answer }
}

fn longest(samples: &[Sample], rotated: Option<Micros>) -> Bounds {
    measure(&samples.iter().collect::<Vec<_>>(), rotated, Lifetime::default()).longest
}

fn login() -> impl Strategy<Value = Login> {
    let fate = prop_oneof![
        20 => Just(Fate::Answered), 1 => Just(Fate::Unreachable), 1 => Just(Fate::Unclear), 1 => Just(Fate::Missed)
    ];
    // Most are quick; some take several periods, so that answers overlap and overtake one another.
    let took = prop_oneof![8 => 200..12_000u64, 2 => 12_000..90_000u64];
    (0..5_000u64, took, 0.0..=1.0f64, fate).prop_map(|(late, took, decided, fate)| Login {
        late,
        took,
        decided,
        fate,
    })
}

/// Logins, and outages at these shares of their time: where they begin, and how long they are.
fn cases(outages: impl Strategy<Value = Vec<(f64, f64)>>) -> impl Strategy<Value = Case> {
    (prop::collection::vec(login(), 30..80), outages).prop_map(|(logins, outages)| {
        let whole = logins.len() as f64 * EVERY as f64;
        let outages = outages.into_iter().map(|(from, length)| {
            let from = 1_000_000 + (whole * from) as u64;
            (from, from + (whole * length) as u64)
        });
        Case { outages: outages.collect(), logins }
    })
}

fn case() -> impl Strategy<Value = Case> {
    cases((0.2..0.5f64, 0.0..0.4f64).prop_map(|outage| vec![outage]))
}

/// Three that do not touch one another.
fn several() -> impl Strategy<Value = Case> {
    let length = || 0.0..0.2f64;
    cases((length(), length(), length()).prop_map(|(a, b, c)| vec![(0.1, a), (0.35, b), (0.6, c)]))
}

/// Whether bounds hold a time.
fn hold(bounds: Bounds, time: Micros) -> bool {
    bounds.at_least <= time && bounds.at_most.is_none_or(|most| time <= most)
}

/// The tempting bounds: from the first bad start to the last bad finish at least, and from the last good
/// finish to the next good start at most.
fn the_other_way_round(samples: &[Sample]) -> Option<Bounds> {
    let bad = || samples.iter().filter(|sample| sample.refused());
    let good = || samples.iter().filter(|sample| sample.accepted());
    let (first, last) = (bad().map(|s| s.asked).min()?, bad().map(|s| s.answered).max()?);
    let before = good().filter(|s| s.answered <= first).map(|s| s.answered).max()?;
    let after = good().filter(|s| s.asked >= last).map(|s| s.asked).min()?;
    Some(Bounds { at_least: last - first, at_most: Some(after - before) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_true_outage_lies_inside_the_bounds(case in case()) {
        prop_assert!(hold(case.bounds(), case.lasted()), "{:?} does not hold {:?}", case.bounds(), case.lasted());
    }

    #[test]
    fn of_several_outages_none_is_longer_than_the_upper_bound(case in several()) {
        let bounds = case.bounds();
        prop_assert!(bounds.at_most.is_none_or(|most| case.lasted() <= most), "{bounds:?} and {:?}", case.lasted());
    }

    #[test]
    fn another_accepted_login_inside_never_lengthens_it(case in case(), at in 0.0..1.0f64, took in 0..60_000u64) {
        let mut samples = case.samples();
        let inside = |sample: &&Sample| sample.refused();
        let Some(first) = samples.iter().filter(inside).map(|sample| sample.asked.0).min() else { return Ok(()) };
        let last = samples.iter().filter(inside).map(|sample| sample.answered.0).max().unwrap();
        let before = case.bounds();
        let asked = first + ((last - first) as f64 * at) as u64;
        let answered = (asked + took).min(last);
        samples.push(sample(1_000, asked, answered, Answer::Accepted(None)));
        let after = longest(&samples, case.rotated());
        prop_assert!(after.at_least <= before.at_least, "{before:?} became {after:?}");
        let unbounded = Micros(u64::MAX);
        prop_assert!(after.at_most.unwrap_or(unbounded) <= before.at_most.unwrap_or(unbounded), "{before:?} became {after:?}");
    }

    #[test]
    fn the_lower_bound_never_exceeds_the_upper(case in case(), flips in prop::collection::vec(any::<bool>(), 80)) {
        // Answers that no single outage explains.
        let mut samples = case.samples();
        for (sample, flip) in samples.iter_mut().zip(flips) {
            if flip && sample.accepted() {
                sample.answer = Answer::Refused(Some(Generation(0)));
            }
        }
        let bounds = longest(&samples, None);
        prop_assert!(bounds.at_most.is_none_or(|most| bounds.at_least <= most), "{bounds:?}");
    }
}

#[test]
fn the_other_way_round_excludes_the_truth() {
    let mut runner = TestRunner::deterministic();
    let (mut seen, mut excluded) = (0, 0);
    for _ in 0..500 {
        let case = case().new_tree(&mut runner).unwrap().current();
        assert!(hold(case.bounds(), case.lasted()));
        let Some(wrong) = the_other_way_round(&case.samples()) else { continue };
        seen += 1;
        excluded += usize::from(!hold(wrong, case.lasted()));
    }
    assert!(excluded * 20 > seen, "{excluded} of {seen} were excluded");
}
