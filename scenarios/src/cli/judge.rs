//! `handover judge`: the verdict of a finished run, again, from its files alone.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use handover_fixtures::cause::chain;
use handover_harness::judge::judge as judge_timeline;
use handover_harness::timeline::{Timeline, fold};
use handover_harness::verdict::RunVerdict;
use handover_reports::{Exit, exit_of, junit, terminal, verdict_json, write_atomically};

use super::{Failure, Format, JudgeArgs, Screen};

/// `handover judge`
pub(super) fn judge(args: &JudgeArgs, screen: &Screen) -> Result<Exit, Failure> {
    let verdict = of_files(&args.dir)?;
    let exit = exit_of(&verdict, false, false);
    write(&verdict, &args.dir)?;
    show(&verdict, exit, &args.dir, args.format, screen);
    Ok(exit)
}

/// Folds and judges `events.jsonl`.
pub(super) fn of_files(dir: &Path) -> Result<RunVerdict, Failure> {
    Ok(judge_timeline(&timeline(dir)?))
}

/// Folds `events.jsonl`.
pub(super) fn timeline(dir: &Path) -> Result<Timeline, Failure> {
    let path = dir.join("events.jsonl");
    let file = File::open(&path).map_err(|error| {
        Failure::usage(format!(
            "cannot read {}: {error}; is {} a run's output directory?",
            path.display(),
            dir.display()
        ))
    })?;
    fold(BufReader::new(file))
        .map_err(|error| Failure::usage(format!("{}: {}", path.display(), chain(&error))))
}

/// Writes the reports that are files.
pub(super) fn write(verdict: &RunVerdict, dir: &Path) -> Result<(), Failure> {
    let failed = |error: handover_reports::WriteError| Failure {
        exit: Exit::Environment,
        message: format!("{error}; free some space there, or name a directory of your own on another disk"),
    };
    write_atomically(&dir.join("verdict.json"), verdict_json::to_json(verdict)).map_err(failed)?;
    let attachments = junit::present(dir, &["events.jsonl"]);
    write_atomically(&dir.join("junit.xml"), junit::render(verdict, &attachments)).map_err(failed)
}

/// Prints the report.
pub(super) fn show(verdict: &RunVerdict, exit: Exit, dir: &Path, format: Format, screen: &Screen) {
    screen.out(&match format {
        Format::Human => terminal::render(verdict, exit, dir, &screen.style),
        Format::Json => verdict_json::to_json(verdict),
    });
}
