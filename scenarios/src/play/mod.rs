//! Playing scenarios on a plane: from the loaded file to the last event. Judging is somebody else's.

pub mod bench;
pub mod calibrate;
pub mod evidence;
mod fill;
pub mod given;
pub mod halt;
pub mod needs;
mod passwords;
pub mod planes;
pub mod releases;
pub mod run;
pub mod scenario;
pub mod schedule;
pub mod stage;
pub mod steps;
pub mod watching;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::openbao::ClientError;
use handover_fixtures::plane::Lacks;

/// Why a scenario could not be played. Always the environment's fault: what a rotation does is never an
/// error here, it is observed.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The plane lacks something; the scenario is skipped.
    #[error("{0}")]
    Lacks(#[from] Lacks),
    /// Kubernetes refused something.
    #[error("{0}")]
    Kube(#[from] KubeError),
    /// OpenBao refused something.
    #[error("{}", chain(.0))]
    Openbao(#[from] ClientError),
    /// A database refused something.
    #[error("{server}: {why}")]
    Database {
        /// Which server.
        server: &'static str,
        /// Its own words.
        why: String,
    },
    /// A server could not be stopped or started.
    #[error("{name}: {why}")]
    Server {
        /// Which component.
        name: String,
        /// Why.
        why: String,
    },
    /// A release could not be obtained; the scenario is skipped.
    #[error("{release} could not be obtained: {why}")]
    Release {
        /// Which.
        release: String,
        /// Why.
        why: String,
    },
    /// Before the first step, everything has to be in place once; this was not.
    #[error("before the first step: {0}")]
    Baseline(String),
    /// A probe could not be started.
    #[error("a probe could not be started: {0}")]
    Probe(String),
}
