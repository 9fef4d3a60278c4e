//! Kernel: generations are seen at a hop in the order in which they were ordered.

use super::{Judgement, words};
use crate::clock::Micros;
use crate::event::Hop;
use crate::timeline::{Generation, Life, Story, moves_among};
use crate::verdict::Verdict;

/// A place in the ordered sequence: a generation, and since when it may be seen.
struct Place {
    generation: Generation,
    since: Micros,
}

/// A generation that was seen when it replaced another.
struct Shown {
    generation: Generation,
    at: Micros,
    seq: u64,
}

/// The generations seen at the hop appear in the order in which they were ordered, none left out and
/// none coming back unordered; at each of its replicas.
pub(super) fn judge(story: &Story, credential: &str, at: Hop) -> Judgement {
    let lives = story.lives_at(credential, at);
    let Some((first, others)) = lives.split_first() else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    };
    let alone = others.is_empty();
    let each = std::iter::once(first).chain(others);
    let each: Vec<Judgement> = each
        .filter(|life| alone || life.samples.iter().any(|sample| sample.shows().is_some()))
        .map(|life| one(story, credential, at, life))
        .collect();
    let worst = (0..each.len()).rev().max_by_key(|index| each[*index].verdict);
    worst.map_or_else(
        || Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}")),
        |worst| each[worst].clone(),
    )
}

/// One of the hop's replicas.
fn one(story: &Story, credential: &str, at: Hop, life: &Life<'_>) -> Judgement {
    let shown = shown(life);
    let rotations = story.rotations(credential);
    let Some(first) = shown.first() else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    };
    let sequence = shown.iter().map(|shown| shown.generation.to_string());
    let place = life.name.map_or_else(|| at.to_string(), |name| format!("{name} at {at}"));
    let sequence = format!("{place} showed {}", words::first_few(sequence.collect::<Vec<_>>().into_iter()));
    let evidence: Vec<u64> = shown.iter().map(|shown| shown.seq).collect();
    let found = |verdict, why: String| {
        Judgement::new(verdict, format!("{sequence}; {why}")).evidence(evidence.iter().copied())
    };
    let unlearnt = rotations.iter().position(|rotation| rotation.set.is_none());
    if let Some(r) = unlearnt {
        let name = words::rotation(r, &rotations[r]);
        return found(Verdict::Inconclusive, format!("what {name} set was never learnt"));
    }
    // Where nobody saw what stood before the first rotation, it is what the hop showed then.
    let before = rotations.first().and_then(|rotation| rotation.from);
    let mut ordered = vec![Place { generation: before.unwrap_or(first.generation), since: Micros(0) }];
    for rotation in rotations {
        let generation = rotation.set.expect("one that was not learnt was left above");
        if ordered.last().is_none_or(|place| place.generation != generation) {
            ordered.push(Place { generation, since: rotation.ordered });
        }
    }

    let mut doubts = Vec::new();
    let mut next = 0;
    for shown in &shown {
        // What was under way when it was ordered may have been decided after that.
        let fits = |place: &Place| place.generation == shown.generation && place.since <= shown.at;
        let Some(ahead) = ordered[next..].iter().position(fits) else {
            let again = ordered[..next].iter().any(|place| place.generation == shown.generation);
            let how = if again { "came back" } else { "came" };
            let when = words::since(story.began, shown.at);
            return found(
                Verdict::Fail,
                format!("{} {how} at {when} without having been ordered", shown.generation),
            );
        };
        // A replica that came later shows nothing of the time before it.
        let newborn = next == 0 && life.name.is_some();
        for left_out in ordered[next..next + ahead].iter().filter(|_| !newborn) {
            let generation = left_out.generation;
            let blind =
                story.gaps_at(credential, at).any(|gap| gap.from < shown.at && gap.until > left_out.since);
            if left_out.since == Micros(0) {
                doubts.push(format!("{generation}, which stood before, was never seen there"));
            } else if blind {
                doubts.push(format!("{generation} may have been there while the watch was blind"));
            } else if story.watched(credential, at) {
                return found(Verdict::Fail, format!("{generation} was left out"));
            } else {
                doubts.push(format!("{generation} may have been there between two askings"));
            }
        }
        next += ahead + 1;
    }
    if rotations.is_empty() {
        return Judgement::no_rotation(credential);
    }
    // What came back and went again while nobody saw it is in no sample.
    let seen_last = life.samples.iter().map(|sample| sample.answered).max().unwrap_or(first.at);
    let blind = story.gaps_at(credential, at).any(|gap| gap.from < seen_last && gap.until > first.at);
    if blind && doubts.is_empty() {
        doubts.push("another may have come back while the watch was blind".to_owned());
    }
    // One that left has nothing to show any more.
    if next < ordered.len() && life.gone.is_none() {
        doubts.push(format!("{} had not arrived when it ended", ordered[next].generation));
    }
    match doubts.is_empty() {
        true => found(Verdict::Pass, "as ordered".to_owned()).brief(format!("{at} in order")),
        false => found(Verdict::Inconclusive, doubts.join("; ")),
    }
}

/// The generations seen at the hop, consecutive duplicates left out.
fn shown(life: &Life<'_>) -> Vec<Shown> {
    let samples = || life.samples.iter().copied();
    let first = samples().filter(|sample| sample.shows().is_some()).min_by_key(|s| (s.answered, s.seq));
    let moves = moves_among(samples()).into_iter().filter_map(|moved| {
        let sample = samples().find(|sample| sample.seq == moved.seq)?;
        Some((moved.to, sample))
    });
    let first = first.and_then(|sample| Some((sample.shows()?, sample)));
    let shown = first.into_iter().chain(moves);
    shown.map(|(generation, sample)| Shown { generation, at: sample.answered, seq: sample.seq }).collect()
}
