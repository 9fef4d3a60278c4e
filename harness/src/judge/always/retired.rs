//! A generation that was rotated away is refused, and stays refused.

use crate::clock::Micros;
use crate::judge::{Judgement, words};
use crate::plan::Bounds;
use crate::timeline::{Answer, Rotation, Sample, Story};
use crate::verdict::Verdict;

/// From this long after each rotation on, the generation before it is refused, and stays refused.
pub(super) fn judge(story: &Story, credential: &str, within: Micros) -> Judgement {
    let rotations = story.rotations(credential);
    let each = rotations.iter().enumerate();
    let each: Vec<_> = each.map(|(r, rotation)| one(story, credential, within, r, rotation)).collect();
    let worst = (0..each.len()).rev().max_by_key(|r| each[*r].verdict);
    worst.map_or_else(|| Judgement::no_rotation(credential), |worst| each[worst].clone())
}

/// The generation before one rotation, from its deadline until a later rotation puts it back.
fn one(story: &Story, credential: &str, within: Micros, index: usize, rotation: &Rotation) -> Judgement {
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
    let deadline = rotation.certain + within;
    let later = &story.rotations(credential)[index + 1..];
    let until = later.iter().find(|later| later.set == Some(previous)).map(|back| back.ordered);
    let until = until.unwrap_or(Micros(u64::MAX));
    let about = |sample: &&Sample, kind: fn(Option<_>) -> Answer| {
        sample.login_like() && sample.answer == kind(Some(previous)) && sample.asked >= rotation.ordered
    };
    let samples = story.samples(credential);
    let let_in = || samples.iter().filter(|sample| about(sample, Answer::Accepted) && sample.asked < until);
    let refused =
        || samples.iter().filter(|sample| about(sample, Answer::Refused) && sample.answered <= until);

    let last_in = let_in().map(|sample| sample.asked).max();
    let answered_in = let_in().map(|sample| sample.answered).max().unwrap_or_default();
    let first_out =
        refused().filter(|sample| sample.asked >= answered_in).map(|sample| sample.answered).min();
    let measured = Bounds {
        at_least: last_in.map_or(Micros(0), |asked| asked - rotation.certain),
        at_most: first_out.map(|answered| answered - rotation.ordered),
    };
    let late: Vec<&Sample> = refused().filter(|sample| sample.asked >= deadline).collect();
    // What was in flight across either end may have been decided on the right side of it.
    let wrong = let_in().find(|sample| sample.asked >= deadline && sample.answered <= until);
    let unsure = let_in().find(|sample| sample.answered >= rotation.ordered + within);
    let judgement = match (wrong, unsure, late.as_slice()) {
        (Some(wrong), _, _) => {
            let when = words::since(rotation.certain, wrong.asked);
            Judgement::new(Verdict::Fail, format!("{previous} was let in {when} after {name} was ordered"))
                .evidence([rotation.seq, wrong.seq])
        }
        (None, Some(unsure), _) => Judgement::inconclusive(format!(
            "a login with {previous} that was let in was under way when it had to be refused, {within} after {name}"
        ))
        .evidence([rotation.seq, unsure.seq]),
        (None, None, []) => {
            Judgement::inconclusive(format!("nobody tried {previous} later than {within} after {name}"))
        }
        (None, None, _) if measured.at_most.is_none_or(|most| most > within) => {
            let span = words::span(measured);
            Judgement::inconclusive(format!(
                "{previous} was refused {span} after {name}; the limit of {within} lies between the bounds: sample faster"
            ))
            .evidence(late.iter().map(|sample| sample.seq))
        }
        (None, None, [first, ..]) => {
            let refusals = words::many(late.len(), "refusal");
            let seen = format!("{previous} was refused within {} of {name}", words::span(measured));
            Judgement::new(Verdict::Pass, format!("{seen}; {refusals} after the deadline, and nobody let in"))
                .brief(format!("{previous} refused after {}", words::span(measured)))
                .evidence([rotation.seq, first.seq, late[late.len() - 1].seq])
        }
    };
    Judgement { measured: Some(measured), limit: Some(within), ..judgement }
}
