//! Questions to a story.

use crate::event::{Ending, Hop, Outcome, Phase, What};
use crate::mask::Masked;
use crate::timeline::sketch::{Sketch, ms};
use crate::timeline::{Answer, Generation};

fn moves(sketch: &Sketch, hop: Hop) -> Vec<(usize, usize)> {
    sketch.story().moves("app", hop).iter().map(|moved| (moved.from.0, moved.to.0)).collect()
}

#[test]
fn moves_from_one_generation_to_another() {
    let sketch =
        Sketch::kv().begin().news(0, "a").news(1, "a").news(2, "b").news(3, "a").news(4, "a").news(5, "c");
    assert_eq!(moves(&sketch, Hop::Secret), [(0, 1), (1, 0), (0, 2)]);
    assert_eq!(sketch.story().standing("app", Hop::Secret), Some(Generation(2)));
}

#[test]
fn an_answer_that_comes_late_is_not_a_move_back() {
    let sketch = Sketch::kv().begin().shows("store", 0, 5, "a").shows("store", 150, 200, "b");
    let sketch = sketch.shows("store", 100, 300, "a").shows("store", 350, 360, "b");
    assert_eq!(moves(&sketch, Hop::Store), [(0, 1)]);
}

#[test]
fn refusals_move_nothing() {
    let sketch = Sketch::app().begin().accepted("web", 0, 1, "a").refused("web", 20, 21, "b");
    assert_eq!(moves(&sketch, Hop::Login), []);
    assert_eq!(moves(&sketch.accepted("web", 40, 41, "b"), Hop::Login), [(0, 1)]);
}

#[test]
fn latest_is_the_last_answer_whatever_it_says() {
    let sketch = Sketch::kv().begin().shows("store", 0, 1, "a").unreachable("store", 200, 201);
    let story = sketch.saw("store", 400, 400, Outcome::Missed).story();
    let latest = story.latest("app", Hop::Store).unwrap();
    assert_eq!(latest.answer, Answer::Unreachable(Masked::own("connection refused")));
    assert_eq!(latest.complaint().unwrap().text(), "connection refused");
    assert_eq!(story.latest("app", Hop::Secret), None);
    assert_eq!(story.latest("nobody", Hop::Secret), None);
}

#[test]
fn watches_and_their_gaps() {
    let story = Sketch::kv().begin().gap(5, 7).story();
    assert!(story.watched("app", Hop::Secret) && !story.watched("app", Hop::Store));
    assert_eq!(
        story.gaps_at("app", Hop::Secret).map(|gap| (gap.from, gap.until)).collect::<Vec<_>>(),
        [(ms(5), ms(7))]
    );
    assert_eq!(story.gaps_at("app", Hop::Store).count(), 0);
}

#[test]
fn a_story_begins_with_its_plan() {
    let sketch = Sketch::kv().with(3, What::Note(Masked::own("namespaces are being made")));
    assert_eq!(sketch.story().began, ms(3));
    let plan = What::Plan(Box::new(sketch.plan.clone()));
    assert_eq!(sketch.with(7, plan).story().began, ms(7));
}

#[test]
fn complete_means_finished_with_every_step_done() {
    let sketch = Sketch::kv().begin();
    assert!(sketch.clone().finish(9).story().complete());
    assert!(!sketch.clone().with(9, What::End(Ending::Finished)).story().complete());
    assert!(!sketch.clone().step(8, Phase::Done).story().complete());
    let late =
        sketch.step(8, Phase::OutOfTime(Masked::own("g0"))).with(9, What::End(Ending::Finished)).story();
    assert!(!late.complete());
    assert_eq!(late.end(), ms(9));
    assert_eq!(late.steps[&0].ended, Some(ms(8)));
}
