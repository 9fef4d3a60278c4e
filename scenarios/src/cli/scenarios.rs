//! Which scenarios a command is about, and the two commands that only look at them.

use std::path::{Path, PathBuf};

use handover_reports::Exit;

use super::{Failure, Screen, Which};
use crate::language::scenario::Scenario;
use crate::language::{Catalogue, filter, load_and_warn};

/// Loads what was asked for: files and folders that are there, or else the catalogue of the program; and
/// of those, what the filters select.
pub(super) fn load(which: &Which, screen: &Screen) -> Result<Vec<Scenario>, Failure> {
    let (paths, filters): (Vec<_>, Vec<_>) = which.which.iter().cloned().partition(|word| is_path(word));
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

/// A word that names something on disk, or could name nothing else.
fn is_path(word: &str) -> bool {
    let path = Path::new(word);
    word.ends_with(".yaml") || word.ends_with(".yml") || word.starts_with(['.', '/']) || path.exists()
}

/// Nothing was selected.
pub(super) fn nothing(which: &Which) -> Failure {
    Failure {
        exit: Exit::NothingRan,
        message: format!(
            "no scenario matches `{}`; `handover list` says what there is",
            which.which.join(" ")
        ),
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

/// `handover list`
pub(super) fn list(which: &Which, screen: &Screen) -> Result<Exit, Failure> {
    let scenarios = load(which, screen)?;
    if scenarios.is_empty() {
        return Err(nothing(which));
    }
    for scenario in &scenarios {
        let needs: Vec<_> = scenario.needs.iter().map(String::as_str).collect();
        let mut traits = format!("needs {}", needs.join(", "));
        if scenario.exclusive {
            traits.push_str("; plays alone");
        }
        if scenario.slow {
            traits.push_str("; slow");
        }
        screen.line(&format!("{}\n    {}\n    {traits}", scenario.id, scenario.about));
        for claim in &scenario.plan.claims {
            screen.line(&format!("    settles: {} ({})", claim.claim, claim.source));
        }
    }
    Ok(Exit::Passed)
}
