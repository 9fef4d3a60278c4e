//! Clusters that stay when the program that made them ends, until somebody wants them gone.
//!
//! ```text
//! clusters/NAME/shared/   what its node has at /handover
//! clusters/NAME/logs/     what kind said
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Component, Request, ResolveError, resolve};
use handover_fixtures::kept::{self, Kept};
use handover_fixtures::process::{LedgerError, RunDir, SpawnError, Spawner};

use crate::cluster::{Cluster, ClusterError, Kind, KindError, Made, Order};
use crate::docker::{Daemon, DockerError, Owner, QUIET, Wish, daemon, sweep};
use crate::image::{self, Choice, ImageError, NodeImage};
use crate::plane::NAME;

/// Why a cluster is not kept, or not gone.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// There is none of that name, or somebody has it.
    #[error(transparent)]
    Kept(#[from] kept::KeptError),
    /// A part cannot be obtained.
    #[error(transparent)]
    Resolve(#[from] Box<ResolveError>),
    /// There is no daemon that will do.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// There is no image of a node.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// `kind` cannot be used.
    #[error(transparent)]
    Kind(#[from] KindError),
    /// The cluster could not be made.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// What is started cannot be written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nothing can be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

/// What it takes to make something with Docker.
pub struct Ground<'a> {
    /// How components are obtained, and into which cache.
    pub request: Request,
    /// Which daemon.
    pub wish: Wish,
    /// A program that understands what a daemon of our own calls it back with.
    pub handover: &'a Path,
    /// Hears of components.
    pub progress: Arc<dyn Progress>,
    /// Hears what is done now, in a few words.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

impl Ground<'_> {
    /// The daemon, freed of what dead runs left.
    ///
    /// # Errors
    /// [`DockerError`].
    pub async fn daemon(&self) -> Result<Daemon, DockerError> {
        let cache = &self.request.cache;
        let component = async {
            let request = self.request.clone().only([Component::Docker]);
            let set = resolve(request, Arc::clone(&self.progress)).await?;
            set.require(Component::Docker).cloned()
        };
        let daemon = daemon(cache, &self.wish, self.handover, component).await?;
        let kept = Kept::of(cache.root());
        let swept = sweep(cache, &daemon.docker, &|run| kept.keeps(run)).await?;
        swept.gone.iter().chain(&swept.left).for_each(|line| (self.tell)(line));
        Ok(daemon)
    }

    /// The image of a node at that daemon, found or made.
    ///
    /// # Errors
    /// [`ImageError`].
    pub async fn image(
        &self,
        daemon: &Daemon,
        run: &RunDir,
        name: &str,
        choice: &Choice,
    ) -> Result<NodeImage, ImageError> {
        let (request, progress) = (self.request.clone(), Arc::clone(&self.progress));
        let ground = image::Ground { docker: &daemon.docker, run, name, request, progress, tell: self.tell };
        image::obtain(&ground, choice).await
    }

    /// Makes a cluster that stays, unless `stop` comes first. What goes wrong leaves nothing at the daemon.
    ///
    /// # Errors
    /// [`KeptError`].
    pub async fn up(
        &self,
        name: &str,
        choice: &Choice,
        stop: impl Future<Output = ()>,
    ) -> Result<(Cluster, Made), KeptError> {
        let cache = &self.request.cache;
        let (kept, runs) = (Kept::of(cache.root()), cache.root().join("runs"));
        if kept.keeps(name) {
            return Err(kept::KeptError::Taken { name: name.to_owned() }.into());
        }
        let run = RunDir::create(&runs, name)?;
        let daemon = self.daemon().await?;
        let dir = kept.make_room(name)?;
        let cluster = Cluster::named(name, &dir);
        let made = tokio::select! {
            made = self.make(&daemon, &run, name, choice, &dir) => made,
            () = stop => Err(KeptError::Stopped),
        };
        match &made {
            Ok(_) => {}
            Err(KeptError::Cluster(ClusterError::Taken { .. } | ClusterError::Name { .. })) => {}
            Err(_) => {
                let owner = Owner::of(cache, name)?;
                daemon.docker.clear(|owned| owned.owner == owner, QUIET).await?;
            }
        }
        if matches!(made, Err(KeptError::Stopped)) {
            // Nobody asks for the logs of what they stopped.
            kept.forget(name)?;
        }
        run.finish()?;
        Ok((cluster, made?))
    }

    async fn make(
        &self,
        daemon: &Daemon,
        run: &RunDir,
        name: &str,
        choice: &Choice,
        dir: &Path,
    ) -> Result<Made, KeptError> {
        let image = self.image(daemon, run, name, choice).await?;
        let request = self.request.clone().only([Component::Kind]);
        let set = resolve(request, Arc::clone(&self.progress)).await.map_err(Box::new)?;
        let program = set.require(Component::Kind).map_err(Box::new)?.path();
        let spawner = Spawner::start(run.ledger())?;
        let kind = Kind::new(program, daemon.docker.clone(), spawner, &dir.join("logs"))?;
        let owner = Owner::of(&self.request.cache, name)?;
        let order = Order { name, owner: &owner, image: &image, dir };
        let (_, made) = Cluster::create(&kind, &order, self.tell).await?;
        Kept::of(self.request.cache.root()).keep(name, NAME)?;
        Ok(made)
    }

    /// Removes a cluster that was kept, with its files; answers with how long its removal took.
    ///
    /// # Errors
    /// [`KeptError`].
    pub async fn down(&self, name: &str) -> Result<Duration, KeptError> {
        let kept = Kept::of(self.request.cache.root());
        let held = kept.take(name, NAME)?;
        let cluster = Cluster::named(name, &held.dir);
        let daemon = self.daemon().await?;
        let took = cluster.delete(&daemon.docker, &Owner::of(&self.request.cache, name)?).await?;
        kept.forget(name)?;
        for line in daemon.leave().await? {
            (self.tell)(&format!("put back {line}"));
        }
        Ok(took)
    }
}
