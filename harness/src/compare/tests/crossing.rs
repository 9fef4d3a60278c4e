//! How what an upgrade did to values that nobody rotates enters the answer.

use super::super::*;
use super::{MS, finding, of, run, timed, two};
use crate::clock::Micros;
use crate::event::{Hop, OrderKind};
use crate::timeline::sketch::Sketch;
use crate::verdict::{Defect, RunVerdict, Verdict};

pub(super) fn crossing(moved: Vec<Moved>) -> Crossing {
    let phase = |name: &str, began: u64, ended: u64| CrossingPhase {
        name: name.into(),
        began_us: Micros(began * 1_000 * MS),
        ended_us: Micros(ended * 1_000 * MS),
        outage_us: None,
    };
    let watched = |credential: &str, stands_still| Watched {
        credential: credential.into(),
        at: Hop::Secret,
        what: "ExternalSecret app/db, key password".into(),
        source: "app.yaml:3".into(),
        stands_still,
    };
    Crossing {
        changes: Vec::new(),
        phases: vec![phase("eso v0.16.1", 0, 30), phase("eso v0.20.4", 30, 60)],
        watched: vec![watched("still", true), watched("free", false)],
        moved,
        calls: Vec::new(),
        lag: Vec::new(),
        unwatched: Vec::new(),
        findings: Vec::new(),
        verdict: Verdict::Pass,
        limits: Vec::new(),
    }
}

pub(super) fn moved(credential: &str, known: Option<&str>) -> Moved {
    Moved {
        credential: credential.into(),
        at: Hop::Secret,
        what: "ExternalSecret app/db, key password".into(),
        moves: "g0 → g1".into(),
        phase: "eso v0.20.4".into(),
        since_phase_us: Micros(9),
        since_start_us: Micros(19),
        times: 1,
        evidence: vec![7],
        known: known.map(str::to_owned),
    }
}

#[test]
fn a_value_that_moves_and_should_not_is_worse_though_it_is_known() {
    let nothing = || two(of("x/y", Verdict::Pass), of("x/y", Verdict::Pass));
    let with = |crossing| nothing().crossed(crossing).outcome();
    assert_eq!(with(crossing(Vec::new())), Outcome::Nothing);
    assert_eq!(with(crossing(vec![moved("still", None)])), Outcome::Worse);
    assert_eq!(with(crossing(vec![moved("still", Some("hash changed"))])), Outcome::Worse);
    assert_eq!(with(crossing(vec![moved("free", None)])), Outcome::Changed);
    assert_eq!(with(crossing(vec![moved("never heard of", None)])), Outcome::Worse);
    let both =
        [moved("still", Some("d")), moved("still", None), moved("other", Some("d")), moved("free", None)];
    assert_eq!(crossing(both.to_vec()).values_astray(), (2, 1));
}

#[test]
fn a_crossing_enters_the_outcome() {
    let with = |change: fn(&mut Crossing)| {
        let mut crossing = crossing(Vec::new());
        change(&mut crossing);
        two(of("x/y", Verdict::Pass), of("x/y", Verdict::Pass)).crossed(crossing).outcome()
    };
    assert_eq!(with(|c| c.verdict = Verdict::Fail), Outcome::Worse, "whatever it was that failed");
    assert_eq!(with(|c| c.verdict = Verdict::Inconclusive), Outcome::CannotTell);
    assert_eq!(with(|c| c.watched.clear()), Outcome::CannotTell);
    assert_eq!(with(|c| c.findings = vec![finding(Verdict::Fail, None)]), Outcome::Worse);
    let gone = |c: &mut Crossing| {
        c.findings = vec![finding(Verdict::Fail, Some(("it moves", Defect::Gone)))];
        c.verdict = Verdict::Fail;
    };
    assert_eq!(with(gone), Outcome::Changed, "a defect that is gone is no harm");
    // Nothing else was played: the crossing stands for itself.
    assert_eq!(
        compare(&[run("1", "a", vec![])], &[run("2", "b", vec![])]).crossed(crossing(vec![])).doubts(),
        [""; 0]
    );
}

#[test]
fn calls_change_where_a_boundary_does_not_explain_it() {
    let rate = |calls: [u64; 2]| CallRate {
        what: "reads of secret/data/app".into(),
        interval_us: None,
        per_phase: ["eso v0.16.1", "eso v0.20.4"]
            .into_iter()
            .zip(calls)
            .map(|(phase, calls)| PhaseCalls { phase: phase.into(), calls, rate: calls as f64 / 3.0 })
            .collect(),
    };
    let changed = |calls| crossing(Vec::new()).rate_changed(&rate(calls));
    assert!(!changed([3, 3]) && !changed([3, 4]) && !changed([3, 5]) && !changed([0, 2]));
    assert!(changed([3, 8]) && changed([8, 3]) && changed([0, 3]));
}

#[test]
fn the_lag_of_a_crossing_is_asked_about_with_the_rest() {
    let times = |from: u64| (0..4).map(|i| Micros((from + 10 * i) * MS)).collect::<Vec<_>>();
    let shift = Shift::between(&times(10), &times(110), Micros(MS));
    assert_eq!(shift.verdict, ShiftVerdict::Slower);
    let mut crossing = crossing(Vec::new());
    crossing.lag = vec![Lag { what: "sync".into(), shift }];
    let comparison =
        two(timed(&[10, 20, 30, 40], OrderKind::Forced), timed(&[10, 20, 30, 40], OrderKind::Forced))
            .crossed(crossing);
    assert!(
        comparison.shifts().all(|shift| shift.verdict == ShiftVerdict::TooFew { more: 1 }),
        "{comparison:?}"
    );
}

#[test]
fn a_hop_that_was_not_played_to_its_end_says_why_and_decides_nothing() {
    let watched = crossing(Vec::new()).watched;
    let asked = || Asked { scenario: "s".into(), watched: watched.clone(), ..Asked::default() };
    let alone = || compare(&[], &[]);
    let both = || two(of("x/y", Verdict::Pass), of("x/y", Verdict::Pass));
    let played = |scenarios, broke: Option<&str>| RunVerdict {
        broke: broke.map(str::to_owned),
        ..run("3", "v0.16.1", scenarios)
    };
    let timeline = Sketch::new().begin().finish(9).timeline();
    let hop = |run: &RunVerdict| crossed(&timeline, run, asked());
    let doubt = |why: &str| vec![format!("the upgrade is error: it is played to its end: {why}")];
    // Its plane did not start: no scenario was begun.
    let why = "kube-apiserver was not ready";
    let unbegun = hop(&played(Vec::new(), Some(why)));
    assert_eq!(alone().crossed(unbegun.clone()).doubts(), doubt(why));
    let found = both().crossed(unbegun);
    assert_eq!((found.outcome(), found.doubts()), (Outcome::CannotTell, doubt(why)));
    assert_eq!(both().crossed(hop(&played(Vec::new(), None))).doubts(), doubt("its run does not say why"));
    // It broke when all was seen, and before.
    let passed = || vec![of("s", Verdict::Pass)];
    assert_eq!(both().crossed(hop(&played(passed(), None))).doubts(), [""; 0]);
    assert_eq!(both().crossed(hop(&played(passed(), Some(why)))).doubts(), doubt(why));
    let failed = both().crossed(hop(&played(vec![of("s", Verdict::Fail)], Some(why))));
    assert_eq!(failed.outcome(), Outcome::Worse, "it hides nothing");
    // What is known without a play is told all the same.
    let unserved = Asked { findings: vec![finding(Verdict::Fail, None)], ..asked() };
    let found = alone().crossed(crossed(&timeline, &played(Vec::new(), Some(why)), unserved));
    assert_eq!(found.outcome(), Outcome::Worse);
}
