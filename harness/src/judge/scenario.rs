//! What one scenario comes to.

use super::{Judgement, claims, evidence, hops, pinned, projection, words};
use crate::event::{Ending, Hop, OrderKind, ScenarioId};
use crate::plan::{Always, Counted, Expectation};
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
            let judgements = expected.iter().map(|e| (&e.expectation, e.expectation.judge(story)));
            let mut judgements: Vec<(&Expectation, Judgement)> = judgements.collect();
            let mut findings: Vec<Finding> =
                expected.iter().zip(&judgements).map(|(e, (_, j))| e.found(j)).collect();
            for pin in &story.plan.pinned {
                let (judgement, finding) = pinned::judge(pin, story, timeline.run.as_ref());
                judgements.push((&pin.fails.expectation, judgement));
                findings.push(finding);
            }
            let own = evidence::findings(timeline, story);
            let sound = own.is_empty();
            findings.extend(own);
            (judgements, findings, settle(timeline, story, sound))
        }
    };
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Inconclusive);
    let decisive = findings.iter().find(|finding| finding.verdict == verdict);
    let summary = match (verdict, decisive) {
        (Verdict::Pass, _) | (_, None) => telling(story, &judgements),
        (Verdict::Skipped, Some(finding)) => finding.seen.clone(),
        (Verdict::Fail | Verdict::Error | Verdict::Inconclusive, Some(finding)) => {
            format!("{}: {}", finding.expected, finding.seen)
        }
    };
    ScenarioVerdict {
        scenario: id.clone(),
        about: story.plan.about.clone(),
        file: story.plan.file.clone(),
        evidence: story.plan.evidence,
        covers: story.plan.covers.clone(),
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

/// How much an expectation's number tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// How long the way to a hop took.
    Way(Hop),
    /// For how long logins were refused.
    Outage,
    /// A number of its own.
    Number,
    /// Something, where nothing else does.
    Little,
    /// Nothing that the others do not.
    Nothing,
}

impl Tells {
    fn of(expectation: &Expectation) -> Self {
        match expectation {
            Expectation::Arrival { at, .. } => Self::Way(*at),
            Expectation::Outage { .. } => Self::Outage,
            Expectation::Count { of: Counted::Moves { .. } | Counted::Most { .. }, .. } => Self::Little,
            Expectation::Count {
                of:
                    Counted::Last { .. }
                    | Counted::Rise { .. }
                    | Counted::Churn { .. }
                    | Counted::Refused { .. }
                    | Counted::Stragglers { .. },
                ..
            } => Self::Number,
            Expectation::Always(Always::HoldsStill { .. }) => Self::Little,
            Expectation::Always(
                Always::StillAccepted { .. }
                | Always::Whole { .. }
                | Always::Agrees { .. }
                | Always::State { .. }
                | Always::Age { .. },
            ) => Self::Number,
            Expectation::Always(Always::Retired { .. }) | Expectation::Order { .. } => Self::Nothing,
            Expectation::Every(all) => all.first().map_or(Self::Nothing, Self::of),
        }
    }
}

/// The most telling numbers of a pass: how long the way to the farthest hop took, for how long logins
/// were refused, which defects are pinned, and what else was measured, counted or held still.
fn telling(story: &Story, judgements: &[(&Expectation, Judgement)]) -> String {
    let pins = judgements.len().saturating_sub(story.plan.pinned.len());
    let (ordinary, pinned) = judgements.split_at(pins);
    let judged = || ordinary.iter().map(|(expectation, judgement)| (Tells::of(expectation), judgement));
    let farthest = judged().filter_map(|(tells, judgement)| match tells {
        Tells::Way(at) => Some((at, judgement)),
        Tells::Outage | Tells::Number | Tells::Little | Tells::Nothing => None,
    });
    let farthest = farthest.max_by_key(|(at, judgement)| (*at, judgement.measured.and_then(|m| m.at_most)));
    let mut parts: Vec<&str> = farthest.iter().map(|(_, judgement)| judgement.brief.as_str()).collect();
    let briefs = |wanted: Tells| {
        judged().filter(move |(tells, _)| *tells == wanted).map(|(_, judgement)| judgement.brief.as_str())
    };
    parts.extend(briefs(Tells::Outage));
    parts.extend(pinned.iter().map(|(_, judgement)| judgement.brief.as_str()));
    let room = |parts: &Vec<&str>| TELLING.saturating_sub(parts.len());
    parts.extend(briefs(Tells::Number).take(room(&parts)));
    if parts.len() < 2 {
        parts.extend(briefs(Tells::Little).take(room(&parts)));
    }
    parts.retain(|part| !part.is_empty());
    let rotations = || story.tracks.values().flat_map(|track| &track.rotations);
    let scheduled = rotations().filter(|rotation| rotation.kind == OrderKind::Scheduled).count();
    let mut rotations = words::many(rotations().count(), "rotation");
    if scheduled > 0 {
        rotations.push_str(&format!(", {scheduled} of them scheduled"));
    }
    parts.push(&rotations);
    parts.join("; ")
}
