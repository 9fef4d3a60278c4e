//! Generations are numbered once, and the same way again.

use proptest::prelude::*;

use crate::event::Outcome;
use crate::fingerprint::Sighting;
use crate::timeline::sketch::{Sketch, value};
use crate::timeline::{Generation, Story};

fn numbers(story: &Story) -> Vec<Option<Generation>> {
    story.samples("app").iter().map(|sample| sample.shows()).collect()
}

fn only(word: &str, field: &str) -> Sighting {
    Sighting(value(word).0.into_iter().filter(|(name, _)| name == field).collect())
}

#[test]
fn in_order_of_first_appearance_and_back_after_a_rollback() {
    let sketch = Sketch::kv().begin().shows("store", 0, 1, "a").rotate(10, "b").shows("store", 20, 21, "b");
    let story = sketch.rotate(30, "a").news(40, "b").news(50, "a").rotate(60, "b").story();
    let [r1, r2, r3] = story.rotations("app") else { panic!("three rotations") };
    let gens = |r: &crate::timeline::Rotation| (r.from.unwrap().0, r.set.unwrap().0);
    assert_eq!([gens(r1), gens(r2), gens(r3)], [(0, 1), (1, 0), (0, 1)]);
    assert_eq!(numbers(&story), [0, 1, 1, 0].map(|n| Some(Generation(n))));
    assert_eq!(story.previous("app"), Some(Generation(0)));
}

#[test]
fn a_part_agrees_with_what_shares_most_then_with_the_latest() {
    let part = |sketch: Sketch, word, field| sketch.saw("store", 5, 6, Outcome::Shows(only(word, field)));
    let sketch = Sketch::kv().begin().shows("store", 0, 1, "a").shows("store", 2, 3, "b");
    let story = part(part(part(sketch, "a", "password"), "b", "password"), "a", "username").story();
    assert_eq!(numbers(&story), [0, 1, 0, 1, 1].map(|n| Some(Generation(n))));
}

#[test]
fn a_part_that_is_completed_later_is_the_same_and_keeps_what_was_learnt() {
    let sketch = Sketch::kv().begin().saw("store", 0, 1, Outcome::Shows(only("a", "password")));
    let mut other = value("a");
    other.0.insert("username".into(), crate::fingerprint::Fingerprint("v".into()));
    let story = sketch.shows("store", 2, 3, "a").saw("store", 4, 5, Outcome::Shows(other)).story();
    assert_eq!(numbers(&story), [0, 0, 1].map(|n| Some(Generation(n))));
}

#[test]
fn fields_outside_the_plan_make_no_generation() {
    let mut churned = value("a");
    churned.0.insert("ttl".into(), crate::fingerprint::Fingerprint("59".into()));
    let nothing = Outcome::Shows(only("a", "ttl"));
    let sketch = Sketch::kv().begin().shows("store", 0, 1, "a").saw("store", 2, 3, Outcome::Shows(churned));
    let story = sketch.saw("store", 4, 5, nothing).story();
    assert_eq!(numbers(&story), [Some(Generation(0)), Some(Generation(0)), None]);
}

#[test]
fn a_rotation_moves_away_from_what_stands_farthest_upstream() {
    let sketch = Sketch::kv().begin().news(0, "a").shows("store", 1, 2, "b").ordered(10);
    assert_eq!(sketch.story().previous("app"), Some(Generation(1)), "the store, not the Secret");
    let stale = sketch.clone().written(12, "c").shows("store", 11, 13, "b").ordered(20);
    assert_eq!(
        stale.story().previous("app"),
        Some(Generation(2)),
        "what was asked before the write is stale"
    );
    let moved = sketch.written(12, "c").shows("store", 14, 15, "d").ordered(20);
    assert_eq!(moved.story().previous("app"), Some(Generation(3)), "it moved unordered since the write");
    assert_eq!(Sketch::kv().begin().ordered(1).story().previous("app"), None);
    assert_eq!(Sketch::kv().begin().news(0, "a").ordered(1).story().previous("app"), Some(Generation(0)));
}

proptest! {
    #[test]
    fn repeated_observations_change_no_number(words in prop::collection::vec((0..4usize, 1..4usize), 1..30)) {
        let words: Vec<_> = words.into_iter().map(|(word, times)| (["a", "b", "c", "d"][word], times)).collect();
        let (mut once, mut again) = (Sketch::kv().begin(), Sketch::kv().begin());
        for (at, (word, times)) in words.iter().enumerate() {
            once = once.shows("store", at as u64, at as u64, word);
            for _ in 0..*times {
                again = again.shows("store", at as u64, at as u64, word);
            }
        }
        let repeated: Vec<_> = numbers(&once.story()).into_iter().zip(&words)
            .flat_map(|(number, (_, times))| std::iter::repeat_n(number, *times)).collect();
        prop_assert_eq!(numbers(&again.story()), repeated);
        prop_assert_eq!(&once.story().tracks["app"].generations, &again.story().tracks["app"].generations);
    }
}
