//! The events: the contract between whoever sees something and whoever judges it.
//!
//! Closed enums; one JSON object a line in `events.jsonl`; times are raw monotonic microseconds.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::fingerprint::Sighting;
use crate::mask::Masked;
use crate::plan::Plan;

/// Version of the file format, in the first line of every `events.jsonl`.
pub const FORMAT: u32 = 1;

/// Names a scenario, as its file says it: `mysql/static-role-forced`.
pub type ScenarioId = String;
/// Names a credential within its scenario.
pub type CredentialName = String;
/// Names a probe within its scenario.
pub type ProbeName = String;
/// Names something that is counted within its scenario.
pub type CounterName = String;
/// Names one of several replicas of a workload: a pod.
pub type ReplicaName = String;
/// Names something that has a state within its scenario: `condition:externalsecret/app:Ready`.
pub type StateName = String;

/// The first line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The run's id.
    pub run: String,
    /// Wall clock at [`Header::at`], RFC 3339 in UTC; shown once, never subtracted.
    pub wall: String,
    /// The same moment on the monotonic clock.
    pub at: Micros,
}

/// One line of `events.jsonl` after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the file, from 1; evidence is quoted by it.
    pub seq: u64,
    /// When it was recorded.
    pub at: Micros,
    /// The scenario it belongs to; none for the run itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<ScenarioId>,
    /// What happened.
    pub what: What,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// On what the run plays.
    Run(RunInfo),
    /// What this host can resolve.
    Calibrated(Calibration),
    /// What a scenario is going to do and how it will be judged.
    Plan(Box<Plan>),
    /// A step of a scenario begins or ends.
    Step(Step),
    /// A rotation is ordered: recorded right before the request is sent.
    Ordered(Order),
    /// What the latest ordered rotation of this credential has set, read back where it was ordered.
    Written {
        /// Whose.
        credential: CredentialName,
        /// What.
        sighting: Sighting,
    },
    /// A probe has an answer, or could not ask.
    Seen(Observation),
    /// Something countable has this many now.
    Count {
        /// What is counted.
        counter: CounterName,
        /// How many there are.
        value: u64,
    },
    /// A replica of a workload comes or goes.
    Replica {
        /// The probe that reports what its replicas hold or do.
        of: ProbeName,
        /// Which.
        name: ReplicaName,
        /// Whether it is there from now on.
        there: bool,
    },
    /// A server's own log says that it turned somebody away; the harness's own probes are left out.
    Refusal(Refusal),
    /// Something named has this state now.
    State {
        /// What.
        state: StateName,
        /// The state that it has: `True`.
        is: Masked,
    },
    /// A watch was blind from `from` until this event.
    Gap {
        /// Which probe.
        probe: ProbeName,
        /// Since when.
        from: Micros,
        /// Why.
        why: Masked,
    },
    /// A server changes its state.
    Component {
        /// Which: `openbao`, `mysql`, …
        name: String,
        /// To what.
        state: ComponentState,
    },
    /// From here on another release of a component is in its place; what runs is stopped next.
    Replaced(ComponentInfo),
    /// What a server has used so far.
    Usage {
        /// Which.
        name: String,
        /// CPU time since its start.
        cpu: Micros,
        /// Resident memory in bytes.
        rss: u64,
    },
    /// Free text for people.
    Note(Masked),
    /// The scenario (or, without one, the run) is over.
    End(Ending),
}

/// On what a run plays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Version of this program.
    pub handover: String,
    /// `embedded`, …
    pub plane: String,
    /// What probe phases and the order of scenarios were drawn from.
    pub seed: u64,
    /// The servers and where they came from.
    pub components: Vec<ComponentInfo>,
}

/// One server's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentInfo {
    /// `eso`, `mysql`, …
    pub name: String,
    /// As its source says; `unknown` where nobody can tell.
    pub version: String,
    /// `go`, `pypi`, `debian`, `image`, `path`.
    pub source: String,
    /// Of the program that runs.
    pub sha256: String,
    /// The image it came out of, with the digest that was got: `ghcr.io/x/y:v1@sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// Spread of one kind of measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// How many measurements.
    pub n: u64,
    /// Half of them took no longer.
    pub p50: Micros,
    /// 99 of 100 took no longer.
    pub p99: Micros,
    /// The longest.
    pub max: Micros,
}

impl Quantiles {
    /// Of these measurements, by nearest rank.
    pub fn of(mut spans: Vec<Micros>) -> Self {
        spans.sort_unstable();
        let Some(&max) = spans.last() else { return Self::default() };
        let rank =
            |share: f64| spans[((share * spans.len() as f64).ceil() as usize).clamp(1, spans.len()) - 1];
        Self { n: spans.len() as u64, p50: rank(0.5), p99: rank(0.99), max }
    }
}

/// One second of measuring this host before anything is judged on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// From the answer to the harness's own write of a Secret to its observation by watch; negative counts as 0.
    pub watch_delivery: Quantiles,
    /// The same from the moment the write was sent.
    pub watch_from_sent: Quantiles,
    /// How late probes asked after they were due.
    pub probe_lateness: Quantiles,
    /// An idle login, per server.
    pub logins: BTreeMap<String, Quantiles>,
}

/// A step's beginning or end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Position in the file, from 0.
    pub index: usize,
    /// What it does, as a person would say it.
    pub text: String,
    /// Beginning or end.
    pub phase: Phase,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It begins.
    Started,
    /// It has done what it should.
    Done,
    /// What it waited for did not come in time; says the last thing seen.
    OutOfTime(Masked),
    /// A level that should have stood moved.
    Moved(Masked),
    /// The environment refused it.
    Failed(Masked),
}

/// A rotation that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Of which credential.
    pub credential: CredentialName,
    /// How.
    pub kind: OrderKind,
}

/// How a rotation is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// The server was told to rotate now.
    Forced,
    /// A new value was written.
    Written,
    /// An earlier value was put back.
    RolledBack,
    /// Nobody ordered it: the server, or a refresh, did it by itself. Never recorded: derived from what was seen.
    Scheduled,
}

/// A place where a generation can be seen, in the order a rotation passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hop {
    /// What the server that checks it accepts.
    Origin,
    /// OpenBao.
    Store,
    /// The ExternalSecret's status.
    Sync,
    /// The Kubernetes Secret.
    Secret,
    /// What a running process holds.
    Workload,
    /// That process trying to get in.
    Login,
}

impl Hop {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Origin, Self::Store, Self::Sync, Self::Secret, Self::Workload, Self::Login];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Store => "store",
            Self::Sync => "sync",
            Self::Secret => "secret",
            Self::Workload => "workload",
            Self::Login => "login",
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One question to one hop, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// About which credential.
    pub credential: CredentialName,
    /// Where.
    pub hop: Hop,
    /// By which probe.
    pub probe: ProbeName,
    /// Which of several replicas reported it; none where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ReplicaName>,
    /// When it should have been asked. For a watch: when the news arrived.
    pub due: Micros,
    /// When it was asked.
    pub asked: Micros,
    /// When the answer came.
    pub answered: Micros,
    /// The answer.
    pub outcome: Outcome,
}

/// What a probe learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This value stands there.
    Shows(Sighting),
    /// A login with this value was let in.
    Accepted(Sighting),
    /// A login with this value was turned away because of the value.
    Refused(Sighting),
    /// A login with this value was turned away whatever it is: the account is locked.
    Locked(Sighting),
    /// Nobody answered.
    Unreachable(Masked),
    /// Somebody answered, but it says nothing about the value.
    Unclear(Masked),
    /// It was due, and could not be asked.
    Missed,
}

/// Somebody was turned away, as the server's own log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which server: `mysql`, …
    pub server: String,
    /// Whose user it is; none where no credential of the scenario has this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialName>,
    /// The user that wanted in.
    pub user: String,
    /// From where.
    pub from: String,
}

/// Where a server stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentState {
    /// Its process has been started.
    Started,
    /// It answers.
    Ready,
    /// It was stopped by the harness.
    Stopped,
    /// It ended by itself; how.
    Died(Masked),
}

/// How a scenario or a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All its steps were played.
    Finished,
    /// It was not played, and why.
    Skipped(Masked),
    /// The environment could not be made or broke, and how.
    Broke(Masked),
    /// Somebody interrupted it: the signal's name.
    Interrupted(String),
}
