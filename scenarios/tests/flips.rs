//! A verdict that is always pass proves nothing: what must not pass does not.
//!
//! For each scenario of the catalogue there is a flip: the same scenario with one thing otherwise, in which the
//! right expectation fails for the right reason. One for each kind of expectation is played with the other tests;
//! `HANDOVER_FLIPS=all cargo test --test flips` plays all of them, and `HANDOVER_FLIPS=mysql/` those whose name
//! contains that.

#[path = "flips/play.rs"]
mod play;
mod support;
#[path = "flips/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use support::{Cache, Run, Scratch, array, edited, package, without};
use table::{Flip, PINNED, flips};

const KV: &str = "kv/refresh";
const MYSQL: &str = "mysql/static-role-forced";
const VALKEY: &str = "valkey/static-role-forced";

/// One run at a time: what probes see beside six scenarios more is the machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which flips are played: unless said otherwise, those that stand for a kind of expectation.
#[test]
fn whatever_is_flipped_fails_for_the_right_reason() {
    let asked = std::env::var("HANDOVER_FLIPS").ok();
    let chosen = |(_, flip): &(usize, &Flip)| match asked.as_deref() {
        None => !flip.stands_for.is_empty(),
        Some("all") => true,
        Some(part) => flip.of.contains(part),
    };
    let flips: Vec<(usize, &Flip)> = flips().enumerate().filter(chosen).collect();
    assert!(!flips.is_empty(), "no flip is called {asked:?}");
    let _alone = alone();
    play::play(&flips);
}

/// Neither a scenario nor a kind of expectation can be added without a flip; and every edit finds its place.
#[test]
fn everything_has_a_flip() {
    let scratch = Scratch::new();
    for (place, flip) in flips().enumerate() {
        let file = flip.written(place, &scratch);
        assert!(file.is_file(), "{} is a scenario", file.display());
    }
    for folder in ["catalogue", "flips"] {
        for file in support::files(&package().join(folder)) {
            let text = fs::read_to_string(&file).expect("a file");
            let id = text.lines().find_map(|line| line.strip_prefix("scenario: "));
            let flipped = id.is_none_or(|id| flips().any(|flip| flip.of == id));
            assert!(flipped, "{} has no flip", file.display());
        }
    }
    let page = fs::read_to_string(package().join("../docs/language.md")).expect("the page of the language");
    let (_, page) = page.split_once("\n## `expect`\n").expect("its room");
    let (page, _) = page.split_once("\n## ").expect("the next one");
    let verbs = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let kinds: BTreeSet<&str> = verbs.chain([PINNED]).collect();
    let stand: BTreeSet<&str> = flips().flat_map(|flip| flip.stands_for).copied().collect();
    assert_eq!(stand, kinds, "each kind of expectation has a flip that is always played");
}

/// ESO looks every five seconds, and has just looked: no rotation is seen within a third of one.
#[test]
fn an_impossible_limit_fails_with_bounds_that_make_sense() {
    let _alone = alone();
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let files = scratch.at("scenarios");
    for (id, credential) in [(KV, "app"), (MYSQL, "fleet"), (VALKEY, "fleet")] {
        // Right after the first sync a second one may come at once; a second later none is near for three.
        let hold = format!("steps:\n  - hold: {{ credential: {credential}, at: secret, for: 1s }}");
        edited(id, &files.join(id), "late", |_, text| text.replace("steps:", &hold));
    }
    let words = [files.as_os_str(), "--set".as_ref(), "limit=300ms".as_ref()];
    let done = Run::start(&cache, &scratch.at("out"), words).end();
    done.exits(1).says_once("3 scenarios: 3 fail exit 1: an expectation failed").leaves_nothing(&cache);
    done.junit_has(&["ExpectationFailed"]);
    for (id, fail) in [
        ("late/kv/refresh", &["propagates"][..]),
        ("late/mysql/static-role-forced", &["outage", "propagates"]),
        ("late/valkey/static-role-forced", &["outage", "propagates"]),
    ] {
        let scenario = done.scenario(id);
        assert_eq!(scenario["verdict"], "fail");
        let mut failed = Vec::new();
        for finding in array(&scenario["findings"]) {
            if finding["verdict"] == "pass" {
                continue;
            }
            assert_eq!(finding["verdict"], "fail", "all else passes as ever: {finding:#}");
            assert_eq!(finding["limit_us"], 300_000);
            let (at_least, at_most) =
                (&finding["measured_us"]["at_least"], &finding["measured_us"]["at_most"]);
            let (at_least, at_most) =
                (at_least.as_u64().expect("a bound"), at_most.as_u64().expect("a bound"));
            // Not even the lower bound is within the limit, and one refresh and a bit is above the upper one.
            assert!(300_000 < at_least && at_least <= at_most && at_most < 7_000_000, "{finding:#}");
            failed.push(finding["verb"].as_str().expect("a verb"));
            if finding["verb"] == "propagates" {
                // Where it stopped: OpenBao had it at once.
                assert_eq!(finding["stopped"]["after"], "store", "{finding:#}");
            }
            assert!(!array(&finding["evidence"]).is_empty(), "{finding:#}");
        }
        failed.sort_unstable();
        assert_eq!(failed, fail, "{scenario:#}");
    }
}

/// Nothing rotates, so nothing is shown, however well everything else goes; and a wait for what was never
/// ordered says so.
#[test]
fn without_a_rotation_nothing_passes() {
    let _alone = alone();
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let files = scratch.at("scenarios");
    for id in [KV, MYSQL, VALKEY] {
        edited(id, &files.join("waits").join(id), "waits", |_, text| {
            let short =
                text.replace("within: 30s }", "within: 1s }").replace("within: 10s }", "within: 1s }");
            without(&short, "- rotate:")
        });
    }
    for (id, credential) in [(KV, "app"), (MYSQL, "fleet")] {
        edited(id, &files.join("holds").join(id), "holds", |_, text| {
            let hold = format!("  - hold: {{ credential: {credential}, at: secret, for: 1s }}");
            without(&text.replace(&format!("  - rotate: {credential}"), &hold), "- wait:")
        });
    }
    let done = Run::start(&cache, &scratch.at("out"), [&files]).end();
    done.exits(1).says_once("5 scenarios: 3 inconclusive, 2 fail exit 1").leaves_nothing(&cache);
    done.junit_has(&["ExpectationFailed", "Inconclusive"]);
    let verdict = done.verdict();
    for scenario in array(&verdict["scenarios"]) {
        let waits = scenario["scenario"].as_str().expect("an id").starts_with("waits/");
        assert_eq!(scenario["verdict"], if waits { "inconclusive" } else { "fail" }, "{scenario:#}");
        for finding in array(&scenario["findings"]) {
            // Who was there to the end knows that nothing moved, and of that alone speaks `rotations`.
            let known = !waits && finding["verb"] == "rotations";
            assert_eq!(finding["verdict"], if known { "fail" } else { "inconclusive" }, "{finding:#}");
            if finding["verb"] == "step" {
                let seen = finding["seen"].as_str().expect("text");
                assert!(waits && seen.starts_with("out of time; last seen:"), "{finding:#}");
            }
        }
        let lines = array(&scenario["findings"]).iter().filter(|finding| !finding["line"].is_null()).count();
        assert!(lines >= 4, "every line of `expect` is judged: {scenario:#}");
    }
}
