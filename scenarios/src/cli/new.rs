//! `handover new`: a commented scenario and its manifests, to begin with.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use handover_reports::Exit;

use super::{Failure, Screen};
use crate::language::is_scenario_name;

const SCENARIO: &str = include_str!("../../starter/scenario.yaml");
const MANIFESTS: &str = include_str!("../../starter/manifests.yaml");

/// Writes both; whatever is there stays as it is.
pub(super) fn new(name: &str, dir: &Path, screen: &Screen) -> Result<Exit, Failure> {
    if !is_scenario_name(name) {
        return Err(Failure::usage(format!(
            "`{name}` cannot be a scenario's name: small letters, digits and `-`, in parts divided by `/`"
        )));
    }
    let stem = name.rsplit('/').next().unwrap_or(name);
    let manifests = format!("{stem}-manifests.yaml");
    let scenario = SCENARIO.replace("@NAME@", name).replace("@MANIFESTS@", &manifests);
    let files: [(PathBuf, &str); 2] =
        [(dir.join(format!("{stem}.yaml")), &scenario), (dir.join(manifests), MANIFESTS)];
    // Both or none: a scenario without its manifests would not load.
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!("{} is there already; name another", path.display())));
    }
    for (path, text) in &files {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?;
        screen.line(&path.display().to_string());
    }
    screen.remark(&format!("play it: handover run {}", files[0].0.display()));
    Ok(Exit::Passed)
}
