//! What a kustomization makes of its folder: `kustomize build`, or `kubectl kustomize`, whichever is there.
//!
//! The one program that reading a scenario starts, and only where a scenario asks for it by name. It gets no
//! environment but its search path and home.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::source::Source;

/// Program and words before the folder, the better one first.
const PROGRAMS: [(&str, &str); 2] = [("kustomize", "build"), ("kubectl", "kustomize")];

/// Builds a folder; the source is named after the folder.
pub(super) fn build(folder: &Path) -> Result<Arc<Source>, String> {
    let shown = folder.display();
    let files = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    if !files.iter().any(|name| folder.join(name).is_file()) {
        return Err(format!("`{shown}` holds no kustomization.yaml"));
    }
    for (program, word) in PROGRAMS {
        let mut command = Command::new(program);
        command.arg(word).arg(folder).stdin(Stdio::null()).env_clear();
        command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        let done = match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("`{program} {word} {shown}` does not start: {error}")),
            Ok(done) => done,
        };
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
            return Err(format!("`{program} {word} {shown}` fails ({}): {said}", done.status));
        }
        let text = String::from_utf8(done.stdout)
            .map_err(|_| format!("what `{program} {word} {shown}` prints is not UTF-8"))?;
        return Ok(Source::new(format!("{shown} (kustomize)"), text));
    }
    Err(format!(
        "neither `kustomize` nor `kubectl` is on the PATH, so `{shown}` cannot be built; `kustomize build` it \
         elsewhere and name the file that it prints"
    ))
}
