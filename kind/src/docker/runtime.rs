//! The OCI runtime of a machine that withholds capabilities: takes them out of what is asked for, and then is
//! the real runtime.
//!
//! `docker run --privileged` and `docker exec --privileged` ask for every capability that the kernel knows,
//! and the real runtime refuses to start what cannot have them all. kind asks so for each node.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::capability::Bounding;

/// The options before the command that have a value.
const GLOBAL: [&str; 5] = ["--root", "--log", "--log-format", "--criu", "--rootless"];

/// Why a container could not be handed on to the real runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// What this machine lets anybody have is not known.
    #[error("cannot see which capabilities this machine has")]
    Capabilities(#[source] io::Error),
    /// What is to be started cannot be read or written.
    #[error("cannot edit `{path}`")]
    Spec {
        /// The bundle's `config.json`, or the process to start in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The real runtime cannot be started.
    #[error("cannot start `{path}`; is the component cache whole? (`handover components verify`)")]
    Runtime {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Becomes the runtime `runc` with `args`, after what it is to start asks for nothing that cannot be had.
/// Returns only if it cannot.
pub fn become_runtime(runc: &Path, args: &[OsString]) -> RuntimeError {
    match spec(args).map_or(Ok(()), |path| edit(&path)) {
        Ok(()) => RuntimeError::Runtime { path: runc.into(), source: Command::new(runc).args(args).exec() },
        Err(error) => error,
    }
}

/// The file that says what will be started, if this is a command that starts something.
fn spec(args: &[OsString]) -> Option<PathBuf> {
    let mut words = args.iter();
    let command = loop {
        let word = words.next()?;
        if GLOBAL.iter().any(|option| word == option) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            break word;
        }
    };
    let rest = words.as_slice();
    match command.to_str()? {
        "create" | "run" | "restore" => {
            let bundle = option(rest, &["--bundle", "-b"]).unwrap_or_else(|| ".".into());
            Some(Path::new(&bundle).join("config.json"))
        }
        "exec" => option(rest, &["--process", "-p"]).map(PathBuf::from),
        _ => None,
    }
}

/// The value of an option, in either spelling.
fn option(args: &[OsString], names: &[&str]) -> Option<OsString> {
    args.iter().enumerate().find_map(|(at, word)| {
        if names.iter().any(|name| word == name) {
            return args.get(at + 1).cloned();
        }
        let (name, value) = word.to_str()?.split_once('=')?;
        names.contains(&name).then(|| OsStr::new(value).to_owned())
    })
}

fn edit(path: &Path) -> Result<(), RuntimeError> {
    let held = Bounding::of_this_process().map_err(RuntimeError::Capabilities)?;
    let wrong = |source| RuntimeError::Spec { path: path.into(), source };
    let mut spec: Value =
        serde_json::from_slice(&fs::read(path).map_err(wrong)?).map_err(|error| wrong(error.into()))?;
    if !restrict(&mut spec, |name| held.has(name)) {
        return Ok(());
    }
    // Beside it and in its place by a rename: nobody reads half of it.
    let text = serde_json::to_vec(&spec).map_err(|error| wrong(error.into()))?;
    let mut new = path.as_os_str().to_owned();
    new.push(".handover");
    let mode = fs::metadata(path).map_err(wrong)?.permissions();
    // Nobody but root reads it before it has the mode of what it replaces: a process's environment is in it.
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    file.and_then(|mut file| file.write_all(&text)).map_err(wrong)?;
    fs::set_permissions(&new, mode).map_err(wrong)?;
    fs::rename(&new, path).map_err(wrong)
}

/// Takes what cannot be had out of all capability sets of a bundle, or of a process. Answers whether
/// anything was.
fn restrict(spec: &mut Value, has: impl Fn(&str) -> bool) -> bool {
    let bundle = spec.get("process").is_some();
    let place = if bundle { "/process/capabilities" } else { "/capabilities" };
    let Some(Value::Object(sets)) = spec.pointer_mut(place) else { return false };
    let mut taken = false;
    for set in sets.values_mut().filter_map(Value::as_array_mut) {
        let before = set.len();
        set.retain(|name| name.as_str().is_none_or(&has));
        taken |= set.len() < before;
    }
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn of(line: &str) -> Option<String> {
        spec(&args(line)).map(|path| path.display().to_string())
    }

    #[test]
    fn what_is_to_be_started_is_found_in_the_words_of_containerd() {
        let log = "--root /r --log /b/log.json --log-format json";
        assert_eq!(
            of(&format!("{log} create --bundle /b --pid-file /b/init.pid abc")).unwrap(),
            "/b/config.json"
        );
        assert_eq!(of(&format!("{log} --systemd-cgroup exec --process /p abc")).unwrap(), "/p");
        assert_eq!(of("run -b=/b abc").unwrap(), "/b/config.json");
        assert_eq!(of("--debug exec -p /p --detach abc").unwrap(), "/p");
        assert_eq!(of("create abc").unwrap(), "./config.json");
        // Words in the wrong place are no commands.
        assert_eq!(of("--root create state abc"), None);
        assert_eq!(of("kill create"), None);
        assert_eq!(of("exec abc ls"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_cannot_be_had_is_taken_out_of_every_set_and_nothing_else() {
        let sets = |names: &[&str]| json!({ "bounding": names, "effective": names, "ambient": [] });
        let has = |name: &str| name != "CAP_SYS_RESOURCE";
        let mut bundle = json!({
            "ociVersion": "1.0.2", "root": { "path": "r" },
            "process": { "args": ["CAP_SYS_RESOURCE"], "capabilities": sets(&["CAP_KILL", "CAP_SYS_RESOURCE"]) },
        });
        assert!(restrict(&mut bundle, has));
        assert_eq!(
            bundle,
            json!({
                "ociVersion": "1.0.2", "root": { "path": "r" },
                "process": { "args": ["CAP_SYS_RESOURCE"], "capabilities": sets(&["CAP_KILL"]) },
            })
        );
        assert!(!restrict(&mut bundle, has));
        let mut process = json!({ "args": ["x"], "capabilities": sets(&["CAP_SYS_RESOURCE"]) });
        assert!(restrict(&mut process, has));
        assert_eq!(process, json!({ "args": ["x"], "capabilities": sets(&[]) }));
    }

    #[test]
    fn odd_specs_are_left_to_the_real_runtime() {
        for mut odd in [json!({}), json!([]), json!({ "process": null }), json!({ "capabilities": [1] })] {
            let before = odd.clone();
            assert!(!restrict(&mut odd, |_| false));
            assert_eq!(odd, before);
        }
        let mut numbers = json!({ "capabilities": { "bounding": [7, "CAP_KILL"], "odd": 3 } });
        assert!(restrict(&mut numbers, |_| false));
        assert_eq!(numbers, json!({ "capabilities": { "bounding": [7], "odd": 3 } }));
    }

    #[test]
    fn a_spec_is_edited_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        fs::write(&path, "{").unwrap();
        let said = edit(&path).unwrap_err().to_string();
        assert!(said.contains("config.json"), "{said}");
        let spec = json!({ "process": { "capabilities": { "bounding": ["CAP_KILL"] } } });
        fs::write(&path, spec.to_string()).unwrap();
        edit(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_runtime_that_is_not_there_is_named() {
        let error = become_runtime(Path::new("/none/runc"), &args("state abc"));
        assert!(error.to_string().contains("/none/runc"), "{error}");
    }
}
