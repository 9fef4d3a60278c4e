//! Which scenarios a command is about, and `handover lint`.

use std::path::{Path, PathBuf};

use handover_reports::Exit;

use super::{Failure, Screen, Which};
use crate::language::scenario::Scenario;
use crate::language::{Catalogue, filter, load_and_warn};

/// Loads what was asked for: files and folders that are there, or else the catalogue of the program; and
/// of those, what the filters select.
pub(super) fn load(which: &Which, screen: &Screen) -> Result<Vec<Scenario>, Failure> {
    let (paths, filters): (Vec<_>, Vec<_>) =
        which.which.iter().cloned().partition(|word| filter::is_path(Path::new(""), word));
    let problems = |problems: crate::language::Problems| {
        Failure::usage(format!(
            "the scenarios do not load\n{}",
            problems.render(screen.style.colour).trim_end()
        ))
    };
    let catalogue = if paths.is_empty() {
        Catalogue::embedded()
    } else {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        Catalogue::from_paths(&paths).map_err(problems)?
    };
    let sets = which.sets();
    let (mut scenarios, warned) = load_and_warn(&catalogue, &sets).map_err(problems)?;
    if let Some(warned) = warned {
        screen.remark(&warned.render(screen.style.colour));
    }
    scenarios.retain(|scenario| filter::selects(&filters, &scenario.id));
    // A mistyped one among several would go unnoticed, and a gate with it.
    let lost = |filter: &&String| {
        !scenarios.iter().any(|scenario| filter::selects(std::slice::from_ref(*filter), &scenario.id))
    };
    let lost: Vec<&str> = filters.iter().filter(lost).map(String::as_str).collect();
    if !scenarios.is_empty() && !lost.is_empty() {
        return Err(unmatched(&lost.join("`, `")));
    }
    for name in sets.keys() {
        if !scenarios.is_empty() && !scenarios.iter().any(|scenario| scenario.vars.contains_key(name)) {
            let known: std::collections::BTreeSet<&str> =
                scenarios.iter().flat_map(|scenario| scenario.vars.keys().map(String::as_str)).collect();
            let known: Vec<_> = known.into_iter().collect();
            return Err(Failure::usage(format!(
                "no scenario that was chosen has a variable `{name}` (they have: {})",
                known.join(", ")
            )));
        }
    }
    Ok(scenarios)
}

/// Nothing was selected.
pub(super) fn nothing(which: &Which) -> Failure {
    unmatched(&which.which.join(" "))
}

fn unmatched(filters: &str) -> Failure {
    Failure {
        exit: Exit::NothingRan,
        message: format!("no scenario matches `{filters}`; `handover list` says what there is"),
    }
}

/// `handover lint`
pub(super) fn lint(which: &Which, screen: &Screen) -> Result<Exit, Failure> {
    let scenarios = load(which, screen)?;
    if scenarios.is_empty() {
        return Err(nothing(which));
    }
    let plural = if scenarios.len() == 1 { "" } else { "s" };
    screen.line(&format!("{} scenario{plural}, no error", scenarios.len()));
    Ok(Exit::Passed)
}
