//! The hops that are logins: the origin, which is tried with one value again and again, and the readers,
//! who try what the Secret says now.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::database::door;
use handover_fixtures::plane::Peer;
use handover_harness::event::Hop;
use handover_harness::fingerprint::Sighting;
use handover_harness::probe::{Control, Probe, ProbeHandle, start};
use handover_harness::secret::Secret;

use super::Watching;
use crate::language::scenario::{Credential, Database, Store};
use crate::play::PlayError;
use crate::play::stage::{Stage, Values, server};

/// How often a value that is not rotating right now is tried at its origin.
const ORIGIN_EVERY: Duration = Duration::from_millis(250);
/// How long one login may take before nobody answered it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who somebody says they are, and what that is called in events.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) username: Secret,
    pub(super) password: Secret,
    pub(super) sighting: Sighting,
}

/// What somebody would log in with now; nothing until it is known.
pub(super) type Held = Arc<RwLock<Option<Login>>>;

/// The probe that tries one value again and again where it is checked.
pub(super) struct Origin {
    tries: Held,
    control: Control,
    every: Duration,
}

impl Watching {
    /// A checked credential is about to be rotated away from these values: from now on they are tried, fast
    /// until they are refused for the first time.
    pub fn about_to_leave(&self, stage: &Stage<'_>, credential: &Credential, values: &Values) {
        if let Some(origin) = self.origins.get(&credential.name) {
            *origin.tries.write().unwrap_or_else(PoisonError::into_inner) = login(stage, values);
            origin.control.hurry(origin.every);
        }
    }

    pub(super) async fn watch_origin(
        &mut self,
        stage: &Stage<'_>,
        credential: &Credential,
    ) -> Result<(), PlayError> {
        let Some((_, database)) = stage.checked(credential).filter(|_| credential.tried) else {
            return Ok(());
        };
        let tries = Held::default();
        let first = || match credential.store.as_ref()? {
            Store::Secret(name) => stage.secret(name).holds.as_ref().map(|first| stage.first(first)),
            Store::Kv(_) | Store::StaticRole(_) | Store::DynamicRole(_) => None,
        };
        if let Some(values) = stage.stored(credential).await?.or_else(first) {
            *tries.write().unwrap_or_else(PoisonError::into_inner) = login(stage, &values);
        }
        let probe = self.probe(stage, credential, "origin", Hop::Origin, ORIGIN_EVERY);
        let handle = self.log_in(stage, database, probe, Arc::clone(&tries))?;
        let origin = Origin { tries, control: handle.control(), every: credential.every };
        self.origins.insert(credential.name.clone(), origin);
        self.probes.push(handle);
        Ok(())
    }

    pub(super) fn watch_readers(
        &mut self,
        stage: &Stage<'_>,
        credential: &Credential,
        held: &Held,
    ) -> Result<(), PlayError> {
        for reader in stage.scenario.readers.iter().filter(|reader| reader.credential == credential.name) {
            let mut probe = self.probe(stage, credential, "", Hop::Login, reader.every);
            probe.name.clone_from(&reader.name);
            let database = stage.database(&reader.database);
            let handle = self.log_in(stage, database, probe, Arc::clone(held))?;
            self.probes.push(handle);
        }
        Ok(())
    }

    /// A probe that logs in with whatever `held` says now, by a fresh connection each time.
    fn log_in(
        &self,
        stage: &Stage<'_>,
        database: &Database,
        probe: Probe,
        held: Held,
    ) -> Result<ProbeHandle, PlayError> {
        let plane = &stage.house.plane;
        let address = plane.address(Peer::Harness, Peer::Server(server(database.kind)))?;
        let scribe = stage.scribe.clone();
        let now = move || held.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (host, port) = (address.ip().to_string(), address.port());
        let server = server(database.kind);
        let door = door(server, &host, port, plane.ca_pem(), PATIENCE)
            .ok_or_else(|| PlayError::Probe(format!("{} checks no logins by itself", server.word())))?;
        start(scribe, probe, move || {
            let (door, login) = (Arc::clone(&door), now());
            async move {
                let login = login?;
                Some(door.ask(login.username.expose(), &login.password, login.sighting).await)
            }
        })
        .map_err(|error| PlayError::Probe(chain(&error)))
    }
}

fn login(stage: &Stage<'_>, values: &Values) -> Option<Login> {
    let sighting = stage.sighting(values);
    Some(Login {
        username: values.get("username")?.clone(),
        password: values.get("password")?.clone(),
        sighting,
    })
}
