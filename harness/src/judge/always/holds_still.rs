//! A value never moves.

use crate::clock::Micros;
use crate::event::Hop;
use crate::judge::{Judgement, words};
use crate::plan::Window;
use crate::timeline::{Sample, Story};
use crate::verdict::Verdict;

/// The value at the hop never moves in a part of the scenario.
pub(super) fn judge(story: &Story, credential: &str, at: Hop, during: Window) -> Judgement {
    let Some((since, until)) = bounds(story, during) else {
        return Judgement::inconclusive("the step that it is counted from never began");
    };
    let shown = story.samples_at(credential, at).filter_map(|sample| Some((sample.shows()?, sample)));
    let mut shown: Vec<_> = shown.filter(|(_, sample)| sample.answered < until).collect();
    // What stood there when that part began was seen before it.
    let before = shown.iter().rposition(|(_, sample)| sample.answered < since);
    shown.drain(..before.unwrap_or(0));
    let Some(&(generation, first)) = shown.first() else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    };
    let other = shown.iter().find(|(other, _)| *other != generation).map(|(_, sample)| *sample);
    if let Some(other) = other {
        return moved(story, credential, at, (since, until), [first, other]);
    }
    let looks = words::many(shown.len(), "look");
    let evidence = [first.seq, shown[shown.len() - 1].1.seq];
    let watched = story.watched(credential, at);
    let blind = story.gaps_at(credential, at).find(|gap| gap.until > since && gap.from < until);
    match (watched, blind) {
        (_, Some(gap)) => {
            let seen = format!(
                "{generation} stood at {at}, but the watch was blind for {}: {}",
                gap.until - gap.from,
                gap.why
            );
            Judgement::inconclusive(seen).evidence(evidence.into_iter().chain([gap.seq]))
        }
        (false, None) if shown.len() < 2 => {
            Judgement::inconclusive(format!("{credential} was seen only once at {at}")).evidence(evidence)
        }
        (true | false, None) => {
            let how = if watched { "watched without a gap".to_owned() } else { looks };
            Judgement::new(Verdict::Pass, format!("{generation} stood at {at} all the time ({how})"))
                .brief(format!("{credential} held still at {at} ({how})"))
                .evidence(evidence)
        }
    }
}

/// From when to when; none where it never began. A part whose end was never reached goes on to the end.
fn bounds(story: &Story, during: Window) -> Option<(Micros, Micros)> {
    let since = match during.since {
        Some(since) => story.moment(since)?,
        None => Micros(0),
    };
    let until = during.until.and_then(|until| story.moment(until));
    Some((since, until.unwrap_or(Micros(u64::MAX))))
}

fn moved(
    story: &Story,
    credential: &str,
    at: Hop,
    (since, until): (Micros, Micros),
    shown: [&Sample; 2],
) -> Judgement {
    let moves: Vec<_> = story.moves(credential, at);
    let moves: Vec<_> = moves.iter().filter(|m| m.at >= since && m.at < until).collect();
    let told = moves.iter().map(|m| format!("{} → {} at {}", m.from, m.to, words::since(story.began, m.at)));
    let seen = format!("{credential} moved {} at {at}: {}", times(moves.len()), words::first_few(told));
    let evidence = moves.iter().map(|m| m.seq).chain(shown.map(|sample| sample.seq));
    Judgement::new(Verdict::Fail, seen).evidence(evidence)
}

/// How often, as a person would say it.
fn times(count: usize) -> String {
    words::many(count.max(1), "time")
}
