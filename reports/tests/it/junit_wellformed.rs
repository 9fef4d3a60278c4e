//! Whatever others say, the report stays XML and its counts stay the same.

use std::io::Write;
use std::process::{Command, Stdio};

use handover_harness::verdict::RunVerdict;
use handover_reports::junit;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::samples;
use crate::xml::read;

/// Every text of the run that comes from elsewhere says this.
fn saying(text: &str) -> RunVerdict {
    let mut run = samples::mixed();
    run.broke = Some(text.to_owned());
    for scenario in &mut run.scenarios {
        for said in [&mut scenario.scenario, &mut scenario.about, &mut scenario.summary, &mut scenario.file] {
            said.push_str(text);
        }
        for finding in &mut scenario.findings {
            finding.expected = text.to_owned();
            finding.seen = text.to_owned();
            if let Some(stopped) = &mut finding.stopped {
                stopped.last_error = Some(text.to_owned());
            }
        }
        scenario.hops.iter_mut().for_each(|row| row.credential = text.to_owned());
        scenario.claims.iter_mut().for_each(|claim| claim.claim = text.to_owned());
    }
    run
}

fn counts(xml: &str) -> [String; 3] {
    let root = read(xml);
    ["tests", "failures", "errors"].map(|count| root.get(count).to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text_leaves_the_report_well_formed(text in any::<String>(), pieces in "([<>&\"'\\]\\[|\u{0}-\u{1f}]|\\]\\]>|&#0;|<!--|🔑){0,40}") {
        for text in [text, pieces] {
            prop_assert_eq!(counts(&junit::render(&saying(&text), &["events.jsonl"])), counts(&junit::render(&saying(""), &[])));
        }
    }
}

/// A second opinion: our own reader could share a mistake with our own writer.
#[test]
fn expat_reads_it_too() {
    let nasty = [
        "",
        "]]>",
        "<![CDATA[",
        "&#0;",
        "&#27;",
        "\u{1b}[31mred",
        "\0",
        "\u{fffe}\u{ffff}",
        "\u{85}\u{2028}",
        "\r",
        "🔑",
        "<!DOCTYPE x>",
        "--><",
        "'\"",
        "\u{7f}\u{9b}",
        "\u{feff}",
        "&",
        "\u{10ffff}",
    ];
    let mut reports: Vec<String> = nasty.map(|text| junit::render(&saying(text), &["events.jsonl"])).to_vec();
    reports.push(junit::aborted("\u{1b}<&", "never", "\0\""));
    let script = "import sys, json, xml.parsers.expat\n\
                  for text in json.load(sys.stdin):\n    \
                  xml.parsers.expat.ParserCreate().Parse(text.encode(), True)";
    let child = Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3 here to ask for a second opinion");
        return;
    };
    let reports = serde_json::to_vec(&reports).unwrap();
    child.stdin.take().unwrap().write_all(&reports).unwrap();
    assert!(child.wait().unwrap().success(), "expat rejects a report");
}
