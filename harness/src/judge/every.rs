//! Several expectations together.

use super::{Judgement, words};
use crate::plan::Expectation;
use crate::timeline::Story;
use crate::verdict::Verdict;

/// All of them; the worst decides, and of several equally bad ones the slowest, and of those the first.
pub(super) fn judge(story: &Story, all: &[Expectation]) -> Judgement {
    let each: Vec<Judgement> = all.iter().map(|one| one.judge(story)).collect();
    // Of several that pass, the slowest is the most telling.
    let badness = |judgement: &Judgement| (judgement.verdict, judgement.measured.and_then(|m| m.at_most));
    let worst = (0..each.len()).rev().max_by_key(|index| badness(&each[*index]));
    let Some(worst) = worst else { return Judgement::inconclusive("nothing is expected") };
    let decides = each[worst].clone();
    if each.len() == 1 {
        return decides;
    }
    if decides.verdict == Verdict::Pass {
        let said = |text: fn(&Judgement) -> String| words::first_few(each.iter().map(text));
        let brief = match decides.brief.is_empty() {
            true => String::new(),
            false => format!("{} (and {} more)", decides.brief, each.len() - 1),
        };
        return Judgement {
            measured: decides.measured,
            limit: decides.limit,
            ..Judgement::new(Verdict::Pass, said(|judgement| judgement.seen.clone()))
                .brief(brief)
                .evidence(each.iter().flat_map(|judgement| judgement.evidence.iter().copied()))
        };
    }
    let also = each.iter().filter(|judgement| judgement.verdict == decides.verdict).count();
    let seen = format!("{}; {also} of {} came to this", decides.seen, each.len());
    Judgement { seen, ..decides }
}
