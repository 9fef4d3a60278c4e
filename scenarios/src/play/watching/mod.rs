//! Everything that watches while a scenario is played: one probe for each hop of each credential.

mod cluster;
mod count;
mod leases;
mod login;
mod metrics;
mod pods;
mod polled;
mod refusals;
mod states;
mod store;
mod workload;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handover_harness::event::{Hop, ProbeName};
use handover_harness::mask::Masked;
use handover_harness::probe::{Probe, ProbeHandle};
use handover_harness::timeline::Life;
use handover_harness::wait::{Progress, WaitError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::login::{Held, Origin};
use self::pods::Pods;
use super::PlayError;
use super::stage::Stage;
use crate::language::scenario::Credential;

/// How long everything may take to be in place before the first step: ESO's backoff included.
const BASELINE_WITHIN: Duration = Duration::from_secs(30);

/// The running probes of one scenario.
#[derive(Default)]
pub struct Watching {
    stop: CancellationToken,
    tasks: TaskTracker,
    probes: Vec<ProbeHandle>,
    origins: BTreeMap<String, Origin>,
    /// By credential, the KV version that the latest rotate step wrote.
    versions: Mutex<BTreeMap<String, u64>>,
    /// What keeps pods from running.
    pods: Arc<Pods>,
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
        self.hear_refusals(stage);
        for counter in &stage.scenario.leases {
            self.count_leases(stage, counter)?;
        }
        for counter in &stage.scenario.metrics {
            self.scrape(stage, counter)?;
        }
        for condition in &stage.scenario.conditions {
            self.watch_condition(stage, condition).await?;
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
                for hop in credential.hops.iter().filter(|hop| stage.is_there(credential, **hop)) {
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
                        let pods = match hop {
                            Hop::Workload | Hop::Login => self.pods.troubles(&credential.name),
                            Hop::Origin | Hop::Store | Hop::Sync | Hop::Secret => String::new(),
                        };
                        return Progress::NotYet(format!("{} at {hop}: {why}{pods}", credential.name));
                    }
                }
            }
            // Every replica, not only the first that got in: one that first speaks after a rotation has no before.
            for workload in stage.scenario.workloads.iter().filter(|workload| workload.watched) {
                let lives = story.lives_of(&workload.name);
                let in_place = |life: &&Life<'_>| life.samples.iter().any(|sample| sample.accepted());
                let there = lives.iter().filter(|life| life.gone.is_none()).filter(in_place).count();
                let wanted = stage.replicas(workload);
                if there < wanted && stage.is_there(stage.credential(&workload.credential), Hop::Login) {
                    return Progress::NotYet(format!(
                        "{there} of {wanted} replicas of {} got in",
                        workload.name
                    ));
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

/// The next value, or nothing once `stop` is cancelled.
async fn until<T>(stop: &CancellationToken, next: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::select! {
        // What came before it was stopped is heard out.
        biased;
        next = next => next,
        () = stop.cancelled() => None,
    }
}
