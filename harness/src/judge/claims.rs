//! Claims: what somebody stated, and how it stands on the versions that were played.

use super::words;
use crate::event::RunInfo;
use crate::plan::{Claim, Evidence};
use crate::timeline::Story;
use crate::verdict::{ClaimFinding, Standing, Verdict};

/// Why what a model shows settles nothing.
const MODEL: &str = "model: our own kubelet said so";

/// Settles one claim, as far as the evidence goes. Never changes a verdict.
///
/// What refutes a claim was seen, however the scenario ended; but that it holds is only said where the
/// scenario was played to its end, and its probes did their work (`sound`).
pub(super) fn settle(claim: &Claim, story: &Story, run: Option<&RunInfo>, sound: bool) -> ClaimFinding {
    let judgement = claim.holds_if.expectation.judge(story);
    let (standing, why) = match judgement.verdict {
        Verdict::Pass | Verdict::Fail if story.plan.evidence == Evidence::Model => {
            (Standing::Unsettled, Some(MODEL))
        }
        Verdict::Pass if sound => (Standing::Holds, None),
        Verdict::Pass => (Standing::Unsettled, Some("the scenario was not played as planned")),
        Verdict::Fail => (Standing::Refuted, None),
        Verdict::Inconclusive | Verdict::Error | Verdict::Skipped => {
            (Standing::Unsettled, Some(judgement.seen.as_str()))
        }
    };
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    ClaimFinding {
        claim: claim.claim.clone(),
        source: claim.source.clone(),
        standing,
        summary: format!("{}{}{why}", standing.word(), played(claim.about.as_deref(), run)),
        seen: judgement.seen,
        evidence: judgement.evidence,
    }
}

/// On what it was played and on what it was not: ` on eso v0.20.4; not played on eso v2.5.0`.
fn played(about: Option<&str>, run: Option<&RunInfo>) -> String {
    let Some((component, stated)) = about.map(|about| about.split_once(' ').unwrap_or((about, ""))) else {
        let all = run.map_or(&[] as &[_], |run| run.components.as_slice());
        let all = all.iter().map(|component| format!("{} {}", component.name, component.version));
        return if all.len() == 0 { String::new() } else { format!(" on {}", words::first_few(all)) };
    };
    let known = run.and_then(|run| run.components.iter().find(|known| known.name == component));
    let here = known.map_or("of an unknown version", |known| known.version.as_str());
    match stated.is_empty() || same_version(stated, here) {
        true => format!(" on {component} {here}"),
        false => format!(" on {component} {here}; not played on {component} {stated}"),
    }
}

/// Whether two versions are the same, however they are written: `v2.7.2`, `2.7.2`.
pub(super) fn same_version(one: &str, other: &str) -> bool {
    one.trim_start_matches('v') == other.trim_start_matches('v')
}
