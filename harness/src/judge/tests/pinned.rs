//! Pinned defects: what fails as known passes, and what changes silently alarms.

use super::scenario;
use crate::event::{ComponentInfo, Event, Hop, RunInfo, What};
use crate::plan::{Always, Claim, Evidence, Expectation, Expected, Pinned, Window};
use crate::timeline::sketch::{Sketch, ms};
use crate::verdict::{Defect, Finding, Standing, Verdict};

fn still() -> Expected {
    let expectation = Expectation::Always(Always::HoldsStill {
        credential: "app".into(),
        at: Hop::Secret,
        during: Window::default(),
    });
    Expected { verb: "holds_still".into(), text: "it holds".into(), line: 30, expectation }
}

/// A Secret that is known to move on this version, played on openbao v2.7.2.
fn pinning(on: &str) -> Sketch {
    let mut sketch =
        Sketch::new().credential("app", None, &[Hop::Secret]).probe("secret", "app", Hop::Secret, None);
    let (defect, source, on) = ("it moves by itself".into(), "an issue".into(), on.to_owned());
    sketch.plan.pinned.push(Pinned { defect, source, on, fails: still() });
    sketch
}

fn played(sketch: Sketch, version: Option<&str>) -> Sketch {
    let mut sketch = sketch.begin();
    let Some(version) = version else { return sketch };
    let text = |text: &str| text.to_owned();
    let component = ComponentInfo {
        name: text("openbao"),
        version: text(version),
        source: text("go"),
        sha256: text("ab"),
        image: None,
    };
    let seq = sketch.events.len() as u64 + 1;
    let run = What::Run(RunInfo { components: vec![component], ..RunInfo::default() });
    sketch.events.push(Event { seq, at: ms(0), scenario: None, what: run });
    sketch
}

fn found(sketch: &Sketch) -> Finding {
    scenario(sketch).findings.remove(0)
}

#[track_caller]
fn comes_to(on: &str, version: Option<&str>, moves: bool, verdict: Verdict, says: &str) {
    let sketch = played(pinning(on), version).news(1, "a");
    let sketch = if moves { sketch.news(2, "b") } else { sketch }.finish(9);
    let finding = found(&sketch);
    assert_eq!(finding.verdict, verdict, "{}", finding.seen);
    assert!(finding.seen.contains(says), "{:?} does not say {says:?}", finding.seen);
    assert_eq!(finding.pinned.as_deref(), Some("it moves by itself"));
    assert_eq!(scenario(&sketch).verdict, verdict);
}

#[test]
fn on_the_version_it_must_fail() {
    let moved = "as pinned on openbao 2.7.2: app moved 1 time at secret: g0 → g1 at 2.0 ms; it moves by itself (an issue)";
    comes_to("openbao 2.7.2", Some("v2.7.2"), true, Verdict::Pass, moved);
    comes_to("openbao", Some("2.9.0"), true, Verdict::Pass, "as pinned on openbao");
    let gone = "a pinned defect is gone: it moves by itself (an issue); on openbao 2.7.2 g0 stood at secret";
    comes_to("openbao 2.7.2", Some("2.7.2"), false, Verdict::Fail, gone);
    comes_to("openbao 2.7.2", Some("2.7.2"), false, Verdict::Fail, "take the pin away");
}

#[test]
fn on_another_version_it_is_an_ordinary_expectation() {
    let named = "known to fail on openbao 2.7.2: it moves by itself (an issue)";
    comes_to("openbao 2.7.2", Some("2.8.0"), true, Verdict::Fail, named);
    comes_to("openbao 2.7.2", Some("2.8.0"), false, Verdict::Pass, named);
}

#[test]
fn where_nobody_knows_the_version_nothing_is_decided() {
    comes_to("openbao 2.7.2", None, true, Verdict::Inconclusive, "not known on which openbao it was played");
    comes_to(
        "openbao 2.7.2",
        Some("unknown"),
        false,
        Verdict::Inconclusive,
        "version of openbao is not known",
    );
    comes_to("openbao", None, true, Verdict::Inconclusive, "not known on which openbao");
}

#[test]
fn what_does_not_decide_stays_so() {
    let unseen = found(&played(pinning("openbao"), Some("2.7.2")).finish(9));
    assert_eq!(unseen.verdict, Verdict::Inconclusive);
    assert!(
        unseen.seen.contains("nothing was ever seen of app at secret; pinned on openbao"),
        "{}",
        unseen.seen
    );
}

#[test]
fn how_the_defect_stands_is_said_apart_from_the_verdict() {
    for (on, version, moves, stands) in [
        ("openbao", Some("2.9.0"), true, Defect::Known),
        ("openbao 2.7.2", Some("2.7.2"), false, Defect::Gone),
        ("openbao 2.7.2", Some("2.8.0"), true, Defect::Spread),
        ("openbao 2.7.2", Some("2.8.0"), false, Defect::Absent),
        ("openbao 2.7.2", None, true, Defect::Unclear),
    ] {
        let sketch = played(pinning(on), version).news(1, "a");
        let sketch = if moves { sketch.news(2, "b") } else { sketch }.finish(9);
        assert_eq!(found(&sketch).defect, Some(stands), "{on} {version:?} {moves}");
    }
}

#[test]
fn a_pass_by_a_pin_says_so_in_its_summary() {
    let sketch = played(pinning("openbao"), Some("2.7.2")).news(1, "a").news(2, "b").finish(9);
    assert_eq!(scenario(&sketch).summary, "pinned: it moves by itself; 0 rotations");
}

#[test]
fn what_a_model_shows_settles_no_claim() {
    let claimed = |evidence, moves: bool| {
        let mut sketch = pinning("openbao");
        sketch.plan.evidence = evidence;
        sketch.plan.covers = vec!["a volume".to_owned()];
        let (claim, source, about) = ("It holds.".into(), "a page".into(), None);
        sketch.plan.claims.push(Claim { claim, source, about, holds_if: still() });
        let sketch = played(sketch, Some("2.7.2")).news(1, "a");
        let sketch = if moves { sketch.news(2, "b") } else { sketch }.finish(9);
        let verdict = scenario(&sketch);
        assert_eq!((verdict.evidence, verdict.covers.as_slice()), (evidence, &["a volume".to_owned()][..]));
        verdict.claims[0].clone()
    };
    assert_eq!(claimed(Evidence::Real, true).standing, Standing::Refuted);
    assert_eq!(claimed(Evidence::Real, false).standing, Standing::Holds);
    for moves in [true, false] {
        let claim = claimed(Evidence::Model, moves);
        assert_eq!(claim.standing, Standing::Unsettled);
        assert!(claim.summary.ends_with("(model: our own kubelet said so)"), "{}", claim.summary);
    }
}

#[test]
fn a_defect_of_a_hop_is_known_where_one_version_followed_the_other() {
    let on = "openbao v2.6.0 -> v2.7.2";
    let release = |version: &str| {
        let text = |text: &str| text.to_owned();
        What::Replaced(ComponentInfo {
            name: text("openbao"),
            version: text(version),
            source: text("go"),
            sha256: text("ab"),
            image: None,
        })
    };
    let crossed = |versions: &[&str]| {
        let mut sketch = played(pinning(on), Some("2.7.2")).news(1, "a");
        for version in versions {
            sketch.push(2, release(version));
        }
        let finding = found(&sketch.news(3, "b").finish(9));
        (finding.verdict, finding.seen)
    };
    let (verdict, seen) = crossed(&["2.6.0", "2.7.2"]);
    assert_eq!(verdict, Verdict::Pass, "{seen}");
    assert!(seen.starts_with("as pinned on openbao v2.6.0 -> v2.7.2: app moved"), "{seen}");
    // The other way round, and one step of it, are other hops.
    assert_eq!(crossed(&["2.6.0"]).0, Verdict::Fail);
    assert_eq!(crossed(&["2.6.0", "2.8.0", "2.7.2"]).0, Verdict::Fail);
    assert_eq!(crossed(&[]).0, Verdict::Fail);
    assert_eq!(crossed(&["unknown"]).0, Verdict::Inconclusive);
}
