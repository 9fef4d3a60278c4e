//! A value never moves.

use crate::event::Hop;
use crate::judge::{Judgement, words};
use crate::timeline::Story;
use crate::verdict::Verdict;

/// The value at the hop never moves.
pub(super) fn judge(story: &Story, credential: &str, at: Hop) -> Judgement {
    let shown = story.samples_at(credential, at).filter_map(|sample| Some((sample.shows()?, sample)));
    let shown: Vec<_> = shown.collect();
    let Some(&(generation, first)) = shown.first() else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
    };
    let other = shown.iter().find(|(other, _)| *other != generation).map(|(_, sample)| *sample);
    if let Some(other) = other {
        let moves = story.moves(credential, at);
        let told =
            moves.iter().map(|m| format!("{} → {} at {}", m.from, m.to, words::since(story.began, m.at)));
        let seen = format!("{credential} moved {} at {at}: {}", times(moves.len()), words::first_few(told));
        let evidence = moves.iter().map(|m| m.seq).chain([first.seq, other.seq]);
        return Judgement::new(Verdict::Fail, seen).evidence(evidence);
    }
    let looks = words::many(shown.len(), "look");
    let evidence = [first.seq, shown[shown.len() - 1].1.seq];
    let watched = story.watched(credential, at);
    let blind = story.gaps_at(credential, at).next();
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

/// How often, as a person would say it.
fn times(count: usize) -> String {
    words::many(count.max(1), "time")
}
