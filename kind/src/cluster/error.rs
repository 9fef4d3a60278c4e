//! What can be wrong with a cluster, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use handover_fixtures::kubernetes::KubeError;
use handover_harness::wait::WaitError;

use super::kind::KindError;
use crate::docker::DockerError;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A name that is none.
    #[error(
        "`{name}` cannot be the name of a cluster: it takes 1 to {longest} of a-z, 0-9 and `-`, with a letter or \
         digit at either end"
    )]
    Name {
        /// The name.
        name: String,
        /// How long one may be.
        longest: usize,
    },
    /// There is a cluster of that name.
    #[error("there is a cluster called `{name}` already, {holder}, or choose another name")]
    Taken {
        /// The name.
        name: String,
        /// Who has it.
        holder: Holder,
    },
    /// A cluster that was kept is there no more.
    #[error(
        "the node of cluster `{name}` is gone; `handover down {name}` forgets the cluster, `handover up --plane kind \
         --name {name}` then makes it anew"
    )]
    Gone {
        /// The name.
        name: String,
    },
    /// The daemon does not do what it is asked for.
    #[error(transparent)]
    Docker(Box<DockerError>),
    /// `kind` did not do what it was to do.
    #[error(transparent)]
    Kind(Box<KindError>),
    /// A file of the cluster cannot be written.
    #[error("cannot write `{path}`; is the disk full, read-only, or somebody else's?")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `kind` wrote a kubeconfig that makes no sense.
    #[error("cannot read the cluster's kubeconfig `{path}`")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<kube::config::KubeconfigError>,
    },
    /// The cluster cannot be asked.
    #[error(transparent)]
    Kube(Box<KubeError>),
    /// The cluster did not become what it should.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// Who has a cluster, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A run of `handover`: of this cache that is not over, or of another one.
    Run(String),
    /// Whoever called `kind` for a cluster of this name.
    Kind(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(
                f,
                "of handover's run {run}, which is not over, or of another cache; wait for it, remove it with that cache \
                 (`HANDOVER_CACHE=… handover down {run}`)"
            ),
            Self::Kind(name) => {
                write!(f, "which handover has not made; remove it (`kind delete cluster --name {name}`)")
            }
        }
    }
}

impl From<DockerError> for ClusterError {
    fn from(error: DockerError) -> Self {
        Self::Docker(Box::new(error))
    }
}

impl From<KindError> for ClusterError {
    fn from(error: KindError) -> Self {
        Self::Kind(Box::new(error))
    }
}

impl From<KubeError> for ClusterError {
    fn from(error: KubeError) -> Self {
        Self::Kube(Box::new(error))
    }
}
