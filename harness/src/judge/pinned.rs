//! Pinned defects: what is known to fail on a named version must go on failing there, exactly so.

use super::Judgement;
use super::claims::same_version;
use crate::event::RunInfo;
use crate::plan::Pinned;
use crate::timeline::Story;
use crate::verdict::{Defect, Finding, Verdict};

/// Where a run stands to the version of which a defect is known.
enum Played {
    /// It was played on it.
    There,
    /// It was played on another.
    Elsewhere,
    /// Nobody knows.
    Unknown(String),
}

/// What a pinned defect comes to, and the judgement that it rests on.
pub(super) fn judge(pin: &Pinned, story: &Story, run: Option<&RunInfo>) -> (Judgement, Finding) {
    let Pinned { defect, source, on, fails } = pin;
    let judgement = fails.expectation.judge(story);
    let played = played(on, story, run);
    let stands = Some(stands(&played, judgement.verdict));
    let found = |verdict, seen: String, brief: String| {
        let judgement = Judgement { verdict, seen, brief, ..judgement.clone() };
        let pinned = Some(defect.clone());
        (judgement.clone(), Finding { pinned, defect: stands, ..fails.found(&judgement) })
    };
    let seen = &judgement.seen;
    match (played, judgement.verdict) {
        (Played::There, Verdict::Fail) => found(
            Verdict::Pass,
            format!("as pinned on {on}: {seen}; {defect} ({source})"),
            format!("pinned: {defect}"),
        ),
        (Played::There, Verdict::Pass) => found(
            Verdict::Fail,
            format!("a pinned defect is gone: {defect} ({source}); on {on} {seen}; take the pin away"),
            String::new(),
        ),
        (Played::Elsewhere, verdict) => {
            let brief = judgement.brief.clone();
            found(verdict, format!("{seen}; known to fail on {on}: {defect} ({source})"), brief)
        }
        (Played::Unknown(why), Verdict::Pass | Verdict::Fail) => found(
            Verdict::Inconclusive,
            format!("{seen}; {why}, and {on} is pinned: {defect}"),
            String::new(),
        ),
        (Played::There | Played::Unknown(_), verdict) => {
            found(verdict, format!("{seen}; pinned on {on}: {defect} ({source})"), String::new())
        }
    }
}

/// How the defect stands there, from what its expectation comes to.
fn stands(played: &Played, verdict: Verdict) -> Defect {
    match (played, verdict) {
        (Played::There, Verdict::Fail) => Defect::Known,
        (Played::There, Verdict::Pass) => Defect::Gone,
        (Played::Elsewhere, Verdict::Fail) => Defect::Spread,
        (Played::Elsewhere, Verdict::Pass) => Defect::Absent,
        (Played::There | Played::Elsewhere, Verdict::Inconclusive | Verdict::Error | Verdict::Skipped)
        | (Played::Unknown(_), _) => Defect::Unclear,
    }
}

/// `openbao 2.7.2`, or `openbao` for whatever version; `eso v0.16.1 -> v0.20.4` where the second took the place of
/// the first while it was played.
fn played(on: &str, story: &Story, run: Option<&RunInfo>) -> Played {
    let (component, version) = on.split_once(' ').unwrap_or((on, ""));
    if let Some((from, to)) = version.split_once("->") {
        return crossed(component, [from.trim(), to.trim()], story, run);
    }
    let known = run.and_then(|run| run.components.iter().find(|known| known.name == component));
    match known {
        None => Played::Unknown(format!("it is not known on which {component} it was played")),
        Some(_) if version.is_empty() => Played::There,
        Some(here) if same_version(version, &here.version) => Played::There,
        Some(here) if here.version == "unknown" => {
            Played::Unknown(format!("the version of {component} is not known"))
        }
        Some(_) => Played::Elsewhere,
    }
}

/// Whether one version of a component took the place of another.
fn crossed(component: &str, wanted: [&str; 2], story: &Story, run: Option<&RunInfo>) -> Played {
    let first = run.and_then(|run| run.components.iter().find(|known| known.name == component));
    let placed = story.releases.iter().map(|placed| &placed.release);
    let versions: Vec<&str> = first
        .into_iter()
        .chain(placed.filter(|release| release.name == component))
        .map(|known| known.version.as_str())
        .collect();
    let is = |pair: &[&str]| same_version(wanted[0], pair[0]) && same_version(wanted[1], pair[1]);
    if versions.windows(2).any(is) {
        Played::There
    } else if versions.contains(&"unknown") {
        Played::Unknown(format!("the version of {component} is not known"))
    } else {
        Played::Elsewhere
    }
}
