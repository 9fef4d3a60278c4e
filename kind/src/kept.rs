//! Clusters that stay when the program that made them ends, until somebody wants them gone.
//!
//! ```text
//! clusters/NAME/kubeconfig   by which it is asked
//! clusters/NAME/shared/      what its node has at /handover
//! clusters/NAME/logs/        what kind said
//! clusters/NAME/kept         it is whole: nobody sweeps what carries its name
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Cache, Component, Request, ResolveError, resolve};
use handover_fixtures::process::{LedgerError, RunDir, SpawnError, Spawner, lives};

use crate::cluster::{Cluster, ClusterError, Kind, KindError, Made, Order};
use crate::docker::{Daemon, DockerError, Owner, Wish, daemon, sweep};
use crate::image::{self, Choice, ImageError, NodeImage};

/// The places of clusters that are kept, below a cache.
#[derive(Clone, Debug)]
pub struct Kept {
    root: PathBuf,
}

/// Says that a cluster is whole.
const MARK: &str = "kept";

/// Why a cluster is not kept, or not gone.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// There is no cluster of that name that was kept.
    #[error("there is no cluster called `{name}` that was kept{}", beside(.others))]
    NotKept {
        /// The name.
        name: String,
        /// Those that were.
        others: Vec<String>,
    },
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
    /// Its files cannot be written or removed.
    #[error("cannot {what} `{path}`; is the disk full, read-only, or somebody else's?")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

fn beside(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) }
}

impl Kept {
    /// Those of a cache.
    pub fn of(cache: &Cache) -> Self {
        Self { root: cache.root().join("clusters") }
    }

    /// Whether a cluster of this name is kept: what carries it as its run is not left behind.
    pub fn keeps(&self, name: &str) -> bool {
        self.dir(name).join(MARK).exists()
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        let items = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut names: Vec<_> = items.filter_map(|item| item.file_name().into_string().ok()).collect();
        names.retain(|name| self.keeps(name));
        names.sort();
        names
    }

    /// The one of this name.
    ///
    /// # Errors
    /// [`KeptError::NotKept`].
    pub fn get(&self, name: &str) -> Result<Cluster, KeptError> {
        if self.keeps(name) {
            return Ok(Cluster::named(name, &self.dir(name)));
        }
        Err(KeptError::NotKept { name: name.to_owned(), others: self.names() })
    }

    /// Removes the files of those that were never whole and whose making is over; answers with their names.
    pub fn sweep(&self, runs: &Path) -> Vec<String> {
        let items = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let names = items.filter_map(|item| item.file_name().into_string().ok());
        let over = |name: &String| !self.keeps(name) && lives(runs, name).is_ok_and(|lives| !lives);
        names.filter(over).filter(|name| fs::remove_dir_all(self.dir(name)).is_ok()).collect()
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
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
        let kept = Kept::of(cache);
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
        let (kept, runs) = (Kept::of(cache), cache.root().join("runs"));
        if kept.keeps(name) {
            return Err(ClusterError::Taken { name: name.to_owned() }.into());
        }
        let run = RunDir::create(&runs, name)?;
        let daemon = self.daemon().await?;
        let dir = kept.dir(name);
        // Of one that did not come to be, its logs were left.
        let _ = fs::remove_dir_all(&dir);
        let cluster = Cluster::named(name, &dir);
        let made = tokio::select! {
            made = self.make(&daemon, &run, name, choice, &dir) => made,
            () = stop => Err(KeptError::Stopped),
        };
        match &made {
            Ok(_) => {}
            Err(KeptError::Cluster(ClusterError::Taken { .. } | ClusterError::Name { .. })) => {}
            Err(_) => {
                let owned = daemon.docker.owned_by(&Owner::of(cache, name)?).await?;
                daemon.docker.remove(&owned).await?;
            }
        }
        if matches!(made, Err(KeptError::Stopped)) {
            // Nobody asks for the logs of what they stopped.
            let _ = fs::remove_dir_all(&dir);
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
        let mark = dir.join(MARK);
        fs::write(&mark, "").map_err(|source| KeptError::Disk { what: "write", path: mark, source })?;
        Ok(made)
    }

    /// Removes a cluster that was kept, with its files; answers with how long its removal took.
    ///
    /// # Errors
    /// [`KeptError`].
    pub async fn down(&self, name: &str) -> Result<Duration, KeptError> {
        let kept = Kept::of(&self.request.cache);
        let cluster = kept.get(name)?;
        let daemon = self.daemon().await?;
        let took = cluster.delete(&daemon.docker).await?;
        let dir = kept.dir(name);
        fs::remove_dir_all(&dir).map_err(|source| KeptError::Disk { what: "remove", path: dir, source })?;
        for line in daemon.leave().await? {
            (self.tell)(&format!("put back {line}"));
        }
        Ok(took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_whole_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::of(&Cache::at(dir.path()));
        assert!(kept.names().is_empty());
        for name in ["b", "a", "half"] {
            fs::create_dir_all(kept.dir(name)).unwrap();
        }
        for name in ["a", "b"] {
            fs::write(kept.dir(name).join(MARK), "").unwrap();
        }
        assert_eq!(kept.names(), ["a", "b"]);
        assert!(!kept.keeps("half") && kept.get("a").is_ok());
        assert_eq!(kept.sweep(&dir.path().join("runs")), ["half"]);
        let said = kept.get("half").unwrap_err().to_string();
        assert_eq!(said, "there is no cluster called `half` that was kept; there is a, b");
    }
}
