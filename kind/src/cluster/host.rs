//! What of this machine a cluster's configuration hangs on: detected, never assumed.

use crate::docker::{Bounding, Docker, DockerError};

/// What of this machine a cluster's configuration hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Whether the daemon's containers have cgroup v1.
    pub cgroup_v1: bool,
    /// Whether nobody here may prefer a process when memory is short: a capability is withheld.
    pub bounded: bool,
}

impl Host {
    /// Asks the daemon, and looks at what this process may ever do.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub async fn detect(docker: &Docker) -> Result<Self, DockerError> {
        let info = docker.info().await?;
        // Where the kernel does not say what it withholds, it withholds nothing.
        let lacking = Bounding::of_this_process().map(|bounding| bounding.lacking()).unwrap_or_default();
        Ok(Self { cgroup_v1: info.cgroup == 1, bounded: lacking.contains(&"CAP_SYS_RESOURCE") })
    }
}
