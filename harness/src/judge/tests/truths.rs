//! The new kernels on generated histories with a known truth: a verdict never contradicts it.

use proptest::prelude::*;

use super::judged;
use crate::event::{Ending, Event, Hop, Outcome, Phase, What};
use crate::plan::{Always, Bounds, Counted, Expectation, Orders, Since, Who};
use crate::timeline::sketch::{Sketch, span, value};
use crate::verdict::Verdict;

/// When the history ends, in milliseconds.
const END: u64 = 10_000;

fn app() -> String {
    "app".to_owned()
}

/// Events in the order in which a recorder would have written them.
fn in_order(mut sketch: Sketch) -> Sketch {
    sketch.events.sort_by_key(|event| event.at);
    for (seq, Event { seq: own, .. }) in (1..).zip(&mut sketch.events) {
        *own = seq;
    }
    sketch
}

fn ended(sketch: Sketch) -> Sketch {
    in_order(sketch.with(END, What::End(Ending::Finished)))
}

/// That a verdict does not contradict what is true, nor the bounds the time that it took.
fn agrees(judgement: &super::Judgement, holds: bool, took: Option<u64>) -> Result<(), TestCaseError> {
    match judgement.verdict {
        Verdict::Pass => prop_assert!(holds, "passed: {}", judgement.seen),
        Verdict::Fail => prop_assert!(!holds, "failed: {}", judgement.seen),
        Verdict::Inconclusive | Verdict::Error | Verdict::Skipped => {}
    }
    if let (Some(Bounds { at_least, at_most }), Some(took)) = (judgement.measured, took) {
        prop_assert!(at_least <= span(took), "took {took} ms: {}", judgement.seen);
        prop_assert!(at_most.is_none_or(|most| span(took) <= most), "took {took} ms: {}", judgement.seen);
    }
    Ok(())
}

/// Askings: how long after the last one, how long it takes, at which part of that it is decided.
fn askings() -> impl Strategy<Value = Vec<(u64, u64, f64)>> {
    prop::collection::vec((20..400u64, 0..120u64, 0.0..=1.0f64), 10..60)
}

/// The askings with their times: asked, answered, decided.
fn timed(askings: &[(u64, u64, f64)]) -> impl Iterator<Item = (u64, u64, u64)> {
    askings.iter().scan(0, |asked, (later, took, decided)| {
        *asked += later;
        let at = *asked + (*took as f64 * decided) as u64;
        (*asked + took < END).then_some((*asked, *asked + took, at))
    })
}

/// A replica: when it comes, when it has the new value, when it goes; and its askings.
#[derive(Clone, Debug)]
struct Replica {
    came: u64,
    moved: Option<u64>,
    gone: Option<u64>,
    askings: Vec<(u64, u64, f64)>,
}

fn replica() -> impl Strategy<Value = Replica> {
    (
        prop_oneof![3 => Just(0), 1 => 0..4_000u64],
        prop::option::weighted(0.8, 0..3_000u64),
        prop::option::weighted(0.3, 500..6_000u64),
        askings(),
    )
        .prop_map(|(came, moved, gone, askings)| Replica {
            came,
            // Nothing moves before it is ordered.
            moved: moved.map(|later| (1_000 + later).max(came)),
            gone: gone.map(|later| came + later),
            askings,
        })
}

impl Replica {
    fn word(&self, at: u64) -> &'static str {
        if self.moved.is_some_and(|moved| moved <= at) { "b" } else { "a" }
    }

    /// Until when it held the old value since the rotation; none: it holds it still.
    fn held_old(&self) -> Option<u64> {
        match (self.moved, self.gone) {
            (Some(moved), Some(gone)) => Some(moved.min(gone)),
            (moved, gone) => moved.or(gone),
        }
    }

    fn there(&self, at: u64) -> bool {
        self.came <= at && self.gone.is_none_or(|gone| at < gone)
    }
}

/// All of them, asked while they are there; that they come and go is told a little later.
fn replicas(replicas: &[Replica]) -> Sketch {
    let mut sketch = Sketch::new()
        .credential("app", None, &[Hop::Store, Hop::Workload])
        .probe("store", "app", Hop::Store, Some(200))
        .probe("web", "app", Hop::Workload, Some(20))
        .begin()
        .shows("store", 0, 1, "a")
        .rotate(1_000, "b");
    for (index, one) in replicas.iter().enumerate() {
        let name = format!("web-{index}");
        sketch = sketch.replica(one.came + 1, &name, true);
        if let Some(gone) = one.gone.filter(|gone| gone + 1 < END) {
            sketch = sketch.replica(gone + 1, &name, false);
        }
        for (asked, answered, decided) in timed(&one.askings) {
            if one.there(asked) && one.there(answered) {
                sketch = sketch.by(&name, "web", asked, answered, Outcome::Shows(value(one.word(decided))));
            }
        }
    }
    ended(sketch)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn the_last_replica_is_not_forgotten(all in prop::collection::vec(replica(), 1..4), within in 1..5_000u64) {
        let sketch = replicas(&all);
        let (credential, at) = (app(), Hop::Workload);
        let arrival = Expectation::Arrival { credential, at, within: span(within), who: Who::Every, orders: Orders::All };
        let judgement = judged(&sketch, &arrival);
        // A pass says that nobody held the old value any more when the time was over, whoever came later.
        let deadline = 1_000 + within;
        // Of one that came later only what it said is known; one that says nothing may hold anything.
        let said = |one: &Replica| {
            let there = timed(&one.askings).filter(|(asked, until, _)| one.there(*asked) && one.there(*until));
            there.map(|(.., decided)| one.word(decided)).collect::<Vec<_>>()
        };
        let old = |one: &&Replica| {
            let said = said(one);
            let known = one.came <= 1_000 || said.contains(&"a") || said.is_empty() && one.gone.is_none();
            known && one.there(deadline) && one.held_old().is_none_or(|until| until > deadline)
        };
        let holds = !all.iter().any(|one| old(&one));
        if judgement.verdict == Verdict::Pass {
            prop_assert!(holds, "passed: {}", judgement.seen);
        }
        // A failure says that somebody held it for longer.
        let late = all.iter().any(|one| one.came < END && one.held_old().is_none_or(|until| until > deadline));
        if judgement.verdict == Verdict::Fail {
            prop_assert!(late, "failed: {}", judgement.seen);
        }
    }

    #[test]
    fn the_first_replica_is_found(all in prop::collection::vec(replica(), 1..4), within in 1..5_000u64) {
        let sketch = replicas(&all);
        let (credential, at) = (app(), Hop::Workload);
        let arrival = Expectation::Arrival { credential, at, within: span(within), who: Who::Any, orders: Orders::All };
        let had = all.iter().filter_map(|one| Some(one.moved?).filter(|moved| one.there(*moved))).min();
        let judgement = judged(&sketch, &arrival);
        agrees(&judgement, had.is_some_and(|had| had <= 1_000 + within), had.map(|had| had - 1_000))?;
    }

    #[test]
    fn how_long_an_old_value_was_accepted(died in prop::option::of(1_000..6_000u64), askings in askings(), time in 1..5_000u64) {
        let mut sketch = Sketch::app().begin().shows("store", 0, 1, "a").rotate(1_000, "b");
        for (asked, answered, decided) in timed(&askings) {
            let alive = died.is_none_or(|died| decided < died);
            let outcome = if alive { Outcome::Accepted(value("a")) } else { Outcome::Refused(value("a")) };
            sketch = sketch.saw("old", asked, answered, outcome);
        }
        let still = Expectation::Always(Always::StillAccepted { credential: app(), time: span(time) });
        let holds = died.is_none_or(|died| died - 1_000 >= time);
        let judgement = judged(&ended(sketch.clone()), &still);
        agrees(&judgement, holds, died.map(|died| died - 1_000))?;
        let retired = Expectation::Always(Always::Retired { credential: app(), within: span(time) });
        let holds = died.is_some_and(|died| died - 1_000 <= time);
        agrees(&judged(&ended(sketch), &retired), holds, None)?;
    }

    #[test]
    fn when_all_agreed(store in askings(), moved in 1_001..6_000u64, within in 1..5_000u64, lag in 0..10u64) {
        // The store has it at once, the Secret later; the step is done when it was ordered.
        let mut sketch = Sketch::kv().begin().news(1, "a").shows("store", 0, 1, "a").rotate(1_000, "b");
        sketch = sketch.step(1_000, Phase::Done).news(moved + lag, "b");
        for (asked, answered, decided) in timed(&store) {
            sketch.see("store", asked, answered, Outcome::Shows(value(if decided < 1_000 { "a" } else { "b" })));
        }
        let agreed = Expectation::Always(Always::Agrees { credential: app(), within: span(within) });
        let judgement = judged(&ended(sketch), &agreed);
        agrees(&judgement, moved - 1_000 <= within, Some(moved - 1_000))?;
    }

    #[test]
    fn when_a_state_was_right_for_good(changes in prop::collection::vec((1..2_000u64, any::<bool>()), 1..8), within in 0..6_000u64, lag in 0..10u64) {
        let mut sketch = Sketch::kv().begin();
        let (mut at, mut right_since) = (0, None);
        for (later, right) in &changes {
            at += later;
            if at + lag >= END {
                break;
            }
            sketch = sketch.state(at + lag, "ready", if *right { "True" } else { "False" });
            right_since = match (right, right_since) {
                (false, _) => None,
                (true, since) => since.or(Some(at)),
            };
        }
        let (state, is, since) = ("ready".to_owned(), "True".to_owned(), Since::Began);
        let expectation = Expectation::Always(Always::State { state, is, since, within: span(within) });
        let judgement = judged(&ended(sketch), &expectation);
        agrees(&judgement, right_since.is_some_and(|since| since <= within), right_since)?;
    }

    #[test]
    fn how_long_values_lived(lives in prop::collection::vec(50..3_000u64, 1..6), store in askings(), limit in 1..4_000u64, lag in 0..10u64) {
        let word = |number: usize| format!("v{number}");
        let ends: Vec<u64> = lives.iter().scan(0, |end, life| { *end += life; Some(*end) }).filter(|end| end + lag < END).collect();
        let mut sketch = Sketch::kv().begin().news(0, &word(0));
        for (number, end) in ends.iter().enumerate() {
            sketch = sketch.news(end + lag, &word(number + 1));
        }
        for (asked, answered, decided) in timed(&store) {
            let number = ends.iter().filter(|end| **end <= decided).count();
            sketch.see("store", asked, answered, Outcome::Shows(value(&word(number))));
        }
        let sketch = ended(sketch);
        let age = |at, at_least, at_most| Expectation::Always(Always::Age { credential: app(), at, at_least, at_most });
        let last = END - ends.last().copied().unwrap_or(0);
        let oldest = ends.iter().zip(&lives).map(|(_, life)| *life).chain([last]).max().unwrap();
        let shortest = ends.windows(2).map(|pair| pair[1] - pair[0]).min();
        for at in [Hop::Secret, Hop::Store] {
            let judgement = judged(&sketch, &age(at, None, Some(span(limit))));
            // An old one that was not seen for as long as it was there fails nothing.
            if judgement.verdict == Verdict::Fail || at == Hop::Secret {
                agrees(&judgement, oldest <= limit, None)?;
            }
            let judgement = judged(&sketch, &age(at, Some(span(limit)), None));
            // A short one that nobody saw cannot be told.
            if judgement.verdict == Verdict::Fail || at == Hop::Secret {
                agrees(&judgement, shortest.is_none_or(|shortest| shortest >= limit), None)?;
            }
        }
    }

    #[test]
    fn refusals_are_counted_by_when_they_came(refusals in prop::collection::vec((0..END, any::<bool>()), 0..12), second in 2_000..6_000u64, after in 1..4_000u64) {
        let mut sketch = Sketch::app().begin().state(0, "refusals:mysql", "heard").shows("store", 0, 1, "a");
        sketch = sketch.rotate(1_000, "b").rotate(second, "c");
        for (at, ours) in &refusals {
            let credential = ours.then(app);
            let refusal = crate::event::Refusal { server: "mysql".into(), credential, user: "u".into(), from: "f".into() };
            sketch = sketch.with(*at, What::Refusal(refusal));
        }
        let late = |at: u64| match at {
            at if at >= second => at > second + after,
            at => at > 1_000 + after,
        };
        let truth = refusals.iter().filter(|(at, ours)| *ours && late(*at)).count() as u64;
        let of = Counted::Stragglers { credential: app(), after: span(after) };
        let count = |most| Expectation::Count { of: of.clone(), at_least: None, at_most: Some(most) };
        let sketch = ended(sketch);
        prop_assert_eq!(judged(&sketch, &count(truth)).verdict, Verdict::Pass);
        if truth > 0 {
            prop_assert_eq!(judged(&sketch, &count(truth - 1)).verdict, Verdict::Fail);
        }
    }
}
