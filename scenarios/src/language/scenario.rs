//! What a scenario file means: every name resolved, every duration computed. What the player plays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use handover_harness::event::{CounterName, CredentialName, Hop, ProbeName, ScenarioId, StateName};
use handover_harness::extract::Spot;
use handover_harness::fingerprint::FieldName;
use handover_harness::plan::Plan;
use serde_json::Value;

mod action;
mod workload;

pub use action::{
    Action, BaoCall, BaoMethod, How, ObjectRef, ReleaseRef, Request, ServerAction, Step, Target,
};
pub use workload::{Connects, Door, Place, Reads, Workload};

/// What a scenario `needs` that only a real kubelet can show.
pub const KUBELET: &str = "kubelet";

/// The machine that a cluster runs on, as steps call it.
pub const NODE: &str = "node";

/// Whoever leads of several replicas of ESO, as steps call it.
pub const LEADER: &str = "eso-leader";

/// One scenario, loaded.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: `mysql/static-role-forced`.
    pub id: ScenarioId,
    /// What it proves, in a sentence.
    pub about: String,
    /// Its file, as people would name it.
    pub file: String,
    /// Plays with nothing beside it.
    pub exclusive: bool,
    /// Takes long and says so.
    pub slow: bool,
    /// Words by which to find it.
    pub tags: Vec<String>,
    /// Components that it needs: those the file names, and those that follow from what it gives.
    pub needs: BTreeSet<String>,
    /// Its vars, after `--set`; a `--set` of any other name means nothing to it.
    pub vars: BTreeMap<String, String>,
    /// The releases on which it begins, where those are not the run's.
    pub releases: Vec<ReleaseRef>,
    /// How many replicas of ESO there are, where that is not one.
    pub replicas: Option<u32>,
    /// Databases it logs in to.
    pub databases: Vec<Database>,
    /// Static roles of OpenBao's database engine.
    pub static_roles: Vec<StaticRole>,
    /// Dynamic roles of OpenBao's database engine.
    pub dynamic_roles: Vec<DynamicRole>,
    /// KV v2 paths.
    pub kv: Vec<Kv>,
    /// Kubernetes Secrets that are there before the manifests.
    pub secrets: Vec<GivenSecret>,
    /// ACL policies of OpenBao.
    pub policies: Vec<Policy>,
    /// Kubernetes logins of which the file says more than the manifests do.
    pub logins: Vec<LoginRole>,
    /// SQL and requests to OpenBao that are done before the manifests are applied.
    pub preparations: Vec<Request>,
    /// Kubernetes objects, in the order of the files.
    pub manifests: Vec<Manifest>,
    /// Credentials, in the order of the file.
    pub credentials: Vec<Credential>,
    /// Readers that log in.
    pub readers: Vec<Reader>,
    /// Running workloads.
    pub workloads: Vec<Workload>,
    /// Objects that are counted.
    pub objects: Vec<ObjectCounter>,
    /// Requests to OpenBao that are counted.
    pub calls: Vec<CallCounter>,
    /// Leases and the users behind them, counted.
    pub leases: Vec<LeaseCounter>,
    /// Metrics of components, scraped.
    pub metrics: Vec<MetricCounter>,
    /// Conditions of objects that are watched.
    pub conditions: Vec<WatchedCondition>,
    /// What is done.
    pub steps: Vec<Step>,
    /// What was concluded from the manifests, for people.
    pub inferences: Vec<Inference>,
    /// How it is watched and judged.
    pub plan: Plan,
}

impl Scenario {
    /// Every release that it puts in place, or begins on.
    pub fn wanted_releases(&self) -> impl Iterator<Item = &ReleaseRef> {
        let replaced = self.steps.iter().filter_map(|step| match &step.action {
            Action::Replace(release) => Some(release),
            _ => None,
        });
        self.releases.iter().chain(replaced)
    }

    /// Every component to which its steps do something.
    pub fn wanted_components(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Server { name, .. } => Some(name.as_str()),
            Action::Replace(release) => Some(&release.component),
            _ => None,
        })
    }
}

/// A server that checks passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatabaseKind {
    /// MySQL.
    Mysql,
    /// Valkey.
    Valkey,
    /// PostgreSQL.
    Postgres,
}

impl DatabaseKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mysql, Self::Valkey, Self::Postgres];

    /// The verb that gives one, and the component's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Valkey => "valkey",
            Self::Postgres => "postgres",
        }
    }
}

/// A database as the scenario names it; it becomes `database/config/<name>` in OpenBao.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its name in the scenario.
    pub name: String,
    /// Which server.
    pub kind: DatabaseKind,
    /// Users that are made before OpenBao manages them; prefixed per scenario on the server.
    pub users: Vec<String>,
}

/// A static role of OpenBao's database engine, mounted at `database/`.
#[derive(Clone, Debug)]
pub struct StaticRole {
    /// The role: `database/static-creds/<name>`.
    pub name: String,
    /// The [`Database`] by name.
    pub database: String,
    /// One of that database's users.
    pub user: String,
    /// When OpenBao rotates it by itself.
    pub rotation_period: Duration,
    /// What OpenBao runs to rotate it; none: its own default.
    pub rotation_statements: Vec<String>,
    /// The database user exists only from a step on: the role is made by a step, not before.
    pub later: bool,
}

/// A dynamic role of OpenBao's database engine: each read makes a user with a lease.
#[derive(Clone, Debug)]
pub struct DynamicRole {
    /// The role: `database/creds/<name>`.
    pub name: String,
    /// The [`Database`] by name.
    pub database: String,
    /// How long a lease lives.
    pub ttl: Duration,
    /// How long it lives with every renewal.
    pub max_ttl: Duration,
    /// What OpenBao runs to make a user; none: what suits the server.
    pub creation_statements: Vec<String>,
}

/// A Kubernetes Secret that is there before the manifests.
#[derive(Clone, Debug)]
pub struct GivenSecret {
    /// Its name in the scenario and in Kubernetes.
    pub name: String,
    /// Its namespace where the file says one.
    pub namespace: Option<String>,
    /// Its keys.
    pub fields: Vec<FieldName>,
    /// The first credential of a database user, where it holds one; else random values.
    pub holds: Option<FirstPassword>,
}

/// The password with which a database user is made, before OpenBao manages it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstPassword {
    /// The [`Database`] by name.
    pub database: String,
    /// One of its users.
    pub user: String,
}

/// An ACL policy of OpenBao.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its rules, in HCL.
    pub rules: String,
}

/// A kubernetes login of which the file says more than the manifests do.
#[derive(Clone, Debug)]
pub struct LoginRole {
    /// The role at `auth/<mount>/role/<name>`, as the manifests name it.
    pub name: String,
    /// The ServiceAccount that it is bound to beside those of the manifests.
    pub service_account: Option<String>,
    /// Policies; none: what the scenario is given.
    pub policies: Option<Vec<String>>,
    /// How long its tokens live.
    pub token_ttl: Option<Duration>,
    /// How long they live with every renewal.
    pub token_max_ttl: Option<Duration>,
}

/// A KV v2 path.
#[derive(Clone, Debug)]
pub struct Kv {
    /// Its name in the scenario.
    pub name: String,
    /// The mount: `secret` unless said otherwise.
    pub mount: String,
    /// The path below the mount.
    pub path: String,
    /// The fields that the harness writes.
    pub fields: Vec<FieldName>,
    /// What the harness writes before the manifests are applied.
    pub seed: Seed,
}

/// What a KV path holds before the manifests are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seed {
    /// Nothing.
    Nothing,
    /// A random value for each field.
    Random,
    /// The first credential of a database user.
    Holds(FirstPassword),
}

/// One Kubernetes object of the user's.
#[derive(Clone)]
pub struct Manifest {
    /// The file it stands in.
    pub file: String,
    /// Its first line there, from 1.
    pub line: u64,
    /// `ExternalSecret`, …
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, where it says one: then it keeps it, and holds it exclusively.
    pub namespace: Option<String>,
    /// The object.
    pub object: Value,
}

/// Never the object: it may be a Secret.
impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({} {}, {}:{})", self.kind, self.name, self.file, self.line)
    }
}

/// Where a credential lives in OpenBao.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// A [`Kv`] by name.
    Kv(String),
    /// A [`StaticRole`] by name.
    StaticRole(String),
    /// A [`DynamicRole`] by name: nothing stands there, each read makes another.
    DynamicRole(String),
    /// A [`GivenSecret`] by name: somebody's Secret is where it comes from.
    Secret(String),
}

/// Where a credential lives in Kubernetes.
#[derive(Clone, Debug)]
pub struct InSecret {
    /// Its namespace where the file says one; else the scenario's own.
    pub namespace: Option<String>,
    /// The Secret's name.
    pub name: String,
    /// Where in the Secret each field is; empty: every key is one.
    pub keys: BTreeMap<FieldName, Spot>,
    /// The ExternalSecret that writes it (the `sync` hop), found in the manifests.
    pub external_secret: Option<String>,
}

/// The thing that rotates.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name in the scenario.
    pub name: CredentialName,
    /// The fields that make a generation.
    pub fields: Vec<FieldName>,
    /// Where a rotate step writes it, where that is not the store: a [`GivenSecret`] by name.
    pub from: Option<String>,
    /// It is not there before the first step.
    pub later: bool,
    /// The value that is left is tried again and again where it is checked.
    pub tried: bool,
    /// Where it lives in OpenBao.
    pub store: Option<Store>,
    /// Where it lives in Kubernetes.
    pub secret: Option<InSecret>,
    /// The Deployment whose pods have it as a projected token of their ServiceAccount: it lives nowhere else.
    pub token_of: Option<ObjectRef>,
    /// The hops that are watched.
    pub hops: Vec<Hop>,
    /// The period of login and origin.
    pub every: Duration,
    /// What `refresh_interval` means for it: that of the ExternalSecret or PushSecret that carries it.
    pub refresh_interval: Option<Duration>,
    /// That interval as the manifests say it, where the scenario's scale has shrunk it.
    pub real_interval: Option<Duration>,
}

/// Logs in with what the Secret says now.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Its name, and that of its probe.
    pub name: ProbeName,
    /// The credential it reads from its Secret.
    pub credential: CredentialName,
    /// The [`Database`] by name.
    pub database: String,
    /// How often it logs in.
    pub every: Duration,
}

/// Kubernetes objects of one kind in the scenario's namespace, counted.
#[derive(Clone, Debug)]
pub struct ObjectCounter {
    /// `GeneratorState`, …
    pub kind: String,
    /// The counter's name in events: `objects:<kind>`.
    pub counter: CounterName,
}

/// Requests that others than the harness send to a path of OpenBao, counted from its audit log.
#[derive(Clone, Debug)]
pub struct CallCounter {
    /// The path as OpenBao's audit log names it, without the OpenBao namespace: `database/static-creds/fleet`.
    pub path: String,
    /// The counter's name in events: `calls:<path>`.
    pub counter: CounterName,
}

/// The leases of a dynamic role, and the users that they stand for, counted again and again.
#[derive(Clone, Debug)]
pub struct LeaseCounter {
    /// The [`DynamicRole`] by name.
    pub role: String,
    /// Counters in events begin with `leases:<role>:`: `issued`, `live`, `leaked`.
    pub counter: CounterName,
}

/// One figure of a component's metrics, scraped again and again.
#[derive(Clone, Debug)]
pub struct MetricCounter {
    /// The component: `eso`.
    pub of: String,
    /// The metric's name.
    pub metric: String,
    /// Labels that a line must have; `namespace` is the scenario's own unless it says another.
    pub labels: BTreeMap<String, String>,
    /// The counter's name in events.
    pub counter: CounterName,
}

/// A condition of an object, watched.
#[derive(Clone, Debug)]
pub struct WatchedCondition {
    /// Which object.
    pub object: ObjectRef,
    /// The condition's type.
    pub condition: String,
    /// The state's name in events: `condition:<object>:<type>`.
    pub state: StateName,
}

/// What was concluded from the manifests.
#[derive(Clone, Debug)]
pub struct Inference {
    /// `fleet is carried by ExternalSecret fleet-mysql, refreshInterval 5s`.
    pub text: String,
    /// Where that stands.
    pub file: String,
    /// Its line there, from 1.
    pub line: u64,
}
