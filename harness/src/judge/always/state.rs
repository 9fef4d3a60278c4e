//! Something has a state from some moment on, to the end.

use crate::clock::Micros;
use crate::judge::{Judgement, against, words};
use crate::plan::{Bounds, Since};
use crate::timeline::{Remark, Story};
use crate::verdict::Verdict;

/// From `within` after `since` on, it has that state, and keeps it.
pub(super) fn judge(story: &Story, state: &str, is: &str, since: Since, within: Micros) -> Judgement {
    let (Some(from), readings) =
        (story.moment(since), story.states.get(state).map_or(&[] as &[Remark], Vec::as_slice))
    else {
        return Judgement::inconclusive("the step that it is counted from never began");
    };
    let Some(latest) = readings.last() else {
        return Judgement::inconclusive(format!("nothing was ever heard of {state}"));
    };
    let right = |reading: &Remark| reading.text.text() == is;
    let wrong = readings.iter().rposition(|reading| !right(reading));
    // A state stands until another one is heard of, or until nobody watched. The other may have come the error bar before
    // its news: then it was there before the news of this one, which was as late.
    let until = |index: usize| {
        let since = readings[index].at;
        let next = readings.get(index + 1).map_or(story.end(), |next| next.at);
        let blind = story.gaps.iter().filter(|gap| gap.probe == state && gap.from >= since);
        let seen = blind.map(|gap| gap.from).min().map_or(next, |from| next.min(from));
        story.error_bar.map_or(from, |bar| seen - bar)
    };
    let measured = Bounds {
        at_least: wrong.map_or(Micros(0), |wrong| until(wrong) - from),
        at_most: match wrong {
            Some(wrong) => readings.get(wrong + 1).map(|next| next.at - from),
            None => Some(readings[0].at - from),
        },
    };
    let measured = Bounds {
        at_least: measured.at_most.map_or(measured.at_least, |m| m.min(measured.at_least)),
        ..measured
    };
    let shown = wrong.map_or(&readings[0], |wrong| &readings[wrong]);
    let evidence = [shown.seq, latest.seq];
    let blind = story.gaps.iter().find(|gap| gap.probe == state && gap.until > from + within);
    let held = against(measured, within);
    let (verdict, doubt) = match (held, blind) {
        (Verdict::Pass, Some(gap)) => {
            (Verdict::Inconclusive, format!("; but its watch was blind for {}", gap.until - gap.from))
        }
        (Verdict::Inconclusive, _) if measured.at_most.is_some() => {
            (held, format!("; the limit of {within} lies between the bounds"))
        }
        (Verdict::Pass | Verdict::Inconclusive | Verdict::Fail | Verdict::Error | Verdict::Skipped, _) => {
            (held, String::new())
        }
    };
    let seen = match (right(latest), wrong) {
        (true, None) => format!("{state} was {is} all the time"),
        (true, Some(wrong)) => {
            let was = readings[wrong].text.text();
            let since = words::span(measured);
            format!("{state} was {was} and became {is} for good after {since}")
        }
        (false, _) => format!("{state} was {} at the end", latest.text),
    };
    let brief = match wrong {
        None => format!("{state} {is} all the time"),
        Some(_) => format!("{state} {is} after {}", words::span(measured)),
    };
    Judgement {
        measured: Some(measured),
        limit: Some(within),
        ..Judgement::new(verdict, seen + &doubt).brief(brief).evidence(evidence)
    }
}
