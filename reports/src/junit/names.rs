//! Names of cases: unique within a report, and the same from run to run.

use std::collections::BTreeSet;

use super::suite::Suite;
use crate::text::{line, shorten};

/// Some readers cut a title at 255 bytes; two that differ behind that would become one.
const LONGEST: usize = 120;

/// Units of time, as expectations and people write them.
const UNITS: [&str; 11] = ["µs", "us", "ms", "s", "m", "min", "h", "d", "second", "seconds", "minutes"];

/// `handover.embedded.mysql.static-role-forced`; for the run itself, `handover.embedded`. A dot separates
/// packages for Jenkins, so that one within a name gives way.
pub(super) fn class(plane: &str, scenario: Option<&str>) -> String {
    let segment = |text: &str| -> String {
        let exchange = |c: char| if c == '.' || c.is_whitespace() { '_' } else { c };
        line(text).chars().map(exchange).collect()
    };
    let path = scenario.into_iter().flat_map(|scenario| scenario.split('/'));
    ["handover", plane].into_iter().chain(path).map(segment).collect::<Vec<_>>().join(".")
}

/// `propagates: fleet reaches secret within …`.
pub(super) fn case(verb: &str, expected: &str) -> String {
    shorten(&steady(&line(&format!("{verb}: {expected}"))), LONGEST)
}

/// The text without what differs from run to run, or when a limit is set otherwise: times, and numbers
/// long enough to be a port or an id.
fn steady(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut steady: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let unit_follows = words.get(at + 1).is_some_and(|next| UNITS.contains(&bare(next)));
        if is_number(bare(word)) && unit_follows {
            let (opening, unit) = (word.replacen(bare(word), "", 1), words[at + 1]);
            steady.push(opening + &unit.replacen(bare(unit), "…", 1));
            at += 2;
            continue;
        }
        steady.push(word.split_inclusive([':', '#', '=', '(', '[', ',', '–']).map(without_figure).collect());
        at += 1;
    }
    steady.join(" ")
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.starts_with(|c: char| c.is_ascii_digit())
}

fn without_figure(part: &str) -> String {
    let core = bare(part);
    let long = core.len() >= 4 && core.bytes().all(|byte| byte.is_ascii_digit());
    if long || is_duration(core) { part.replacen(core, "…", 1) } else { part.to_owned() }
}

/// `7s`, `1m30s`, `1.5h`.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        if !is_number(&rest[..rest.len() - unit.len()]) || !UNITS.contains(&&unit[..length]) {
            return false;
        }
        rest = &unit[length..];
    }
    !text.is_empty()
}

/// Numbers the later ones of equal names, in the order of the file: GitLab drops all but the first.
pub(super) fn make_unique(suites: &mut [Suite]) {
    let mut taken = BTreeSet::new();
    for case in suites.iter_mut().flat_map(|suite| &mut suite.cases) {
        let wanted = case.name.clone();
        let mut copy = 1;
        while !taken.insert((case.class.clone(), case.name.clone())) {
            copy += 1;
            case.name = format!("{wanted} ({copy})");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_no_dot_that_is_not_a_separator() {
        assert_eq!(
            class("embedded", Some("mysql/static-role-forced")),
            "handover.embedded.mysql.static-role-forced"
        );
        assert_eq!(class("kind", Some("eso-2.9/my role")), "handover.kind.eso-2_9.my_role");
        assert_eq!(class("embedded", None), "handover.embedded");
    }

    #[test]
    fn times_and_ids_leave_the_name() {
        for (text, name) in [
            ("fleet reaches secret within 7.00 s", "fleet reaches secret within …"),
            ("within 7 s, at least 500 ms (30 s)", "within …, at least … (…)"),
            ("within 7s (1m30s) or 1.5h", "within … (…) or …"),
            ("127.0.0.1:36541 answers pid=12345", "127.0.0.1:… answers pid=…"),
            ("fleet rotates exactly 1 time, g2 is next", "fleet rotates exactly 1 time, g2 is next"),
            ("db2 holds 12 states", "db2 holds 12 states"),
        ] {
            assert_eq!(steady(text), name);
        }
        assert_eq!(case("outage", "web\u{1b}[1m is\nrefused"), "outage: web is refused");
        assert_eq!(case("x", &"y".repeat(500)).chars().count(), LONGEST);
    }
}
