//! A running workload: a Deployment of the manifests, and how what runs in it reads and uses a credential.

use std::collections::BTreeMap;
use std::time::Duration;

use handover_harness::event::{CredentialName, ProbeName};
use handover_harness::extract::Extract;
use handover_harness::fingerprint::FieldName;

use super::ObjectRef;

/// A Deployment whose processes log in with a credential.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name in the scenario, and that of its login probe.
    pub name: ProbeName,
    /// The Deployment.
    pub deployment: ObjectRef,
    /// The container that reads the credential.
    pub container: String,
    /// Its image, for which the consumer stands in.
    pub image: String,
    /// The credential that it reads.
    pub credential: CredentialName,
    /// How it reads it.
    pub reads: Reads,
    /// How it connects.
    pub connects: Connects,
    /// What it logs in to.
    pub door: Door,
    /// What it says is heard.
    pub watched: bool,
    /// How often each of its processes tries.
    pub every: Duration,
    /// How late a Secret volume may be rendered anew.
    pub volume_delay: Duration,
}

/// How a workload reads its credential. Everything but `Env` says where each field stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Environment variables, once at its start.
    Env(BTreeMap<FieldName, Place>),
    /// Files of a Secret volume, again at each use.
    File(BTreeMap<FieldName, Place>),
    /// The same, again when they change.
    FileWatch(BTreeMap<FieldName, Place>),
    /// The same, once at its start.
    FileOnce(BTreeMap<FieldName, Place>),
    /// OpenBao itself, once at its start, with the pod's ServiceAccount.
    Openbao {
        /// The kubernetes login: `auth/<mount>/login`.
        mount: String,
        /// The role.
        role: String,
        /// What it reads: `secret/data/app`.
        path: String,
        /// The file with the token that shows who it is, as the container sees it.
        token_file: String,
    },
}

/// Where one field stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// An environment variable, or a file as the container sees it.
    pub at: String,
    /// Where in that text it stands.
    pub extract: Option<Extract>,
}

/// What a workload logs in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// A database by its name in the scenario.
    Database(String),
    /// OpenBao, with a token of the pod's ServiceAccount.
    Openbao {
        /// The kubernetes login: `auth/<mount>/login`.
        mount: String,
        /// The role.
        role: String,
    },
}

/// How a workload connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connects {
    /// A new connection for each use.
    Fresh,
    /// A connection that is used until it is so old.
    Pool {
        /// How old a connection may get.
        max_lifetime: Duration,
    },
    /// One connection until it breaks.
    Session,
}
