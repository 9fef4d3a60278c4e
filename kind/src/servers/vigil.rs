//! Whether the node still lives: Docker is asked to tell when its container ends, and an end that nobody wanted is its
//! death. Without it a cluster that dies would look like servers that are slow.

use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::meant::Meant;
use super::site::Node;

/// How often it is seen whether a node that was meant to go away is back.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches the node until it dies, or this is dropped.
pub struct Vigil {
    death: Arc<OnceLock<String>>,
    _watching: AbortOnDropHandle<()>,
}

impl Vigil {
    /// Begins to watch. Must be called inside a Tokio runtime.
    pub fn over(node: Node, meant: Meant) -> Self {
        let death = Arc::<OnceLock<String>>::default();
        let told = Arc::clone(&death);
        let watching = async move {
            loop {
                let end = end_of(&node).await;
                if !meant.all_is_away() {
                    let _ = told.set(end);
                    return;
                }
                while meant.all_is_away() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        Self { death, _watching: AbortOnDropHandle::new(tokio::spawn(watching)) }
    }

    /// How it ended, if nobody wanted that.
    pub fn death(&self) -> Option<String> {
        self.death.get().cloned()
    }
}

/// Waits until its container ends, and says how.
async fn end_of(node: &Node) -> String {
    let mut command = node.docker.command(["wait", &node.name]);
    match command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await {
        Ok(said) if said.status.success() => {
            format!("its container ended with status {}", String::from_utf8_lossy(&said.stdout).trim())
        }
        // The container is not there any more, or the daemon is not.
        Ok(said) => String::from_utf8_lossy(&said.stderr).trim().to_owned(),
        Err(error) => format!("Docker cannot be asked: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::Path;

    use super::*;
    use crate::docker::Docker;

    /// A client that answers when `ended` is there, and says what is in it.
    fn node(dir: &Path) -> Node {
        let program = dir.join("docker");
        let ended = dir.join("ended");
        let script = format!(
            "#!/bin/sh\necho $$ >> {0}.asked\nwhile ! [ -e {0} ]; do sleep 0.01; done\ncat {0}; rm {0}\n",
            ended.display()
        );
        // Written by a child: a file that this process had open could be busy in another test's fork.
        let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let mut shell = std::process::Command::new("/bin/sh");
        let written = shell.args(["-c", write, "sh", &script]).arg(&program).status().unwrap();
        assert!(written.success());
        let docker = Docker { program, host: "unix:///nowhere".to_owned() };
        Node { docker, name: "node".to_owned(), address: Ipv4Addr::LOCALHOST.into() }
    }

    async fn until(what: &str, seen: impl Fn() -> bool) {
        let looking = async {
            while !seen() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), looking).await.expect(what);
    }

    #[tokio::test]
    async fn only_an_end_that_nobody_wanted_is_a_death() {
        let dir = tempfile::tempdir().unwrap();
        let (ended, asked) = (dir.path().join("ended"), dir.path().join("ended.asked"));
        let times = || std::fs::read_to_string(&asked).unwrap_or_default().lines().count();
        let meant = Meant::default();
        let vigil = Vigil::over(node(dir.path()), meant.clone());
        until("it asks", || times() == 1).await;
        meant.set_all_away(true);
        std::fs::write(&ended, "0\n").unwrap();
        // Who was asked is gone once the answer was taken.
        let asked = std::fs::read_to_string(&asked).unwrap();
        until("it hears of the end", || !Path::new("/proc").join(asked.trim()).exists()).await;
        meant.set_all_away(false);
        until("it asks again once the node is back", || times() == 2).await;
        assert_eq!(vigil.death(), None);
        std::fs::write(&ended, "137\n").unwrap();
        until("it is told", || vigil.death().is_some()).await;
        assert_eq!(vigil.death().as_deref(), Some("its container ended with status 137"));
    }
}
