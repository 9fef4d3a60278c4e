//! Which daemon is there: the one that the user named, or the one at Docker's own place.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::net::sockopt::socket_peercred;

use super::capability::Bounding;
use super::error::DockerError;
use super::info::{Info, Unfit};
use super::{Docker, QUESTION};

/// Docker's own place.
const DEFAULT: &str = "unix:///var/run/docker.sock";
/// Takes a daemon of our own, whatever is there: `own`.
const WISH: &str = "HANDOVER_DOCKER";

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
    /// `HANDOVER_DOCKER` is set to what means nothing.
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
            host = context(client).await.filter(|host| host != DEFAULT).map(|host| {
                let named_by = set("DOCKER_CONTEXT").map_or("Docker's context", |_| "DOCKER_CONTEXT");
                (host, named_by.to_owned())
            });
        }
        Ok(Self { host, own, client })
    }
}

/// The host of the client's current context, which is in the user's own configuration.
async fn context(client: &Path) -> Option<String> {
    let mut command = tokio::process::Command::new(client);
    command.args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).env_clear();
    for name in ["PATH", "HOME", "DOCKER_CONFIG", "DOCKER_CONTEXT"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let said = tokio::time::timeout(QUESTION, command.output()).await.ok()?.ok()?;
    let host = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    (said.status.success() && host.contains("://")).then_some(host)
}

/// What is at a daemon's socket.
#[derive(Debug)]
enum Socket {
    /// Somebody who answers, and who it is, if that can be seen.
    Open(Option<i32>),
    Denied,
    Nobody(io::Error),
}

fn knock(path: &Path) -> Socket {
    match UnixStream::connect(path) {
        // Who listened is who is told: the daemon, as long as it is in this pid namespace.
        Ok(stream) => Socket::Open(socket_peercred(&stream).ok().map(|peer| peer.pid.as_raw_pid())),
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
    let peer = match (knock(Path::new(path)), &wish.host) {
        (Socket::Open(peer), _) => peer,
        (Socket::Denied, _) => return Err(DockerError::Denied { host: host.to_owned() }),
        (Socket::Nobody(_), None) => return Ok(None),
        (Socket::Nobody(why), Some((_, named_by))) => {
            let (host, named_by, why) = (host.to_owned(), named_by.clone(), why.to_string());
            return Err(DockerError::NamedDaemon { host, named_by, why });
        }
    };
    let program = wish.client.clone().ok_or_else(|| DockerError::NoClient { host: host.to_owned() })?;
    let docker = Docker { program, host: host.to_owned() };
    let info = docker.info().await?;
    let bounding = peer.and_then(|pid| Bounding::of(pid).ok()).or_else(|| Bounding::of_this_process().ok());
    let lacking = bounding.map(|bounding| bounding.lacking()).unwrap_or_default();
    Ok(Some(Theirs { docker, info, lacking }))
}

/// Whether this user can start a daemon of our own.
pub(super) fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Where a daemon is looked for.
pub(super) fn place_of(wish: &Wish) -> &str {
    wish.host.as_ref().map_or(DEFAULT, |(host, _)| host)
}
