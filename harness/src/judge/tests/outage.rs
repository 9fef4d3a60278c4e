//! The outage kernel on sketched logins.

use super::{comes_to, judged};
use crate::event::{Outcome, What};
use crate::plan::{Bounds, Expectation, Who};
use crate::timeline::sketch::{Sketch, ms, span};
use crate::verdict::Verdict;

fn outage(limit: u64) -> Expectation {
    Expectation::Outage { of: "web".into(), at_most: span(limit), who: Who::Every }
}

/// Logins every 20 ms that take 4 ms, with what stands (`+`), refused (`-`), with the new value (`*`),
/// unreachable (`u`) or missed (`m`).
fn logins(sketch: Sketch, answers: &str) -> Sketch {
    answers.chars().enumerate().fold(sketch, |sketch, (i, answer)| {
        let (asked, answered) = (i as u64 * 20, i as u64 * 20 + 4);
        match answer {
            '+' => sketch.accepted("web", asked, answered, "a"),
            '*' => sketch.accepted("web", asked, answered, "b"),
            '-' => sketch.refused("web", asked, answered, "a"),
            'u' => sketch.unreachable("web", asked, answered),
            'm' => sketch.saw("web", asked, asked, Outcome::Missed),
            other => panic!("{other:?}"),
        }
    })
}

/// A rotation after 30 ms, and logins around it.
fn rotated(answers: &str) -> Sketch {
    let (before, after) = answers.split_at(2);
    let sketch = logins(Sketch::app().begin(), before).rotate(30, "b");
    logins(sketch, &format!("{}{after}", "m".repeat(2)))
}

fn bounds(sketch: &Sketch) -> (u64, Option<u64>) {
    let Bounds { at_least, at_most } = judged(sketch, &outage(1)).measured.unwrap();
    (at_least.0 / 1_000, at_most.map(|most| most.0 / 1_000))
}

#[test]
fn two_bounds() {
    // Refused at 40, 60, 80; good at 20 and 100.
    let sketch = rotated("++---**");
    assert_eq!(bounds(&sketch), (36, Some(84)));
    comes_to(
        &sketch,
        &outage(84),
        Verdict::Pass,
        "at least 36 ms and at most 84 ms; 3 refused logins in 1 outage",
    );
    comes_to(&sketch, &outage(36), Verdict::Inconclusive, "sample faster");
    comes_to(&sketch, &outage(35), Verdict::Fail, "3 refused logins");
    assert_eq!(judged(&sketch, &outage(84)).brief, "logins refused 36–84 ms");
}

#[test]
fn one_refusal_took_no_time_at_least() {
    assert_eq!(bounds(&rotated("++-**")), (0, Some(44)));
}

#[test]
fn what_says_nothing_only_widens_the_upper_bound() {
    assert_eq!(bounds(&rotated("++u-um-u**")), (56, Some(144)));
}

#[test]
fn two_outages_and_the_longest_decides() {
    let sketch = rotated("++--**----**");
    assert_eq!(bounds(&sketch), (56, Some(104)));
    comes_to(&sketch, &outage(104), Verdict::Pass, "6 refused logins in 2 outages");
}

#[test]
fn nothing_good_on_a_side_is_unbounded() {
    let after = rotated("++---");
    assert_eq!(bounds(&after), (36, None));
    comes_to(&after, &outage(1_000), Verdict::Inconclusive, "no accepted login before or after");
    comes_to(&after, &outage(30), Verdict::Fail, "nothing bounds it above");
    assert_eq!(bounds(&rotated("----**")), (56, None));
}

#[test]
fn no_refusal_is_as_good_as_the_sampling() {
    let sketch = rotated("++****");
    assert_eq!(bounds(&sketch), (0, Some(24)));
    comes_to(
        &sketch,
        &outage(24),
        Verdict::Pass,
        "no login was refused; an outage longer than 24 ms would have been seen",
    );
    comes_to(&sketch, &outage(20), Verdict::Inconclusive, "sample faster");
    assert_eq!(bounds(&rotated("++uuuu**")), (0, Some(104)), "nobody knows what hides in there");
    assert_eq!(bounds(&rotated("++**uuuu")), (0, Some(84)), "nor at the end");
    comes_to(&rotated("uuuu"), &outage(1_000), Verdict::Inconclusive, "too few were accepted");
}

#[test]
fn a_long_silence_beside_a_short_outage_counts() {
    assert_eq!(bounds(&rotated("++-**uuuuuu**")), (0, Some(144)));
}

#[test]
fn overlapping_answers() {
    // Good [0,4] and [20,24]; refused [40,120], [60,64], [80,84]; good [84,130], [100,104], [121,125].
    let sketch = logins(Sketch::app().begin(), "++").rotate(30, "b");
    let sketch =
        sketch.refused("web", 60, 64, "a").refused("web", 80, 84, "a").accepted("web", 100, 104, "b");
    let sketch =
        sketch.refused("web", 40, 120, "a").accepted("web", 121, 125, "b").accepted("web", 84, 130, "b");
    assert_eq!(bounds(&sketch), (16, Some(105)), "the slow refusal came back after a good login was asked");
}

#[test]
fn what_was_under_way_with_a_refusal_is_on_neither_side_of_it() {
    let sketch = Sketch::app().begin().accepted("web", 0, 4, "a").rotate(10, "b");
    let before =
        sketch.clone().accepted("web", 20, 60, "a").refused("web", 40, 44, "a").accepted("web", 80, 84, "b");
    assert_eq!(bounds(&before), (0, Some(84)));
    let after =
        sketch.refused("web", 40, 70, "a").accepted("web", 50, 90, "b").accepted("web", 100, 104, "b");
    assert_eq!(bounds(&after), (0, Some(104)));
}

#[test]
fn from_the_rotation_to_the_first_good_login_anything_may_hide() {
    let sketch = Sketch::app().begin().shows("store", 0, 1, "a").rotate(30, "b");
    let sketch = (0..8).fold(sketch, |s, i| s.unreachable("web", 40 + i * 20, 44 + i * 20));
    assert_eq!(bounds(&sketch.accepted("web", 200, 204, "b")), (0, Some(174)));
}

#[test]
fn a_slow_refusal_does_not_hide_a_good_login() {
    // Refused [40,44]; good [60,64]; refused [80,84]: two outages, whatever the slow [30,200] was decided at.
    let sketch = logins(Sketch::app().begin(), "++").rotate(25, "b").refused("web", 40, 44, "a");
    let sketch = sketch.accepted("web", 60, 64, "b").refused("web", 80, 84, "a").refused("web", 30, 200, "a");
    let sketch = sketch.accepted("web", 210, 214, "b");
    assert_eq!(bounds(&sketch), (0, Some(194)));
    comes_to(&sketch, &outage(194), Verdict::Pass, "3 refused logins in 1 outage");
}

#[test]
fn a_pass_is_earned() {
    let still = logins(Sketch::app().begin(), "++++++");
    comes_to(&still, &outage(1_000), Verdict::Inconclusive, "no rotation of app was ordered");
    let locked_out = logins(Sketch::app().begin(), "+---+");
    comes_to(&locked_out, &outage(10), Verdict::Fail, "3 refused logins");
    comes_to(&locked_out, &outage(1_000), Verdict::Inconclusive, "no rotation of app was ordered");
    comes_to(&rotated("++++++"), &outage(1_000), Verdict::Inconclusive, "was never seen at the server");
    comes_to(&rotated("++--*"), &outage(1_000), Verdict::Pass, "");
    comes_to(
        &Sketch::app().begin().rotate(30, "b"),
        &outage(1_000),
        Verdict::Inconclusive,
        "web never asked",
    );
    let gone = Expectation::Outage { of: "nobody".into(), at_most: span(1), who: Who::Every };
    comes_to(&rotated("++**"), &gone, Verdict::Inconclusive, "nobody never asked");
}

#[test]
fn evidence_is_what_lies_around_the_longest() {
    let sketch = rotated("++---**");
    let seqs = judged(&sketch, &outage(84)).evidence;
    let asked = |seq: &u64| match &sketch.events[*seq as usize - 1].what {
        What::Seen(seen) => (seen.asked - ms(0)).0 / 1_000,
        other => panic!("{other:?}"),
    };
    assert_eq!(seqs.iter().map(asked).collect::<Vec<_>>(), [20, 40, 80, 100]);
}
