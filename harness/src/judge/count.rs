//! Kernel: how often something happened lies within bounds.

use super::{Judgement, words};
use crate::plan::Counted;
use crate::timeline::Story;
use crate::verdict::Verdict;

/// What was counted.
struct Tally {
    /// How many there certainly were.
    value: u64,
    /// What that is.
    text: String,
    /// Whether there may have been more.
    maybe_more: Option<&'static str>,
    evidence: Vec<u64>,
}

/// The count lies within the bounds.
pub(super) fn judge(story: &Story, of: &Counted, at_least: Option<u64>, at_most: Option<u64>) -> Judgement {
    let tally = match of {
        Counted::Moves { credential, at } => {
            let moves = story.moves(credential, *at);
            if story.samples_at(credential, *at).all(|sample| sample.shows().is_none()) {
                return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {at}"));
            }
            let told = moves.iter().map(|m| format!("{} → {}", m.from, m.to));
            let told = if moves.is_empty() { String::new() } else { format!(": {}", words::first_few(told)) };
            let count = words::many(moves.len(), "move");
            Tally {
                value: moves.len() as u64,
                text: format!("{count} of {credential} at {at}{told}"),
                maybe_more: story.gaps_at(credential, *at).next().map(|_| "the watch was blind for a time"),
                evidence: moves.iter().map(|m| m.seq).collect(),
            }
        }
        Counted::Most { counter } => {
            let readings = story.counts.get(counter).map_or(&[] as &[_], Vec::as_slice);
            // Of several equally high ones the first.
            let Some(most) = readings.iter().rev().max_by_key(|reading| reading.value) else {
                return Judgement::inconclusive(format!("{counter} was never counted"));
            };
            let blind = story.gaps.iter().any(|gap| gap.probe == *counter);
            Tally {
                value: most.value,
                text: format!("{} of {counter}", most.value),
                maybe_more: blind.then_some("the watch was blind for a time"),
                evidence: vec![most.seq],
            }
        }
        Counted::Last { .. }
        | Counted::Rise { .. }
        | Counted::Churn { .. }
        | Counted::Refused { .. }
        | Counted::Stragglers { .. } => return Judgement::inconclusive("it is not counted yet"),
    };
    let too_few = at_least.is_some_and(|least| tally.value < least);
    let too_many = at_most.is_some_and(|most| tally.value > most);
    let cut_short = (!story.complete()).then_some("the scenario was not played to its end");
    let doubt = match (too_many, too_few) {
        // More cannot become fewer.
        (true, _) => None,
        (false, true) => tally.maybe_more.or(cut_short),
        (false, false) => tally.maybe_more.filter(|_| at_most.is_some()),
    };
    let (verdict, doubt) = match (too_many || too_few, doubt) {
        (_, Some(doubt)) => (Verdict::Inconclusive, format!("; {doubt}, so there may have been more")),
        (true, None) => (Verdict::Fail, String::new()),
        (false, None) => (Verdict::Pass, String::new()),
    };
    Judgement::new(verdict, tally.text.clone() + &doubt).brief(tally.text).evidence(tally.evidence)
}
