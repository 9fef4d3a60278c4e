//! What can be wrong with Docker, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use handover_fixtures::components::ResolveError;

use super::runtime::RuntimeError;

/// What the kind plane needs Docker for cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// A variable means nothing.
    #[error(
        "HANDOVER_DOCKER={value} means nothing; `own` takes a Docker daemon of our own, whatever is there"
    )]
    Wish {
        /// What it is set to.
        value: String,
    },
    /// Nobody answers, and this user may not start a daemon.
    #[error(
        "no Docker daemon answers at {host}, and only root can start one of our own; start Docker, set DOCKER_HOST, \
         or run as root"
    )]
    NoDaemon {
        /// Where one was looked for.
        host: String,
    },
    /// One of our own is wished for, and this user may not start it.
    #[error(
        "HANDOVER_DOCKER=own takes a Docker daemon of our own, and only root can start one; run as root, or unset \
         HANDOVER_DOCKER for the daemon that is there"
    )]
    NotRoot,
    /// The client's context makes no sense, and with it where the daemon is.
    #[error(
        "Docker's client cannot say where its daemon is ({named_by}): {said}; name another context, or set DOCKER_HOST"
    )]
    Context {
        /// What names the context.
        named_by: &'static str,
        /// What the client said.
        said: String,
    },
    /// Runs used a daemon that cannot be asked any more.
    #[error(
        "runs used the Docker daemon at {host}, and what they left there could not be looked at ({why}); start it and say \
         `handover gc` again, or, if it is gone for good, remove `{}`", .record.display()
    )]
    Lost {
        /// Where it was.
        host: String,
        /// Why it cannot be asked.
        why: String,
        /// Where it stands that they used it.
        record: PathBuf,
    },
    /// The daemon that the user named does not answer.
    #[error(
        "no Docker daemon answers at {host}, which {named_by} names: {why}; start it, or unset {named_by} for one \
         of our own (as root)"
    )]
    NamedDaemon {
        /// Where.
        host: String,
        /// The variable, or the context.
        named_by: String,
        /// What the system said.
        why: String,
    },
    /// The socket may not be used by this user.
    #[error(
        "the Docker daemon at {host} lets this user not in; add the user to the group `docker`, or run as root"
    )]
    Denied {
        /// Where.
        host: String,
    },
    /// A cluster that was kept is at another daemon.
    #[error(
        "cluster `{name}` is at the Docker daemon at {host}, and this is the one at {asked}; set DOCKER_HOST to {host}, or \
         HANDOVER_DOCKER=own where it is our own"
    )]
    Elsewhere {
        /// The cluster.
        name: String,
        /// Where it was made.
        host: String,
        /// Who would be asked now.
        asked: String,
    },
    /// A daemon that answers cannot carry a cluster that is tested from here.
    #[error("the Docker daemon at {host} will not do: {why}; {advice}")]
    Unfit {
        /// Where.
        host: String,
        /// What it is.
        why: String,
        /// What to do.
        advice: String,
    },
    /// There is no `docker` program.
    #[error(
        "there is no `docker` program on the PATH, which is needed beside the daemon at {host}; install Docker's client"
    )]
    NoClient {
        /// Where the daemon is.
        host: String,
    },
    /// The program cannot be started.
    #[error("cannot start `{program}`")]
    Client {
        /// Which.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon went away.
    #[error("the Docker daemon at {host} is gone: `docker {command}` said: {said}")]
    Gone {
        /// Where it was.
        host: String,
        /// What was asked.
        command: String,
        /// What the client said.
        said: String,
    },
    /// The disk is full.
    #[error(
        "the Docker daemon at {host} has no space left: `docker {command}` said: {said}; free some where it keeps its \
         data, which for one of our own is HANDOVER_CACHE"
    )]
    NoSpace {
        /// Where it is.
        host: String,
        /// What was asked.
        command: String,
        /// What the client said.
        said: String,
    },
    /// A registry does not answer in time.
    #[error("no registry answered for `{image}` within {} s", within.as_secs())]
    Silent {
        /// The image.
        image: String,
        /// How long was waited.
        within: Duration,
    },
    /// It does not answer in time.
    #[error(
        "`docker {command}` did not end within {} s; the daemon at {host} hangs, or the machine is overloaded",
        within.as_secs()
    )]
    Hangs {
        /// Where.
        host: String,
        /// What was asked.
        command: String,
        /// How long was waited.
        within: Duration,
    },
    /// It said no.
    #[error("`docker {command}` {outcome}: {said}")]
    Refused {
        /// What was asked.
        command: String,
        /// How the client ended.
        outcome: String,
        /// What it said.
        said: String,
    },
    /// An answer makes no sense.
    #[error("`docker {command}` answered with what is no answer ({why}): {said}")]
    Nonsense {
        /// What was asked.
        command: String,
        /// What is wrong with it.
        why: String,
        /// The beginning of the answer.
        said: String,
    },
    /// A daemon of our own did not come up.
    #[error("the Docker daemon of our own {what}; its log is {log}, and ends with: {tail}")]
    Start {
        /// What happened.
        what: String,
        /// Where it writes.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// A daemon of our own that is used does not answer.
    #[error(
        "the Docker daemon of our own does not answer ({why}), and a run that is not over uses it; wait for that, or \
         stop it, and try again"
    )]
    Busy {
        /// What it was asked, and what came.
        why: String,
    },
    /// What our own daemon left cannot be removed.
    #[error("processes of the Docker daemon of our own are still there: {alive}; end them by hand")]
    Left {
        /// Which.
        alive: String,
    },
    /// The place of our own daemon is too deep for a socket.
    #[error(
        "`{path}` is too long for a socket ({} bytes, and 107 are allowed); set HANDOVER_CACHE to a shorter path",
        path.as_os_str().len()
    )]
    LongPath {
        /// The socket.
        path: PathBuf,
    },
    /// What a kubelet changed of the machine cannot be put back by this user.
    #[error("what a cluster changed of this machine is still so ({why}); root puts it back: sysctl -w {all}")]
    Settings {
        /// Why a container cannot.
        why: String,
        /// Each with the value that it had.
        all: String,
    },
    /// A file cannot be made, read, or written.
    #[error("cannot {what} `{path}`; is the disk full, read-only, or somebody else's?")]
    Disk {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A daemon of our own died, and its programs are not in the cache any more.
    #[error(
        "the Docker daemon of our own died, and `{programs}` is gone, so that nobody can clear up what it left; remove \
         `{data}` by hand, and bridges (`ip link`)"
    )]
    NoPrograms {
        /// The daemon's program.
        programs: PathBuf,
        /// Its data.
        data: PathBuf,
    },
    /// Docker's programs cannot be had.
    #[error(transparent)]
    Component(#[from] Box<ResolveError>),
    /// This machine's capabilities are not known.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

impl DockerError {
    pub(crate) fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { what, path, source }
    }

    /// Whether this user may not: a file of the system's that belongs to root, or that a container cannot write.
    pub(super) fn is_denial(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        let Self::Disk { source, .. } = self else { return false };
        [PermissionDenied, ReadOnlyFilesystem].contains(&source.kind())
    }

    /// Whether what was asked about is not there: gone meanwhile, or never there.
    pub(super) fn is_absence(&self) -> bool {
        let signs = ["no such", "not found"];
        let Self::Refused { said, .. } = self else { return false };
        signs.iter().any(|sign| said.to_lowercase().contains(sign))
    }

    /// What a client that failed meant by what it said.
    pub(crate) fn of_client(host: &str, command: &str, outcome: String, said: &str) -> Self {
        let (command, said) = (command.to_owned(), last_words(said));
        let low = said.to_lowercase();
        let any = |signs: &[&str]| signs.iter().any(|sign| low.contains(sign));
        let host = host.to_owned();
        // What it says of others, like a registry that refuses, it says itself.
        let answered = any(&["error response from daemon"]);
        if any(&["no space left on device", "disk quota exceeded"]) {
            Self::NoSpace { host, command, said }
        } else if any(&["permission denied while trying to connect"]) {
            Self::Denied { host }
        } else if !answered
            && any(&[
                "cannot connect to the docker daemon",
                "is the docker daemon running",
                "error during connect",
                "connection refused",
                "connection reset by peer",
                "server misbehaving",
                "unexpected eof",
            ])
        {
            Self::Gone { host, command, said }
        } else {
            Self::Refused { command, outcome, said }
        }
    }
}

/// The end of what a program said, on one line and without what moves a terminal.
pub(super) fn last_words(said: &str) -> String {
    const LINES: usize = 4;
    const LENGTH: usize = 600;
    let lines: Vec<String> = said
        .lines()
        .map(|line| line.trim().chars().filter(|c| !c.is_control()).collect::<String>())
        .filter(|line: &String| !line.is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join(" | ");
    let start = last.char_indices().rev().nth(LENGTH).map_or(0, |(at, _)| at);
    if last.is_empty() { "nothing".to_owned() } else { last[start..].to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> DockerError {
        DockerError::of_client("unix:///s", "ps --all", "ended with exit status: 1".into(), words)
    }

    #[test]
    fn what_a_client_says_is_understood() {
        let denied =
            "permission denied while trying to connect to the Docker daemon socket at unix:///s: dial unix";
        assert!(matches!(said(denied), DockerError::Denied { .. }));
        for gone in [
            "Cannot connect to the Docker daemon at unix:///s. Is the docker daemon running?",
            "error during connect: Get \"http://%2Fs/v1.41/info\": EOF",
        ] {
            assert!(matches!(said(gone), DockerError::Gone { .. }), "{gone}");
        }
        let registry =
            "Error response from daemon: Get \"http://127.0.0.1:1/v2/\": dial tcp: connection refused";
        assert!(matches!(said(registry), DockerError::Refused { .. }));
        let full = "Error response from daemon: write /x: no space left on device";
        assert!(matches!(said(full), DockerError::NoSpace { .. }));
        assert_eq!(
            said("Error response from daemon: No such container: x\n").to_string(),
            "`docker ps --all` ended with exit status: 1: Error response from daemon: No such container: x"
        );
        assert!(said("").to_string().ends_with(": nothing"));
    }

    #[test]
    fn last_words_are_few_and_harmless() {
        assert_eq!(last_words("a\n\n\x1b[31mb\n"), "a | [31mb");
        assert_eq!(last_words("1\n2\n3\n4\n5\n6"), "3 | 4 | 5 | 6");
        assert!(last_words(&"ü".repeat(9000)).chars().count() <= 601);
    }
}
