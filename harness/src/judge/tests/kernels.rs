//! The other four kernels on sketched stories: pass, fail, inconclusive.

use super::{comes_to, judged};
use crate::event::{Hop, Outcome, What};
use crate::mask::Masked;
use crate::plan::{Always, Counted, Expectation, Orders, Who, Window};
use crate::timeline::sketch::{Sketch, span};
use crate::verdict::{Stopped, Verdict};

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;
const INCONCLUSIVE: Verdict = Verdict::Inconclusive;

fn arrival(at: Hop, within: u64) -> Expectation {
    Expectation::Arrival {
        credential: "app".into(),
        at,
        within: span(within),
        who: Who::Every,
        orders: Orders::All,
    }
}

fn retired(within: u64) -> Expectation {
    Expectation::Always(Always::Retired { credential: "app".into(), within: span(within) })
}

fn holds_still(at: Hop) -> Expectation {
    Expectation::Always(Always::HoldsStill { credential: "app".into(), at, during: Window::default() })
}

fn moves(at: Hop, at_least: u64, at_most: u64) -> Expectation {
    let of = Counted::Moves { credential: "app".into(), at };
    Expectation::Count { of, at_least: Some(at_least), at_most: Some(at_most) }
}

fn most(at_least: Option<u64>, at_most: Option<u64>) -> Expectation {
    Expectation::Count { of: Counted::Most { counter: "calls".into() }, at_least, at_most }
}

fn order(at: Hop) -> Expectation {
    Expectation::Order { credential: "app".into(), at }
}

/// g0 stands everywhere, and is rotated after a second.
fn kv() -> Sketch {
    Sketch::kv().begin().shows("store", 0, 1, "a").news(2, "a").rotate(1_000, "b")
}

/// The same with a server that lets g0 in.
fn app() -> Sketch {
    let sketch = Sketch::app().begin().shows("store", 0, 1, "a").news(2, "a").accepted("web", 980, 982, "a");
    sketch.rotate(1_000, "b")
}

#[test]
fn arrivals() {
    let seen = kv().news(4_000, "b").finish(5_000);
    comes_to(&seen, &arrival(Hop::Secret, 3_000), PASS, "r1 (g0 → g1) at secret after 2.99–3.00 s");
    comes_to(&seen, &arrival(Hop::Secret, 2_995), INCONCLUSIVE, "sample faster");
    comes_to(&seen, &arrival(Hop::Secret, 2_900), FAIL, "r1 (g0 → g1) at secret after 2.99–3.00 s");
    let never = kv().finish(5_000);
    comes_to(
        &never,
        &arrival(Hop::Secret, 3_000),
        FAIL,
        "never seen at secret, and was certainly not there for 3.99 s",
    );
    comes_to(&never, &arrival(Hop::Secret, 7_000), INCONCLUSIVE, "never seen at secret");
    let blind = kv().gap(1_500, 4_900).finish(5_000);
    comes_to(&blind, &arrival(Hop::Secret, 3_000), INCONCLUSIVE, "not there for 490 ms");
}

#[test]
fn arrivals_are_earned() {
    let still = Sketch::kv().begin().news(0, "a").finish(5_000);
    comes_to(&still, &arrival(Hop::Secret, 9), INCONCLUSIVE, "no rotation of app was ordered");
    let unlearnt = Sketch::kv().begin().news(0, "a").ordered(1_000).news(2_000, "b").finish(5_000);
    comes_to(&unlearnt, &arrival(Hop::Secret, 9_000), INCONCLUSIVE, "what r1 (g0 → ?) set was never learnt");
    comes_to(
        &kv().finish(9_000),
        &arrival(Hop::Workload, 9),
        INCONCLUSIVE,
        "nothing was ever seen of app at workload",
    );
    let unchecked = app().news(2_000, "b");
    comes_to(&unchecked, &arrival(Hop::Secret, 9_000), INCONCLUSIVE, "was never seen at the server");
    comes_to(&unchecked, &arrival(Hop::Secret, 100), FAIL, "at secret after");
    comes_to(&unchecked.refused("web", 2_020, 2_024, "a"), &arrival(Hop::Secret, 9_000), PASS, "");
}

#[test]
fn at_the_origin_the_server_decides() {
    let sketch = app().accepted("web", 1_010, 1_014, "a").refused("old", 1_100, 1_104, "a");
    comes_to(&sketch, &arrival(Hop::Origin, 104), PASS, "at origin after 10–104 ms");
    comes_to(&sketch, &arrival(Hop::Origin, 9), FAIL, "at origin");
}

#[test]
fn the_slowest_rotation_decides() {
    let sketch = kv().news(2_000, "b").rotate(3_000, "c").news(5_000, "c").finish(6_000);
    comes_to(
        &sketch,
        &arrival(Hop::Secret, 2_000),
        PASS,
        "r2 (g1 → g2) at secret after 1.99–2.00 s; the worst of 2 rotations",
    );
    comes_to(&sketch, &arrival(Hop::Secret, 1_500), FAIL, "r2");
}

#[test]
fn a_failed_arrival_says_where_it_stopped() {
    let denied = Outcome::Unclear(Masked::own("SecretSyncedError: permission denied"));
    let sketch = kv().probe("sync", "app", Hop::Sync, None);
    let mut sketch = sketch.shows("store", 1_200, 1_201, "b").saw("sync", 1_300, 1_300, denied).finish(9_000);
    let stopped = Stopped {
        after: Some(Hop::Store),
        at: Hop::Secret,
        last_error: Some("SecretSyncedError: permission denied".into()),
    };
    assert_eq!(judged(&sketch, &arrival(Hop::Secret, 5_000)).stopped, Some(stopped));
    let early =
        Sketch::kv().begin().news(0, "a").saw("secret", 5, 5, Outcome::Unclear(Masked::own("not there")));
    let early = judged(&early.rotate(1_000, "b").finish(9_000), &arrival(Hop::Secret, 5_000));
    assert_eq!(early.stopped.unwrap().last_error, None, "that was before the rotation");
    sketch.events.retain(|event| !matches!(&event.what, What::Seen(seen) if seen.probe == "store"));
    let stopped = judged(&sketch, &arrival(Hop::Secret, 5_000)).stopped.unwrap();
    assert_eq!((stopped.after, stopped.at), (None, Hop::Secret), "nothing was seen of the store at all");
}

#[test]
fn retirements() {
    let out = app().accepted("web", 1_020, 1_022, "a").refused("old", 1_100, 1_105, "a");
    let good = out.clone().refused("old", 2_100, 2_105, "a");
    comes_to(
        &good,
        &retired(1_000),
        PASS,
        "g0 was refused within 20–105 ms of r1 (g0 → g1); 1 refusal after the deadline",
    );
    comes_to(&out, &retired(1_000), INCONCLUSIVE, "nobody tried g0 later than 1.00 s");
    let late = app().accepted("web", 1_020, 1_022, "a").refused("old", 2_100, 2_105, "a");
    comes_to(&late, &retired(1_000), INCONCLUSIVE, "g0 was refused 20 ms–1.10 s after r1");
    comes_to(
        &good.clone().accepted("old", 2_200, 2_205, "a"),
        &retired(1_000),
        FAIL,
        "g0 was let in 1.20 s after r1",
    );
    comes_to(
        &good.accepted("old", 1_990, 2_010, "a"),
        &retired(1_000),
        INCONCLUSIVE,
        "under way when it had to be refused",
    );
}

#[test]
fn retirements_are_earned() {
    let still = Sketch::app().begin().accepted("web", 0, 1, "a").refused("web", 20, 21, "b");
    comes_to(&still, &retired(1_000), INCONCLUSIVE, "no rotation of app was ordered");
    let blank = Sketch::app().begin().rotate(1_000, "b").refused("old", 2_100, 2_105, "a");
    comes_to(&blank, &retired(1_000), INCONCLUSIVE, "what stood before r1 (? → g0) was never learnt");
    let broken = app().refused("web", 990, 995, "a").refused("old", 2_100, 2_105, "a");
    let mut sketch = broken;
    sketch.events.sort_by_key(|event| event.at);
    comes_to(&sketch, &retired(1_000), INCONCLUSIVE, "was refused before r1");
    let same = app().refused("old", 1_100, 1_105, "a").rotate(2_000, "b").refused("old", 4_000, 4_001, "a");
    comes_to(&same, &retired(1_000), INCONCLUSIVE, "r2 (g1 → g1) did not change anything");
}

#[test]
fn a_rollback_brings_a_retired_value_back() {
    let sketch = app().refused("old", 1_100, 1_105, "a").refused("old", 2_100, 2_105, "a").rotate(3_000, "a");
    let sketch = sketch.refused("old", 3_050, 3_055, "b").accepted("web", 3_100, 3_105, "a");
    let sketch = sketch.accepted("web", 3_010, 3_015, "b").refused("old", 4_100, 4_105, "b");
    comes_to(&sketch, &retired(1_000), PASS, "r1 (g0 → g1)");
    let crossing = sketch.clone().accepted("web", 2_990, 3_050, "a");
    comes_to(&crossing, &retired(1_000), INCONCLUSIVE, "under way");
    comes_to(
        &sketch.accepted("web", 2_500, 2_505, "a"),
        &retired(1_000),
        FAIL,
        "g0 was let in 1.50 s after r1",
    );
}

#[test]
fn holding_still() {
    let watched = Sketch::kv().begin().news(0, "a");
    comes_to(
        &watched,
        &holds_still(Hop::Secret),
        PASS,
        "g0 stood at secret all the time (watched without a gap)",
    );
    comes_to(&watched.clone().gap(5, 9), &holds_still(Hop::Secret), INCONCLUSIVE, "blind for 4.0 ms");
    let moved = watched.clone().gap(5, 9).news(1_000, "b");
    comes_to(&moved, &holds_still(Hop::Secret), FAIL, "moved 1 time at secret: g0 → g1 at 1.00 s");
    comes_to(&Sketch::kv().begin(), &holds_still(Hop::Secret), INCONCLUSIVE, "nothing was ever seen");
    let once = watched.shows("store", 0, 1, "a");
    comes_to(&once, &holds_still(Hop::Store), INCONCLUSIVE, "only once");
    comes_to(&once.clone().shows("store", 200, 201, "a"), &holds_still(Hop::Store), PASS, "2 looks");
    comes_to(&once.shows("store", 200, 201, "b"), &holds_still(Hop::Store), FAIL, "g0 → g1 at 201 ms");
}

#[test]
fn counting_moves() {
    let sketch = Sketch::kv().begin().news(0, "a").news(1, "b").news(2, "c");
    let done = sketch.clone().finish(9);
    comes_to(&done, &moves(Hop::Secret, 2, 2), PASS, "2 moves of app at secret: g0 → g1, g1 → g2");
    comes_to(&done, &moves(Hop::Secret, 3, 4), FAIL, "2 moves");
    comes_to(&done, &moves(Hop::Secret, 0, 1), FAIL, "2 moves");
    comes_to(&sketch, &moves(Hop::Secret, 3, 4), INCONCLUSIVE, "not played to its end");
    let blind = sketch.gap(3, 5).finish(9);
    comes_to(
        &blind,
        &moves(Hop::Secret, 3, 4),
        INCONCLUSIVE,
        "blind for a time, so there may have been more",
    );
    comes_to(&blind, &moves(Hop::Secret, 2, 2), INCONCLUSIVE, "there may have been more");
    comes_to(&blind, &moves(Hop::Secret, 0, 1), FAIL, "2 moves");
    comes_to(&done, &moves(Hop::Store, 0, 9), INCONCLUSIVE, "nothing was ever seen");
}

#[test]
fn counting_things() {
    let count = |sketch: Sketch, value| sketch.with(5, What::Count { counter: "calls".into(), value });
    let sketch = count(count(count(Sketch::kv().begin(), 0), 7), 3);
    let done = sketch.clone().finish(9);
    comes_to(&done, &most(Some(7), Some(7)), PASS, "7 of calls");
    comes_to(&done, &most(Some(8), None), FAIL, "7 of calls");
    comes_to(&done, &most(None, Some(6)), FAIL, "7 of calls");
    comes_to(&sketch, &most(Some(8), None), INCONCLUSIVE, "not played to its end");
    comes_to(&Sketch::kv().begin().finish(9), &most(None, Some(0)), INCONCLUSIVE, "calls was never counted");
    comes_to(&count(Sketch::kv().begin(), 0).finish(9), &most(None, Some(0)), PASS, "0 of calls");
}

#[test]
fn a_rollback_in_order() {
    let there = kv().news(2_000, "b").rotate(3_000, "a").news(4_000, "a").rotate(5_000, "b");
    let done = there.clone().news(6_000, "b").finish(7_000);
    comes_to(&done, &order(Hop::Secret), PASS, "secret showed g0, g1, g0, g1; as ordered");
    comes_to(&done, &moves(Hop::Secret, 3, 3), PASS, "3 moves");
    comes_to(&done, &arrival(Hop::Secret, 1_000), PASS, "the worst of 3 rotations");
    comes_to(
        &there.clone().finish(5_500),
        &order(Hop::Secret),
        INCONCLUSIVE,
        "g1 had not arrived when it ended",
    );
    let blind = done.clone().gap(6_200, 6_600);
    comes_to(&blind.clone(), &order(Hop::Secret), PASS, "as ordered");
    comes_to(&blind.news(6_600, "b"), &order(Hop::Secret), INCONCLUSIVE, "another may have come back");
    let again = there.news(6_000, "b").news(6_500, "a").finish(7_000);
    comes_to(&again, &order(Hop::Secret), FAIL, "g0 came back at 6.50 s without having been ordered");
}

#[test]
fn out_of_order() {
    let strange = kv().news(2_000, "b").news(2_500, "x").finish(3_000);
    comes_to(&strange, &order(Hop::Secret), FAIL, "g2 came at 2.50 s without having been ordered");
    let early = Sketch::kv().begin().shows("store", 0, 1, "a").news(2, "a").news(500, "b");
    let early = early.rotate(1_000, "b").finish(3_000);
    comes_to(&early, &order(Hop::Secret), FAIL, "g1 came at 500 ms without having been ordered");
    let over = kv().rotate(1_500, "c");
    let left_out = over.clone().news(2_000, "c").finish(3_000);
    comes_to(&left_out, &order(Hop::Secret), FAIL, "g1 was left out");
    let blind = over.clone().gap(1_100, 1_900).news(2_000, "c").finish(3_000);
    comes_to(&blind, &order(Hop::Secret), INCONCLUSIVE, "while the watch was blind");
    let between = over.shows("store", 1_600, 1_601, "c").finish(3_000);
    comes_to(&between, &order(Hop::Store), INCONCLUSIVE, "between two askings");
    let seen = judged(&between, &order(Hop::Store)).seen;
    assert_eq!(seen, "store showed g0, g2; g1 may have been there between two askings");
    let back = between.shows("store", 1_800, 1_801, "b");
    comes_to(&back, &order(Hop::Store), FAIL, "g1 came back at 1.80 s without having been ordered");
}

#[test]
fn order_is_earned() {
    let still = Sketch::kv().begin().news(0, "a").finish(9);
    comes_to(&still, &order(Hop::Secret), INCONCLUSIVE, "no rotation of app was ordered");
    comes_to(&still.clone().news(10, "b"), &order(Hop::Secret), FAIL, "without having been ordered");
    comes_to(&Sketch::kv().begin(), &order(Hop::Secret), INCONCLUSIVE, "nothing was ever seen");
    let late =
        Sketch::kv().begin().shows("store", 0, 1, "a").rotate(1_000, "b").news(2_000, "b").finish(3_000);
    comes_to(&late, &order(Hop::Secret), INCONCLUSIVE, "g0, which stood before, was never seen there");
    let unlearnt = Sketch::kv().begin().news(0, "a").ordered(1_000).news(2_000, "b").finish(3_000);
    comes_to(&unlearnt, &order(Hop::Secret), INCONCLUSIVE, "was never learnt");
}
