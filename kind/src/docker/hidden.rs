//! The words that this program is called back with: by a daemon of our own, and for a server in a container. No user's
//! commands.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use handover_fixtures::cause::chain;
use handover_fixtures::process::CONTAINED;

use crate::contained;

use super::own::{ROOM, become_daemon};
use super::runtime::become_runtime;

/// The word for our OCI runtime.
pub const RUNTIME: &str = "oci-runtime";

/// Does what the arguments (without the program's name) say, if they are any of these words. Has to be called
/// first of all: while there is one thread, and nothing was written. If it does what it should, it does not
/// return.
///
/// ```text
/// docker-room SCRATCH CONTAINERD-CONFIG DOCKERD [ARGUMENT]…
/// oci-runtime RUNC [ARGUMENT]…
/// contained ORDER PROGRAM [ARGUMENT]…
/// ```
pub fn answer(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter();
    let word = args.next()?;
    let said = if word == ROOM {
        let scratch = args.next()?;
        let (containerd, dockerd) = (args.next()?, args.next()?);
        let args: Vec<OsString> = args.collect();
        chain(&become_daemon(Path::new(&scratch), Path::new(&containerd), &dockerd, &args))
    } else if word == RUNTIME {
        let runc = args.next()?;
        chain(&become_runtime(Path::new(&runc), &args.collect::<Vec<_>>()))
    } else if word == CONTAINED {
        return Some(contained::answer(args));
    } else {
        return None;
    };
    let _ = writeln!(std::io::stderr(), "handover {}: {said}", word.display());
    Some(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_not_ours() {
        for words in [&[][..], &["run"], &["docker-room"], &["oci-runtime"]] {
            assert!(answer(words.iter().map(OsString::from)).is_none(), "{words:?}");
        }
    }
}
