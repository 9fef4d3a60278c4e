//! Making something with Docker: the daemon, the image of a node, `kind`. And why it cannot be made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Component, Request, ResolveError, resolve};
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::process::{LedgerError, RunDir, SpawnError, Spawner};

use crate::cluster::{ClusterError, Holder, Kind, KindError};
use crate::docker::{Daemon, DockerError, Wish, daemon, sweep};
use crate::image::{self, Choice, ImageError, NodeImage};
use crate::servers::ServersError;

/// Why a cluster is not made, not kept, or not gone.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// There is none of that name, or somebody has it.
    #[error(transparent)]
    Kept(#[from] KeptError),
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
    /// It is there, and cannot be used.
    #[error(transparent)]
    Site(#[from] Box<ServersError>),
    /// What is started cannot be written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nothing can be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// A run that was killed left something in it that stays.
    #[error(
        "what an earlier run left in cluster `{name}` cannot be removed: {left}; make it anew (`handover down {name}`, \
         `handover up --plane kind --name {name}`)"
    )]
    Leftovers {
        /// The cluster.
        name: String,
        /// What, and why.
        left: String,
    },
    /// A cluster was to go, and the node of its name is not this cache's.
    #[error(
        "a node of the name `{name}` is still there, {holder}; or this cache was moved since it was made (then `docker rm \
         --force --volumes {node}`). After that `handover down {name}` forgets it here; so does removing `{}`", .dir.display()
    )]
    Stays {
        /// The cluster.
        name: String,
        /// Who has it, by its labels.
        holder: Holder,
        /// What its node is called.
        node: String,
        /// Where its files lie.
        dir: PathBuf,
    },
    /// It could not be made, and something of it is still there.
    #[error("{}; left behind: {}", chain(.why), .left.join("; "))]
    Left {
        /// Why it was not made; no source, since its words are in the message.
        why: Box<ProvisionError>,
        /// What is still there, and why.
        left: Vec<String>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

/// Makes clusters, and what they take, with Docker.
pub struct Provisioner<'a> {
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
    /// Hears what should be remembered.
    pub note: &'a (dyn Fn(&str) + Send + Sync),
}

impl Provisioner<'_> {
    /// The daemon, freed of what dead runs left. Who is about to make a run of a name that was used before asks for it
    /// first: what the one before left is not swept while that name lives.
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
        let swept = match sweep(cache, &daemon.docker, &|run| kept.keeps(run)).await {
            Ok(swept) => swept,
            Err(error) => {
                // It is this error that counts.
                let _ = daemon.leave().await;
                return Err(error);
            }
        };
        swept.gone.iter().chain(&swept.left).for_each(|line| (self.tell)(line));
        Ok(daemon)
    }

    /// The image of a node at that daemon, found or made.
    ///
    /// # Errors
    /// [`ImageError`]. What was begun carries the run's label.
    pub async fn image(
        &self,
        daemon: &Daemon,
        run: &RunDir,
        choice: &Choice,
    ) -> Result<NodeImage, ImageError> {
        let (request, progress) = (self.request.clone(), Arc::clone(&self.progress));
        let builder = image::Builder {
            docker: &daemon.docker,
            run,
            name: run.name(),
            request,
            progress,
            tell: self.tell,
        };
        image::obtain(&builder, choice).await
    }

    /// `kind` for that daemon, which is the run's to stop and logs into `logs`.
    ///
    /// # Errors
    /// It cannot be obtained or used.
    pub async fn kind(&self, daemon: &Daemon, run: &RunDir, logs: &Path) -> Result<Kind, ProvisionError> {
        let request = self.request.clone().only([Component::Kind]);
        let set = resolve(request, Arc::clone(&self.progress)).await.map_err(Box::new)?;
        let program = set.require(Component::Kind).map_err(Box::new)?.path();
        let spawner = Spawner::start(run.ledger())?;
        Ok(Kind::new(program, daemon.docker.clone(), spawner, logs)?)
    }
}
