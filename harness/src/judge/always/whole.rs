//! No torn pair: the fields that are seen together belong together.

use crate::event::Hop;
use crate::judge::{Judgement, words};
use crate::plan::MovesBy;
use crate::timeline::{Generation, Sample, Story};
use crate::verdict::Verdict;

/// What is seen at the hop has no fields that belong to different generations.
pub(super) fn judge(story: &Story, credential: &str, at: Hop) -> Judgement {
    let seen = story.samples_at(credential, at).filter_map(|sample| Some((sample.generation()?, sample)));
    let seen: Vec<(Generation, &Sample)> = seen.collect();
    let Some((_, first)) = seen.first() else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    };
    let torn = seen.iter().find_map(|(generation, sample)| {
        let (one, other) = torn(story, credential, at, *generation)?;
        Some((*generation, sample, one, other))
    });
    if let Some((generation, sample, one, other)) = torn {
        let when = words::since(story.began, sample.answered);
        let seen = format!(
            "{at} showed {generation} at {when}: a pair of which one part is of {one} and the other of {other}"
        );
        return Judgement::new(Verdict::Fail, seen).evidence([sample.seq]);
    }
    let mut generations: Vec<Generation> = seen.iter().map(|(generation, _)| *generation).collect();
    generations.sort_unstable();
    generations.dedup();
    let parts = |generation: &Generation| story.tracks[credential].generations[generation.0].0.len();
    let evidence = [first.seq, seen[seen.len() - 1].1.seq];
    if generations.iter().any(|generation| parts(generation) < 2) {
        let seen = format!("only one part of {credential} was seen, so none could be torn");
        return Judgement::inconclusive(seen).evidence(evidence);
    }
    if generations.len() < 2 {
        let seen = format!("{at} never showed more than {}, so nothing could be torn", generations[0]);
        return Judgement::inconclusive(seen).evidence(evidence);
    }
    if let Some(gap) = story.gaps_at(credential, at).next() {
        let seen = format!(
            "every pair that was seen at {at} was whole, but the watch was blind for {}",
            gap.until - gap.from
        );
        return Judgement::inconclusive(seen).evidence(evidence.into_iter().chain([gap.seq]));
    }
    let count = words::many(generations.len(), "generation");
    let how = match story.watched(credential, at) {
        true => "watched without a gap".to_owned(),
        false => words::many(seen.len(), "look"),
    };
    Judgement::new(Verdict::Pass, format!("{count} at {at}, all of them whole ({how})"))
        .brief(format!("{count} whole at {at}"))
        .evidence(evidence)
}

/// The two generations that a torn one has its parts of; none where it is whole, or where what it was read
/// back as, or what stood in the store, says that it belongs together.
fn torn(
    story: &Story,
    credential: &str,
    at: Hop,
    generation: Generation,
) -> Option<(Generation, Generation)> {
    let track = story.tracks.get(credential)?;
    let set = track.rotations.iter().any(|rotation| rotation.set == Some(generation));
    let mut store = track.samples.iter().filter(|sample| sample.hop == Hop::Store && at != Hop::Store);
    let vouched = set && story.plan.credentials.get(credential).is_some_and(|p| p.moves == MovesBy::Ordered);
    if vouched || store.any(|sample| sample.shows() == Some(generation)) {
        return None;
    }
    let parts = &track.generations[generation.0].0;
    let others = || (0..track.generations.len()).filter(|other| *other != generation.0);
    let has = |other: usize, field: &String| track.generations[other].0.get(field) == parts.get(field);
    // A part that several generations share says nothing of which one it is of.
    let of = |field: &String| others().filter(|other| has(*other, field)).collect();
    let known: Vec<Vec<usize>> = parts.keys().map(of).collect();
    if known.iter().any(Vec::is_empty) {
        return None;
    }
    for (index, one) in known.iter().enumerate() {
        for other in &known[index + 1..] {
            if !one.iter().any(|generation| other.contains(generation)) {
                return Some((Generation(one[0]), Generation(other[0])));
            }
        }
    }
    None
}
