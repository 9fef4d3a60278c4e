//! Images that a daemon fetches from a registry.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::Docker;
use super::error::DockerError;

/// How long a registry may say nothing.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a pull may take.
const PULL: Duration = Duration::from_secs(15 * 60);

impl Docker {
    /// Has the daemon pull an image, with the credentials in a folder of Docker's configuration, if one is given. The
    /// first line is said when the registry has answered: without it there is none.
    ///
    /// # Errors
    /// Nobody answers, or the daemon says no.
    pub async fn pull(&self, name: &str, configuration: Option<&Path>) -> Result<(), DockerError> {
        let told = format!("pull {name}");
        let lost = |source| DockerError::Client { program: self.program.clone(), source };
        let mut command = self.command(["pull", name]);
        command.envs(configuration.map(|folder| ("DOCKER_CONFIG", folder)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(lost)?;
        let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(lost(io::ErrorKind::BrokenPipe.into()));
        };
        let work = async {
            let mut lines = BufReader::new(stdout).lines();
            let first = tokio::time::timeout(ANSWER, lines.next_line()).await;
            let silent = |_| DockerError::Silent { image: name.to_owned(), within: ANSWER };
            first.map_err(silent)?.map_err(lost)?;
            let rest = async { while let Ok(Some(_)) = lines.next_line().await {} };
            let mut said = String::new();
            let (_, _, status) = tokio::join!(rest, stderr.read_to_string(&mut said), child.wait());
            let status = status.map_err(lost)?;
            if status.success() {
                return Ok(());
            }
            Err(DockerError::of_client(&self.host, &told, format!("ended with {status}"), &said))
        };
        let hangs = |_| DockerError::Hangs { host: self.host.clone(), command: told.clone(), within: PULL };
        tokio::time::timeout(PULL, work).await.map_err(hangs)?
    }
}
