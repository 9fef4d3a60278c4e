//! The report for people, as golden files: `cargo insta review`, or `INSTA_UPDATE=always cargo test`.

use std::path::Path;

use handover_harness::verdict::RunVerdict;
use handover_reports::{Style, exit_of, terminal};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use crate::samples;

fn rendered(run: &RunVerdict, style: Style) -> String {
    let exit = exit_of(run, false, false);
    terminal::render(run, exit, Path::new("target/handover/20261123-165000-7f3a"), &style)
}

#[test]
fn all_pass() {
    let run = samples::run(vec![samples::passing(), samples::claiming()]);
    insta::assert_snapshot!(rendered(&run, Style::default()));
}

#[test]
fn scheduled_on_a_model_with_a_pin() {
    let run = samples::run(vec![samples::scheduled()]);
    insta::assert_snapshot!(rendered(&run, Style::default()));
}

#[test]
fn mixed() {
    insta::assert_snapshot!(rendered(&samples::mixed(), Style::default()));
}

#[test]
fn mixed_in_colour_and_narrow() {
    let style = Style { colour: true, width: 72 };
    insta::assert_snapshot!(rendered(&samples::mixed(), style).replace('\u{1b}', "␛"));
}

#[test]
fn broken_before_anything_was_known() {
    let mut run = samples::run(Vec::new());
    (run.on, run.calibration) = (None, None);
    run.servers.clear();
    run.broke = Some("kube-apiserver exited at once: exit status 1; its log is kept".to_owned());
    insta::assert_snapshot!(rendered(&run, Style::default()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn foreign_text_cannot_steer_the_terminal(text in any::<String>(), width in 0usize..200) {
        let mut run = samples::mixed();
        for scenario in &mut run.scenarios {
            scenario.summary = text.clone();
            for finding in &mut scenario.findings {
                finding.seen = format!("\u{1b}]0;x\u{7}{text}\u{1b}[2J");
                finding.expected = text.clone();
            }
        }
        let report = rendered(&run, Style { colour: false, width });
        prop_assert!(report.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
