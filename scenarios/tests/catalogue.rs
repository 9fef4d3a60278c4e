//! The catalogue, played once on real servers: one trial for each scenario, and trials of what the run's
//! files say and of what it leaves behind.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use support::{Cache, Done, FAILED, Run, Scratch, array, handover, judge, quick};

/// The one run.
struct Played {
    scratch: Scratch,
    cache: Cache,
    done: Done,
    verdict: Value,
}

type Check = fn(&Played);

const CHECKS: [(&str, Check); 13] = [
    ("run::exits_with_0_and_says_so", exits_with_0_and_says_so),
    ("run::files_are_its_owners_alone", files_are_its_owners_alone),
    ("run::leaves_no_process_and_no_directory", leaves_no_process_and_no_directory),
    ("events::say_their_format_first", say_their_format_first),
    ("verdict::bounds_are_bounds", bounds_are_bounds),
    ("verdict::outages_are_what_the_events_say", outages_are_what_the_events_say),
    ("verdict::hops_follow_each_other", hops_follow_each_other),
    ("verdict::the_claim_is_refuted_on_what_was_played", the_claim_is_refuted_on_what_was_played),
    ("judge::writes_the_same_bytes_again", writes_the_same_bytes_again),
    ("judge::without_the_last_line_it_is_the_same_but_for_the_end", a_killed_run_is_judged),
    ("judge::a_torn_last_line_is_left_out", a_torn_last_line_is_left_out),
    ("judge::a_line_that_is_no_event_is_named", a_line_that_is_no_event_is_named),
    ("judge::a_line_that_is_missing_is_noticed", a_line_that_is_missing_is_noticed),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Only a trial that runs plays: not one that is listed, or filtered out.
    let played = Arc::new(LazyLock::new(Played::play as fn() -> Played));
    let scenarios = ids().into_iter().map(|(id, needs_kubelet)| {
        let played = Arc::clone(&played);
        match needs_kubelet {
            false => Trial::test(format!("plays::{id}"), move || passed(&played, &id)),
            true => Trial::test(format!("skips::{id}"), move || skipped(&played, &id)),
        }
    });
    let checks = CHECKS.map(|(name, check)| {
        let played = Arc::clone(&played);
        Trial::test(name, move || {
            check(&played);
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, scenarios.chain(checks).collect());
    FAILED.store(conclusion.has_failed(), Ordering::Relaxed);
    conclusion.exit_code()
}

/// The scenarios of the catalogue, from its files, and of each whether it needs a real kubelet.
fn ids() -> Vec<(String, bool)> {
    let files = support::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue"));
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("a file of the catalogue"));
    let id = |text: String| {
        let id = text.lines().find_map(|line| line.strip_prefix("scenario: "))?.to_owned();
        Some((id, text.contains("\nneeds: [kubelet]\n")))
    };
    texts.filter_map(id).collect()
}

impl Played {
    fn play() -> Self {
        let scratch = Scratch::new();
        let cache = Cache::new(&scratch);
        let done = Run::start(&cache, &scratch.at("out"), [] as [&str; 0]).end();
        let verdict = done.verdict();
        Self { scratch, cache, done, verdict }
    }

    fn scenarios(&self) -> &[Value] {
        array(&self.verdict["scenarios"])
    }

    fn events(&self) -> impl Iterator<Item = Value> {
        let text = self.done.read("events.jsonl");
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.into_iter().map(|line| serde_json::from_str(&line).expect("each line is JSON"))
    }

    /// Judges what `change` makes of the events, in a directory of its own.
    fn judged(&self, name: &str, change: impl FnOnce(String) -> String) -> Done {
        let events =
            self.scratch.write(format!("{name}/events.jsonl"), change(self.done.read("events.jsonl")));
        judge(&self.cache, events.parent().expect("a folder"))
    }
}

fn passed(played: &Played, id: &str) -> Result<(), Failed> {
    let scenario = played.done.scenario(id);
    if scenario["verdict"] == "pass" {
        return Ok(());
    }
    let findings = array(&scenario["findings"]).iter().filter(|finding| finding["verdict"] != "pass");
    let findings: Vec<String> = findings.map(|finding| format!("{finding:#}")).collect();
    Err(format!("{}\n{}", scenario["summary"], findings.join("\n")).into())
}

/// What only a real kubelet can show says so where there is none.
fn skipped(played: &Played, id: &str) -> Result<(), Failed> {
    let scenario = played.done.scenario(id);
    let why = (scenario["verdict"].as_str(), scenario["summary"].as_str());
    if why == (Some("skipped"), Some("the embedded plane has no real kubelet")) {
        return Ok(());
    }
    Err(format!("{why:?}").into())
}

fn exits_with_0_and_says_so(played: &Played) {
    let count = ids().len();
    let skipped = ids().into_iter().filter(|(_, needs_kubelet)| *needs_kubelet).count();
    let passed = count - skipped;
    let is_pinned =
        |scenario: &&Value| array(&scenario["findings"]).iter().any(|finding| finding["pinned"].is_string());
    let pinned = played.scenarios().iter().filter(is_pinned).count();
    assert!(pinned > 0, "the catalogue knows defects");
    let says =
        format!("{count} scenarios: {passed} pass ({pinned} pinned), {skipped} skipped exit 0: all passed");
    played.done.exits(0).says_once(&says);
    played.done.junit_has(&[]);
    assert_eq!(played.scenarios().len(), count);
}

fn files_are_its_owners_alone(played: &Played) {
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let out = &played.done.out;
    for dir in [out.clone(), out.join("logs")] {
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
    }
    let files = support::files(out);
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let mut names: Vec<_> =
        files.iter().map(|file| file.strip_prefix(out).expect("below it").display().to_string()).collect();
    names.sort();
    let servers = ["eso", "etcd", "kube-apiserver", "kube-controller-manager", "mysql", "openbao", "valkey"];
    let logs = servers.map(|server| format!("logs/{server}.log"));
    for name in logs.iter().map(String::as_str).chain(["events.jsonl", "junit.xml", "verdict.json"]) {
        assert!(names.iter().any(|there| there == name), "{name} is not in {names:?}");
    }
}

fn leaves_no_process_and_no_directory(played: &Played) {
    played.done.leaves_nothing(&played.cache);
}

fn say_their_format_first(played: &Played) {
    let first = played.events().next().expect("a first line");
    assert_eq!(first["format"], 1);
    assert_eq!(first["run"], played.verdict["run"]);
    let seqs: Vec<u64> = played.events().skip(1).map(|event| number(&event["seq"])).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "every event is in its place");
}

fn bounds_are_bounds(played: &Played) {
    let mut measured = 0;
    for scenario in played.scenarios() {
        let findings = array(&scenario["findings"]).iter();
        let spans = findings.map(|finding| (finding, &finding["measured_us"]));
        let spans = spans.chain(array(&scenario["hops"]).iter().map(|hop| (hop, &hop["since_rotation_us"])));
        for (whole, span) in spans.filter(|(_, span)| !span.is_null()) {
            // Nothing bounds above what went on to the end, and that passes only where it is pinned or has to last.
            let lasting =
                !whole["pinned"].is_null() || whole["verb"] == "still_accepted" || whole["verb"] == "age";
            if span["at_most"].is_null() && lasting {
                continue;
            }
            let (at_least, at_most) = bounds(span);
            assert!(at_least <= at_most, "{whole:#}");
            // Of the others some have a limit below, and what is pinned is there to be beyond its limit.
            let above =
                ["propagates", "restores", "outage", "retired"].iter().any(|verb| whole["verb"] == *verb);
            if let Some(limit) = whole["limit_us"].as_u64().filter(|_| above && whole["pinned"].is_null()) {
                assert!(
                    at_most <= limit,
                    "it passed, so nothing in its bounds is above the limit: {whole:#}"
                );
            }
            measured += 1;
        }
    }
    assert!(measured > 20, "the catalogue measures, {measured} times");
}

/// Measures the outages anew, from the lines of the file and by the definition alone.
fn outages_are_what_the_events_say(played: &Played) {
    for (id, server) in [("mysql/static-role-forced", "mysql"), ("valkey/static-role-forced", "valkey")] {
        let mut samples: Vec<(u64, u64, bool)> = Vec::new();
        for event in played.events().filter(|event| event["scenario"] == id) {
            let seen = &event["what"]["seen"];
            let good = match &seen["outcome"] {
                Value::Object(outcome) if outcome.contains_key("accepted") => true,
                Value::Object(outcome) if outcome.contains_key("refused") => false,
                _ => continue,
            };
            if seen["probe"] == "web" {
                samples.push((number(&seen["asked"]), number(&seen["answered"]), good));
            }
        }
        samples.sort_unstable();
        let bad = || samples.iter().filter(|(.., good)| !good);
        let good = || samples.iter().filter(|(.., good)| *good);
        let first_refused_at = bad().map(|(_, answered, _)| *answered).min().expect("somebody was refused");
        let first_asked = bad().map(|(asked, ..)| *asked).min().expect("somebody was refused");
        let last_asked = bad().map(|(asked, ..)| *asked).max().expect("somebody was refused");
        let last_answered = bad().map(|(_, answered, _)| *answered).max().expect("somebody was refused");
        let before = good().filter(|(_, answered, _)| *answered <= first_asked);
        let before = before.map(|(asked, ..)| *asked).max().expect("somebody got in before");
        let after = good().filter(|(asked, ..)| *asked >= last_answered);
        let after = after.map(|(_, answered, _)| *answered).min().expect("somebody got in again");
        let expected = (last_asked.saturating_sub(first_refused_at), after - before);

        let scenario = played.done.scenario(id);
        let outage = array(&scenario["findings"]).iter().find(|finding| finding["verb"] == "outage");
        let outage = outage.expect("the scenario expects something of the outage");
        assert_eq!(bounds(&outage["measured_us"]), expected, "{server}");
        assert_eq!(outage["limit_us"], 7_000_000, "refresh_interval + 2s");
        // A probe that asks every 20 ms knows the outage to a few of these.
        assert!(expected.1 - expected.0 < 1_000_000, "{server}: {expected:?}");
    }
}

/// No hop is reached before the one ahead of it: what the server accepts, OpenBao, the Secret, the login.
fn hops_follow_each_other(played: &Played) {
    let order = ["origin", "store", "secret", "login"];
    let mut ways: BTreeMap<(String, String, u64), Vec<&Value>> = BTreeMap::new();
    for scenario in played.scenarios() {
        for hop in array(&scenario["hops"]).iter().filter(|hop| !hop["at_us"].is_null()) {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let way = (text(&scenario["scenario"]), text(&hop["credential"]), number(&hop["rotation"]));
            ways.entry(way).or_default().push(hop);
        }
    }
    for (way, hops) in &ways {
        // Where two values are accepted at a time, the server is only seen to know the new one when somebody uses it.
        let first = if way.0.ends_with("static-role-forced") { 0 } else { 1 };
        let passed = order[first..].iter().filter_map(|name| hops.iter().find(|hop| hop["hop"] == *name));
        let passed: Vec<&&Value> = passed.collect();
        for (earlier, later) in passed.iter().zip(&passed[1..]) {
            let (earliest, _) = bounds(&earlier["since_rotation_us"]);
            let (_, latest) = bounds(&later["since_rotation_us"]);
            assert!(earliest <= latest, "{way:?}: {earlier:#} {later:#}");
        }
    }
    let ordered = played.events().filter(|event| event["what"]["ordered"].is_object()).count();
    let by_themselves = ways.values().filter(|hops| hops[0]["kind"] == "scheduled").count();
    assert_eq!(ways.len() - by_themselves, ordered, "each rotation that was ordered has its way");
    assert!(ordered > 20 && by_themselves > 5, "{ordered} ordered, {by_themselves} by themselves");
}

fn the_claim_is_refuted_on_what_was_played(played: &Played) {
    let scenario = played.done.scenario("generators/pushsecret-password-interval");
    let [claim] = array(&scenario["claims"]) else { panic!("one claim: {scenario:#}") };
    assert_eq!(claim["standing"], "refuted");
    assert_eq!(claim["summary"], "refuted on eso v0.20.4; not played on eso v2.5.0");
    assert!(!array(&claim["evidence"]).is_empty(), "{claim:#}");
    assert_eq!(scenario["verdict"], "pass", "a claim never changes a verdict");
    played.done.says_once("refuted on eso v0.20.4; not played on eso v2.5.0");
}

fn writes_the_same_bytes_again(played: &Played) {
    let again = played.judged("again", |events| events);
    again.exits(0);
    for report in ["verdict.json", "junit.xml"] {
        assert_eq!(again.read(report), played.done.read(report), "{report}");
    }
    let words = ["judge".as_ref(), again.out.as_os_str(), "--format".as_ref(), "json".as_ref()];
    let json = quick(handover(&played.cache, words));
    assert_eq!(json.exits(0).stdout, again.read("verdict.json"));
}

fn a_killed_run_is_judged(played: &Played) {
    let cut = |events: String| {
        let end = events.trim_end().rfind('\n').expect("lines");
        assert!(events[end..].contains(r#""end":"finished""#), "{}", &events[end..]);
        events[..=end].to_owned()
    };
    let killed = played.judged("killed", cut);
    killed.exits(3).junit_has(&["Aborted"]);
    assert_eq!(killed.verdict()["scenarios"], played.verdict["scenarios"]);
}

fn a_torn_last_line_is_left_out(played: &Played) {
    let torn = played.judged("torn", |events| events[..events.len() - 5].to_owned());
    torn.exits(3).says_once("the run was killed").junit_has(&["Aborted"]);
    assert_eq!(torn.verdict()["scenarios"], played.verdict["scenarios"]);
    assert_eq!(torn.verdict()["torn"], true);
}

fn a_line_that_is_no_event_is_named(played: &Played) {
    let spoil = |events: String| {
        let mut lines: Vec<&str> = events.lines().collect();
        lines[99] = "<<<<<<< HEAD";
        lines.join("\n") + "\n"
    };
    let spoilt = played.judged("spoilt", spoil);
    spoilt.exits(2).says_once("line 100 is not an event").says("spoilt/events.jsonl");
    assert_eq!(support::names(&spoilt.out), ["events.jsonl"], "it is not judged");
}

fn a_line_that_is_missing_is_noticed(played: &Played) {
    let cut = |events: String| {
        let lines = events.lines().enumerate().filter(|(index, _)| *index != 99);
        lines.map(|(_, line)| format!("{line}\n")).collect()
    };
    let cut = played.judged("cut", cut);
    cut.exits(2).says_once("line 100 is not an event").says("it says seq 100, its place is 99");
}

fn bounds(span: &Value) -> (u64, u64) {
    (number(&span["at_least"]), number(&span["at_most"]))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}
