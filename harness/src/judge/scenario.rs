//! What one scenario comes to.

use super::{Judgement, claims, evidence, hops, projection, words};
use crate::event::{Ending, ScenarioId};
use crate::plan::{Always, Expectation, Expected};
use crate::timeline::{Story, Timeline};
use crate::verdict::{ClaimFinding, Finding, ScenarioVerdict, Verdict};

/// How many numbers the summary of a pass names.
const TELLING: usize = 3;

/// Judges one scenario: the worst finding is its verdict.
pub(super) fn judge(timeline: &Timeline, id: &ScenarioId, story: &Story) -> ScenarioVerdict {
    let expected = &story.plan.expectations;
    let (judgements, findings, claims) = match &story.ended {
        Some((_, Ending::Skipped(why))) => (Vec::new(), vec![evidence::skipped(why.text())], Vec::new()),
        Some((_, Ending::Finished | Ending::Broke(_) | Ending::Interrupted(_))) | None => {
            let judgements: Vec<Judgement> = expected.iter().map(|e| e.expectation.judge(story)).collect();
            let mut findings: Vec<Finding> =
                expected.iter().zip(&judgements).map(|(e, j)| e.found(j)).collect();
            let own = evidence::findings(timeline, story);
            let sound = own.is_empty();
            findings.extend(own);
            (judgements, findings, settle(timeline, story, sound))
        }
    };
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Inconclusive);
    let decisive = findings.iter().find(|finding| finding.verdict == verdict);
    let summary = match (verdict, decisive) {
        (Verdict::Pass, _) | (_, None) => telling(story, expected, &judgements),
        (Verdict::Skipped, Some(finding)) => finding.seen.clone(),
        (Verdict::Fail | Verdict::Error | Verdict::Inconclusive, Some(finding)) => {
            format!("{}: {}", finding.expected, finding.seen)
        }
    };
    ScenarioVerdict {
        scenario: id.clone(),
        about: story.plan.about.clone(),
        file: story.plan.file.clone(),
        verdict,
        summary,
        took_us: story.end() - story.began,
        findings,
        hops: hops::table(story),
        claims,
        probes: evidence::health(story),
        projections: projection::of(story),
    }
}

fn settle(timeline: &Timeline, story: &Story, sound: bool) -> Vec<ClaimFinding> {
    let run = timeline.run.as_ref();
    story.plan.claims.iter().map(|claim| claims::settle(claim, story, run, sound)).collect()
}

/// The most telling numbers of a pass: how long the way to the farthest hop took, for how long logins
/// were refused, and what else was counted or held still.
fn telling(story: &Story, expected: &[Expected], judgements: &[Judgement]) -> String {
    let judged = || expected.iter().map(|expected| &expected.expectation).zip(judgements);
    let farthest = judged().filter_map(|(expectation, judgement)| match expectation {
        Expectation::Arrival { at, .. } => Some((*at, judgement)),
        Expectation::Outage { .. } | Expectation::Always(_) | Expectation::Count { .. } => None,
        Expectation::Order { .. } | Expectation::Every(_) => None,
    });
    let farthest = farthest.max_by_key(|(at, judgement)| (*at, judgement.measured.and_then(|m| m.at_most)));
    let mut parts: Vec<&str> = farthest.iter().map(|(_, judgement)| judgement.brief.as_str()).collect();
    let outages = judged().filter(|(expectation, _)| matches!(expectation, Expectation::Outage { .. }));
    parts.extend(outages.map(|(_, judgement)| judgement.brief.as_str()));
    if parts.len() < 2 {
        let others = judged().filter(|(expectation, _)| match expectation {
            Expectation::Count { .. } | Expectation::Always(Always::HoldsStill { .. }) => true,
            Expectation::Order { .. } | Expectation::Always(_) | Expectation::Every(_) => false,
            Expectation::Arrival { .. } | Expectation::Outage { .. } => false,
        });
        parts.extend(others.map(|(_, judgement)| judgement.brief.as_str()).take(TELLING - parts.len()));
    }
    let rotations: usize = story.tracks.values().map(|track| track.rotations.len()).sum();
    let rotations = words::many(rotations, "rotation");
    parts.push(&rotations);
    parts.join("; ")
}
