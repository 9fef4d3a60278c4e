//! How long each value lives at a hop.

use crate::clock::Micros;
use crate::event::Hop;
use crate::judge::{Judgement, words};
use crate::plan::Bounds;
use crate::timeline::{Generation, Life, Sample, Story};
use crate::verdict::Verdict;

/// One value from its coming to its going.
struct Lived {
    generation: Generation,
    bounds: Bounds,
    /// It was there when the hop was first seen: how old it was then, nobody knows.
    first: bool,
    /// It was still there when the hop was last seen.
    last: bool,
    evidence: [u64; 2],
}

/// None is replaced sooner than `at_least`; none gets older than `at_most`, the last one until the end and
/// the first one since it was first seen.
pub(super) fn judge(
    story: &Story,
    credential: &str,
    at: Hop,
    at_least: Option<Micros>,
    at_most: Option<Micros>,
) -> Judgement {
    let lives = story.lives_at(credential, at);
    let lived: Vec<Lived> = lives.iter().flat_map(|life| lived(story, credential, at, life)).collect();
    if lived.is_empty() {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    }
    let blind = story.gaps_at(credential, at).next().is_some();
    let youngest = at_least.map(|limit| youngest(&lived, at, limit, blind));
    let oldest = at_most.map(|limit| oldest(&lived, at, limit));
    let both = youngest.into_iter().chain(oldest).rev().max_by_key(|judgement| judgement.verdict);
    both.unwrap_or_else(|| Judgement::inconclusive("neither an age at least nor one at most is expected"))
}

/// Those that were seen to come and to go decide.
fn youngest(lived: &[Lived], at: Hop, limit: Micros, blind: bool) -> Judgement {
    let whole = lived.iter().filter(|one| !one.first && !one.last);
    // Of one that was there before it was first seen only its least age is known; that may be enough.
    let Some(one) = whole.min_by_key(|one| (one.bounds.at_most, one.bounds.at_least)) else {
        let seen = format!("no value was seen to come to {at} and to be replaced there");
        return Judgement::inconclusive(seen);
    };
    let shortest = lived.iter().filter(|one| !one.first && !one.last).map(|one| one.bounds.at_least).min();
    let measured = Bounds { at_least: shortest.unwrap_or_default(), ..one.bounds };
    let verdict = match measured.at_most {
        Some(most) if most < limit => Verdict::Fail,
        Some(_) | None if measured.at_least >= limit && !blind => Verdict::Pass,
        Some(_) | None => Verdict::Inconclusive,
    };
    let doubt = match (verdict, blind) {
        (Verdict::Inconclusive, true) => "; the watch was blind for a time",
        (Verdict::Inconclusive, false) => "; the limit lies between the bounds: sample faster",
        (Verdict::Pass | Verdict::Skipped | Verdict::Error | Verdict::Fail, _) => "",
    };
    let span = words::span(measured);
    let seen = format!("{} was replaced at {at} after {span}{doubt}", one.generation);
    Judgement {
        measured: Some(measured),
        limit: Some(limit),
        ..Judgement::new(verdict, seen)
            .brief(format!("no value replaced sooner than {span}"))
            .evidence(one.evidence)
    }
}

/// Every one decides, the first and the last as far as they were seen.
fn oldest(lived: &[Lived], at: Hop, limit: Micros) -> Judgement {
    let one = lived.iter().max_by_key(|one| (one.bounds.at_least, one.bounds.at_most));
    let one = one.expect("the caller has at least one");
    let most = lived.iter().map(|one| one.bounds.at_most).reduce(|a, b| Some(a?.max(b?))).flatten();
    let measured = Bounds { at_least: one.bounds.at_least, at_most: most };
    let moved = lived.iter().any(|one| !one.first);
    let verdict = match most {
        _ if measured.at_least > limit => Verdict::Fail,
        Some(most) if most <= limit && moved => Verdict::Pass,
        Some(_) | None => Verdict::Inconclusive,
    };
    let doubt = match (verdict, moved) {
        (Verdict::Inconclusive, false) => "; nothing moved, so nobody knows how old it would have become",
        (Verdict::Inconclusive, true) => "; the limit lies between the bounds: sample faster",
        (Verdict::Pass | Verdict::Skipped | Verdict::Error | Verdict::Fail, _) => "",
    };
    let span = words::span(measured);
    let seen = format!("{} was there at {at} for {span}, the longest{doubt}", one.generation);
    Judgement {
        measured: Some(measured),
        limit: Some(limit),
        ..Judgement::new(verdict, seen).brief(format!("no value older than {span}")).evidence(one.evidence)
    }
}

/// The values of one place or replica, in order. An age lies between the last asking less the first answer
/// that showed it, and the first answer of the next value less the last asking of the one before.
fn lived(story: &Story, credential: &str, at: Hop, life: &Life<'_>) -> Vec<Lived> {
    let watched = life.name.is_none() && story.watched(credential, at);
    let mut shown: Vec<&Sample> = life.samples.iter().copied().filter(|s| s.shows().is_some()).collect();
    shown.sort_by_key(|sample| (sample.answered, sample.seq));
    // Each with its first and its last sample; an older answer that came late is left out.
    let mut stood: Vec<(Generation, &Sample, &Sample)> = Vec::new();
    for sample in shown {
        let generation = sample.shows().expect("only what shows a generation was kept");
        match stood.last_mut() {
            Some((standing, _, last)) if *standing == generation => {
                if sample.asked > last.asked {
                    *last = sample;
                }
            }
            Some((_, first, _)) if sample.asked < first.answered => {}
            Some(_) | None => stood.push((generation, sample, sample)),
        }
    }
    let end = life.gone.map_or(story.end(), |(_, gone)| gone);
    let known_until = |index: usize| {
        let (_, _, last) = stood[index];
        match stood.get(index + 1) {
            _ if !watched => last.asked,
            Some((_, next, _)) => story.told(&next.probe, next.asked).unwrap_or(last.asked),
            None => story.sighted(credential, at, last.answered, end) - story.error_bar.unwrap_or_default(),
        }
    };
    (0..stood.len())
        .map(|index| {
            let (generation, first, last) = stood[index];
            let (is_first, is_last) = (index == 0, index + 1 == stood.len());
            let came = match index.checked_sub(1) {
                Some(before) => known_until(before).min(first.answered),
                None => first.asked,
            };
            let went = stood.get(index + 1).map_or(end.max(last.answered), |(_, next, _)| next.answered);
            let (least, most) = (known_until(index) - first.answered, went - came);
            Lived {
                generation,
                bounds: Bounds { at_least: least.min(most), at_most: Some(most) },
                first: is_first,
                last: is_last,
                evidence: [first.seq, last.seq],
            }
        })
        .collect()
}
