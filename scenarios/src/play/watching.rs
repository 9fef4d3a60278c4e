//! Everything that watches while a scenario is played: one probe for each hop of each credential.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use handover_fixtures::kubernetes::hops::{SyncStatus, secret_shows, secret_values, sync_status};
use handover_fixtures::kubernetes::watch::{News, count_objects, watch_object};
use handover_fixtures::openbao::{AuditEntry, Client};
use handover_fixtures::plane::Peer;
use handover_fixtures::{mysql, valkey};
use handover_harness::clock::Micros;
use handover_harness::event::{Hop, Observation, Outcome, ProbeName, What};
use handover_harness::fingerprint::Sighting;
use handover_harness::mask::Masked;
use handover_harness::probe::{Control, Probe, ProbeHandle, start};
use handover_harness::recorder::Scribe;
use handover_harness::secret::Secret;
use handover_harness::wait::{Progress, WaitError};
use kube::api::{Api, DynamicObject};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::PlayError;
use super::stage::{Stage, Values, server};
use crate::language::scenario::{Credential, Database, DatabaseKind, InSecret};

/// How often the store is asked beside what its audit log tells.
const STORE_EVERY: Duration = Duration::from_millis(200);
/// How often a value that is not rotating right now is tried at its origin.
const ORIGIN_EVERY: Duration = Duration::from_millis(250);
/// How long one login may take before nobody answered it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long everything may take to be in place before the first step: ESO's backoff included.
const BASELINE_WITHIN: Duration = Duration::from_secs(30);

/// Who somebody says they are, and what that is called in events.
#[derive(Clone)]
struct Login {
    username: Secret,
    password: Secret,
    sighting: Sighting,
}

/// What somebody would log in with now; nothing until it is known.
type Held = Arc<RwLock<Option<Login>>>;

/// The running probes of one scenario.
#[derive(Default)]
pub struct Watching {
    stop: CancellationToken,
    tasks: TaskTracker,
    probes: Vec<ProbeHandle>,
    origins: BTreeMap<String, Origin>,
    /// By credential, the KV version that the latest rotate step wrote.
    versions: Mutex<BTreeMap<String, u64>>,
}

/// The probe that tries one value again and again where it is checked.
struct Origin {
    tries: Held,
    control: Control,
    every: Duration,
}

impl Watching {
    /// Nothing is watched yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts every probe of the scenario's plan.
    pub async fn begin(&mut self, stage: &Stage<'_>) -> Result<(), PlayError> {
        for credential in &stage.scenario.credentials {
            self.watch_store(stage, credential)?;
            self.watch_origin(stage, credential).await?;
            let held = Held::default();
            if let Some(place) = &credential.secret {
                self.watch_secret(stage, credential, place, Arc::clone(&held)).await?;
                self.watch_sync(stage, credential, place).await?;
            }
            self.watch_readers(stage, credential, &held)?;
        }
        self.count(stage).await
    }

    /// Stops every probe, and lets what was asked be answered.
    pub async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        futures::future::join_all(self.probes.into_iter().map(ProbeHandle::stop)).await;
        self.tasks.wait().await;
    }

    /// Waits until every credential has been seen once at every hop that is watched.
    pub async fn baseline(&self, stage: &Stage<'_>) -> Result<(), PlayError> {
        let what = "not everything was in place";
        let there = stage.scribe.recorder().wait_for(what, BASELINE_WITHIN, |timeline| {
            let Some(story) = timeline.stories.get(&stage.scenario.id) else {
                return Progress::NotYet("the scenario has not begun".into());
            };
            for credential in &stage.scenario.credentials {
                for hop in &credential.hops {
                    let seen = match hop {
                        Hop::Origin | Hop::Login => {
                            story.samples_at(&credential.name, *hop).any(|sample| sample.accepted())
                        }
                        Hop::Store | Hop::Sync | Hop::Secret | Hop::Workload => {
                            story.standing(&credential.name, *hop).is_some()
                        }
                    };
                    if !seen {
                        let complaint =
                            story.latest(&credential.name, *hop).and_then(|sample| sample.complaint());
                        let why = complaint.map_or("nothing was seen", Masked::text);
                        return Progress::NotYet(format!("{} at {hop}: {why}", credential.name));
                    }
                }
            }
            Progress::There(())
        });
        there.await.map_err(|error| {
            let (WaitError::OutOfTime { .. } | WaitError::Dead { .. }) = &error;
            PlayError::Baseline(error.to_string())
        })
    }

    /// A KV credential has this version now.
    pub fn left(&self, credential: &str, version: u64) {
        self.versions().insert(credential.to_owned(), version);
    }

    /// The version that the latest rotate step went away from.
    pub fn version_before(&self, credential: &str) -> Option<u64> {
        self.versions().get(credential).map(|version| version - 1)
    }

    fn versions(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checked credential is about to be rotated away from these values: from now on they are tried, fast
    /// until they are refused for the first time.
    pub fn about_to_leave(&self, stage: &Stage<'_>, credential: &Credential, values: &Values) {
        if let Some(origin) = self.origins.get(&credential.name) {
            *origin.tries.write().unwrap_or_else(PoisonError::into_inner) = login(stage, values);
            origin.control.hurry(origin.every);
        }
    }

    fn watch_store(&mut self, stage: &Stage<'_>, credential: &Credential) -> Result<(), PlayError> {
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
        let handle = handle.map_err(|error| PlayError::Probe(super::chain(&error)))?;
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

    async fn watch_origin(&mut self, stage: &Stage<'_>, credential: &Credential) -> Result<(), PlayError> {
        let Some((_, database)) = stage.checked(credential) else { return Ok(()) };
        let tries = Held::default();
        if let Some(values) = stage.stored(credential).await? {
            *tries.write().unwrap_or_else(PoisonError::into_inner) = login(stage, &values);
        }
        let probe = self.probe(stage, credential, "origin", Hop::Origin, ORIGIN_EVERY);
        let handle = self.log_in(stage, database, probe, Arc::clone(&tries))?;
        let origin = Origin { tries, control: handle.control(), every: credential.every };
        self.origins.insert(credential.name.clone(), origin);
        self.probes.push(handle);
        Ok(())
    }

    fn watch_readers(
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
        let address = plane.address(Peer::Workload, Peer::Server(server(database.kind)))?;
        let scribe = stage.scribe.clone();
        let now = move || held.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (host, port) = (address.ip().to_string(), address.port());
        let began = match database.kind {
            DatabaseKind::Mysql => {
                let door = mysql::Login::new(&host, port, plane.ca_pem(), PATIENCE);
                start(scribe, probe, move || {
                    let (door, login) = (door.clone(), now());
                    async move {
                        let login = login?;
                        Some(door.ask(login.username.expose(), &login.password, login.sighting).await)
                    }
                })
            }
            DatabaseKind::Valkey => {
                let door = valkey::Login::new(host, port, PATIENCE);
                start(scribe, probe, move || {
                    let (door, login) = (door.clone(), now());
                    async move {
                        let login = login?;
                        Some(door.ask(login.username.expose(), &login.password, login.sighting).await)
                    }
                })
            }
        };
        began.map_err(|error| PlayError::Probe(super::chain(&error)))
    }

    async fn watch_secret(
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
        let user = stage.checked(credential).map(|(role, _)| Secret::new(stage.user(&role.user)));
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
    async fn watch_sync(
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

    async fn count(&self, stage: &Stage<'_>) -> Result<(), PlayError> {
        for counter in &stage.scenario.objects {
            let api: Api<DynamicObject> =
                stage.house.applier.api_of_kind(&counter.kind, &stage.namespace).await?;
            let (scribe, name, stop) = (stage.scribe.clone(), counter.counter.clone(), self.stop.clone());
            self.tasks.spawn(count_objects(api, stop, move |value| {
                scribe.record(What::Count { counter: name.clone(), value });
            }));
        }
        for counter in &stage.scenario.calls {
            let mut audit = stage.house.plane.audit().subscribe(&stage.namespace);
            let (scribe, counter, stop) = (stage.scribe.clone(), counter.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                let mut value = 0;
                let tell = |value| scribe.record(What::Count { counter: counter.counter.clone(), value });
                tell(value);
                let counts = |entry: &AuditEntry| entry.path == counter.path && entry.is_call_by_others();
                while let Some(entry) = until(&stop, audit.recv()).await {
                    if counts(&entry) {
                        value += 1;
                        tell(value);
                    }
                }
            });
        }
        Ok(())
    }

    fn probe(
        &self,
        stage: &Stage<'_>,
        credential: &Credential,
        kind: &str,
        hop: Hop,
        every: Duration,
    ) -> Probe {
        let name: ProbeName = format!("{kind}:{}", credential.name);
        let mut probe = Probe::new(name, credential.name.clone(), hop, every);
        // Where in their period probes begin differs from run to run, and is told by the seed.
        probe.phase = every.mul_f64(stage.house.phase);
        probe
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

/// The next value, or nothing once `stop` is cancelled.
async fn until<T>(stop: &CancellationToken, next: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::select! {
        next = next => next,
        () = stop.cancelled() => None,
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
            due: at,
            asked: at,
            answered,
            outcome,
        });
    }
}
