//! The store hop: OpenBao, asked on due times and whenever its audit log shows the credential's path.

use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::openbao::Client;
use handover_harness::event::Hop;
use handover_harness::probe::start;
use handover_harness::secret::Secret;

use super::{Watching, until};
use crate::language::scenario::Credential;
use crate::play::PlayError;
use crate::play::stage::Stage;

/// How often the store is asked beside what its audit log tells.
const STORE_EVERY: Duration = Duration::from_millis(200);

impl Watching {
    pub(super) fn watch_store(
        &mut self,
        stage: &Stage<'_>,
        credential: &Credential,
    ) -> Result<(), PlayError> {
        let Some(place) = stage.place(credential) else { return Ok(()) };
        // A client of its own: connections belong to the thread that opened them.
        let root = stage.house.plane.openbao();
        let client = Client::new(root.url(), stage.house.plane.ca_pem(), root.token().clone())?
            .in_namespace(&stage.namespace);
        let (prints, scribe) = (Arc::clone(&stage.house.prints), stage.scribe.clone());
        let asked = Arc::new(place.clone());
        let probe = self.probe(stage, credential, "store", Hop::Store, STORE_EVERY);
        let handle = start(stage.scribe.clone(), probe, move || {
            let (client, prints, scribe) = (client.clone(), Arc::clone(&prints), scribe.clone());
            let place = Arc::clone(&asked);
            async move {
                let learn = |secret: &Secret| {
                    scribe.masker().learn(secret);
                };
                Some(place.ask(&client, &prints, learn).await)
            }
        });
        let handle = handle.map_err(|error| PlayError::Probe(chain(&error)))?;
        let control = handle.control();
        let mut audit = stage.house.plane.audit().subscribe(&stage.namespace);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            while let Some(entry) = until(&stop, audit.recv()).await {
                if place.may_have_moved(&entry) {
                    control.ask_now();
                }
            }
        });
        self.probes.push(handle);
        Ok(())
    }
}
