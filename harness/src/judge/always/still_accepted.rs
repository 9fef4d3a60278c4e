//! A generation that was rotated away is accepted for a time: nobody is locked out before they moved.

use crate::clock::Micros;
use crate::judge::{Judgement, words};
use crate::plan::Bounds;
use crate::timeline::{Rotation, Sample, Story};
use crate::verdict::Verdict;

/// After each rotation the generation before it is accepted for at least this long.
pub(super) fn judge(story: &Story, credential: &str, time: Micros) -> Judgement {
    let rotations = story.rotations(credential).iter().enumerate();
    let each: Vec<_> = rotations.map(|(r, rotation)| one(story, credential, time, r, rotation)).collect();
    // The worst decides; of several equally bad ones the one that was accepted for the shortest time.
    let shortest = |judgement: &Judgement| {
        let bounds = judgement.measured.unwrap_or_default();
        (judgement.verdict, std::cmp::Reverse(bounds.at_least))
    };
    let worst = (0..each.len()).rev().max_by_key(|r| shortest(&each[*r]));
    worst.map_or_else(|| Judgement::no_rotation(credential), |worst| each[worst].clone())
}

/// The generation before one rotation, until a later one puts it back.
fn one(story: &Story, credential: &str, time: Micros, index: usize, rotation: &Rotation) -> Judgement {
    let name = words::rotation(index, rotation);
    let Some(previous) = rotation.from else {
        return Judgement::inconclusive(format!("what stood before {name} was never learnt"));
    };
    if rotation.set == Some(previous) {
        return Judgement::inconclusive(format!("{name} did not change anything"));
    }
    let before = story.decided_before(credential, Some(previous), rotation.ordered);
    if let Some(refused) = before.filter(|sample| sample.refused()) {
        let seen = format!("{previous} was refused before {name} was ordered already");
        return Judgement::inconclusive(seen).evidence([refused.seq]);
    }
    let later = &story.rotations(credential)[index + 1..];
    let until = later.iter().find(|later| later.set == Some(previous)).map(|back| back.ordered);
    let until = until.unwrap_or(Micros(u64::MAX));
    let about = |sample: &&Sample| {
        sample.login_like() && sample.generation() == Some(previous) && sample.asked >= rotation.ordered
    };
    let tried = || story.samples(credential).iter().filter(about);
    let first_out = tried().filter(|s| s.refused() && s.asked < until).min_by_key(|sample| sample.answered);
    // What was let in while it was put back may have been let in because of that; and what was let in
    // after another was refused says nothing of the time before that.
    let end = first_out.map_or(until, |sample| sample.answered.min(until));
    let last_in = tried().filter(|s| s.accepted() && s.answered <= end).max_by_key(|sample| sample.asked);
    let measured = Bounds {
        at_least: last_in.map_or(Micros(0), |sample| sample.asked - rotation.certain),
        at_most: first_out.map(|sample| sample.answered - rotation.ordered),
    };
    let evidence = [Some(rotation.seq), last_in.map(|s| s.seq), first_out.map(|s| s.seq)];
    let judgement = match measured.at_most {
        Some(most) if most < time => Judgement::new(
            Verdict::Fail,
            format!("{previous} was refused within {most} of {name}, sooner than {time}"),
        ),
        Some(_) | None if measured.at_least >= time => Judgement::new(
            Verdict::Pass,
            format!("{previous} was still let in {} after {name}", measured.at_least),
        )
        .brief(format!("{previous} still let in after {}", measured.at_least)),
        Some(_) => Judgement::inconclusive(format!(
            "{previous} was accepted for {} after {name}; the limit of {time} lies between the bounds: sample faster",
            words::span(measured)
        )),
        None => Judgement::inconclusive(format!("nobody tried {previous} later than {time} after {name}")),
    };
    Judgement {
        measured: Some(measured),
        limit: Some(time),
        ..judgement.evidence(evidence.into_iter().flatten())
    }
}
