//! What must hold of any timeline whatever.

use proptest::prelude::*;

use crate::clock::Micros;
use crate::event::{Event, Hop, Outcome, Refusal, What};
use crate::judge::judge;
use crate::mask::Masked;
use crate::plan::{Always, Counted, Expectation, Orders, Since, Who, Window};
use crate::timeline::sketch::{Sketch, span, value};
use crate::timeline::{Timeline, fold};
use crate::verdict::Verdict;

/// Something that happens: what, how much later than the last, how long it takes, with which value.
type Happening = (u8, u64, u64, usize);

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec((0..20u8, 0..400u64, 0..60u64, 0..4usize), 0..80)
}

/// What is judged of workloads, schedules and states.
fn newer() -> Vec<Expectation> {
    let app = || "app".to_owned();
    let always = [
        Always::StillAccepted { credential: app(), time: span(200) },
        Always::Whole { credential: app(), at: Hop::Secret },
        Always::Agrees { credential: app(), within: span(500) },
        Always::State { state: "ready".into(), is: "a".into(), since: Since::Step(0), within: span(500) },
        Always::Age { credential: app(), at: Hop::Store, at_least: Some(span(50)), at_most: Some(span(900)) },
    ];
    let counted = [
        Counted::Last { counter: "n".into() },
        Counted::Rise { counter: "n".into() },
        Counted::Churn { credential: app() },
        Counted::Refused { probe: "web".into() },
        Counted::Stragglers { credential: app(), after: span(100) },
    ];
    let counts = counted.map(|of| Expectation::Count { of, at_least: Some(1), at_most: Some(3) });
    let (at, within, who) = (Hop::Login, span(900), Who::Any);
    always
        .map(Expectation::Always)
        .into_iter()
        .chain(counts)
        .chain([
            Expectation::Arrival { credential: app(), at, within, who, orders: Orders::RolledBack },
            Expectation::Outage { of: "web".into(), at_most: span(900), who },
        ])
        .collect()
}

/// A story in which these things happen, and rotations only where they are wanted.
fn story(happenings: &[Happening], rotates: bool) -> Sketch {
    let app = || "app".to_owned();
    let mut sketch = Sketch::app()
        .expect(Expectation::Arrival {
            credential: app(),
            at: Hop::Secret,
            within: span(900),
            who: Who::Every,
            orders: Orders::All,
        })
        .expect(Expectation::Arrival {
            credential: app(),
            at: Hop::Origin,
            within: span(900),
            who: Who::Every,
            orders: Orders::All,
        })
        .expect(Expectation::Outage { of: "web".into(), at_most: span(900), who: Who::Every })
        .expect(Expectation::Always(Always::Retired { credential: app(), within: span(100) }))
        .expect(Expectation::Order { credential: app(), at: Hop::Secret })
        .expect(Expectation::Order { credential: app(), at: Hop::Store })
        .expect(Expectation::Always(Always::HoldsStill {
            credential: app(),
            at: Hop::Secret,
            during: Window::default(),
        }))
        .expect(Expectation::Count {
            of: Counted::Moves { credential: app(), at: Hop::Store },
            at_least: Some(1),
            at_most: Some(3),
        })
        .expect(Expectation::Every(newer()))
        .begin();
    let mut at = 0;
    for (what, later, took, word) in happenings {
        at += later;
        let word = ["a", "b", "c", "d"][*word];
        let (shows, until) = (Outcome::Shows(value(word)), at + took);
        match what {
            0 | 1 => sketch.see("store", at, until, shows),
            2 | 3 => sketch.see("secret", at, at, shows),
            4 | 5 => sketch.see("web", at, until, Outcome::Accepted(value(word))),
            6 | 7 => sketch.see("web", at, until, Outcome::Refused(value(word))),
            8 => sketch.see("old", at, until, Outcome::Refused(value(word))),
            9 => sketch.see("old", at, until, Outcome::Accepted(value(word))),
            10 => sketch.see("web", at, until, Outcome::Unreachable(Masked::own("gone"))),
            11 => sketch = sketch.gap(at, until),
            14 => sketch = sketch.by(word, "web", at, until, Outcome::Accepted(value("a"))),
            15 => sketch = sketch.by(word, "web", at, until, Outcome::Refused(value("b"))),
            16 => sketch = sketch.replica(at, word, took % 2 == 0),
            17 => sketch = sketch.state(at, "ready", word),
            18 => sketch = sketch.counted(at, "n", *took),
            19 => {
                let (server, credential) = ("mysql".to_owned(), Some(app()));
                let refusal = Refusal { server, credential, user: word.into(), from: "here".into() };
                sketch = sketch.with(at, What::Refusal(refusal));
            }
            12 if rotates => sketch = sketch.rotate(at, word),
            _ if rotates => sketch = sketch.ordered(at),
            _ => sketch.see("store", at, until, Outcome::Missed),
        }
    }
    sketch.finish(at + 1_000)
}

/// All times of a sketch, a constant later.
fn shifted(sketch: &Sketch, by: Micros) -> Sketch {
    let mut later = sketch.clone();
    later.header.at = later.header.at + by;
    for Event { at, what, .. } in &mut later.events {
        *at = *at + by;
        match what {
            What::Seen(seen) => {
                for time in [&mut seen.due, &mut seen.asked, &mut seen.answered] {
                    *time = *time + by;
                }
            }
            What::Gap { from, .. } => *from = *from + by,
            What::Run(_) | What::Calibrated(_) | What::Plan(_) | What::Step(_) | What::Ordered(_) => {}
            What::Written { .. } | What::Count { .. } | What::Component { .. } | What::Usage { .. } => {}
            What::Replaced(_) => {}
            What::Replica { .. } | What::Refusal(_) | What::State { .. } => {}
            What::Note(_) | What::End(_) => {}
        }
    }
    later
}

fn bytes(timeline: &Timeline) -> String {
    serde_json::to_string(&judge(timeline)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn shifting_all_times_changes_nothing(happenings in happenings(), by in 1..10_000_000_000u64) {
        let sketch = story(&happenings, true);
        prop_assert_eq!(bytes(&sketch.timeline()), bytes(&shifted(&sketch, Micros(by)).timeline()));
    }

    #[test]
    fn the_file_is_judged_as_the_events_were(happenings in happenings(), itself in any::<bool>()) {
        let mut sketch = story(&happenings, true);
        if itself {
            sketch = sketch.moving_itself(Hop::Store);
            let plan = What::Plan(Box::new(sketch.plan.clone()));
            sketch.events.iter_mut().filter(|e| matches!(e.what, What::Plan(_))).for_each(|e| e.what = plan.clone());
        }
        let folded = fold(&*sketch.file()).unwrap();
        prop_assert_eq!(&folded, &sketch.timeline());
        prop_assert_eq!(bytes(&folded), bytes(&sketch.timeline()));
    }

    #[test]
    fn without_an_ordered_rotation_nothing_that_needs_one_passes(happenings in happenings()) {
        let sketch = story(&happenings, false);
        let story = sketch.story();
        for expected in &story.plan.expectations[..6] {
            let finding = expected.judge(&story);
            prop_assert_ne!(finding.verdict, Verdict::Pass, "{}", finding.seen);
        }
        let verdict = judge(&sketch.timeline()).scenarios.remove(0).verdict;
        prop_assert!(verdict == Verdict::Inconclusive || verdict == Verdict::Fail);
    }

    #[test]
    fn no_measured_time_has_its_bounds_the_wrong_way_round(happenings in happenings()) {
        let story = story(&happenings, true).story();
        for expectation in newer() {
            let judgement = expectation.judge(&story);
            if let Some(bounds) = judgement.measured {
                prop_assert!(bounds.at_most.is_none_or(|most| bounds.at_least <= most), "{}", judgement.seen);
            }
        }
    }

    #[test]
    fn bounds_are_in_order_and_waits_agree_with_the_judge(happenings in happenings()) {
        let story = story(&happenings, true).story();
        for hop in Hop::ALL {
            let rotations = story.rotations("app").len();
            for rotation in 0..rotations {
                let arrival = story.arrival("app", hop, rotation);
                prop_assert!(arrival.bounds.at_most.is_none_or(|most| arrival.bounds.at_least <= most));
                prop_assert_eq!(arrival.seen.is_some(), arrival.bounds.at_most.is_some());
            }
            let last = rotations.checked_sub(1).map(|last| story.arrival("app", hop, last).seen.is_some());
            prop_assert_eq!(story.reached("app", hop), last.unwrap_or(false));
        }
    }

    #[test]
    fn a_scenario_that_was_cut_short_never_passes(happenings in happenings(), cut in 0.0..1.0f64) {
        let mut sketch = story(&happenings, true);
        sketch.events.truncate((sketch.events.len() as f64 * cut) as usize);
        let verdicts = judge(&sketch.timeline()).scenarios;
        prop_assert!(verdicts.iter().all(|scenario| scenario.verdict != Verdict::Pass));
    }
}
