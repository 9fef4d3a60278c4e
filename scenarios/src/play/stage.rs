//! The stage of one scenario: its corner of the plane, apart from all others.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::openbao;
use handover_fixtures::plane::{Plane, Server};
use handover_harness::fingerprint::{FieldName, Fingerprinter, is_secret};
use handover_harness::recorder::Scribe;
use handover_harness::secret::Secret;

use super::PlayError;
use crate::language::scenario::{Credential, Database, DatabaseKind, Kv, Scenario, StaticRole, Store};

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
        }
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

    /// The static role behind a credential, with its database, where there is one.
    pub fn checked(&self, credential: &Credential) -> Option<(&'a StaticRole, &'a Database)> {
        match &credential.store {
            Some(Store::StaticRole(name)) => {
                let role = self.static_role(name);
                Some((role, self.database(&role.database)))
            }
            Some(Store::Kv(_)) | None => None,
        }
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
        DatabaseKind::Valkey => Server::Valkey,
        DatabaseKind::Postgres => Server::Postgres,
    }
}
