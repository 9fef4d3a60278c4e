//! What two judged runs come to, on runs made by hand.

mod crossing;

use self::crossing::{crossing, moved};
use super::*;
use crate::clock::Micros;
use crate::event::{Calibration, ComponentInfo, Hop, OrderKind, Quantiles, RunInfo};
use crate::plan::{Bounds, Evidence};
use crate::verdict::{
    self, ClaimFinding, Defect, Finding, HopRow, RunVerdict, ScenarioVerdict, Standing, Verdict,
};

const MS: u64 = 1_000;

fn finding(verdict: Verdict, pinned: Option<(&str, Defect)>) -> Finding {
    Finding {
        line: Some(9),
        pinned: pinned.map(|(defect, _)| defect.into()),
        defect: pinned.map(|(_, stands)| stands),
        evidence: vec![4],
        ..Finding::own("holds_still", verdict, "app stands still at secret", "g0 → g1 at 2.0 ms")
    }
}

fn scenario(name: &str, findings: Vec<Finding>) -> ScenarioVerdict {
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
    ScenarioVerdict {
        scenario: name.into(),
        about: "about".into(),
        file: format!("{name}.yaml"),
        evidence: Evidence::Real,
        covers: Vec::new(),
        verdict,
        summary: format!("{name}: {verdict}"),
        took_us: Micros(9),
        findings,
        hops: Vec::new(),
        claims: Vec::new(),
        probes: Vec::new(),
        projections: Vec::new(),
    }
}

fn of(name: &str, verdict: Verdict) -> ScenarioVerdict {
    scenario(name, vec![finding(verdict, None)])
}

fn run(id: &str, eso: &str, scenarios: Vec<ScenarioVerdict>) -> RunVerdict {
    let component = |name: &str, version: &str| ComponentInfo {
        name: name.into(),
        version: version.into(),
        source: "go".into(),
        sha256: "a".repeat(64),
        image: None,
    };
    let watch_delivery = Quantiles { n: 50, p50: Micros(MS), p99: Micros(4 * MS), max: Micros(9 * MS) };
    RunVerdict {
        format: verdict::FORMAT,
        run: id.into(),
        wall: "2026-11-23T17:00:00Z".into(),
        on: Some(RunInfo {
            plane: "embedded".into(),
            components: vec![component("eso", eso), component("openbao", "2.7.2")],
            ..RunInfo::default()
        }),
        calibration: Some(Calibration { watch_delivery, ..Calibration::default() }),
        took_us: Micros(9),
        interrupted: None,
        broke: None,
        torn: false,
        scenarios,
        servers: Vec::new(),
    }
}

/// One run of one scenario on each side.
fn two(a: ScenarioVerdict, b: ScenarioVerdict) -> Comparison {
    compare(&[run("one", "v0.16.1", vec![a])], &[run("two", "v0.20.4", vec![b])])
}

#[test]
fn of_two_verdicts() {
    use Verdict::{Error, Fail, Inconclusive, Pass, Skipped};
    for (a, b, outcome) in [
        (Pass, Pass, Outcome::Nothing),
        (Fail, Fail, Outcome::Nothing),
        (Pass, Fail, Outcome::Worse),
        (Fail, Pass, Outcome::Changed),
        (Pass, Inconclusive, Outcome::CannotTell),
        (Inconclusive, Fail, Outcome::CannotTell),
        (Error, Pass, Outcome::CannotTell),
        (Skipped, Fail, Outcome::CannotTell),
    ] {
        // Beside one that is decided on both sides.
        let sides = [("one", "v0.16.1", a), ("two", "v0.20.4", b)];
        let [a, b] =
            sides.map(|(id, eso, verdict)| run(id, eso, vec![of("x/steady", Pass), of("x/y", verdict)]));
        let comparison = compare(std::slice::from_ref(&a), std::slice::from_ref(&b));
        assert_eq!(comparison.outcome(), outcome, "{:?}", comparison.verdicts[1]);
        assert_eq!(comparison.verdicts[1].direction.is_none(), outcome == Outcome::Nothing);
    }
    let changed = two(of("x/y", Pass), of("x/y", Fail));
    let told = changed.verdicts[0].told.as_ref().unwrap();
    assert_eq!((told.side, told.run.as_str(), told.summary.as_str()), (Which::B, "two", "x/y: fail"));
    assert_eq!(told.finding.as_ref().unwrap().seen, "g0 → g1 at 2.0 ms");
    assert_eq!(two(of("x/y", Fail), of("x/y", Pass)).verdicts[0].told.as_ref().unwrap().side, Which::A);
}

#[test]
fn what_only_one_side_played() {
    let both = |names: [&str; 2]| names.map(|name| of(name, Verdict::Pass)).to_vec();
    let a = run("one", "v0.16.1", both(["x/both", "x/first"]));
    let b = run("two", "v0.20.4", both(["x/both", "x/second"]));
    let comparison = compare(std::slice::from_ref(&a), &[b]);
    let words: Vec<(String, String)> = comparison
        .verdicts
        .iter()
        .map(|row| (row.a.words(Verdict::word), row.b.words(Verdict::word)))
        .collect();
    let expected = [("pass", "pass"), ("pass", "not played"), ("not played", "pass")];
    assert_eq!(words, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(comparison.outcome(), Outcome::Changed);

    // Nothing in common says nothing, and neither does a side that is not there, or a failure without a before.
    assert_eq!(
        two(of("x/first", Verdict::Pass), of("x/second", Verdict::Pass)).outcome(),
        Outcome::CannotTell
    );
    assert_eq!(compare(&[a], &[]).outcome(), Outcome::CannotTell);
    assert_eq!(compare(&[], &[]).outcome(), Outcome::CannotTell);
    let failing = run("two", "v0.20.4", vec![of("x/both", Verdict::Pass), of("x/new", Verdict::Fail)]);
    let before = run("one", "v0.16.1", vec![of("x/both", Verdict::Pass)]);
    let doubts = compare(&[before], &[failing]).doubts();
    assert_eq!(doubts, ["x/new: not played on eso v0.16.1, fail on eso v0.20.4"]);
}

#[test]
fn rounds_that_do_not_agree_are_unsteady() {
    let round = |verdict| run("r", "v0.16.1", vec![of("x/y", verdict)]);
    let mixed =
        compare(&[round(Verdict::Pass), round(Verdict::Fail)], &[round(Verdict::Fail), round(Verdict::Fail)]);
    assert_eq!(mixed.outcome(), Outcome::CannotTell);
    assert_eq!(mixed.doubts()[0], "x/y is unsteady on A: pass, fail");
    let alike = [round(Verdict::Pass), round(Verdict::Fail)];
    assert_eq!(compare(&alike, &alike).outcome(), Outcome::CannotTell, "unsteady in the same way");
}

#[test]
fn what_befalls_a_run_leaves_it_in_doubt_but_hides_nothing() {
    let good = || run("one", "v0.16.1", vec![of("x/y", Verdict::Pass)]);
    let befalls: [fn(&mut RunVerdict); 3] = [
        |run| run.broke = Some("etcd died".into()),
        |run| run.torn = true,
        |run| run.interrupted = Some("SIGINT".into()),
    ];
    for befall in befalls {
        let mut bad = good();
        befall(&mut bad);
        assert_eq!(compare(&[bad.clone()], &[good()]).outcome(), Outcome::CannotTell);
        assert_eq!(compare(&[good()], &[bad.clone()]).outcome(), Outcome::CannotTell);
        bad.scenarios = vec![of("x/y", Verdict::Fail)];
        assert_eq!(compare(&[good()], &[bad]).outcome(), Outcome::Worse);
    }
    let other = run("three", "v0.17.0", vec![of("x/y", Verdict::Pass)]);
    assert_eq!(
        compare(&[good(), other], &[good()]).doubts(),
        ["A: run three played on other servers than the first"]
    );
}

#[test]
fn the_pins_say_what_a_pin_did_to_a_verdict() {
    use Defect::{Absent, Gone, Known, Spread, Unclear};
    use Direction::{Better, Other, Worse};
    let of = |stands| {
        let verdict = match stands {
            Known | Absent => Verdict::Pass,
            Gone | Spread => Verdict::Fail,
            Unclear => Verdict::Inconclusive,
        };
        scenario("x/y", vec![finding(Verdict::Pass, None), finding(verdict, Some(("it moves", stands)))])
    };
    for (a, b, direction, outcome) in [
        (Known, Known, None, Outcome::Nothing),
        (Known, Absent, Some(Better), Outcome::Changed),
        (Known, Gone, Some(Better), Outcome::Changed),
        (Absent, Known, Some(Worse), Outcome::Worse),
        (Absent, Spread, Some(Worse), Outcome::Worse),
        (Known, Spread, Some(Other), Outcome::Changed),
        (Known, Unclear, Some(Other), Outcome::CannotTell),
    ] {
        let comparison = two(of(a), of(b));
        assert_eq!(comparison.pins[0].direction, direction, "{a:?} {b:?}");
        assert_eq!(comparison.outcome(), outcome, "{a:?} {b:?}");
    }
    assert!(two(of(Known), of(Spread)).verdicts[0].by_pin);
    // Something else failed with it; or the other side never heard of the defect.
    let mut more = of(Spread);
    more.findings.push(finding(Verdict::Fail, None));
    assert_eq!(two(of(Known), more).verdicts[0].direction, Some(Worse));
    let unpinned = scenario("x/y", vec![finding(Verdict::Pass, None)]);
    let new = two(unpinned, of(Spread));
    assert_eq!((new.verdicts[0].direction, new.pins.len()), (Some(Worse), 0));
}

#[test]
fn that_a_claim_stands_otherwise_is_neither_better_nor_worse() {
    let claiming = |standing| ScenarioVerdict {
        claims: vec![ClaimFinding {
            claim: "It does not rotate.".into(),
            source: "a page".into(),
            standing,
            summary: "s".into(),
            seen: "6 generations".into(),
            evidence: Vec::new(),
        }],
        ..of("x/y", Verdict::Pass)
    };
    let same = two(claiming(Standing::Holds), claiming(Standing::Holds));
    assert_eq!((same.claims[0].direction, same.outcome()), (None, Outcome::Nothing));
    let refuted = two(claiming(Standing::Holds), claiming(Standing::Refuted));
    assert_eq!((refuted.claims[0].direction, refuted.outcome()), (Some(Direction::Other), Outcome::Changed));
}

/// A scenario whose rotations took so many milliseconds to the Secret, and none to the store.
fn timed(times: &[u64], kind: OrderKind) -> ScenarioVerdict {
    let rows = times.iter().enumerate().flat_map(|(index, time)| {
        [(Hop::Store, 900), (Hop::Secret, *time)].map(|(hop, time)| HopRow {
            credential: "app".into(),
            rotation: index + 1,
            kind,
            moves: "g0 → g1".into(),
            hop,
            replicas: None,
            at_us: Some(Micros(1)),
            since_rotation_us: Some(Bounds {
                at_least: Micros((time - 1) * MS),
                at_most: Some(Micros((time + 1) * MS)),
            }),
            since_previous_us: None,
            evidence: None,
        })
    });
    ScenarioVerdict { hops: rows.collect(), ..of("x/y", Verdict::Pass) }
}

#[test]
fn times_to_the_hops_after_the_first() {
    let forced = |times: &[u64]| timed(times, OrderKind::Forced);
    let slower = two(forced(&[10, 20, 30, 40]), forced(&[110, 120, 130, 140]));
    let [row] = slower.times.as_slice() else { panic!("{:?}", slower.times) };
    assert_eq!((row.credential.as_str(), row.hop, row.shift.shift_us), ("app", Hop::Secret, 100 * MS as i64));
    assert_eq!((row.shift.verdict, slower.outcome()), (ShiftVerdict::Slower, Outcome::Worse));
    assert_eq!(row.shift.resolution_us, Micros(4 * MS), "what the watch resolves; the bounds are closer");
    assert_eq!(two(forced(&[110, 120, 130, 140]), forced(&[10, 20, 30, 40])).outcome(), Outcome::Changed);

    // Within the error bar, however sure; and too few, which changes nothing.
    let hair = two(forced(&[10, 11, 12, 13]), forced(&[14, 15, 16, 17]));
    assert_eq!((hair.times[0].shift.verdict, hair.outcome()), (ShiftVerdict::Within, Outcome::Nothing));
    let few = two(forced(&[10, 20]), forced(&[110, 120]));
    assert_eq!(
        (few.times[0].shift.verdict, few.outcome()),
        (ShiftVerdict::TooFew { more: 2 }, Outcome::Nothing)
    );
    assert_eq!(few.rounds_for(&few.times[0].shift, 2), 1, "a round has two of them");

    // Nobody ordered it; or nothing bounds it.
    let scheduled = |times: &[u64]| timed(times, OrderKind::Scheduled);
    assert!(two(scheduled(&[10, 20, 30, 40]), scheduled(&[110, 120, 130, 140])).times.is_empty());
    let mut unbounded = forced(&[10, 20]);
    unbounded.hops[1].since_rotation_us = Some(Bounds { at_least: Micros(9), at_most: None });
    assert_eq!(two(unbounded, forced(&[10, 20])).times[0].shift.n_a, 1);
}

#[test]
fn rounds_are_pooled() {
    let round = |time| run("r", "v0.16.1", vec![timed(&[time], OrderKind::Written)]);
    let (a, b): (Vec<_>, Vec<_>) = (1..=4).map(|i| (round(10 * i), round(100 + 10 * i))).unzip();
    let comparison = compare(&a, &b);
    assert_eq!(comparison.times[0].shift.verdict, ShiftVerdict::Slower);
    assert_eq!(comparison.rounds_for(&comparison.times[0].shift, 3), 3);
}

#[test]
fn a_side_is_named_by_what_differs() {
    let labels = |a: RunVerdict, b: RunVerdict| {
        let sides = compare(&[a], &[b]).sides;
        (sides.a.label, sides.b.label, sides.differ.len())
    };
    let on = |id: &str, eso: &str| run(id, eso, Vec::new());
    assert_eq!(
        labels(on("1", "v0.16.1"), on("2", "v0.20.4")),
        ("eso v0.16.1".into(), "eso v0.20.4".into(), 1)
    );
    assert_eq!(labels(on("1", "v0.16.1"), on("2", "v0.16.1")), ("run 1".into(), "run 2".into(), 0));
    let elsewhere = |id, eso| {
        let mut run = on(id, eso);
        run.on.as_mut().unwrap().plane = "kind".into();
        run
    };
    assert_eq!(
        labels(on("1", "v0.16.1"), elsewhere("2", "v0.16.1")),
        ("plane embedded".into(), "plane kind".into(), 0)
    );
    assert_eq!(labels(on("1", "v0.16.1"), elsewhere("2", "v2")).1, "plane kind and eso v2");
    let mut without = elsewhere("2", "v0.16.1");
    without.on.as_mut().unwrap().components.remove(1);
    assert_eq!(labels(on("1", "v0.16.1"), without).1, "plane kind", "a plane brings its own");
    let mut built = on("2", "v0.16.1");
    built.on.as_mut().unwrap().components[0].sha256 = "b".repeat(64);
    let (a, b, _) = labels(on("1", "v0.16.1"), built.clone());
    assert_eq!(
        (a, b),
        ("eso v0.16.1 (sha256 aaaaaaaaaaaa)".into(), "eso v0.16.1 (sha256 bbbbbbbbbbbb)".into())
    );
    built.on.as_mut().unwrap().components.remove(0);
    assert_eq!(labels(on("1", "v0.16.1"), built.clone()).1, "no eso");
    built.on = None;
    assert_eq!(
        labels(on("1", "v0.16.1"), built),
        ("run 1".into(), "run 2".into(), 0),
        "nobody knows on what"
    );
}

#[test]
fn a_comparison_comes_back_from_json_as_it_went() {
    let comparison = two(timed(&[10, 20, 30, 41], OrderKind::Forced), timed(&[110, 120], OrderKind::Forced))
        .crossed(crossing(vec![moved("still", None)]));
    let json = serde_json::to_string(&comparison).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
}
