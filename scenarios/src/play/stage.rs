//! The stage of one scenario: its corner of the plane, apart from all others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handover_fixtures::components::ResolvedSet;
use handover_fixtures::consumer::Probed;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::openbao;
use handover_fixtures::plane::{Order, Plane, Server};
use handover_harness::event::Hop;
use handover_harness::fingerprint::{FieldName, Fingerprinter, is_secret};
use handover_harness::recorder::Scribe;
use handover_harness::secret::Secret;
use serde_json::{Value, json};

use super::PlayError;
use super::releases::Releases;
use crate::language::scenario::{
    Credential, Database, DatabaseKind, DynamicRole, FirstPassword, GivenSecret, Kv, ObjectRef, Scenario,
    Seed, StaticRole, Store, Workload,
};

/// The mount of OpenBao's database engine.
pub const DATABASE_MOUNT: &str = "database";
/// What every ServiceAccount token for OpenBao is made for.
pub const AUDIENCE: &str = "vault";

/// What all scenarios of a run share.
pub struct House {
    /// Where they play.
    pub plane: Arc<dyn Plane>,
    /// Applies manifests.
    pub applier: Applier,
    /// The key of all fingerprints of this run.
    pub prints: Arc<Fingerprinter>,
    /// The token with which OpenBao asks the API server about others' tokens.
    pub reviewer: Secret,
    /// From 0 to 1: where within their period probes begin.
    pub phase: f64,
    /// What everything of this run is drawn from.
    pub seed: u64,
    /// The releases that scenarios put in place of the run's.
    pub releases: Releases,
    /// Whether all of it goes when the scenario is over: the only one of the run, on a plane of the run's own.
    pub goes_with_scenario: bool,
}

/// One scenario's corner.
pub struct Stage<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What it shares with the others.
    pub house: &'a House,
    /// Records in its name.
    pub scribe: Scribe,
    /// Its Kubernetes namespace.
    pub namespace: String,
    /// OpenBao, in its OpenBao namespace.
    pub openbao: openbao::Client,
    /// What its database users' names begin with.
    prefix: String,
    /// By database and user, the password that the user was made with.
    firsts: Mutex<BTreeMap<(String, String), Secret>>,
    /// What was applied, for the way back.
    applied: Mutex<Vec<Value>>,
    /// The components that it has replaced, for the way back.
    replaced: Mutex<BTreeMap<String, Arc<ResolvedSet>>>,
    /// What it has to order before others can use the plane again, by component.
    owed: Mutex<BTreeMap<String, Order>>,
}

/// The values of a credential's fields.
pub type Values = BTreeMap<FieldName, Secret>;

impl<'a> Stage<'a> {
    /// The corner of the `number`-th scenario of the run.
    pub fn new(scenario: &'a Scenario, number: usize, house: &'a House, scribe: Scribe) -> Self {
        let name = scenario.id.replace('/', "-");
        Self {
            scenario,
            house,
            scribe,
            openbao: house.plane.openbao().in_namespace(&name),
            namespace: name,
            prefix: format!("s{number}_"),
            firsts: Mutex::default(),
            applied: Mutex::default(),
            replaced: Mutex::default(),
            owed: Mutex::default(),
        }
    }

    /// What was applied so far, in order.
    pub fn applied(&self) -> MutexGuard<'_, Vec<Value>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The components that do not run as the run's own release now, and as which they run.
    pub fn replaced(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ResolvedSet>>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The components that do not run, or not as they did, and by which order they do again.
    pub fn owed(&self) -> MutexGuard<'_, BTreeMap<String, Order>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the names of its database users begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Keeps the password that a user was made with.
    pub fn keep_first(&self, database: &str, user: &str, password: Secret) {
        let key = (database.to_owned(), user.to_owned());
        self.firsts.lock().unwrap_or_else(PoisonError::into_inner).insert(key, password);
    }

    /// The credential that a user was made with.
    pub fn first(&self, of: &FirstPassword) -> Values {
        let key = (of.database.clone(), of.user.clone());
        let firsts = self.firsts.lock().unwrap_or_else(PoisonError::into_inner);
        let password = firsts.get(&key).expect("every user of a given database was made").clone();
        let username = Secret::new(self.user(&of.user));
        BTreeMap::from([("username".to_owned(), username), ("password".to_owned(), password)])
    }

    /// A database user's name on its server.
    pub fn user(&self, user: &str) -> String {
        format!("{}{user}", self.prefix)
    }

    /// A database of the scenario's.
    pub fn database(&self, name: &str) -> &'a Database {
        let found = self.scenario.databases.iter().find(|database| database.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// A credential of the scenario's.
    pub fn credential(&self, name: &str) -> &'a Credential {
        let found = self.scenario.credentials.iter().find(|credential| credential.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// A KV path of the scenario's.
    pub fn kv(&self, name: &str) -> &'a Kv {
        let found = self.scenario.kv.iter().find(|kv| kv.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// A static role of the scenario's.
    pub fn static_role(&self, name: &str) -> &'a StaticRole {
        let found = self.scenario.static_roles.iter().find(|role| role.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// A dynamic role of the scenario's.
    pub fn dynamic_role(&self, name: &str) -> &'a DynamicRole {
        let found = self.scenario.dynamic_roles.iter().find(|role| role.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// A Secret that the scenario is given.
    pub fn secret(&self, name: &str) -> &'a GivenSecret {
        let found = self.scenario.secrets.iter().find(|secret| secret.name == name);
        found.expect("names are resolved when the file is loaded")
    }

    /// The database user behind a credential, and the database, where there is one.
    pub fn checked(&self, credential: &Credential) -> Option<(&'a str, &'a Database)> {
        let held = |first: &'a FirstPassword| (first.user.as_str(), self.database(&first.database));
        match credential.store.as_ref()? {
            Store::StaticRole(name) => {
                let role = self.static_role(name);
                Some((&role.user, self.database(&role.database)))
            }
            Store::Kv(name) => match &self.kv(name).seed {
                Seed::Holds(first) => Some(held(first)),
                Seed::Nothing | Seed::Random => None,
            },
            Store::Secret(name) => self.secret(name).holds.as_ref().map(held),
            Store::DynamicRole(_) => None,
        }
    }

    /// Whether something of the credential must be seen at the hop before the first step.
    pub fn is_there(&self, credential: &Credential, hop: Hop) -> bool {
        let managed = match &credential.store {
            Some(Store::StaticRole(role)) => !self.static_role(role).later,
            Some(Store::Kv(_) | Store::DynamicRole(_) | Store::Secret(_)) | None => true,
        };
        !credential.later && (managed || !matches!(hop, Hop::Store | Hop::Origin))
    }

    /// Makes a static role. OpenBao rotates the user's password at once.
    pub async fn make_static_role(&self, role: &StaticRole) -> Result<(), PlayError> {
        let definition = openbao::StaticRole {
            database: role.database.clone(),
            username: self.user(&role.user),
            rotation_period: role.rotation_period,
            rotation_statements: role.rotation_statements.clone(),
        };
        Ok(self.openbao.create_static_role(DATABASE_MOUNT, &role.name, &definition).await?)
    }

    /// Writes a Secret that the scenario is given.
    pub async fn write_secret(&self, secret: &GivenSecret, values: &Values) -> Result<(), PlayError> {
        let data: BTreeMap<_, _> = values.iter().map(|(key, value)| (key.clone(), value.expose())).collect();
        let object = json!({"apiVersion": "v1", "kind": "Secret", "stringData": data,
            "metadata": {"name": secret.name, "namespace": secret.namespace}});
        self.house.applier.apply(&object, &self.namespace).await?;
        Ok(())
    }

    /// The ServiceAccount under which a workload runs.
    pub fn service_account(&self, workload: &Workload) -> String {
        let named = self.said_of(workload, "/spec/template/spec/serviceAccountName").and_then(Value::as_str);
        named.unwrap_or("default").to_owned()
    }

    /// How many replicas a workload begins with.
    pub fn replicas(&self, workload: &Workload) -> usize {
        let said = self.said_of(workload, "/spec/replicas").and_then(Value::as_u64);
        said.map_or(1, |replicas| usize::try_from(replicas).unwrap_or(usize::MAX))
    }

    /// The paths that the probes of a workload's container ask for. Where one path is asked for both ways, it says
    /// that the process lives: a container that is killed for a refused login is another story.
    pub fn probed(&self, workload: &Workload) -> Probed {
        let containers = self.said_of(workload, "/spec/template/spec/containers").and_then(Value::as_array);
        let found = containers.into_iter().flatten().find(|found| found["name"] == *workload.container);
        let path = |probe: &str| {
            let path = found?[probe]["httpGet"].as_object()?.get("path").and_then(Value::as_str);
            let path = path.unwrap_or("/").split(['?', '#']).next().unwrap_or_default();
            Some(format!("/{}", path.trim_start_matches('/')))
        };
        let mut probed = Probed::default();
        probed.alive.extend(path("livenessProbe"));
        probed.ready.extend(path("readinessProbe").filter(|path| !probed.alive.contains(path)));
        probed.alive.extend(path("startupProbe").filter(|path| !probed.ready.contains(path)));
        probed
    }

    fn said_of(&self, workload: &Workload, pointer: &str) -> Option<&'a Value> {
        let of = &workload.deployment;
        let manifest = self.scenario.manifests.iter().find(|manifest| {
            manifest.kind == of.kind && manifest.name == of.name && manifest.namespace == of.namespace
        });
        manifest?.object.pointer(pointer)
    }

    /// What the names of a dynamic role's database users begin with.
    pub fn dynamic_prefix(&self, role: &str) -> String {
        // As OpenBao's template writes it: the prefix, and the beginning of the role's name.
        let role: String = role.to_lowercase().chars().take(8).collect();
        format!("{}{role}_", self.prefix)
    }

    /// Every user of the scenario's databases as its server knows it, and the credential that it belongs to.
    pub fn database_users(&self) -> BTreeMap<String, Option<String>> {
        let all = self.scenario.databases.iter().flat_map(|database| &database.users);
        let mut users: BTreeMap<String, Option<String>> = all.map(|user| (self.user(user), None)).collect();
        for credential in &self.scenario.credentials {
            let user = match credential.store.as_ref() {
                Some(Store::StaticRole(role)) => Some(self.static_role(role).user.clone()),
                Some(Store::Kv(kv)) => match &self.kv(kv).seed {
                    Seed::Holds(first) => Some(first.user.clone()),
                    Seed::Nothing | Seed::Random => None,
                },
                Some(Store::Secret(secret)) => {
                    self.secret(secret).holds.as_ref().map(|first| first.user.clone())
                }
                Some(Store::DynamicRole(_)) | None => None,
            };
            // What manages it goes before what it was made with.
            let managed = matches!(credential.store, Some(Store::StaticRole(_)));
            if let Some(user) = user.map(|user| self.user(&user))
                && (managed || users.get(&user).is_none_or(Option::is_none))
            {
                users.insert(user, Some(credential.name.clone()));
            }
        }
        users
    }

    /// Who logs in with a credential that has no field for it.
    pub fn login_name(&self, credential: &str) -> Option<String> {
        let users = self.database_users();
        users.into_iter().find(|(_, of)| of.as_deref() == Some(credential)).map(|(user, _)| user)
    }

    /// The namespace of an object.
    pub fn namespace_of<'s>(&'s self, object: &'s ObjectRef) -> &'s str {
        object.namespace.as_deref().unwrap_or(&self.namespace)
    }

    /// The API version in which a manifest states this ExternalSecret.
    pub fn external_secret_version(&self, name: &str) -> Option<&'a str> {
        let mut manifests = self.scenario.manifests.iter();
        let found = manifests.find(|manifest| manifest.kind == "ExternalSecret" && manifest.name == name);
        found.and_then(|manifest| manifest.object["apiVersion"].as_str())
    }

    /// Where a credential lies in OpenBao; nothing if it has no store.
    pub fn place(&self, credential: &Credential) -> Option<openbao::Place> {
        Some(match credential.store.as_ref()? {
            Store::Kv(name) => {
                let kv = self.kv(name);
                let fields = credential.fields.clone();
                openbao::Place::Kv { mount: kv.mount.clone(), path: kv.path.clone(), fields }
            }
            Store::StaticRole(name) => {
                openbao::Place::StaticCreds { mount: DATABASE_MOUNT.to_owned(), role: name.clone() }
            }
            // To look would be to make another.
            Store::DynamicRole(_) | Store::Secret(_) => return None,
        })
    }

    /// What OpenBao says the credential is now; nothing if it has none.
    pub async fn stored(&self, credential: &Credential) -> Result<Option<Values>, PlayError> {
        match self.place(credential) {
            Some(place) => Ok(place.read(&self.openbao).await?),
            None => Ok(None),
        }
    }

    /// The fingerprints of values, which the masker learns.
    pub fn sighting(&self, values: &Values) -> handover_harness::fingerprint::Sighting {
        for (_, value) in values.iter().filter(|(field, _)| is_secret(field)) {
            self.scribe.masker().learn(value);
        }
        let fields = values.iter().map(|(field, value)| (field.as_str(), value.expose().as_bytes()));
        self.house.prints.sighting(fields)
    }
}

/// The server behind a kind of database.
pub fn server(kind: DatabaseKind) -> Server {
    match kind {
        DatabaseKind::Mysql => Server::Mysql,
        DatabaseKind::Postgres => Server::Postgres,
        DatabaseKind::Valkey => Server::Valkey,
    }
}
