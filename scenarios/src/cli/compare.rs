//! `handover compare`: two runs side by side, plane against plane or version against version.

use std::path::{Path, PathBuf};

use handover_harness::compare::compare as compare_runs;
use handover_harness::verdict::RunVerdict;
use handover_reports::{Exit, comparison, exit_of_comparison};

use super::{CompareArgs, Failure, Screen, Summary, judge};

/// `handover compare`
pub(super) fn compare(args: &CompareArgs, screen: &Screen) -> Result<Exit, Failure> {
    let found = compare_runs(&rounds(&args.a)?, &rounds(&args.b)?);
    let exit = exit_of_comparison(found.outcome());
    show(&found, exit, args.format, screen);
    Ok(exit)
}

/// Prints a comparison.
pub(super) fn show(
    found: &handover_harness::compare::Comparison,
    exit: Exit,
    format: Summary,
    screen: &Screen,
) {
    screen.out(&match format {
        Summary::Human => comparison::terminal(found, exit, &screen.style),
        Summary::Markdown => comparison::markdown(found),
        Summary::Json => comparison::to_json(found),
    });
}

/// The run of a directory, or the runs of its folders: several rounds of one side. Each is judged again, from its
/// events.
fn rounds(dir: &Path) -> Result<Vec<RunVerdict>, Failure> {
    let holds = |dir: &Path| dir.join("events.jsonl").exists();
    if holds(dir) {
        return Ok(vec![judge::of_files(dir)?]);
    }
    let within = std::fs::read_dir(dir)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", dir.display())))?;
    let mut runs: Vec<PathBuf> =
        within.flatten().map(|entry| entry.path()).filter(|dir| holds(dir)).collect();
    runs.sort();
    if runs.is_empty() {
        return Err(Failure::usage(format!(
            "{} holds no run: name the output directory of `handover run`, or a folder of several",
            dir.display()
        )));
    }
    runs.iter().map(|dir| judge::of_files(dir)).collect()
}
