//! Kernel: every rotation is seen at a hop soon enough after it was ordered.

use super::{Judgement, against, hops, words};
use crate::clock::Micros;
use crate::event::{Hop, OrderKind};
use crate::plan::{Orders, Who};
use crate::timeline::{Rotation, Sample, Story};
use crate::verdict::Verdict;

/// What is asked of every rotation.
pub(super) struct Asked<'a> {
    pub(super) credential: &'a str,
    pub(super) at: Hop,
    pub(super) within: Micros,
    pub(super) who: Who,
}

/// Every rotation of the credential is seen at the hop within this time of being ordered.
pub(super) fn judge(story: &Story, of: &Asked<'_>, orders: Orders) -> Judgement {
    let Asked { credential, at, .. } = *of;
    let rotations = story.rotations(credential);
    let asked = match hops::checked(story, credential) && at == Hop::Origin {
        true => story.samples(credential).iter().any(Sample::login_like),
        false => story.samples_at(credential, at).next().is_some(),
    };
    if !rotations.is_empty() && !asked {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    }
    let spoken_of = |(_, rotation): &(usize, &Rotation)| match orders {
        Orders::All => true,
        Orders::RolledBack => rotation.kind == OrderKind::RolledBack,
    };
    let each = rotations.iter().enumerate().filter(spoken_of);
    let mut each: Vec<Judgement> = each.map(|(r, rotation)| one(story, of, r, rotation)).collect();
    if each.is_empty() && !rotations.is_empty() {
        return Judgement::inconclusive(format!("{credential} was never rolled back, so nothing was shown"));
    }
    let count = each.len();
    // The worst decides, and of several equally bad ones the slowest, and of those the first.
    let badness = |judgement: &Judgement| {
        let bounds = judgement.measured.unwrap_or_default();
        (judgement.verdict, bounds.at_most.unwrap_or(Micros(u64::MAX)), bounds.at_least)
    };
    let worst = (0..each.len()).rev().max_by_key(|r| badness(&each[*r]));
    let Some(worst) = worst else { return Judgement::no_rotation(credential) };
    let mut decides = each.swap_remove(worst);
    if count > 1 {
        decides.seen.push_str(&format!("; the worst of {}", words::many(count, "rotation")));
    }
    let arrivals = (0..rotations.len()).filter(|r| spoken_of(&(*r, &rotations[*r])));
    let arrivals = arrivals.flat_map(|r| story.reach(credential, at, r, of.who).each);
    if let Some(spread) = words::spread(arrivals.collect()) {
        decides.seen.push_str(&format!("; {spread}"));
        decides.brief.push_str(&format!(", {spread}"));
    }
    decides
}

/// One rotation.
fn one(story: &Story, of: &Asked<'_>, index: usize, rotation: &Rotation) -> Judgement {
    let Asked { credential, at, within, who } = *of;
    let name = words::rotation(index, rotation);
    let checked = hops::checked(story, credential);
    if rotation.set.is_none() && !(checked && at == Hop::Origin) {
        return Judgement::inconclusive(format!("what {name} set was never learnt")).evidence([rotation.seq]);
    }
    let reach = story.reach(credential, at, index, who);
    let arrival = reach.arrival;
    let (mut verdict, span) = (against(arrival.bounds, within), words::span(arrival.bounds));
    let mut seen = match arrival.seen {
        Some(_) => format!("{name} at {at} after {span}{}", words::replicas(&reach, who)),
        None => format!(
            "{name} was never seen at {at}, and was certainly not there for {}{}",
            arrival.bounds.at_least,
            words::replicas(&reach, who)
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
