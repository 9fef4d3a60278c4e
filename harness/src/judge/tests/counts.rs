//! What else can be counted.

use super::comes_to;
use crate::event::{Outcome, Refusal, What};
use crate::mask::Masked;
use crate::plan::{Counted, Expectation};
use crate::timeline::sketch::{Sketch, ms, span, value};
use crate::verdict::Verdict;

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;
const INCONCLUSIVE: Verdict = Verdict::Inconclusive;

fn count(of: Counted, at_least: impl Into<Option<u64>>, at_most: impl Into<Option<u64>>) -> Expectation {
    Expectation::Count { of, at_least: at_least.into(), at_most: at_most.into() }
}

fn blind(sketch: Sketch, from: u64, until: u64) -> Sketch {
    let why = Masked::own("the connection was lost");
    sketch.with(until, What::Gap { probe: "leases".into(), from: ms(from), why })
}

#[test]
fn the_last_value_and_the_rise() {
    let last = || Counted::Last { counter: "leases".into() };
    let rise = || Counted::Rise { counter: "leases".into() };
    let sketch = Sketch::kv().begin().counted(1, "leases", 2).counted(2, "leases", 7).counted(3, "leases", 4);
    comes_to(&sketch, &count(last(), None, 4), PASS, "4 of leases at the end");
    comes_to(&sketch, &count(last(), None, 3), INCONCLUSIVE, "may be another number now");
    let done = sketch.finish(9);
    comes_to(&done, &count(last(), None, 3), FAIL, "4 of leases at the end");
    comes_to(&done, &count(last(), 5, None), FAIL, "4 of leases at the end");
    comes_to(&done, &count(rise(), 1, None), INCONCLUSIVE, "fell from 7 to 4");
    let none = count(Counted::Last { counter: "no".into() }, None, 3);
    comes_to(&done, &none, INCONCLUSIVE, "no was never counted");
    let rising = Sketch::kv().begin().counted(1, "leases", 2).counted(2, "leases", 7);
    comes_to(&rising, &count(rise(), 5, 5), PASS, "leases rose by 5, from 2 to 7");
    comes_to(&rising, &count(rise(), None, 4), FAIL, "rose by 5");
    comes_to(&rising, &count(rise(), 6, None), INCONCLUSIVE, "not played to its end");
    let unseen = blind(Sketch::kv().begin(), 0, 1).counted(1, "leases", 2).counted(2, "leases", 7);
    comes_to(&unseen, &count(rise(), None, 5), INCONCLUSIVE, "blind");
    comes_to(&unseen, &count(rise(), 5, None), PASS, "rose by 5");
    let between = blind(rising.clone(), 3, 8).counted(8, "leases", 7).finish(9);
    comes_to(&between, &count(rise(), 5, 5), INCONCLUSIVE, "blind");
    comes_to(&between, &count(rise(), 5, None), PASS, "rose by 5");
    let late = blind(rising, 3, 8).finish(9);
    comes_to(&late, &count(rise(), 5, 5), INCONCLUSIVE, "blind");
    comes_to(&late, &count(last(), None, 7), INCONCLUSIVE, "blind");
    comes_to(&late.counted(10, "leases", 7), &count(last(), None, 7), PASS, "7 of leases");
}

#[test]
fn writes_without_a_new_generation() {
    let churn = |most| count(Counted::Churn { credential: "app".into() }, None, most);
    let sketch = Sketch::kv().begin().news(1, "a").news(10, "b").news(20, "b").news(30, "b").news(40, "a");
    comes_to(&sketch, &churn(2), PASS, "2 writes of the Secret of app without a new generation");
    comes_to(&sketch, &churn(1), FAIL, "2 writes");
    let relisted = Sketch::kv().begin().news(1, "a").gap(5, 9).news(10, "a");
    comes_to(&relisted, &churn(0), INCONCLUSIVE, "0 writes");
    comes_to(&relisted.news(20, "a"), &churn(0), FAIL, "1 write");
    comes_to(&Sketch::kv().begin(), &churn(0), INCONCLUSIVE, "nothing was ever seen");
}

#[test]
fn refused_logins() {
    let refused = |most| count(Counted::Refused { probe: "web".into() }, None, most);
    let by = |sketch: Sketch, name, at| sketch.by(name, "web", at, at + 1, Outcome::Refused(value("a")));
    let good = Sketch::app().begin().accepted("web", 0, 1, "a");
    comes_to(&good, &refused(0), PASS, "0 refused logins of web");
    let sketch = by(by(by(good, "one", 10), "two", 20), "one", 30);
    comes_to(&sketch, &refused(3), PASS, "3 refused logins of web (one 2, two 1)");
    comes_to(&sketch, &refused(2), FAIL, "");
    let mute = Sketch::app().begin().unreachable("web", 0, 1);
    comes_to(&mute, &refused(0), INCONCLUSIVE, "never had an answer to a login");
}

fn away(sketch: Sketch, at: u64, credential: Option<&str>) -> Sketch {
    let credential = credential.map(str::to_owned);
    let refusal = Refusal { server: "mysql".into(), credential, user: "app".into(), from: "10.0.0.9".into() };
    sketch.with(at, What::Refusal(refusal))
}

#[test]
fn stragglers() {
    let none = || count(Counted::Stragglers { credential: "app".into(), after: span(500) }, None, 0);
    let heard = Sketch::app().begin().state(0, "refusals:mysql", "heard");
    let rotated = heard.clone().rotate(1_000, "b");
    comes_to(&heard, &none(), INCONCLUSIVE, "no rotation of app was ordered");
    comes_to(&rotated, &none(), INCONCLUSIVE, "it ended before 500 ms after the last rotation");
    let early = away(away(away(rotated, 900, Some("app")), 1_400, Some("app")), 1_600, None);
    comes_to(&early.clone().finish(2_000), &none(), PASS, "0 stragglers");
    let late = away(early, 1_600, Some("app"));
    comes_to(
        &late,
        &none(),
        FAIL,
        "1 straggler refused with app later than 500 ms after a rotation: app from 10.0.0.9 at 1.60 s",
    );
    let deaf = Sketch::app().begin().rotate(1_000, "b").finish(2_000);
    comes_to(&deaf, &none(), INCONCLUSIVE, "nobody listened");
    let other = Sketch::app().begin().state(0, "refusals:valkey", "deaf").rotate(1_000, "b").finish(2_000);
    comes_to(&other, &none(), INCONCLUSIVE, "nobody listened");
    let twice = away(late.rotate(2_000, "c"), 2_300, Some("app")).finish(3_000);
    let one = count(Counted::Stragglers { credential: "app".into(), after: span(500) }, 1, 1);
    comes_to(&twice, &one, PASS, "1 straggler");
}
