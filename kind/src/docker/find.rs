//! Which daemon is there: the one that the user named, or the one at Docker's own place.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::UnixStream;

use super::capability::Bounding;
use super::error::{DockerError, last_words};
use super::info::{Info, OWN, Unfit};
use super::{Docker, QUESTION};

/// Docker's own place.
const DEFAULT: &str = "unix:///var/run/docker.sock";
/// Takes a daemon of our own, whatever is there: `own`.
const WISH: &str = "HANDOVER_DOCKER";

/// What names a daemon where no variable does.
const CURRENT: &str = "Docker's context";

/// What the user wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// A daemon that is named, and by what.
    pub host: Option<(String, String)>,
    /// A daemon of our own, whatever is there.
    pub own: bool,
    /// The client on the PATH.
    pub client: Option<PathBuf>,
}

/// A daemon of the user's that answers.
#[derive(Clone, Debug)]
pub struct Theirs {
    /// How it is asked.
    pub docker: Docker,
    /// What it is.
    pub info: Info,
    /// The capabilities that it cannot give.
    pub lacking: Vec<&'static str>,
}

impl Wish {
    /// What the environment of this process says: `HANDOVER_DOCKER`, `DOCKER_HOST`, or the client's context.
    ///
    /// # Errors
    /// `HANDOVER_DOCKER` is set to what means nothing, or there is no such context.
    pub async fn of_process() -> Result<Self, DockerError> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let own = match set(WISH).as_deref() {
            None => false,
            Some("own") => true,
            Some(other) => return Err(DockerError::Wish { value: other.to_owned() }),
        };
        let client = which::which("docker").ok();
        let mut host = set("DOCKER_HOST").map(|host| (host, "DOCKER_HOST".to_owned()));
        if let (false, None, Some(client)) = (own, &host, &client) {
            let named_by = set("DOCKER_CONTEXT").map_or(CURRENT, |_| "DOCKER_CONTEXT");
            let inspected = context(client).await;
            let context = host_of(named_by, inspected)?.filter(|host| host != DEFAULT);
            host = context.map(|host| (host, named_by.to_owned()));
        }
        Ok(Self { host, own, client })
    }

    /// Nobody's daemon by its name: what is known of besides can be asked.
    pub(super) fn for_none() -> Self {
        Self { host: None, own: true, client: which::which("docker").ok() }
    }

    /// The same client, for the daemon there.
    pub(super) fn at(&self, host: &str) -> Self {
        Self { host: Some((host.to_owned(), "a run".to_owned())), own: false, client: self.client.clone() }
    }

    /// What to say where there is no daemon, and this user may not start one.
    pub(super) fn in_vain(&self) -> DockerError {
        match self.own {
            true => DockerError::NotRoot,
            false => DockerError::NoDaemon { host: place_of(self).to_owned() },
        }
    }
}

/// What the client says of its current context, which is in the user's own configuration; or what it complains of.
async fn context(client: &Path) -> Result<String, String> {
    let mut command = tokio::process::Command::new(client);
    command.args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).env_clear();
    for name in ["PATH", "HOME", "DOCKER_CONFIG", "DOCKER_CONTEXT"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(QUESTION, command.output()).await;
    let ended = ended.map_err(|_| format!("it did not answer within {} s", QUESTION.as_secs()))?;
    let ended = ended.map_err(|error| error.to_string())?;
    match ended.status.success() {
        true => Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned()),
        false => Err(last_words(&String::from_utf8_lossy(&ended.stderr))),
    }
}

/// The host of that context, if it names one. A client that knows no contexts has none that could be named: its complaint
/// counts only where somebody named one, or where it misses the one that its configuration names.
fn host_of(named_by: &'static str, inspected: Result<String, String>) -> Result<Option<String>, DockerError> {
    match inspected {
        Ok(host) => Ok(host.contains("://").then_some(host)),
        Err(said) if named_by != CURRENT || said.contains("not found") => {
            Err(DockerError::Context { named_by, said })
        }
        Err(_) => Ok(None),
    }
}

/// What is at a daemon's socket.
#[derive(Debug)]
enum Socket {
    /// Somebody who answers, and who it is, if that can be seen.
    Open(Option<i32>),
    Denied,
    Nobody(io::Error),
}

async fn knock(path: &Path) -> Socket {
    match UnixStream::connect(path).await {
        // Who listened is who is told: the daemon, or whoever opened the socket for it.
        Ok(stream) => Socket::Open(stream.peer_cred().ok().and_then(|peer| peer.pid())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Socket::Denied,
        Err(error) => Socket::Nobody(error),
    }
}

/// The user's daemon, if one answers and will do; nothing if none is there that anybody named.
///
/// # Errors
/// The one that the user named does not answer, or the one that answers will not do.
pub async fn find(wish: &Wish) -> Result<Option<Theirs>, DockerError> {
    let found = look(wish).await?;
    if let Some(theirs) = &found
        && let Err(Unfit { why, advice }) = theirs.info.judge(&theirs.lacking)
    {
        return Err(DockerError::Unfit { host: theirs.docker.host.clone(), why, advice });
    }
    Ok(found)
}

/// The user's daemon, if one answers whose containers can be reached from here, whether a cluster can be there or not.
///
/// # Errors
/// The one that the user named does not answer, or the one that answers is too far away.
pub async fn near(wish: &Wish) -> Result<Option<Theirs>, DockerError> {
    let found = look(wish).await?;
    if let Some(theirs) = &found
        && let Err(Unfit { why, advice }) = theirs.info.is_near()
    {
        return Err(DockerError::Unfit { host: theirs.docker.host.clone(), why, advice });
    }
    Ok(found)
}

/// The user's daemon, if one answers, whether it will do or not.
pub(super) async fn look(wish: &Wish) -> Result<Option<Theirs>, DockerError> {
    if wish.own {
        return Ok(None);
    }
    let host = wish.host.as_ref().map_or(DEFAULT, |(host, _)| host);
    let Some(path) = host.strip_prefix("unix://") else {
        return Err(DockerError::Unfit {
            host: host.to_owned(),
            why: "it is not a socket of this machine, and containers of another one cannot be reached by address"
                .into(),
            advice: "unset DOCKER_HOST, or take another context".into(),
        });
    };
    let peer = match (knock(Path::new(path)).await, &wish.host) {
        (Socket::Open(peer), _) => peer,
        (Socket::Denied, _) => return Err(DockerError::Denied { host: host.to_owned() }),
        (Socket::Nobody(_), None) => return Ok(None),
        (Socket::Nobody(why), Some((_, named_by))) => {
            let (host, named_by, why) = (host.to_owned(), named_by.clone(), why.to_string());
            return Err(DockerError::NamedDaemon { host, named_by, why });
        }
    };
    if let Err(Unfit { why, advice }) = peer.map_or(Ok(()), is_in_reach) {
        return Err(DockerError::Unfit { host: host.to_owned(), why, advice });
    }
    let program = wish.client.clone().ok_or_else(|| DockerError::NoClient { host: host.to_owned() })?;
    let docker = Docker { program, host: host.to_owned() };
    let info = docker.info().await?;
    let bounding = peer.and_then(|pid| Bounding::of(pid).ok()).or_else(|| Bounding::of_this_process().ok());
    let lacking = bounding.map(|bounding| bounding.lacking()).unwrap_or_default();
    Ok(Some(Theirs { docker, info, lacking }))
}

/// Whether whoever listens is a process that can be seen from here. The number of one outside of this pid namespace is 0:
/// its socket was handed into a container, whose files it does not see, and whose way to its other containers it blocks.
fn is_in_reach(peer: i32) -> Result<(), Unfit> {
    if peer != 0 {
        return Ok(());
    }
    Err(Unfit {
        why: "it is outside of the container that this is: it sees none of the files here, and its other containers \
              cannot be reached by address"
            .into(),
        advice: format!("run handover where that daemon runs; or, in a privileged container, {OWN}"),
    })
}

/// Whether this user can start a daemon of our own.
pub(super) fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Where a daemon is looked for.
pub(super) fn place_of(wish: &Wish) -> &str {
    wish.host.as_ref().map_or(DEFAULT, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_somebody_named_has_to_be_there() {
        let no_such = || Err("context \"prod\": context not found: open /x/meta.json".to_owned());
        let unknown = || Err("unknown command context".to_owned());
        let named = "DOCKER_CONTEXT";
        assert_eq!(host_of(named, Ok("unix:///s".into())).unwrap().as_deref(), Some("unix:///s"));
        assert_eq!(host_of(CURRENT, Ok(String::new())).unwrap(), None);
        assert_eq!(host_of(CURRENT, unknown()).unwrap(), None);
        for error in [host_of(named, no_such()), host_of(named, unknown()), host_of(CURRENT, no_such())] {
            let said = error.unwrap_err().to_string();
            assert!(said.starts_with("Docker's client cannot say where its daemon is"), "{said}");
        }
    }

    #[test]
    fn a_socket_that_was_handed_into_a_container_will_not_do() {
        assert_eq!(is_in_reach(1), Ok(()));
        let unfit = is_in_reach(0).unwrap_err();
        assert!(unfit.why.contains("outside of the container") && unfit.advice.contains(OWN), "{unfit:?}");
    }

    #[test]
    fn who_wishes_for_one_of_our_own_hears_of_that() {
        let own = Wish { own: true, ..Wish::default() };
        assert!(own.in_vain().to_string().starts_with("HANDOVER_DOCKER=own takes"));
        assert!(Wish::default().in_vain().to_string().contains("/var/run/docker.sock"));
    }
}
