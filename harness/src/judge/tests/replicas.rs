//! Several replicas: each has its own way, and the last or the first decides.

use super::{comes_to, judged};
use crate::event::{Hop, Outcome};
use crate::plan::{Counted, Expectation, Orders, Who};
use crate::timeline::sketch::{Sketch, span, value};
use crate::verdict::Verdict;

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;
const INCONCLUSIVE: Verdict = Verdict::Inconclusive;

fn arrival(within: u64, who: Who) -> Expectation {
    let (credential, at, within) = ("app".to_owned(), Hop::Login, span(within));
    Expectation::Arrival { credential, at, within, who, orders: Orders::All }
}

fn outage(limit: u64, who: Who) -> Expectation {
    Expectation::Outage { of: "web".into(), at_most: span(limit), who }
}

fn accepted(word: &str) -> Outcome {
    Outcome::Accepted(value(word))
}

fn refused(word: &str) -> Outcome {
    Outcome::Refused(value(word))
}

/// Two replicas that get in with g0, rotated after a second.
fn two() -> Sketch {
    let sketch =
        Sketch::app().begin().shows("store", 0, 1, "a").replica(1, "one", true).replica(2, "two", true);
    let sketch = sketch.by("one", "web", 980, 982, accepted("a")).by("two", "web", 990, 992, accepted("a"));
    sketch.rotate(1_000, "b")
}

#[test]
fn the_last_or_the_first_decides() {
    let both = two()
        .by("two", "web", 1_100, 1_105, accepted("a"))
        .by("one", "web", 1_200, 1_205, accepted("b"))
        .by("two", "web", 2_900, 2_905, accepted("a"))
        .by("two", "web", 3_000, 3_005, accepted("b"));
    let says = "r1 (g0 → g1) at login after 1.90–2.00 s (2 of 2 replicas, two last)";
    comes_to(&both, &arrival(2_005, Who::Every), PASS, says);
    comes_to(&both, &arrival(1_899, Who::Every), FAIL, says);
    comes_to(&both, &arrival(2_000, Who::Every), INCONCLUSIVE, "sample faster");
    comes_to(&both, &arrival(205, Who::Any), PASS, "(2 of 2 replicas, one first)");
    let bounds = judged(&both, &arrival(205, Who::Any)).measured.unwrap();
    assert_eq!((bounds.at_least, bounds.at_most), (span(0), Some(span(205))));
    let one_only =
        two().by("one", "web", 1_200, 1_205, accepted("b")).by("two", "web", 9_000, 9_005, accepted("a"));
    comes_to(&one_only, &arrival(7_999, Who::Every), FAIL, "(1 of 2 replicas, two not)");
    comes_to(&one_only, &arrival(8_001, Who::Every), INCONCLUSIVE, "never seen");
    comes_to(&one_only, &arrival(205, Who::Any), PASS, "one first");
}

#[test]
fn one_that_left_is_not_missed_and_one_that_came_counts() {
    let rolled = two()
        .replica(1_500, "three", true)
        .by("three", "web", 1_700, 1_705, accepted("b"))
        .by("one", "web", 1_800, 1_805, accepted("a"))
        .replica(1_900, "one", false)
        .replica(1_910, "four", true)
        .by("four", "web", 2_100, 2_105, accepted("b"))
        .by("two", "web", 2_200, 2_205, accepted("a"))
        .replica(2_300, "two", false);
    let says = "after 1.20–1.30 s (2 of 2 replicas, two last; 2 left before)";
    comes_to(&rolled, &arrival(1_300, Who::Every), PASS, says);
    comes_to(&rolled, &arrival(1_199, Who::Every), FAIL, "");
    let scaled = rolled.clone().replica(8_000, "five", true).by("five", "web", 9_000, 9_005, accepted("b"));
    comes_to(&scaled, &arrival(1_300, Who::Every), PASS, says);
    let stale = rolled.replica(8_000, "five", true).by("five", "web", 9_000, 9_005, accepted("a"));
    comes_to(&stale, &arrival(1_300, Who::Every), FAIL, "five not");
    let slow = two().replica(1_500, "one", false).replica(1_500, "two", false);
    comes_to(&slow, &arrival(9_000, Who::Every), INCONCLUSIVE, "never seen");
    let again = slow.replica(1_600, "one", true).by("one", "web", 4_000, 4_005, accepted("b"));
    comes_to(&again, &arrival(3_005, Who::Every), PASS, "(1 of 1 replica, one last; 2 left before)");
    comes_to(&again, &arrival(3_000, Who::Every), INCONCLUSIVE, "");
}

#[test]
fn one_that_never_reports_is_missed() {
    let silent = two().replica(10, "mute", true).by("one", "web", 1_200, 1_205, accepted("b"));
    let silent = silent.by("two", "web", 1_200, 1_206, accepted("b"));
    comes_to(&silent, &arrival(9_000, Who::Every), INCONCLUSIVE, "(2 of 3 replicas, mute not)");
    comes_to(&silent, &arrival(206, Who::Any), PASS, "");
    let both =
        two().by("one", "web", 1_200, 1_205, accepted("b")).by("two", "web", 1_200, 1_206, accepted("b"));
    let later = both.replica(5_000, "mute", true);
    comes_to(&later, &arrival(206, Who::Every), INCONCLUSIVE, "mute not");
    comes_to(&later.replica(6_000, "mute", false), &arrival(206, Who::Every), PASS, "2 of 2");
}

#[test]
fn what_one_probe_of_a_workload_knows_counts_at_its_other_hop() {
    let sketch = Sketch::app().probe("holds", "app", Hop::Workload, None).begin().shows("store", 0, 1, "a");
    let holds =
        |sketch: Sketch, name, at, word| sketch.by(name, "holds", at, at, Outcome::Shows(value(word)));
    let sketch = sketch.replica(1, "one", true).replica(2, "mute", true).accepted("web", 980, 982, "a");
    let sketch = holds(sketch, "one", 10, "a").rotate(1_000, "b").replica(1_300, "two", true);
    let sketch =
        holds(sketch, "two", 1_400, "b").refused("old", 1_400, 1_404, "a").replica(1_500, "one", false);
    let (credential, at, who) = ("app".to_owned(), Hop::Workload, Who::Every);
    let arrival = Expectation::Arrival { credential, at, within: span(500), who, orders: Orders::All };
    comes_to(&sketch, &arrival, PASS, "(1 of 1 replica, one last; 1 left before)");
}

#[test]
fn every_replica_has_its_own_outage_and_the_service_has_another() {
    let sketch = two()
        .by("one", "web", 1_020, 1_024, refused("a"))
        .by("two", "web", 1_030, 1_034, accepted("b"))
        .by("one", "web", 1_120, 1_124, refused("a"))
        .by("two", "web", 1_130, 1_134, accepted("b"))
        .by("one", "web", 1_220, 1_224, accepted("b"));
    // One: refused at 1020 and 1120, good at 980 and 1220.
    comes_to(
        &sketch,
        &outage(244, Who::Every),
        PASS,
        "at least 96 ms and at most 244 ms; 2 refused logins in 1 outage (one, the worst of 2 replicas)",
    );
    comes_to(&sketch, &outage(95, Who::Every), FAIL, "one, the worst");
    comes_to(&sketch, &outage(244, Who::Any), PASS, "2 refused logins in 2 outages by all of 2 replicas");
    comes_to(&sketch, &outage(95, Who::Any), INCONCLUSIVE, "");
}

#[test]
fn a_life_bounds_an_outage() {
    let left = two()
        .by("two", "web", 1_010, 1_014, accepted("b"))
        .by("one", "web", 1_020, 1_024, refused("a"))
        .replica(1_100, "one", false);
    comes_to(&left, &outage(120, Who::Every), PASS, "one, the worst");
    let came = two()
        .by("one", "web", 1_010, 1_014, accepted("b"))
        .by("two", "web", 1_020, 1_024, refused("a"))
        .by("two", "web", 1_030, 1_034, accepted("b"))
        .replica(5_000, "three", true)
        .by("three", "web", 5_050, 5_054, refused("b"))
        .by("three", "web", 5_100, 5_104, accepted("b"));
    comes_to(&came, &outage(104, Who::Every), PASS, "three, the worst of 3 replicas");
    let mute = came.replica(6_000, "mute", true).finish(7_000);
    comes_to(
        &mute,
        &outage(200, Who::Every),
        INCONCLUSIVE,
        "mute was there for longer than 200 ms and never asked",
    );
    comes_to(&mute, &outage(1_000, Who::Every), PASS, "");
}

#[test]
fn only_the_one_in_front_moves_the_hop() {
    let moves = |count| Expectation::Count {
        of: Counted::Moves { credential: "app".into(), at: Hop::Login },
        at_least: Some(count),
        at_most: Some(count),
    };
    let order = Expectation::Order { credential: "app".into(), at: Hop::Login };
    let sketch = two()
        .by("one", "web", 1_100, 1_105, accepted("b"))
        .by("two", "web", 1_150, 1_155, accepted("a"))
        .by("two", "web", 1_200, 1_205, accepted("b"))
        .replica(1_300, "three", true)
        .by("three", "web", 1_400, 1_405, accepted("b"))
        .finish(2_000);
    comes_to(&sketch, &moves(1), PASS, "1 move of app at login: g0 → g1");
    comes_to(&sketch, &order, PASS, "as ordered");
    let back = sketch.by("two", "web", 1_500, 1_505, accepted("a"));
    comes_to(&back, &moves(2), PASS, "g0 → g1, g1 → g0");
    comes_to(&back, &order, FAIL, "two at login showed g0, g1, g0; g0 came back");
}

#[test]
fn of_three_arrivals_on_there_is_a_median() {
    let third = two().replica(3, "three", true).by("three", "web", 985, 986, accepted("a"));
    let all = third
        .by("one", "web", 1_200, 1_205, accepted("b"))
        .by("three", "web", 1_400, 1_405, accepted("b"))
        .by("two", "web", 3_000, 3_005, accepted("b"));
    let spread = "; 3 arrivals of single replicas after 205 ms to 2.00 s, median 405 ms";
    comes_to(&all, &arrival(2_900, Who::Every), PASS, spread);
    let says = judged(&all, &arrival(2_900, Who::Every)).brief;
    assert!(
        says.ends_with(", 3 arrivals of single replicas after 205 ms to 2.00 s, median 405 ms"),
        "{says}"
    );
}
