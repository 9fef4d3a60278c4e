//! Tests of the judge.

mod always;
mod bounds;
mod claims;
mod counts;
mod generated;
mod kernels;
mod outage;
mod pinned;
mod replicas;
mod scenario;
mod truths;

use super::{Judgement, judge};
use crate::plan::Expectation;
use crate::timeline::sketch::Sketch;
use crate::verdict::{ScenarioVerdict, Verdict};

/// What an expectation comes to in a sketch.
fn judged(sketch: &Sketch, expectation: &Expectation) -> Judgement {
    expectation.judge(&sketch.story())
}

/// Its verdict, and a word that the text must hold.
#[track_caller]
fn comes_to(sketch: &Sketch, expectation: &Expectation, verdict: Verdict, says: &str) {
    let judgement = judged(sketch, expectation);
    assert_eq!(judgement.verdict, verdict, "{}", judgement.seen);
    assert!(judgement.seen.contains(says), "{:?} does not say {says:?}", judgement.seen);
}

/// What the only scenario of a sketch comes to.
fn scenario(sketch: &Sketch) -> ScenarioVerdict {
    judge(&sketch.timeline()).scenarios.remove(0)
}
