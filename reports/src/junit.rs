//! JUnit XML, in the *strict* profile: what Jenkins' junit-10 schema and, suite by suite, Surefire's
//! accept. Both are narrower than what most tools read, so no tool that reads JUnit rejects it.
//!
//! One suite for the run and one for each scenario. The first case of a suite, [`PLAYS`], says whether it
//! was played as it should, and carries its hop table; the others are its expectations. Names are the same from run to run whatever was
//! measured and whichever versions were played, so that a CI server can follow a case through history.
//!
//! The XML is evidence, never the gate: too many readers show a missing report as green. The exit code gates.

mod names;
mod suite;
mod write;

use std::cmp::Reverse;
use std::path::Path;

use handover_harness::clock::Micros;
use handover_harness::verdict::{Finding, RunVerdict, ScenarioVerdict, Verdict};

use crate::text::line;
use crate::{explain, table};
use suite::{Case, Kind, Outcome, Suite};

/// Name of the case that says whether a run or a scenario was played as it should.
pub const PLAYS: &str = "plays as planned";

/// The report. `attachments` are files beside it that it may point to: see [`present`].
pub fn render(run: &RunVerdict, attachments: &[&str]) -> String {
    let plane = run.on.as_ref().map_or("unknown", |on| &on.plane);
    let mut suites = vec![run_suite(run, plane)];
    suites.extend(run.scenarios.iter().map(|scenario| scenario_suite(run, scenario, plane, attachments)));
    names::make_unique(&mut suites);
    write::report(&suites, run.took_us)
}

/// The report to write in the first second and to replace at the end: its only case is an error, so that
/// a kill -9 leaves a red report and not none. `wall` is the moment it began, RFC 3339.
pub fn aborted(run: &str, wall: &str, plane: &str) -> String {
    let message = "the run ended before it could write its report";
    let details = vec![
        ("run", run.to_owned()),
        (
            "likely",
            "it was killed, or the machine went down; a run that is still going looks the same".to_owned(),
        ),
        (
            "then",
            "`handover judge` says what it had seen until then, `handover gc` sweeps what it left".to_owned(),
        ),
    ];
    let case = Case {
        name: PLAYS.to_owned(),
        class: names::class(plane, None),
        time: Micros(0),
        outcome: Outcome::NotPassed { kind: Kind::Aborted, message: message.to_owned(), details },
        facts: Vec::new(),
        notes: Vec::new(),
        attachments: Vec::new(),
    };
    let suite = Suite {
        name: "handover".to_owned(),
        time: Micros(0),
        wall: wall.to_owned(),
        properties: vec![("run".to_owned(), run.to_owned())],
        cases: vec![case],
    };
    write::report(&[suite], Micros(0))
}

/// Those of the named files that are in the folder: a report must not point to a file that is not there.
pub fn present<'a>(folder: &Path, names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| folder.join(name).is_file()).collect()
}

fn run_suite(run: &RunVerdict, plane: &str) -> Suite {
    let played = run.scenarios.iter().any(|scenario| scenario.verdict != Verdict::Skipped);
    let outcome = match explain::run_trouble(run) {
        Some(message) => {
            let kind = if run.broke.is_some() { Kind::EnvironmentError } else { Kind::Aborted };
            Outcome::NotPassed { kind, message, details: Vec::new() }
        }
        // Nothing failed, and nothing was shown either.
        None if !played => Outcome::NotPassed {
            kind: Kind::Inconclusive,
            message: format!("nothing was played: {} scenarios, all of them skipped", run.scenarios.len()),
            details: Vec::new(),
        },
        None => Outcome::Passed,
    };
    let case = Case {
        name: PLAYS.to_owned(),
        class: names::class(plane, None),
        time: run.took_us,
        outcome,
        facts: Vec::new(),
        notes: explain::error_bar(run),
        attachments: Vec::new(),
    };
    suite_of("handover", run.took_us, run, vec![case])
}

fn scenario_suite(run: &RunVerdict, scenario: &ScenarioVerdict, plane: &str, attachments: &[&str]) -> Suite {
    let class = names::class(plane, Some(&scenario.scenario));
    let table = table::hop_table(&scenario.hops);
    let attachments: Vec<String> = attachments.iter().copied().map(str::to_owned).collect();
    let skipped = scenario.verdict == Verdict::Skipped;
    let mut cases = vec![Case {
        name: PLAYS.to_owned(),
        class: class.clone(),
        time: scenario.took_us,
        outcome: played(scenario),
        facts: vec![("verdict", scenario.verdict.to_string())],
        notes: [vec![scenario.summary.clone()], table.clone(), claims(scenario)].concat(),
        attachments: if skipped { Vec::new() } else { attachments.clone() },
    }];
    cases.extend(scenario.findings.iter().filter(|finding| !is_own(finding)).map(|finding| {
        // GitLab shows of a case that did not pass its own output only.
        let evidence = (table.clone(), attachments.clone());
        let (notes, attachments) =
            if finding.verdict == Verdict::Pass { Default::default() } else { evidence };
        Case {
            name: names::case(&finding.verb, &finding.expected),
            class: class.clone(),
            // Expectations are judged over the time that the first case states.
            time: Micros(0),
            outcome: judged(finding, &scenario.file),
            facts: facts(finding),
            notes,
            attachments,
        }
    }));
    let mut suite = suite_of(&scenario.scenario, scenario.took_us, run, cases);
    suite.properties.push(("scenario.file".to_owned(), scenario.file.clone()));
    suite.properties.push(("scenario.about".to_owned(), scenario.about.clone()));
    suite.properties.push(("scenario.evidence".to_owned(), scenario.evidence.word().to_owned()));
    if !scenario.covers.is_empty() {
        suite.properties.push(("scenario.covers".to_owned(), scenario.covers.join("; ")));
    }
    suite
}

/// What becomes of a scenario's first case: all that the harness itself found about it. Cases of their own
/// would come and go, and be called by the step or the probe that went wrong.
fn played(scenario: &ScenarioVerdict) -> Outcome {
    let mut own: Vec<&Finding> = scenario.findings.iter().filter(|finding| is_own(finding)).collect();
    own.sort_by_key(|finding| Reverse(finding.verdict));
    if let Some((worst, others)) = own.split_first() {
        let mut outcome = judged(worst, &scenario.file);
        if let Outcome::NotPassed { details, .. } = &mut outcome {
            details.extend(others.iter().map(|other| ("also", in_one_line(other))));
        }
        return outcome;
    }
    if scenario.findings.iter().any(|finding| finding.verdict == scenario.verdict) {
        return Outcome::Passed;
    }
    outcome(scenario.verdict, scenario.summary.clone(), Vec::new())
}

/// Whether the harness itself found it: what the scenario states has a line in its file.
fn is_own(finding: &Finding) -> bool {
    finding.line.is_none()
}

fn judged(finding: &Finding, file: &str) -> Outcome {
    let details = explain::finding(finding, file);
    match (finding.verb.as_str(), finding.verdict) {
        // An end that is none, although nothing broke: somebody ended it.
        ("environment", Verdict::Inconclusive) => {
            Outcome::NotPassed { kind: Kind::Aborted, message: in_one_line(finding), details }
        }
        (_, Verdict::Skipped) => Outcome::Skipped { reason: finding.seen.clone() },
        (_, verdict) => outcome(verdict, in_one_line(finding), details),
    }
}

fn outcome(verdict: Verdict, message: String, details: Vec<(&'static str, String)>) -> Outcome {
    let kind = match verdict {
        Verdict::Pass => return Outcome::Passed,
        Verdict::Skipped => return Outcome::Skipped { reason: message },
        Verdict::Inconclusive => Kind::Inconclusive,
        Verdict::Error => Kind::EnvironmentError,
        Verdict::Fail => Kind::ExpectationFailed,
    };
    Outcome::NotPassed { kind, message, details }
}

fn in_one_line(finding: &Finding) -> String {
    format!("expected: {}; seen: {}", line(&finding.expected), line(&finding.seen))
}

/// What was measured, for programs. Names carry the unit; no name carries a measured figure.
fn facts(finding: &Finding) -> Vec<(&'static str, String)> {
    let measured = finding.measured_us;
    let micros = |span: Micros| span.0.to_string();
    let evidence = finding.evidence.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    [
        Some(("verdict", finding.verdict.to_string())),
        Some(("seen", finding.seen.clone())),
        measured.map(|bounds| ("at_least_us", micros(bounds.at_least))),
        measured.and_then(|bounds| bounds.at_most).map(|at_most| ("at_most_us", micros(at_most))),
        finding.limit_us.map(|limit| ("limit_us", micros(limit))),
        finding.pinned.clone().map(|defect| ("pinned", defect)),
        (!evidence.is_empty()).then_some(("evidence", evidence)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn claims(scenario: &ScenarioVerdict) -> Vec<String> {
    let said = scenario.claims.iter().flat_map(explain::claim);
    said.map(|(label, text)| format!("{label}: {}", line(&text))).collect()
}

/// Every suite says on what it was played: readers show suites, not reports.
fn suite_of(name: &str, time: Micros, run: &RunVerdict, cases: Vec<Case>) -> Suite {
    let mut properties = vec![("run".to_owned(), run.run.clone())];
    if let Some(on) = &run.on {
        properties.push(("handover.version".to_owned(), on.handover.clone()));
        properties.push(("plane".to_owned(), on.plane.clone()));
        properties.push(("seed".to_owned(), on.seed.to_string()));
        for component in &on.components {
            let property = |what: &str, value: &str| (format!("{}.{what}", component.name), value.to_owned());
            properties.push(property("version", &component.version));
            properties.push(property("source", &component.source));
            properties.push(property("sha256", &component.sha256));
            properties.extend(component.image.iter().map(|image| property("image", image)));
        }
    }
    Suite { name: name.to_owned(), time, wall: run.wall.clone(), properties, cases }
}
