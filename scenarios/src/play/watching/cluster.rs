//! The hops that Kubernetes shows, by watch: the Secret, and the ExternalSecret that writes it.

use std::sync::{Arc, PoisonError};

use handover_fixtures::kubernetes::hops::{SyncStatus, secret_shows, secret_values, sync_status};
use handover_fixtures::kubernetes::watch::{News, watch_object};
use handover_harness::clock::Micros;
use handover_harness::event::{Hop, Observation, Outcome, ProbeName, What};
use handover_harness::mask::Masked;
use handover_harness::recorder::Scribe;
use handover_harness::secret::Secret;
use kube::api::DynamicObject;

use super::Watching;
use super::login::{Held, Login};
use crate::language::scenario::{Credential, InSecret};
use crate::play::PlayError;
use crate::play::stage::Stage;

impl Watching {
    pub(super) async fn watch_secret(
        &self,
        stage: &Stage<'_>,
        credential: &Credential,
        place: &InSecret,
        held: Held,
    ) -> Result<(), PlayError> {
        let namespace = place.namespace.as_deref().unwrap_or(&stage.namespace);
        let (api, _) = stage.house.applier.api("v1", "Secret", namespace).await?;
        let (scribe, prints) = (stage.scribe.clone(), Arc::clone(&stage.house.prints));
        let watched = Watched::new(&scribe, credential, "secret", Hop::Secret);
        let (name, keys, stop) = (place.name.clone(), place.keys.clone(), self.stop.clone());
        let user = stage.checked(credential).map(|(user, _)| Secret::new(stage.user(user)));
        self.tasks.spawn(async move {
            watch_object(api, &name, stop, |at, news| {
                let Some(secret) = watched.object(at, news) else { return };
                let outcome = secret_shows(secret.as_deref(), &keys, &prints, scribe.masker());
                if let (Outcome::Shows(sighting), Some(secret)) = (&outcome, &secret)
                    && let Ok(mut values) = secret_values(secret, &keys)
                    && let Some(password) = values.remove("password")
                    && let Some(username) = values.remove("username").or_else(|| user.clone())
                {
                    let login = Login { username, password, sighting: sighting.clone() };
                    *held.write().unwrap_or_else(PoisonError::into_inner) = Some(login);
                }
                watched.seen(at, outcome);
            })
            .await;
        });
        Ok(())
    }

    /// The status of the ExternalSecret tells when it synced and not what. So at each sync the Secret is
    /// read: the status is written after the Secret, so that is what this sync, or a later one, has set.
    pub(super) async fn watch_sync(
        &self,
        stage: &Stage<'_>,
        credential: &Credential,
        place: &InSecret,
    ) -> Result<(), PlayError> {
        let Some(external_secret) = place.external_secret.clone() else { return Ok(()) };
        let namespace = place.namespace.as_deref().unwrap_or(&stage.namespace);
        let applier = &stage.house.applier;
        let api = match stage.external_secret_version(&external_secret) {
            Some(version) => applier.api(version, "ExternalSecret", namespace).await?.0,
            None => return Ok(()),
        };
        let (secrets, _) = applier.api("v1", "Secret", namespace).await?;
        let (scribe, prints) = (stage.scribe.clone(), Arc::clone(&stage.house.prints));
        let watched = Watched::new(&scribe, credential, "sync", Hop::Sync);
        let (secret, keys, stop) = (place.name.clone(), place.keys.clone(), self.stop.clone());
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        self.tasks.spawn(async move {
            let mut last = SyncStatus::Silent;
            watch_object(api, &external_secret, stop, |at, news| {
                let object = match news {
                    News::Gap(..) => return tell.send((at, Err(news))).unwrap_or_default(),
                    News::Is(object) => Some(object),
                    News::Absent => None,
                };
                let status = sync_status(object.as_deref());
                if status != last {
                    last = status.clone();
                    tell.send((at, Ok(status))).unwrap_or_default();
                }
            })
            .await;
        });
        self.tasks.spawn(async move {
            while let Some((at, status)) = told.recv().await {
                match status {
                    Ok(SyncStatus::Synced(_)) => {
                        let outcome = match secrets.get_opt(&secret).await {
                            Ok(object) => secret_shows(object.as_ref(), &keys, &prints, scribe.masker()),
                            Err(error) => Outcome::Unreachable(scribe.mask(&error.to_string())),
                        };
                        watched.read(at, Micros::now(), outcome);
                    }
                    Ok(SyncStatus::Failing(why)) => watched.seen(at, Outcome::Unclear(scribe.mask(&why))),
                    Ok(SyncStatus::Silent) => {
                        watched.seen(at, Outcome::Unclear(Masked::own("it has not synced yet")));
                    }
                    Err(gap) => {
                        watched.object(at, gap);
                    }
                }
            }
        });
        Ok(())
    }
}

/// Writes what a watch brings as observations of one hop.
struct Watched {
    scribe: Scribe,
    credential: String,
    probe: ProbeName,
    hop: Hop,
}

impl Watched {
    fn new(scribe: &Scribe, credential: &Credential, kind: &str, hop: Hop) -> Self {
        let probe = format!("{kind}:{}", credential.name);
        Self { scribe: scribe.clone(), credential: credential.name.clone(), probe, hop }
    }

    /// The object that the news is about (nothing in it if it is not there), or nothing for a gap, which is
    /// recorded.
    fn object(&self, at: Micros, news: News) -> Option<Option<Box<DynamicObject>>> {
        match news {
            News::Is(object) => Some(Some(object)),
            News::Absent => Some(None),
            News::Gap(from, why) => {
                debug_assert!(from <= at, "a gap ends when it is told");
                let why = self.scribe.mask(&why);
                self.scribe.record(What::Gap { probe: self.probe.clone(), from, why });
                None
            }
        }
    }

    /// What the news itself says: due, asked and answered when it arrived.
    fn seen(&self, at: Micros, outcome: Outcome) {
        self.read(at, at, outcome);
    }

    /// What was read because of the news.
    fn read(&self, at: Micros, answered: Micros, outcome: Outcome) {
        self.scribe.seen(Observation {
            credential: self.credential.clone(),
            hop: self.hop,
            probe: self.probe.clone(),
            by: None,
            due: at,
            asked: at,
            answered,
            outcome,
        });
    }
}
