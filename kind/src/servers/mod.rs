//! The servers as pods: the same programs with the same command lines in the same directories as on the embedded
//! plane.
//!
//! An image holds a program where it lies on this host ([`contents`]), a pod mounts a server's own directory where it
//! is on this host ([`manifest`]). So what is known of a server (its `host.rs`) holds in a pod as it is, and what it
//! writes (OpenBao's audit log) can be read here.

pub mod contents;
pub mod eso;
pub mod images;
pub mod leader;
pub mod leftovers;
pub mod machine;
pub mod manifest;
pub mod meant;
pub mod member;
pub mod pods;
pub mod relays;
pub mod services;
pub mod site;
pub mod stand_ins;
pub mod start;
mod steady;
pub mod touch;
pub mod usage;
pub mod vigil;
mod voice;

use std::io;
use std::path::PathBuf;

use handover_fixtures::components::ResolveError;
use handover_fixtures::components::images::ImageError;
use handover_fixtures::eso::chart::ChartError;
use handover_fixtures::ground::PlaneError;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::link::LinkError;
use handover_fixtures::{mysql, openbao, postgres, valkey};

/// Why the servers do not run in the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// A file of this host.
    #[error("cannot use {path} (is the disk full, or is it somebody else's?)", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// How a cluster is asked.
    #[error("cannot use the cluster of {path}: {why}", path = .path.display())]
    Kubeconfig {
        /// Its kubeconfig.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What a program is started with.
    #[error("an image of a server cannot be made")]
    Program(#[source] ImageError),
    /// The node.
    #[error("the node {node} did not {what}: {said}")]
    Node {
        /// Which.
        node: String,
        /// What was asked of it.
        what: String,
        /// What it said.
        said: String,
    },
    /// The cluster refused something.
    #[error("the cluster could not be prepared")]
    Kube(#[from] KubeError),
    /// What all planes have in common.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// A component is missing.
    #[error("a component is missing")]
    Component(#[from] ResolveError),
    /// A way to a server.
    #[error("a way to a server could not be opened")]
    Link(#[from] LinkError),
    /// ESO's release.
    #[error("ESO's release could not be prepared")]
    Chart(#[from] ChartError),
    /// A pod did not get ready.
    #[error("`{name}` did not get ready: {why}; its log: {log}", log = .log.display())]
    NotReady {
        /// Which component.
        name: String,
        /// The last thing that was seen of it.
        why: String,
        /// Where its log is.
        log: PathBuf,
    },
    /// OpenBao.
    #[error("OpenBao could not be prepared")]
    Openbao(#[from] openbao::HostError),
    /// OpenBao does not answer as it should.
    #[error("OpenBao could not be prepared")]
    OpenbaoClient(#[from] openbao::ClientError),
    /// MySQL.
    #[error("MySQL could not be prepared")]
    Mysql(#[from] mysql::HostError),
    /// Valkey.
    #[error("Valkey could not be prepared")]
    Valkey(#[from] valkey::HostError),
    /// PostgreSQL.
    #[error("PostgreSQL could not be prepared")]
    Postgres(#[from] postgres::HostError),
}

impl ServersError {
    /// A file that cannot be used.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
