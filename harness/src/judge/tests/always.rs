//! The states that must hold all the time, besides those in `kernels`.

use std::collections::BTreeMap;

use super::comes_to;
use crate::event::{Ending, Hop, Outcome, Phase, What};
use crate::fingerprint::{Fingerprint, Sighting};
use crate::mask::Masked;
use crate::plan::{Always, Expectation, Since, Window};
use crate::timeline::sketch::{Sketch, ms, span};
use crate::verdict::Verdict;

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;
const INCONCLUSIVE: Verdict = Verdict::Inconclusive;

fn app() -> String {
    "app".to_owned()
}

#[test]
fn still_accepted() {
    let still = |time| Expectation::Always(Always::StillAccepted { credential: app(), time: span(time) });
    let sketch =
        Sketch::app().begin().shows("store", 0, 1, "a").accepted("web", 980, 982, "a").rotate(1_000, "b");
    comes_to(&sketch, &still(500), INCONCLUSIVE, "nobody tried g0 later than 500 ms after r1 (g0 → g1)");
    let tried = sketch.clone().accepted("old", 1_600, 1_605, "a");
    comes_to(&tried, &still(600), PASS, "g0 was still let in 600 ms after r1");
    comes_to(&tried, &still(601), INCONCLUSIVE, "nobody tried");
    let dead = tried.clone().refused("old", 1_700, 1_705, "a");
    comes_to(&dead, &still(600), PASS, "");
    comes_to(&dead, &still(650), INCONCLUSIVE, "lies between the bounds");
    comes_to(&dead, &still(706), FAIL, "g0 was refused within 705 ms of r1 (g0 → g1), sooner than 706 ms");
    let flapped = sketch.clone().refused("old", 1_100, 1_105, "a").accepted("old", 1_600, 1_605, "a");
    comes_to(&flapped, &still(500), FAIL, "g0 was refused within 105 ms");
    comes_to(&flapped, &still(90), INCONCLUSIVE, "between the bounds");
    let back = sketch.clone().rotate(1_200, "a").accepted("old", 1_600, 1_605, "a");
    comes_to(&back, &still(500), INCONCLUSIVE, "nobody tried");
    comes_to(&Sketch::app().begin(), &still(5), INCONCLUSIVE, "no rotation of app was ordered");
    let second = tried.rotate(2_000, "c").accepted("old", 2_700, 2_705, "b");
    comes_to(&second, &still(600), PASS, "600 ms after r1");
    comes_to(&second.refused("web", 2_050, 2_055, "b"), &still(600), FAIL, "g1 was refused");
}

fn pair(user: &str, password: &str) -> Outcome {
    let field = |name: &str, print: &str| (name.to_owned(), Fingerprint(print.to_owned()));
    Outcome::Shows(Sighting(BTreeMap::from([field("username", user), field("password", password)])))
}

#[test]
fn torn_pairs() {
    let whole = || Expectation::Always(Always::Whole { credential: app(), at: Hop::Secret });
    let sketch = Sketch::kv().begin().saw("secret", 0, 0, pair("u0", "p0"));
    comes_to(&sketch, &whole(), INCONCLUSIVE, "never showed more than g0");
    let good = sketch.clone().saw("secret", 10, 10, pair("u1", "p1"));
    comes_to(&good, &whole(), PASS, "2 generations at secret, all of them whole (watched without a gap)");
    comes_to(&good.clone().gap(11, 12), &whole(), INCONCLUSIVE, "blind for 1.0 ms");
    let torn = sketch.saw("secret", 5, 5, pair("u1", "p0")).saw("secret", 10, 10, pair("u1", "p1"));
    comes_to(&torn, &whole(), FAIL, "secret showed g1 at 5.0 ms: a pair of which one part is of");
    let elsewhere = good.saw("store", 20, 21, pair("u0", "p1"));
    comes_to(&elsewhere, &whole(), PASS, "");
    let there = elsewhere.saw("secret", 30, 30, pair("u0", "p1"));
    comes_to(&there, &whole(), PASS, "3 generations");
    let named = Sketch::kv().begin().news(0, "a").news(10, "b").news(20, "a");
    comes_to(&named, &whole(), PASS, "2 generations");
    let alternating =
        Sketch::kv().begin().saw("secret", 0, 0, pair("u0", "p0")).saw("secret", 10, 10, pair("u1", "p1"));
    comes_to(&alternating.saw("secret", 20, 20, pair("u0", "p2")), &whole(), PASS, "3 generations");
    comes_to(&Sketch::kv().begin(), &whole(), INCONCLUSIVE, "nothing was ever seen");
}

/// g0 everywhere, g1 written after a second, the step done after two, the Secret following after that.
fn converging(follows: u64) -> Sketch {
    let sketch = Sketch::kv().begin().shows("store", 0, 1, "a").news(2, "a").rotate(1_000, "b");
    let sketch = sketch.shows("store", 1_200, 1_201, "b").step(2_000, Phase::Done).news(follows, "b");
    sketch.shows("store", 6_000, 6_001, "b")
}

#[test]
fn agreement() {
    let agrees = |within| Expectation::Always(Always::Agrees { credential: app(), within: span(within) });
    let sketch = converging(3_000);
    let says = "g1 at store, secret 990 ms–1.00 s after the last step was done, to the end";
    comes_to(&sketch, &agrees(1_000), PASS, says);
    comes_to(&sketch, &agrees(995), INCONCLUSIVE, "lies between the bounds");
    comes_to(
        &sketch,
        &agrees(980),
        FAIL,
        "secret showed g0, and not g1, 990 ms after the last step was done",
    );
    comes_to(&sketch, &agrees(4_500), PASS, says);
    let left = sketch.clone().news(7_000, "a").with(8_000, What::End(Ending::Finished));
    comes_to(&left, &agrees(1_000), FAIL, "secret showed g0");
    let unlooked = converging(7_000).with(9_000, What::End(Ending::Finished));
    comes_to(
        &unlooked,
        &agrees(6_000),
        INCONCLUSIVE,
        "nobody looked at store when all the others had agreed",
    );
    let blind = sketch.clone().gap(5_000, 5_500);
    comes_to(&blind, &agrees(1_000), INCONCLUSIVE, "blind in the end");
    let undone = Sketch::kv().begin().shows("store", 0, 1, "a");
    comes_to(&undone, &agrees(1_000), INCONCLUSIVE, "not all steps were done");
    let unseen = undone.step(2_000, Phase::Done);
    comes_to(&unseen, &agrees(1_000), INCONCLUSIVE, "nothing was ever seen of app at secret");
}

#[test]
fn the_server_must_agree_too() {
    let agrees = Expectation::Always(Always::Agrees { credential: app(), within: span(1_000) });
    let sketch = Sketch::app().begin().shows("store", 0, 1, "a").news(2, "a").accepted("web", 3, 4, "a");
    let done = sketch.step(10, Phase::Done).shows("store", 1_200, 1_201, "a");
    comes_to(
        &done.clone().accepted("web", 1_300, 1_301, "a"),
        &agrees,
        PASS,
        "g0 at store, secret, login, the server",
    );
    comes_to(&done.clone().refused("web", 1_300, 1_301, "a"), &agrees, FAIL, "the server refused g0 1.29 s");
    let old = done.accepted("web", 1_300, 1_301, "a").refused("old", 1_400, 1_401, "x");
    comes_to(&old, &agrees, PASS, "");
}

#[test]
fn states() {
    let state = |since, within| {
        let (state, is) = ("ready".to_owned(), "True".to_owned());
        Expectation::Always(Always::State { state, is, since, within: span(within) })
    };
    let sketch = Sketch::kv().begin().state(100, "ready", "False").state(1_000, "ready", "True");
    let done = sketch.clone().finish(9_000);
    comes_to(
        &done,
        &state(Since::Began, 1_000),
        PASS,
        "ready was False and became True for good after 990 ms–1.00 s",
    );
    comes_to(&done, &state(Since::Began, 995), INCONCLUSIVE, "between the bounds");
    comes_to(&done, &state(Since::Began, 980), FAIL, "ready was False");
    comes_to(&sketch, &state(Since::Began, 2_000), PASS, "became True for good");
    comes_to(
        &sketch.clone().state(5_000, "ready", "False").finish(9_000),
        &state(Since::Began, 2_000),
        FAIL,
        "was False at the end",
    );
    // It may have become true when nobody watched any more.
    let gap = |from| What::Gap { probe: "ready".into(), from: ms(from), why: Masked::own("lost") };
    let unseen = Sketch::kv().begin().state(100, "ready", "False");
    comes_to(
        &unseen.clone().with(5_000, gap(200)).finish(9_000),
        &state(Since::Began, 900),
        INCONCLUSIVE,
        "",
    );
    comes_to(&unseen.with(5_000, gap(2_000)).finish(9_000), &state(Since::Began, 900), FAIL, "was False");
    comes_to(&done, &state(Since::Step(0), 1_000), PASS, "");
    comes_to(&done, &state(Since::Step(1), 1_000), INCONCLUSIVE, "never began");
    comes_to(
        &Sketch::kv().begin().finish(9),
        &state(Since::Began, 1),
        INCONCLUSIVE,
        "nothing was ever heard of ready",
    );
    let always = Sketch::kv().begin().state(0, "ready", "True").finish(50);
    comes_to(&always, &state(Since::Began, 0), PASS, "ready was True all the time");
}

#[test]
fn ages() {
    let age = |at, least: Option<u64>, most: Option<u64>| {
        let (at_least, at_most) = (least.map(span), most.map(span));
        Expectation::Always(Always::Age { credential: app(), at, at_least, at_most })
    };
    let watched = Sketch::kv().begin().news(100, "a").news(1_000, "b").news(3_000, "c").finish(4_500);
    comes_to(
        &watched,
        &age(Hop::Secret, Some(1_990), None),
        PASS,
        "g1 was replaced at secret after 1.99–2.01 s",
    );
    comes_to(&watched, &age(Hop::Secret, Some(2_000), None), INCONCLUSIVE, "between the bounds");
    comes_to(&watched, &age(Hop::Secret, Some(2_011), None), FAIL, "");
    comes_to(
        &watched,
        &age(Hop::Secret, None, Some(2_010)),
        PASS,
        "g1 was there at secret for 1.99–2.01 s, the longest",
    );
    comes_to(&watched, &age(Hop::Secret, None, Some(1_980)), FAIL, "");
    comes_to(&watched, &age(Hop::Secret, Some(1_990), Some(1_980)), FAIL, "the longest");
    let alone = Sketch::kv().begin().news(0, "a").finish(500);
    comes_to(&alone, &age(Hop::Secret, None, Some(1_000)), INCONCLUSIVE, "nothing moved");
    comes_to(&alone, &age(Hop::Secret, None, Some(400)), FAIL, "g0 was there");
    comes_to(&alone, &age(Hop::Secret, Some(1), None), INCONCLUSIVE, "no value was seen to come");
    let polled = (0..20).fold(Sketch::kv().begin(), |sketch, i| {
        let word = ["a", "b", "c"][(i / 5).min(2) as usize];
        sketch.shows("store", i * 200, i * 200 + 2, word)
    });
    comes_to(
        &polled,
        &age(Hop::Store, Some(798), None),
        PASS,
        "g1 was replaced at store after 798 ms–1.20 s",
    );
    comes_to(&polled, &age(Hop::Store, Some(1_000), None), INCONCLUSIVE, "sample faster");
    comes_to(&polled, &age(Hop::Store, Some(1_203), None), FAIL, "");
    let last = (20..40).fold(polled, |sketch, i| sketch.shows("store", i * 200, i * 200 + 2, "c"));
    comes_to(&last, &age(Hop::Store, None, Some(5_000)), FAIL, "g2 was there at store for 5.80–6.00 s");
}

#[test]
fn several_together() {
    let still =
        |at| Expectation::Always(Always::HoldsStill { credential: app(), at, during: Window::default() });
    let sketch = Sketch::kv().begin().news(0, "a").shows("store", 0, 1, "a");
    let both = Expectation::Every(vec![still(Hop::Secret), still(Hop::Store)]);
    comes_to(&sketch, &both, INCONCLUSIVE, "app was seen only once at store; 1 of 2 came to this");
    let held = sketch.clone().shows("store", 200, 201, "a");
    comes_to(&held, &both, PASS, "g0 stood at store all the time (2 looks)");
    comes_to(&held.news(300, "b"), &both, FAIL, "app moved 1 time at secret");
    comes_to(&sketch, &Expectation::Every(vec![]), INCONCLUSIVE, "nothing is expected");
}

#[test]
fn a_value_that_must_stand_for_a_part_of_the_scenario() {
    let still = |since: Option<usize>, until: Option<usize>| {
        let during = Window { since: since.map(Since::Step), until: until.map(Since::Step) };
        Expectation::Always(Always::HoldsStill { credential: app(), at: Hop::Secret, during })
    };
    let sketch = Sketch::kv().begin().news(1, "a").begins(10, 1).news(15, "b").begins(20, 2).begins(30, 3);
    comes_to(&sketch, &still(None, None), FAIL, "app moved 1 time at secret: g0 → g1 at 15 ms");
    comes_to(&sketch, &still(None, Some(1)), PASS, "g0 stood");
    comes_to(&sketch, &still(Some(1), Some(2)), FAIL, "app moved 1 time at secret");
    // What stood there when the part began was seen before it, and a move of before is no move of it.
    comes_to(&sketch, &still(Some(2), None), PASS, "g1 stood");
    comes_to(&sketch.clone().news(25, "c"), &still(Some(2), Some(3)), FAIL, "g1 → g2");
    comes_to(&sketch.clone().news(35, "c"), &still(Some(2), Some(3)), PASS, "g1 stood");
    comes_to(&sketch.clone().news(35, "c"), &still(Some(2), None), FAIL, "g1 → g2");
    comes_to(&sketch, &still(Some(7), None), INCONCLUSIVE, "never began");
    let blind = sketch.gap(12, 18);
    comes_to(&blind, &still(Some(1), Some(2)), FAIL, "");
    comes_to(&blind, &still(Some(2), None), PASS, "");
    comes_to(&blind.gap(22, 24), &still(Some(2), None), INCONCLUSIVE, "blind");
}
