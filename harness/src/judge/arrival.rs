//! Kernel: every rotation is seen at a hop soon enough after it was ordered.

use super::{Judgement, against, hops, words};
use crate::clock::Micros;
use crate::event::Hop;
use crate::timeline::{Rotation, Sample, Story};
use crate::verdict::Verdict;

/// Every rotation ordered of the credential is seen at the hop within this time of being ordered.
pub(super) fn judge(story: &Story, credential: &str, at: Hop, within: Micros) -> Judgement {
    let rotations = story.rotations(credential);
    let asked = match hops::checked(story, credential) && at == Hop::Origin {
        true => story.samples(credential).iter().any(Sample::login_like),
        false => story.samples_at(credential, at).next().is_some(),
    };
    if !rotations.is_empty() && !asked {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    }
    let each =
        rotations.iter().enumerate().map(|(r, rotation)| one(story, credential, at, within, r, rotation));
    let mut each: Vec<Judgement> = each.collect();
    // The worst decides, and of several equally bad ones the slowest, and of those the first.
    let badness = |judgement: &Judgement| {
        let bounds = judgement.measured.unwrap_or_default();
        (judgement.verdict, bounds.at_most.unwrap_or(Micros(u64::MAX)), bounds.at_least)
    };
    let worst = (0..each.len()).rev().max_by_key(|r| badness(&each[*r]));
    let Some(worst) = worst else { return Judgement::no_rotation(credential) };
    let mut decides = each.swap_remove(worst);
    if rotations.len() > 1 {
        decides.seen.push_str(&format!("; the worst of {}", words::many(rotations.len(), "rotation")));
    }
    decides
}

/// One rotation.
fn one(
    story: &Story,
    credential: &str,
    at: Hop,
    within: Micros,
    index: usize,
    rotation: &Rotation,
) -> Judgement {
    let name = words::rotation(index, rotation);
    let checked = hops::checked(story, credential);
    if rotation.set.is_none() && !(checked && at == Hop::Origin) {
        return Judgement::inconclusive(format!("what {name} set was never learnt")).evidence([rotation.seq]);
    }
    let arrival = story.arrival(credential, at, index);
    let (mut verdict, span) = (against(arrival.bounds, within), words::span(arrival.bounds));
    let mut seen = match arrival.seen {
        Some(_) => format!("{name} at {at} after {span}"),
        None => format!(
            "{name} was never seen at {at}, and was certainly not there for {}",
            arrival.bounds.at_least
        ),
    };
    if verdict == Verdict::Inconclusive && arrival.seen.is_some() {
        seen.push_str(&format!("; the limit of {within} lies between the bounds: sample faster"));
    }
    if verdict == Verdict::Pass && checked && story.origin(credential, index).seen.is_none() {
        verdict = Verdict::Inconclusive;
        seen.push_str(&format!("; but it {}", words::NOT_AT_ORIGIN));
    }
    Judgement {
        measured: Some(arrival.bounds),
        limit: Some(within),
        stopped: (verdict == Verdict::Fail).then(|| hops::stopped(story, credential, index, at, within)),
        ..Judgement::new(verdict, seen)
            .brief(format!("{at} after {span}"))
            .evidence([rotation.seq].into_iter().chain(arrival.evidence()))
    }
}
