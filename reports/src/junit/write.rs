//! Suites as XML: escaping, order of elements, caps.

use std::fmt::Write;

use handover_harness::clock::Micros;
use jiff::Timestamp;

use super::suite::{Case, Counts, Outcome, Suite};
use crate::text::{cap, clean, line, shorten};

/// Readers have limits on a report, and drop it whole when it is over them.
const LARGEST: usize = 5_000_000;
/// What one text of one case may take; the logs beside the report have the rest.
const TEXT: usize = 32 * 1024;
/// Below this, a text says nothing any more.
const SHORTEST_TEXT: usize = 256;
/// A message is a title.
const MESSAGE: usize = 1_000;

/// The report; texts are cut shorter until it is small enough to be read.
pub(super) fn report(suites: &[Suite], time: Micros) -> String {
    let mut limit = TEXT;
    loop {
        let xml = with_texts_of(limit, suites, time);
        if xml.len() <= LARGEST || limit <= SHORTEST_TEXT {
            return xml;
        }
        limit /= 2;
    }
}

fn with_texts_of(limit: usize, suites: &[Suite], time: Micros) -> String {
    let Counts { tests, failures, errors, .. } = Counts::of(suites.iter().flat_map(|suite| &suite.cases));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // junit-10 knows no `skipped` here, and no `timestamp`.
    open(
        &mut xml,
        0,
        "testsuites",
        &[
            ("name", "handover"),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
            ("time", &seconds(time)),
        ],
    );
    for suite in suites {
        write_suite(&mut xml, limit, suite);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write_suite(xml: &mut String, limit: usize, suite: &Suite) {
    let Counts { tests, failures, errors, skipped } = Counts::of(suite.cases.iter());
    let counts = [tests, failures, errors, skipped].map(|count| count.to_string());
    let time = seconds(suite.time);
    let timestamp = timestamp(&suite.wall);
    let mut attributes = vec![
        ("name", suite.name.as_str()),
        ("tests", &counts[0]),
        ("failures", &counts[1]),
        ("errors", &counts[2]),
        ("skipped", &counts[3]),
        ("time", &time),
    ];
    attributes.extend(timestamp.as_deref().map(|timestamp| ("timestamp", timestamp)));
    open(xml, 2, "testsuite", &attributes);
    xml.push_str("    <properties>\n");
    for (name, value) in &suite.properties {
        empty(xml, 6, "property", &[("name", name), ("value", &shorten(value, MESSAGE))]);
    }
    xml.push_str("    </properties>\n");
    for case in &suite.cases {
        write_case(xml, limit, case);
    }
    xml.push_str("  </testsuite>\n");
}

/// Surefire wants the children in this order: what came of it, then `system-out`.
fn write_case(xml: &mut String, limit: usize, case: &Case) {
    let time = seconds(case.time);
    open(xml, 4, "testcase", &[("name", &case.name), ("classname", &case.class), ("time", &time)]);
    match &case.outcome {
        Outcome::Passed => {}
        // GitLab shows the text only, others the message first: both say it.
        Outcome::Skipped { reason } => {
            let reason = message(reason);
            text(xml, "skipped", &[("message", &reason)], &reason, limit);
        }
        Outcome::NotPassed { kind, message: what, details } => {
            let what = message(what);
            let mut body = what.clone();
            for (label, detail) in details {
                write!(body, "\n{label}: {}", line(detail)).expect("a String takes everything");
            }
            let attributes = [("message", what.as_str()), ("type", kind.name())];
            text(xml, kind.element(), &attributes, &defused(&body), limit);
        }
    }
    let out = system_out(case);
    if !out.is_empty() {
        text(xml, "system-out", &[], &out, limit);
    }
    xml.push_str("    </testcase>\n");
}

/// Facts first and attachments last: a cap takes from the middle.
fn system_out(case: &Case) -> String {
    let facts = case.facts.iter().map(|(key, value)| format!("[[PROPERTY|{key}={}]]\n", unbracketed(value)));
    let notes = case.notes.iter().map(|note| format!("{}\n", defused(note)));
    let fit = |path: &&String| !path.contains(['[', ']', '|', ' ']);
    let attachments = case.attachments.iter().filter(fit).map(|path| format!("[[ATTACHMENT|{path}]]\n"));
    facts.chain(notes).chain(attachments).collect()
}

/// A value inside of `[[…|…]]`.
fn unbracketed(value: &str) -> String {
    let value = line(value).replace('[', "(").replace(']', ")").replace('|', "/");
    shorten(&value, MESSAGE)
}

/// Foreign text must not attach files: Jenkins takes `[[ATTACHMENT|/any/path]]` from wherever it stands.
fn defused(text: &str) -> String {
    text.replace("[[", "[ [")
}

/// One line that says something: an empty message reads as if there were no reason.
fn message(text: &str) -> String {
    let text = defused(&shorten(&line(text), MESSAGE));
    if text.is_empty() { "no reason was given".to_owned() } else { text }
}

/// Seconds with three decimals. No sign, separator or exponent can come of whole numbers.
fn seconds(time: Micros) -> String {
    let millis = time.0 / 1_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn timestamp(wall: &str) -> Option<String> {
    let at: Timestamp = wall.parse().ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

fn open(xml: &mut String, indent: usize, element: &str, attributes: &[(&str, &str)]) {
    start(xml, indent, element, attributes);
    xml.push_str(">\n");
}

fn empty(xml: &mut String, indent: usize, element: &str, attributes: &[(&str, &str)]) {
    start(xml, indent, element, attributes);
    xml.push_str("/>\n");
}

/// A child of a case. Its text is cut before it is escaped, so that no entity is cut in two.
fn text(xml: &mut String, element: &str, attributes: &[(&str, &str)], text: &str, limit: usize) {
    start(xml, 6, element, attributes);
    let text = escaped(&cap(&clean(text), limit));
    writeln!(xml, ">{text}</{element}>").expect("a String takes everything");
}

fn start(xml: &mut String, indent: usize, element: &str, attributes: &[(&str, &str)]) {
    write!(xml, "{:indent$}<{element}", "").expect("a String takes everything");
    for (name, value) in attributes {
        write!(xml, " {name}=\"{}\"", escaped(&line(value))).expect("a String takes everything");
    }
}

/// `>` too, because of `]]>`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
