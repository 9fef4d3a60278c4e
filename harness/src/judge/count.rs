//! Kernel: how often something happened lies within bounds.

mod tally;

use super::Judgement;
use crate::plan::Counted;
use crate::timeline::Story;
use crate::verdict::Verdict;

/// What was counted.
struct Tally {
    /// How many there certainly were.
    value: u64,
    /// What that is.
    text: String,
    /// Why there may have been more, or, where it may be another number altogether, why.
    doubt: Option<String>,
    /// Whether the doubt is about fewer, too.
    either_way: bool,
    evidence: Vec<u64>,
}

/// The count lies within the bounds.
pub(super) fn judge(story: &Story, of: &Counted, at_least: Option<u64>, at_most: Option<u64>) -> Judgement {
    let tally = match of {
        Counted::Moves { credential, at } => tally::moves(story, credential, *at),
        Counted::Most { counter } => tally::most(story, counter),
        Counted::Last { counter } => tally::last(story, counter),
        Counted::Rise { counter } => tally::rise(story, counter),
        Counted::Churn { credential } => tally::churn(story, credential),
        Counted::Refused { probe } => tally::refused(story, probe),
        Counted::Stragglers { credential, after } => tally::stragglers(story, credential, *after),
    };
    let tally = match tally {
        Ok(tally) => tally,
        Err(why) => return Judgement::inconclusive(why),
    };
    let too_few = at_least.is_some_and(|least| tally.value < least);
    let too_many = at_most.is_some_and(|most| tally.value > most);
    let cut_short = || (!story.complete()).then(|| "the scenario was not played to its end".to_owned());
    let doubt = match (too_many, too_few) {
        _ if tally.either_way => tally.doubt.or_else(|| cut_short().filter(|_| too_many || too_few)),
        // More cannot become fewer.
        (true, _) => None,
        (false, true) => tally.doubt.or_else(cut_short),
        (false, false) => tally.doubt.filter(|_| at_most.is_some()),
    };
    let so = if tally.either_way { "it may be another number now" } else { "there may have been more" };
    let (verdict, doubt) = match (too_many || too_few, doubt) {
        (_, Some(doubt)) => (Verdict::Inconclusive, format!("; {doubt}, so {so}")),
        (true, None) => (Verdict::Fail, String::new()),
        (false, None) => (Verdict::Pass, String::new()),
    };
    Judgement::new(verdict, tally.text.clone() + &doubt).brief(tally.text).evidence(tally.evidence)
}
