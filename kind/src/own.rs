//! The cluster of one run: raised from nothing, and taken away again however the run ends.
//!
//! What is made is known before it is made, so whoever is interrupted half-way takes away all of it.

use std::path::PathBuf;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Component, Request, ResolveError, resolve};
use handover_fixtures::process::{RunDir, SpawnError, Spawner};
use tokio::sync::Mutex;

use crate::cluster::{Cluster, ClusterError, Kind, KindError, Made, Order};
use crate::docker::{Daemon, DockerError, Wish, daemon};
use crate::image::{Choice, Ground, ImageError, obtain};
use crate::servers::ServersError;
use crate::servers::site::Site;

/// What a run has of its own at Docker; nothing until it is raised.
#[derive(Default)]
pub struct OwnCluster(Mutex<Option<Begun>>);

/// What was begun, and has to be ended.
struct Begun {
    daemon: Daemon,
    cluster: Option<Cluster>,
}

/// What a cluster is raised from.
pub struct Raise<'a> {
    /// How components are obtained.
    pub components: Request,
    /// Whoever hears of that.
    pub progress: Arc<dyn Progress>,
    /// The run's directory.
    pub run: &'a RunDir,
    /// The run's name.
    pub name: &'a str,
    /// Hears what is done now, in a few words.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// No daemon.
    #[error(transparent)]
    Docker(#[from] Box<DockerError>),
    /// A component cannot be obtained.
    #[error(transparent)]
    Component(#[from] Box<ResolveError>),
    /// No image of a node.
    #[error(transparent)]
    Image(#[from] Box<ImageError>),
    /// Nothing can be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// `kind` cannot be started.
    #[error(transparent)]
    Kind(#[from] Box<KindError>),
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] Box<ClusterError>),
    /// It was made, and cannot be used.
    #[error(transparent)]
    Site(#[from] Box<ServersError>),
    /// This very program, which a daemon of our own calls back.
    #[error("cannot find this program")]
    Own(#[source] std::io::Error),
}

impl OwnCluster {
    /// Finds or starts a daemon, finds or makes the image of a node, and makes a cluster.
    ///
    /// # Errors
    /// What could not be had. What was made so far is there until [`fell`](Self::fell).
    pub async fn raise(&self, from: &Raise<'_>) -> Result<(Site, Made), OwnError> {
        let only = |component| from.components.clone().only([component]);
        let had = async |component| {
            let set = resolve(only(component), Arc::clone(&from.progress)).await?;
            set.require(component).cloned()
        };
        (from.tell)("looking for Docker");
        let wish = Wish::of_process().await.map_err(Box::new)?;
        let handover = std::env::current_exe().map_err(OwnError::Own)?;
        let daemon = daemon(&from.components.cache, &wish, &handover, had(Component::Docker));
        let daemon = daemon.await.map_err(Box::new)?;
        let docker = daemon.docker.clone();
        let mut begun = self.0.lock().await;
        let begun = begun.insert(Begun { daemon, cluster: None });

        let ground = Ground {
            docker: &docker,
            run: from.run,
            name: from.name,
            request: from.components.clone(),
            progress: Arc::clone(&from.progress),
            tell: from.tell,
        };
        let image = obtain(&ground, &Choice::default()).await.map_err(Box::new)?;
        let program = had(Component::Kind).await.map_err(Box::new)?;
        let spawner = Spawner::start(from.run.ledger())?;
        let logs: PathBuf = from.run.path().join("kind");
        let kind = Kind::new(program.path(), docker.clone(), spawner, &logs).map_err(Box::new)?;
        let name = format!("handover-{}", from.name);
        let order = Order { name: &name, run: from.name, image: &image, dir: from.run.path() };
        // Before it is there: who is interrupted has something to take away.
        begun.cluster = Some(Cluster::named(&name, from.run.path()));
        let (_, made) = Cluster::create(&kind, &order, from.tell).await.map_err(Box::new)?;
        let site = Site::open(from.run.path(), docker).await.map_err(Box::new)?;
        Ok((site, made))
    }

    /// Takes away what was raised, if anything was. Answers with what is still there, and why.
    pub async fn fell(&self) -> Vec<String> {
        let Some(Begun { daemon, cluster }) = self.0.lock().await.take() else { return Vec::new() };
        let mut left = Vec::new();
        if let Some(cluster) = cluster
            && let Err(error) = cluster.delete(&daemon.docker).await
        {
            left.push(format!("cluster {}: {}", cluster.name(), chain(&error)));
        }
        if let Err(error) = daemon.leave().await {
            left.push(chain(&error));
        }
        left
    }
}
