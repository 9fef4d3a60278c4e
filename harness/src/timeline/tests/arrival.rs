//! When rotations arrived, with both bounds.

use crate::event::Hop;
use crate::plan::Bounds;
use crate::timeline::Story;
use crate::timeline::sketch::{Sketch, span};

/// Bounds in milliseconds.
fn arrival(story: &Story, hop: Hop, rotation: usize) -> (u64, Option<u64>) {
    let Bounds { at_least, at_most } = story.arrival("app", hop, rotation).bounds;
    (at_least.0 / 1_000, at_most.map(|most| most.0 / 1_000))
}

#[test]
fn polled_from_the_last_asking_to_the_first_answer() {
    let sketch = Sketch::kv().begin().shows("store", 800, 805, "a").rotate(1_000, "b");
    let story = sketch.shows("store", 1_200, 1_205, "a").shows("store", 1_400, 1_410, "b").story();
    assert_eq!(arrival(&story, Hop::Store, 0), (200, Some(410)));
    assert!(story.reached("app", Hop::Store) && !story.reached("app", Hop::Secret));
}

#[test]
fn watched_from_the_news_less_the_error_bar() {
    let story = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").news(4_000, "b").story();
    assert_eq!(arrival(&story, Hop::Secret, 0), (2_990, Some(3_000)));
}

#[test]
fn watched_after_a_gap_from_its_beginning() {
    let blind = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").gap(2_000, 5_000);
    assert_eq!(arrival(&blind.clone().news(5_001, "b").story(), Hop::Secret, 0), (1_000, Some(4_001)));
    let told = blind.news(5_001, "a").news(6_000, "b").story();
    assert_eq!(arrival(&told, Hop::Secret, 0), (4_990, Some(5_000)), "it told the old value after the gap");
    let relisted =
        Sketch::kv().begin().news(0, "a").rotate(1_000, "b").news(4_999, "b").gap(2_000, 5_000).story();
    assert_eq!(
        arrival(&relisted, Hop::Secret, 0),
        (1_000, Some(3_999)),
        "the gap is recorded after the news"
    );
}

#[test]
fn never_seen_by_a_watch_until_the_end_or_until_it_went_blind() {
    let sketch = Sketch::kv().begin().news(0, "a").rotate(1_000, "b");
    assert_eq!(arrival(&sketch.clone().finish(9_000).story(), Hop::Secret, 0), (7_990, None));
    assert_eq!(
        arrival(&sketch.clone().gap(3_000, 8_000).finish(9_000).story(), Hop::Secret, 0),
        (1_990, None)
    );
    let back = sketch.gap(3_000, 8_000).news(8_001, "a").finish(9_000).story();
    assert_eq!(arrival(&back, Hop::Secret, 0), (7_990, None), "it came back and told the old value");
    let mute = Sketch::kv().begin().rotate(1_000, "b").finish(9_000).story();
    assert_eq!(arrival(&mute, Hop::Secret, 0), (0, None), "a watch that never told anything knows nothing");
}

#[test]
fn never_seen_by_asking_until_the_last_asking() {
    let sketch = Sketch::kv().begin().rotate(1_000, "b").shows("store", 1_200, 1_201, "a");
    let story =
        sketch.shows("store", 1_400, 1_401, "a").unreachable("store", 1_600, 1_601).finish(9_000).story();
    assert_eq!(arrival(&story, Hop::Store, 0), (400, None));
}

#[test]
fn what_was_asked_before_the_order_is_not_its_arrival() {
    // r3 sets b again, which was there before it.
    let sketch = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").news(2_000, "b").rotate(3_000, "a");
    let sketch = sketch.news(4_000, "a").rotate(5_000, "b");
    assert_eq!(arrival(&sketch.clone().finish(6_000).story(), Hop::Secret, 2), (990, None));
    assert!(!sketch.clone().story().reached("app", Hop::Secret));
    let story = sketch.news(6_000, "b").story();
    let all = [0, 1, 2].map(|r| arrival(&story, Hop::Secret, r));
    assert_eq!(all, [(990, Some(1_000)); 3]);
}

#[test]
fn overtaken_by_a_later_rotation_counts_as_arrived() {
    let sketch = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").rotate(2_000, "c").news(3_000, "c");
    let story = sketch.story();
    assert_eq!(arrival(&story, Hop::Secret, 0), (1_990, Some(2_000)));
    assert_eq!(arrival(&story, Hop::Secret, 1), (990, Some(1_000)));
}

#[test]
fn what_came_before_it_was_ordered_overtakes_nothing() {
    let sketch = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").news(1_500, "c").rotate(2_000, "c");
    assert_eq!(arrival(&sketch.finish(9_000).story(), Hop::Secret, 0), (1_000, None));
}

#[test]
fn a_hop_that_stands_still_is_not_overtaken_by_a_rollback() {
    let order = Sketch::kv().begin().shows("store", 0, 1, "a").news(1, "a").rotate(1_000, "b");
    let sketch = order.shows("store", 1_200, 1_201, "a").rotate(2_000, "a").shows("store", 2_200, 2_201, "a");
    let story = sketch.finish(9_000).story();
    assert!(story.arrival("app", Hop::Store, 0).seen.is_none());
    assert_eq!(arrival(&story, Hop::Secret, 0), (1_000, None), "from the rollback on, silence shows nothing");
    assert_eq!(arrival(&story, Hop::Secret, 1), (0, None));
}

#[test]
fn unknown_until_it_is_written() {
    let sketch = Sketch::kv().begin().news(0, "a").ordered(1_000).news(1_500, "b");
    assert!(!sketch.clone().story().reached("app", Hop::Secret));
    assert!(sketch.written(1_600, "b").story().reached("app", Hop::Secret), "it was there before we knew it");
    assert!(!Sketch::kv().begin().news(0, "a").story().reached("app", Hop::Secret), "nothing was ordered");
}

#[test]
fn without_calibration_a_watch_has_no_lower_bound() {
    let mut sketch = Sketch::kv().begin().news(0, "a").rotate(1_000, "b").news(4_000, "b");
    sketch.events.remove(0);
    assert_eq!(arrival(&sketch.story(), Hop::Secret, 0), (0, Some(3_000)));
}

#[test]
fn origin_by_the_first_refusal_of_what_stood_before() {
    let sketch = Sketch::app().begin().accepted("web", 980, 982, "a").rotate(1_000, "b");
    let sketch = sketch.accepted("web", 1_000, 1_002, "a").accepted("web", 1_020, 1_022, "a");
    let story = sketch.refused("old", 1_030, 1_035, "a").refused("web", 1_040, 1_043, "a").story();
    assert_eq!(arrival(&story, Hop::Origin, 0), (20, Some(35)));
}

#[test]
fn origin_by_the_first_login_with_the_new_value() {
    let sketch = Sketch::app().begin().accepted("web", 980, 982, "a").rotate(1_000, "b");
    let story = sketch.accepted("web", 1_020, 1_022, "a").accepted("web", 1_040, 1_042, "b").story();
    assert_eq!(arrival(&story, Hop::Origin, 0), (20, Some(42)));
}

#[test]
fn origin_not_by_what_was_refused_all_along_nor_by_other_values() {
    let sketch = Sketch::app().begin().shows("store", 900, 901, "a").refused("web", 980, 982, "a");
    let story = sketch.rotate(1_000, "b").refused("web", 1_020, 1_022, "a").finish(2_000).story();
    assert_eq!(arrival(&story, Hop::Origin, 0), (0, None));
    let sketch = Sketch::app().begin().accepted("web", 980, 982, "a").rotate(1_000, "b");
    let story =
        sketch.refused("web", 1_020, 1_022, "x").accepted("web", 1_040, 1_042, "a").finish(2_000).story();
    assert_eq!(arrival(&story, Hop::Origin, 0), (40, None));
}

#[test]
fn a_login_arrives_when_it_is_let_in() {
    let sketch = Sketch::app().begin().accepted("web", 980, 982, "a").rotate(1_000, "b");
    let story = sketch.refused("web", 1_020, 1_022, "a").refused("web", 1_040, 1_042, "b");
    let story = story.accepted("web", 1_060, 1_062, "b").story();
    assert_eq!(arrival(&story, Hop::Login, 0), (40, Some(62)));
    assert_eq!(story.arrival("app", Hop::Login, 0).bounds.at_most, Some(span(62)));
}
