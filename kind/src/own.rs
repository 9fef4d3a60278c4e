//! The cluster of one run: raised from nothing, and taken away again however the run ends.
//!
//! What is made is known before it is made, so whoever is interrupted half-way takes away all of it.

use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, ResolveError, resolve};
use handover_fixtures::kept::{Kept, KeptError, Use};
use handover_fixtures::process::{RunDir, SpawnError, Spawner};
use tokio::sync::Mutex;

use crate::cluster::{Cluster, ClusterError, Kind, KindError, Made, NODE_LOGS, Order};
use crate::docker::{Daemon, DockerError, Owner, QUIET};
use crate::image::{Choice, ImageError};
use crate::kept::Ground;
use crate::plane::NAME;
use crate::servers::site::Site;
use crate::servers::{ServersError, leftovers};

/// What a run has of its own at Docker; nothing until it is raised.
#[derive(Default)]
pub struct OwnCluster(Mutex<Option<Begun>>);

/// What was begun, and has to be ended.
struct Begun {
    daemon: Daemon,
    /// Whose labels everything carries.
    owner: Option<Owner>,
    cluster: Option<(Kind, Cluster)>,
    /// Whether it came to be: nothing more comes then of what Docker was told to make.
    whole: bool,
    /// One that was kept: nobody else plays on it meanwhile.
    held: Option<Use>,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// No daemon.
    #[error(transparent)]
    Docker(#[from] Box<DockerError>),
    /// `kind` cannot be obtained.
    #[error(transparent)]
    Component(#[from] Box<ResolveError>),
    /// No cluster of that name was kept.
    #[error(transparent)]
    Kept(#[from] Box<KeptError>),
    /// No image of a node.
    #[error(transparent)]
    Image(#[from] Box<ImageError>),
    /// Nothing can be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// `kind` cannot be used.
    #[error(transparent)]
    Kind(#[from] Box<KindError>),
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] Box<ClusterError>),
    /// It was made, and cannot be used.
    #[error(transparent)]
    Site(#[from] Box<ServersError>),
    /// A run that was killed left something in it that stays.
    #[error(
        "what an earlier run left in cluster `{name}` cannot be removed: {left}; make it anew (`handover down {name}`, \
         `handover up {name}`)"
    )]
    Leftovers {
        /// The cluster.
        name: String,
        /// What, and why.
        left: String,
    },
}

impl OwnCluster {
    /// Finds or starts a daemon, finds or makes the image of a node, and makes a cluster that is called after the run
    /// `name`.
    ///
    /// # Errors
    /// What could not be had. What was made so far is there until [`fell`](Self::fell).
    pub async fn raise(
        &self,
        ground: &Ground<'_>,
        run: &RunDir,
        name: &str,
    ) -> Result<(Site, Made), OwnError> {
        let mut begun = self.0.lock().await;
        let daemon = ground.daemon().await.map_err(Box::new)?;
        let owner = Owner::of(&ground.request.cache, name).map_err(Box::new)?;
        let own = Begun { daemon, owner: Some(owner.clone()), cluster: None, whole: false, held: None };
        let Begun { daemon, cluster, whole, .. } = begun.insert(own);
        let image = ground.image(daemon, run, name, &Choice::default()).await.map_err(Box::new)?;
        let wanted = ground.request.clone().only([Component::Kind]);
        let set = resolve(wanted, Arc::clone(&ground.progress)).await.map_err(Box::new)?;
        let program = set.require(Component::Kind).map_err(Box::new)?.path();
        let spawner = Spawner::start(run.ledger())?;
        let docker = daemon.docker.clone();
        let kind = Kind::new(program, docker.clone(), spawner, &run.path().join("logs")).map_err(Box::new)?;
        let order = Order { name, owner: &owner, image: &image, dir: run.path() };
        // Before it is there: who is interrupted has something to take away.
        let (kind, _) = cluster.insert((kind, Cluster::named(name, run.path())));
        let (_, made) = Cluster::create(kind, &order, ground.tell).await.map_err(Box::new)?;
        *whole = true;
        let site = Site::open(run.path(), docker).await.map_err(Box::new)?;
        Ok((site, made))
    }

    /// A cluster that was kept, and stays: woken if its node was stopped, and freed of what a killed run left.
    ///
    /// # Errors
    /// That there is none of that name, that it does not answer, or what stays in it.
    pub async fn enter(&self, ground: &Ground<'_>, name: &str) -> Result<Site, OwnError> {
        let mut begun = self.0.lock().await;
        let held = Kept::of(ground.request.cache.root()).take(name, NAME).map_err(Box::new)?;
        let dir = held.dir.clone();
        let daemon = ground.daemon().await.map_err(Box::new)?;
        let entered = Begun { daemon, owner: None, cluster: None, whole: true, held: Some(held) };
        let Begun { daemon, .. } = begun.insert(entered);
        Cluster::named(name, &dir).wake(&daemon.docker, ground.tell).await.map_err(Box::new)?;
        let site = Site::open(&dir, daemon.docker.clone()).await.map_err(Box::new)?;
        let left = leftovers::remove(&site.kube, &site.share).await;
        if left.is_empty() {
            return Ok(site);
        }
        Err(OwnError::Leftovers { name: name.to_owned(), left: left.join("; ") })
    }

    /// Takes away what was raised, if anything was; with `logs`, what its node logged stays in the cluster's directory
    /// ([`NODE_LOGS`]), unmasked. `tell` hears that it is done now. Answers with what is still there, and why.
    pub async fn fell(&self, logs: bool, tell: &(dyn Fn(&str) + Send + Sync)) -> Vec<String> {
        let Some(Begun { daemon, owner, cluster, whole, held }) = self.0.lock().await.take() else {
            return Vec::new();
        };
        let mut left = Vec::new();
        if let Some((kind, cluster)) = cluster {
            tell("taking the cluster away");
            // One that did not come up wrote them when it was given up.
            let wanted = logs && cluster.is_there(&daemon.docker).await.unwrap_or(true);
            if wanted && let Err(error) = cluster.export_logs(&kind, &cluster.dir().join(NODE_LOGS)).await {
                tell(&format!("the logs of the node cannot be had: {}", chain(&error)));
            }
        }
        // With what was under way when it was interrupted: a node, or the image of one.
        if let Some(owner) = owner {
            let quiet = if whole { Duration::ZERO } else { QUIET };
            if let Err(error) = daemon.docker.clear(|owned| owned.owner == owner, quiet).await {
                left.push(chain(&error));
            }
        }
        if let Err(error) = daemon.leave().await {
            left.push(chain(&error));
        }
        drop(held);
        left
    }
}
