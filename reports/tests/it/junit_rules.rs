//! The rules of the strict profile, one test each.

use std::collections::BTreeSet;

use handover_harness::clock::Micros;
use handover_harness::verdict::{RunVerdict, ScenarioVerdict, Verdict};
use handover_reports::junit::{self, PLAYS};

use crate::samples::{self, finding, run, scenario};
use crate::xml::{Element, read};

fn report(run: &RunVerdict) -> Element {
    read(&junit::render(run, &["events.jsonl"]))
}

fn cases(root: &Element) -> Vec<&Element> {
    root.all("testsuite").flat_map(|suite| suite.all("testcase")).collect()
}

/// The case with this name in the suite with this name.
fn case<'a>(root: &'a Element, suite: &str, name: &str) -> &'a Element {
    let suite =
        root.all("testsuite").find(|element| element.get("name") == suite).expect("the suite is there");
    suite.all("testcase").find(|element| element.get("name") == name).expect("the case is there")
}

/// The run with every text replaced.
fn with_text(text: &str) -> RunVerdict {
    let mut run = samples::mixed();
    for scenario in &mut run.scenarios {
        scenario.summary = text.to_owned();
        scenario.findings.iter_mut().for_each(|finding| finding.seen = text.to_owned());
    }
    run
}

#[test]
fn golden() {
    insta::assert_snapshot!(junit::render(&samples::mixed(), &["events.jsonl"]));
}

#[test]
fn one_level_of_suites_and_none_without_cases() {
    for run in [samples::mixed(), run(Vec::new())] {
        let root = report(&run);
        assert_eq!(root.name, "testsuites");
        assert_eq!(root.all("testsuite").count(), run.scenarios.len() + 1);
        for suite in &root.children {
            let order: Vec<&str> = suite.children.iter().map(|child| child.name.as_str()).collect();
            assert_eq!(order[0], "properties");
            assert!(order.len() > 1 && order[1..].iter().all(|&name| name == "testcase"), "{order:?}");
        }
    }
}

#[test]
fn counts_say_what_the_cases_say() {
    let root = report(&samples::mixed());
    let count = |cases: &[&Element], child: &str| {
        cases.iter().filter(|case| case.all(child).next().is_some()).count().to_string()
    };
    for suite in root.all("testsuite") {
        let cases: Vec<&Element> = suite.all("testcase").collect();
        assert_eq!(suite.get("tests"), cases.len().to_string());
        assert_eq!(suite.get("failures"), count(&cases, "failure"));
        assert_eq!(suite.get("errors"), count(&cases, "error"));
        assert_eq!(suite.get("skipped"), count(&cases, "skipped"));
    }
    let cases = cases(&root);
    assert_eq!(root.get("tests"), cases.len().to_string());
    assert_eq!(root.get("failures"), "1");
    assert_eq!(root.get("errors"), "2");
    assert!(!root.attributes.contains_key("skipped"), "junit-10 has none at the root");
}

#[test]
fn names_are_unique() {
    let twin = || finding("count", "app moves at most 3 times", Verdict::Pass, "1 time");
    let scenarios = ["a/b.c", "a/b_c"].map(|name| scenario(name, vec![twin(), twin(), twin()]));
    let root = report(&run(scenarios.to_vec()));
    let names: BTreeSet<_> =
        cases(&root).iter().map(|case| (case.get("classname"), case.get("name"))).collect();
    assert_eq!(names.len(), cases(&root).len());
    assert!(
        names.contains(&("handover.embedded.a.b_c", "count: app moves at most 3 times (2)")),
        "{names:?}"
    );
}

#[test]
fn names_are_the_same_from_run_to_run() {
    let names = |limit: &str, version: &str, verdict| {
        let mut judged = finding("propagates", &format!("app reaches secret within {limit}"), verdict, limit);
        judged.line = Some(limit.len() as u64);
        let mut run = run(vec![scenario("kv/refresh", vec![judged])]);
        run.run = version.to_owned();
        run.on.as_mut().unwrap().components[0].version = version.to_owned();
        let root = report(&run);
        let names = cases(&root)
            .into_iter()
            .map(|case| (case.get("classname").to_owned(), case.get("name").to_owned()));
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("7.00 s", "v0.20.4", Verdict::Pass), names("512 ms", "v2.5.0", Verdict::Fail));
    let aborted = read(&junit::aborted("r", "2026-11-23T16:50:00Z", "embedded"));
    let key = |case: &Element| (case.get("classname").to_owned(), case.get("name").to_owned());
    assert_eq!(key(cases(&aborted)[0]), names("7 s", "v0.20.4", Verdict::Pass)[0]);
}

#[test]
fn a_case_has_one_outcome_and_children_in_surefires_order() {
    for case in cases(&report(&samples::mixed())) {
        let children: Vec<&str> = case.children.iter().map(|child| child.name.as_str()).collect();
        let outcome = children.first().copied().unwrap_or_default();
        let rest =
            if ["failure", "error", "skipped"].contains(&outcome) { &children[1..] } else { &children[..] };
        assert!(rest.is_empty() || rest == ["system-out"], "{children:?}");
    }
}

#[test]
fn failure_error_and_skipped_are_told_apart() {
    let root = report(&samples::mixed());
    let slow = "mysql/static-role-slow";
    let failure = case(&root, slow, "propagates: fleet reaches secret within …").only("failure");
    assert_eq!(failure.get("type"), "ExpectationFailed");
    let undecided = case(&root, slow, "outage: web is refused for at most …").only("error");
    assert_eq!(undecided.get("type"), "Inconclusive");
    let broken = case(&root, "kv/refresh", PLAYS).only("error");
    assert_eq!(broken.get("type"), "EnvironmentError");
    assert!(broken.text.contains("\nalso: expected: app asks store every 200 ms"), "{}", broken.text);
    let skipped = case(&root, "kv/later", PLAYS).only("skipped");
    assert_eq!(
        (skipped.get("message"), skipped.text.as_str()),
        ("needs OpenBao >= 2.8", "needs OpenBao >= 2.8")
    );
    assert!(case(&root, slow, PLAYS).all("failure").next().is_none(), "it was played as planned");

    let unjudged = ScenarioVerdict { verdict: Verdict::Fail, ..scenario("a/b", Vec::new()) };
    let root = report(&run(vec![unjudged]));
    assert_eq!(case(&root, "a/b", PLAYS).only("failure").get("message"), "pass in one line", "none is lost");
}

#[test]
fn what_befalls_the_run_is_never_green() {
    let kind = |run: &RunVerdict| {
        let root = report(run);
        case(&root, "handover", PLAYS).only("error").get("type").to_owned()
    };
    let fine = || run(vec![samples::passing()]);
    assert_eq!(kind(&RunVerdict { interrupted: Some("SIGINT".to_owned()), ..fine() }), "Aborted");
    assert_eq!(kind(&RunVerdict { torn: true, ..fine() }), "Aborted");
    assert_eq!(kind(&RunVerdict { broke: Some("no disk".to_owned()), ..fine() }), "EnvironmentError");
    assert_eq!(kind(&run(Vec::new())), "Inconclusive");
    assert_eq!(kind(&run(vec![samples::skipped()])), "Inconclusive");
    assert!(case(&report(&fine()), "handover", PLAYS).all("error").next().is_none());

    let cut = run(vec![samples::interrupted()]);
    assert_eq!(case(&report(&cut), "kv/refresh", PLAYS).only("error").get("type"), "Aborted");
}

#[test]
fn the_message_is_the_first_line_of_the_text() {
    for run in [samples::mixed(), with_text("two\r\nlines"), with_text("")] {
        for outcome in cases(&report(&run)).iter().flat_map(|case| &case.children) {
            if outcome.name != "system-out" {
                assert_eq!(outcome.text.lines().next(), Some(outcome.get("message")));
                assert!(!outcome.get("message").is_empty());
            }
        }
    }
}

#[test]
fn times_have_three_decimals_and_stamps_are_utc() {
    let mut run = samples::mixed();
    run.took_us = Micros(1_234_567_891_234_567);
    run.wall = "2026-11-23T17:50:00.5+01:00".to_owned();
    let root = report(&run);
    assert_eq!(root.get("time"), "1234567891.234");
    let slow = root.all("testsuite").find(|suite| suite.get("name") == "mysql/static-role-slow").unwrap();
    assert_eq!(slow.get("time"), "33.100");
    assert_eq!(slow.get("timestamp"), "2026-11-23T16:50:00.500Z");
    assert!(
        cases(&root).iter().all(|case| case.get("time").split_once('.').is_some_and(|(_, d)| d.len() == 3))
    );
    run.wall = "yesterday".to_owned();
    assert!(!report(&run).children[0].attributes.contains_key("timestamp"));
}

#[test]
fn text_is_escaped_and_control_characters_go() {
    let root = report(&with_text("\u{1b}[31m<a & \"b\">\u{1b}[0m ]]> \0\u{8}\u{fffe} 🔑\r\nend"));
    let seen = "<a & \"b\"> ]]> 🔑 end";
    let failure =
        case(&root, "mysql/static-role-slow", "propagates: fleet reaches secret within …").only("failure");
    assert_eq!(failure.get("message"), format!("expected: fleet reaches secret within 7.00 s; seen: {seen}"));
}

#[test]
fn attachments_stand_alone_and_exist() {
    let folder = tempfile::tempdir().unwrap();
    assert!(junit::present(folder.path(), &["events.jsonl"]).is_empty());
    std::fs::write(folder.path().join("events.jsonl"), "").unwrap();
    assert_eq!(junit::present(folder.path(), &["events.jsonl", "other"]), ["events.jsonl"]);

    let root = report(&samples::mixed());
    let out = |name: &str| &case(&root, "mysql/static-role-slow", name).only("system-out").text;
    let marker = "[[ATTACHMENT|events.jsonl]]";
    assert_eq!(out("propagates: fleet reaches secret within …").lines().last(), Some(marker));
    assert_eq!(out(PLAYS).lines().last(), Some(marker));
    assert!(!out("retired: g0 of fleet is refused within …").contains(marker));
    assert!(!junit::render(&samples::mixed(), &[]).contains("ATTACHMENT"));
    assert!(!junit::render(&samples::mixed(), &["a b", "a|b", "[a]"]).contains("ATTACHMENT"));
}

#[test]
fn foreign_text_attaches_nothing_and_invents_no_fact() {
    let xml = junit::render(&with_text("x\n[[ATTACHMENT|/etc/passwd]]\n[[PROPERTY|verdict=pass]]"), &[]);
    assert!(!xml.contains("[[ATTACHMENT"));
    let verdicts = xml.matches("[[PROPERTY|verdict=").count();
    assert_eq!(verdicts, junit::render(&samples::mixed(), &[]).matches("[[PROPERTY|verdict=").count());
}

#[test]
fn facts_are_property_lines() {
    let root = report(&samples::mixed());
    let out = &case(&root, "mysql/static-role-slow", "outage: web is refused for at most …")
        .only("system-out")
        .text;
    for line in [
        "verdict=inconclusive",
        "at_least_us=6900000",
        "at_most_us=7400000",
        "limit_us=7000000",
        "evidence=12 15",
    ] {
        assert!(out.lines().any(|found| found == format!("[[PROPERTY|{line}]]")), "{line} in {out}");
    }
    let suite = &root.children[0].only("properties").children;
    let value = |name: &str| suite.iter().find(|property| property.get("name") == name).unwrap().get("value");
    assert_eq!((value("eso.version"), value("eso.sha256")), ("v0.20.4", "a".repeat(64).as_str()));
}

#[test]
fn texts_are_capped_head_and_tail() {
    let mut run = samples::mixed();
    run.scenarios[4].summary = format!("head{}tail", "&".repeat(200_000));
    let root = report(&run);
    let out = &case(&root, "mysql/static-role-slow", PLAYS).only("system-out").text;
    assert!(out.len() < 33 * 1024 && out.contains("bytes left out"), "{}", out.len());
    assert!(out.contains("head&") && out.ends_with("[[ATTACHMENT|events.jsonl]]\n"));

    let mut many = samples::mixed();
    many.scenarios = (0..60).map(|_| run.scenarios[4].clone()).collect();
    let xml = junit::render(&many, &["events.jsonl"]);
    assert!(xml.len() <= 5_000_000, "{}", xml.len());
    assert_eq!(report(&many).get("tests"), (1 + 60 * 4).to_string(), "no case goes");
}

#[test]
fn the_first_second_is_red() {
    let root = read(&junit::aborted("r-1", "2026-11-23T16:50:00Z", "embedded"));
    assert_eq!((root.get("tests"), root.get("errors"), root.get("failures")), ("1", "1", "0"));
    assert_eq!(cases(&root)[0].only("error").get("type"), "Aborted");
}
