//! The verbs of `steps`, every name resolved: what the player does, one after the other.

use std::fmt;
use std::time::Duration;

use handover_harness::event::{CredentialName, Hop};
use handover_harness::plan::Who;
use serde_json::Value;

use super::Manifest;

/// One thing that is done.
#[derive(Clone, Debug)]
pub struct Step {
    /// As a person would say it: `rotate fleet`.
    pub text: String,
    /// Its line in the file, from 1.
    pub line: u64,
    /// What to do.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Force a rotation.
    Rotate {
        /// Of which credential.
        credential: CredentialName,
        /// To which value.
        to: Target,
        /// How.
        how: How,
    },
    /// Wait until a hop shows what the latest rotate step set, or later.
    Wait {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// Every replica of a workload, or any.
        who: Who,
        /// How long at most.
        within: Duration,
    },
    /// Wait until so many moves of a value that moves by itself were seen at a hop, counted from the first step.
    WaitMoves {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// How many.
        moves: usize,
        /// How long at most.
        within: Duration,
    },
    /// Wait until each of these objects has synced since this step began.
    WaitSynced {
        /// Which.
        objects: Vec<ObjectRef>,
        /// How long at most.
        within: Duration,
    },
    /// Wait until a condition of an object is as it should be.
    WaitCondition {
        /// Which object.
        object: ObjectRef,
        /// The condition's type.
        condition: String,
        /// `True`, `False` or `Unknown`.
        is: String,
        /// How long at most.
        within: Duration,
    },
    /// See that a hop does not move for a time.
    Hold {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// How long.
        time: Duration,
    },
    /// See that a condition of an object stays as it is for a time.
    HoldCondition {
        /// Which object.
        object: ObjectRef,
        /// The condition's type.
        condition: String,
        /// `True`, `False` or `Unknown`.
        is: String,
        /// How long.
        time: Duration,
    },
    /// Let the probes go on for a time.
    Watch {
        /// How long.
        time: Duration,
    },
    /// Apply more manifests.
    Apply(Vec<Manifest>),
    /// Change an object by a JSON merge patch.
    Patch {
        /// Which object.
        object: ObjectRef,
        /// The patch.
        patch: Value,
    },
    /// Delete objects.
    Delete(Vec<ObjectRef>),
    /// Roll a workload out anew, as `kubectl rollout restart` does, and wait until it is.
    Restart {
        /// The Deployment.
        deployment: ObjectRef,
        /// How long it may take.
        within: Duration,
    },
    /// Set a condition on the pods that a workload has, as the controller of a readiness gate does.
    Gate {
        /// The Deployment.
        deployment: ObjectRef,
        /// The condition's type.
        condition: String,
        /// `True`, `False` or `Unknown`.
        is: String,
    },
    /// Make ESO refresh an object now, by an annotation.
    ForceSync(ObjectRef),
    /// Name this moment for expectations.
    Mark,
    /// Stop, start or kill a server of the plane.
    Server {
        /// The component's name.
        name: String,
        /// What happens to it.
        what: ServerAction,
    },
    /// Put another release of a component in its place.
    Replace(ReleaseRef),
    /// Ask a server for something, as its administrator.
    Request(Request),
    /// Make a static role that was given for later; OpenBao rotates its user's password at once.
    StaticRole(String),
}

/// Another release of a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseRef {
    /// The component's name.
    pub component: String,
    /// A version, `image:REFERENCE`, an absolute path (with `@VERSION`), or one of [`ReleaseRef::ENDS`].
    pub with: String,
}

impl ReleaseRef {
    /// The two releases of an upgrade.
    pub const ENDS: [&'static str; 2] = ["from", "to"];
}

/// `eso v0.20.4`
impl fmt::Display for ReleaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.component, self.with)
    }
}

/// What a server is asked for, as its administrator; before the first step, or by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// SQL, or commands of Valkey.
    Sql {
        /// The database by its name in the scenario.
        database: String,
        /// The statements; `{user}` and `{user.password}` stand for users of the database.
        statements: Vec<String>,
    },
    /// One request to OpenBao, in the scenario's namespace.
    Bao(BaoCall),
}

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerAction {
    /// Stopped as an administrator would.
    Stop,
    /// Started again, and waited for.
    Start,
    /// Killed at once.
    Kill,
    /// OpenBao: sealed.
    Seal,
    /// OpenBao: unsealed, which with a static seal is a restart.
    Unseal,
}

/// One request to OpenBao.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaoCall {
    /// `read`, `write`, `delete`, `list`.
    pub method: BaoMethod,
    /// Below `/v1/`.
    pub path: String,
    /// The body.
    pub data: Option<Value>,
    /// The status with which it must be refused; none: it must be answered.
    pub refused: Option<u16>,
}

/// What OpenBao is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaoMethod {
    /// GET.
    Read,
    /// POST.
    Write,
    /// DELETE.
    Delete,
    /// LIST.
    List,
}

/// How a rotation is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct How {
    /// At which part of the time between two refreshes, from 0 to 1; none: at once.
    pub phase: Option<f64>,
    /// The value before stays accepted.
    pub keeps: bool,
    /// The server must answer with an error.
    pub fails: bool,
}

/// To which value a rotation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new one.
    Next,
    /// The one before the latest rotate step.
    Previous,
    /// The one that stands, written again.
    Same,
}

/// A Kubernetes object that a step or an expectation names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace where it says one; else the scenario's own.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// `externalsecret/app`, `tenant-b/externalsecret/app`
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}/{}", self.kind.to_lowercase(), self.name)
    }
}
