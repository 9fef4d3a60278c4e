//! Rotations that nobody ordered, derived from what is seen.

use proptest::prelude::*;

use crate::clock::Micros;
use crate::event::{Event, Hop, OrderKind, Outcome, What};
use crate::plan::Who;
use crate::timeline::sketch::{Sketch, ms, span, value};
use crate::timeline::{Rotation, Sample};

fn itself() -> Sketch {
    Sketch::kv().moving_itself(Hop::Store).begin().shows("store", 0, 1, "a")
}

/// Kind, generations, and when it counts as ordered and as certain, in milliseconds.
fn told(rotation: &Rotation) -> (OrderKind, String, u64, u64) {
    let number = |generation: Option<crate::timeline::Generation>| generation.unwrap().to_string();
    let since = |at: Micros| (at - ms(0)).0 / 1_000;
    let moves = format!("{}>{}", number(rotation.from), number(rotation.set));
    (rotation.kind, moves, since(rotation.ordered), since(rotation.certain))
}

fn all(sketch: &Sketch) -> Vec<(OrderKind, String, u64, u64)> {
    sketch.story().rotations("app").iter().map(told).collect()
}

fn scheduled(moves: &str, ordered: u64, certain: u64) -> (OrderKind, String, u64, u64) {
    (OrderKind::Scheduled, moves.to_owned(), ordered, certain)
}

fn forced(moves: &str, at: u64) -> (OrderKind, String, u64, u64) {
    (OrderKind::Forced, moves.to_owned(), at, at)
}

#[test]
fn a_move_is_a_rotation_between_the_last_old_and_the_first_new_sight() {
    let sketch = itself().shows("store", 200, 202, "a").shows("store", 400, 402, "b");
    assert_eq!(all(&sketch), [scheduled("g0>g1", 200, 402)]);
    let sketch = sketch.shows("store", 600, 602, "b").shows("store", 800, 802, "a");
    assert_eq!(all(&sketch), [scheduled("g0>g1", 200, 402), scheduled("g1>g0", 600, 802)]);
    let arrival = sketch.story().arrival("app", Hop::Store, 0);
    assert_eq!((arrival.bounds.at_least, arrival.bounds.at_most), (span(0), Some(span(202))));
    let ordered = Sketch::kv().begin().shows("store", 0, 1, "a").shows("store", 400, 402, "b");
    assert_eq!(all(&ordered), [], "this one moves only when that is ordered");
}

#[test]
fn by_watch_it_is_the_news_less_the_error_bar_or_the_gap() {
    let sketch = Sketch::kv().moving_itself(Hop::Secret).begin().news(2, "a");
    assert_eq!(all(&sketch.clone().news(1_000, "b")), [scheduled("g0>g1", 990, 1_000)]);
    let blind = sketch.gap(500, 990).news(1_000, "b");
    assert_eq!(all(&blind), [scheduled("g0>g1", 500, 1_000)]);
}

#[test]
fn what_was_seen_elsewhere_before_had_happened_before() {
    let sketch = Sketch::kv().moving_itself(Hop::Secret).probe("web", "app", Hop::Login, Some(20));
    let sketch = sketch.begin().news(2, "a").accepted("web", 970, 980, "b").news(1_000, "b");
    assert_eq!(all(&sketch), [scheduled("g0>g1", 980, 980)]);
}

#[test]
fn an_older_answer_that_came_late_is_no_move() {
    let sketch = itself().shows("store", 30, 40, "b").shows("store", 20, 50, "a").shows("store", 60, 70, "b");
    assert_eq!(all(&sketch), [scheduled("g0>g1", 0, 40)]);
}

#[test]
fn a_rotation_in_flight_owns_the_next_move() {
    let flying = itself().ordered(100).shows("store", 110, 112, "b");
    assert_eq!(all(&flying), [forced("g0>g1", 100)]);
    let sketch = flying.written(120, "b").shows("store", 300, 302, "b").shows("store", 500, 502, "c");
    assert_eq!(all(&sketch), [forced("g0>g1", 100), scheduled("g1>g2", 300, 502)]);
    let unread = itself().ordered(100).shows("store", 110, 112, "b").shows("store", 310, 312, "c");
    assert_eq!(all(&unread), [forced("g0>g1", 100), scheduled("g1>g2", 110, 312)]);
}

#[test]
fn what_was_not_read_back_had_moved_by_itself() {
    let flying = itself().ordered(100).shows("store", 110, 112, "b");
    let unseen = flying.clone().written(130, "c");
    assert_eq!(all(&unseen), [scheduled("g0>g1", 0, 112), forced("g1>g2", 100)]);
    let seen = flying.shows("store", 120, 122, "c").written(130, "c").shows("store", 320, 322, "c");
    assert_eq!(all(&seen), [scheduled("g0>g1", 0, 112), forced("g1>g2", 100)]);
    let arrival = seen.story().arrival("app", Hop::Store, 1);
    assert_eq!(arrival.bounds.at_most, Some(span(22)));
    let before = itself().ordered(100).written(130, "c").shows("store", 110, 140, "b");
    let before = before.shows("store", 310, 312, "c").shows("store", 510, 512, "d");
    let moves = [scheduled("g0>g2", 0, 140), forced("g2>g1", 100), scheduled("g1>g3", 310, 512)];
    assert_eq!(all(&before), moves, "it was asked before the forced one was read back");
}

/// What moves the value: by itself, or ordered so long before it happens and read back so long after.
#[derive(Clone, Debug)]
struct Moved {
    at: u64,
    ordered: Option<(u64, u64)>,
}

/// Moves in their order, and when the store is asked: how long after the last time, how long the answer
/// takes, and at which part of that it was decided.
type Case = (Vec<Moved>, Vec<(u64, u64, f64)>);

fn cases() -> impl Strategy<Value = Case> {
    let moved = (1..900u64, prop::option::weighted(0.4, (1..150u64, 1..150u64)));
    let samples = prop::collection::vec((1..120u64, 0..150u64, 0.0..=1.0f64), 5..60);
    (prop::collection::vec(moved, 0..8), samples).prop_map(|(moves, samples)| {
        // Orders do not cross: the next one is sent when the last one was read back.
        let (mut at, mut free) = (0, 0);
        let moves = moves.into_iter().map(|(later, ordered)| {
            at += later;
            let ordered = ordered.map(|(before, after)| {
                at = at.max(free + before);
                free = at + after + 1;
                (at - before, at + after)
            });
            Moved { at, ordered }
        });
        (moves.collect(), samples)
    })
}

fn sketched((moves, samples): &Case) -> Sketch {
    let word = |generation: usize| format!("v{generation}");
    let value_at = |at: u64| word(moves.iter().filter(|moved| moved.at <= at).count());
    let mut sketch = Sketch::kv().moving_itself(Hop::Store).begin();
    // What is read back is what stands then: it may have moved by itself since it was set.
    for (ordered, read) in moves.iter().filter_map(|moved| moved.ordered) {
        sketch = sketch.ordered(ordered).written(read, &value_at(read));
    }
    // The first look is before anything moves.
    sketch.see("store", 0, 0, Outcome::Shows(value(&word(0))));
    let mut asked = 0;
    for (later, took, decided) in samples {
        asked += later;
        let decided = asked + (*took as f64 * decided) as u64;
        sketch.see("store", asked, asked + took, Outcome::Shows(value(&value_at(decided))));
    }
    sketch.events.sort_by_key(|event| event.at);
    for (seq, Event { seq: own, .. }) in (1..).zip(&mut sketch.events) {
        *own = seq;
    }
    sketch
}

/// Which value of the true history a rotation set.
fn truly(sketch: &Sketch, rotation: &Rotation) -> usize {
    let story = sketch.story();
    let generation = &story.tracks["app"].generations[rotation.set.unwrap().0];
    generation.0["password"].0[1..].parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_derived_is_what_happened(case in cases()) {
        let sketch = sketched(&case);
        let story = sketch.story();
        let rotations = story.rotations("app");
        let orders = sketch.events.iter().filter(|event| matches!(event.what, What::Ordered(_))).count();
        prop_assert_eq!(rotations.iter().filter(|r| r.kind == OrderKind::Forced).count(), orders);
        let sets: Vec<usize> = rotations.iter().map(|rotation| truly(&sketch, rotation)).collect();
        // A look that was under way while something was read back does not tell which came first.
        let reads = || case.0.iter().filter_map(|moved| Some(ms(moved.ordered?.1)));
        let spans = |sample: &Sample| reads().any(|read| sample.asked < read && read <= sample.answered);
        let unclear = story.samples("app").iter().any(spans);
        if !sets.is_sorted_by(|a, b| a < b) {
            prop_assert!(unclear, "{:?} are out of order", sets);
            return Ok(());
        }
        for (index, (rotation, set)) in rotations.iter().zip(&sets).enumerate() {
            let moved = &case.0[set - 1];
            let (at, arrival) = (ms(moved.at), story.reach("app", Hop::Store, index, Who::Every).arrival);
            match rotation.kind {
                OrderKind::Scheduled => {
                    prop_assert!((rotation.ordered..=rotation.certain).contains(&at), "{:?}: {:?}", moved, told(rotation));
                    prop_assert_eq!(arrival.bounds.at_least, Micros(0));
                }
                OrderKind::Forced | OrderKind::Written | OrderKind::RolledBack => {
                    prop_assert!(rotation.ordered <= at);
                    let took = at - rotation.ordered;
                    prop_assert!(unclear || arrival.bounds.at_least <= took);
                    prop_assert!(arrival.bounds.at_most.is_none_or(|most| took <= most));
                }
            }
        }
        for sample in story.samples("app") {
            let earlier = |other: &&Sample| other.seq < sample.seq;
            let since = story.samples("app").iter().filter(earlier).map(|other| other.answered).max();
            let set = sample.shows();
            if since.is_some_and(|since| sample.asked < since) {
                continue;
            }
            let initial = Some(crate::timeline::Generation(0));
            let known = set == initial || rotations.iter().any(|rotation| rotation.set == set);
            prop_assert!(known, "{:?} was seen, and nobody knows how it came", set);
        }
    }
}
