//! The `docker` program: how it is asked, so that it sees nothing but its daemon, says no more than can be
//! read, and ends.
//!
//! kind itself speaks to Docker through this program, so that it has to be there anyway; a client library
//! beside it would be a second way to be refused.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::Docker;
use super::error::DockerError;

/// How long a question may take that the daemon answers from what it knows.
pub const QUESTION: Duration = Duration::from_secs(20);
/// How long the removal of one thing may take.
pub const REMOVAL: Duration = Duration::from_secs(60);
/// Bytes of an answer that are kept; what comes after is read and dropped.
const ANSWER: u64 = 16 << 20;

impl Docker {
    /// A `docker` command for this daemon with an environment of its own: no context, no configuration and no
    /// variable of the user's reaches it.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().envs(self.environment()).current_dir("/");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What a program has to see that asks this daemon itself, like kind: where the daemon is, and how `docker`
    /// is found.
    pub fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let folder = self.program.parent().unwrap_or(Path::new("/"));
        let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        let folders = std::iter::once(folder).chain(system.map(Path::new));
        let path = std::env::join_paths(folders).unwrap_or_else(|_| "/usr/bin:/bin".into());
        vec![
            ("PATH", path),
            ("DOCKER_HOST", self.host.clone().into()),
            // A folder that is not there: no credentials, no contexts, no plugins.
            ("DOCKER_CONFIG", "/nonexistent/handover".into()),
            ("HOME", "/nonexistent".into()),
            ("LC_ALL", "C.UTF-8".into()),
        ]
    }

    /// Asks, and gives what was answered on standard output.
    ///
    /// # Errors
    /// It cannot be started, does not end in time, or says no: [`DockerError`] says which.
    pub async fn ask(&self, args: &[&str], within: Duration) -> Result<String, DockerError> {
        let told = args.join(" ");
        let hangs = || DockerError::Hangs { host: self.host.clone(), command: told.clone(), within };
        let lost = |source| DockerError::Client { program: self.program.clone(), source };
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(lost)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async { tokio::join!(child.wait(), read(stdout), read(stderr)) };
        let (status, answer, said) = tokio::time::timeout(within, work).await.map_err(|_| hangs())?;
        let status = status.map_err(lost)?;
        if status.success() {
            return Ok(answer);
        }
        Err(DockerError::of_client(&self.host, &told, format!("ended with {status}"), &said))
    }

    /// Asks about one thing; nothing if it is not there, or not any more.
    ///
    /// # Errors
    /// See [`ask`](Self::ask).
    pub async fn look(&self, args: &[&str]) -> Result<Option<String>, DockerError> {
        match self.ask(args, QUESTION).await {
            Ok(said) => Ok(Some(said)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for text in lines of tab-separated fields.
    pub(super) async fn table(&self, args: &[&str]) -> Result<Vec<Vec<String>>, DockerError> {
        let answer = self.ask(args, QUESTION).await?;
        let lines = answer.lines().filter(|line| !line.trim().is_empty());
        Ok(lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    /// The daemon's socket.
    pub fn socket(&self) -> Option<PathBuf> {
        self.host.strip_prefix("unix://").map(PathBuf::from)
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut text = Vec::new();
    let _ = (&mut pipe).take(ANSWER).read_to_end(&mut text).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&text).into_owned()
}
