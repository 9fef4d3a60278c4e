//! What a program has of its own at Docker: the cluster of one run, raised from nothing and taken away again however the
//! run ends; or what it takes to make what stays.
//!
//! What is made is known before it is made, so whoever is interrupted half-way takes away all of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::files::copy_tree;
use handover_fixtures::kept::{Kept, Use};
use handover_fixtures::process::RunDir;
use tokio::sync::Mutex;

use crate::cluster::{Cluster, DATA, Kind, Made, NODE_LOGS, Order};
use crate::docker::{Daemon, Owner, QUIET};
use crate::image::{Choice, NodeImage};
use crate::kept::is_at;
use crate::plane::NAME;
use crate::provision::{ProvisionError, Provisioner};
use crate::servers::leftovers;
use crate::servers::site::Site;

/// What a run has of its own at Docker; nothing until it is raised.
#[derive(Default)]
pub struct OwnCluster(Mutex<Option<Begun>>);

/// What was begun, and has to be ended.
struct Begun {
    daemon: Daemon,
    /// Whose labels everything carries that goes with it.
    owner: Option<Owner>,
    cluster: Option<(Kind, Cluster)>,
    /// The run's directory.
    room: PathBuf,
    /// Whether it is all there: the daemon makes nothing of it any more.
    whole: bool,
    /// One that was kept: nobody else plays on it meanwhile.
    held: Option<Use>,
}

impl Begun {
    fn of(provisioner: &Provisioner<'_>, daemon: Daemon, run: &RunDir) -> Result<Self, ProvisionError> {
        let owner = Owner::of(&provisioner.request.cache, run.name())?;
        let room = run.path().to_owned();
        Ok(Self { daemon, owner: Some(owner), cluster: None, room, whole: false, held: None })
    }
}

impl OwnCluster {
    /// Finds or starts a daemon, finds or makes the image of a node, and makes a cluster that is called after the run.
    ///
    /// # Errors
    /// What could not be had. What was made so far is there until [`fell`](Self::fell).
    pub async fn raise(
        &self,
        provisioner: &Provisioner<'_>,
        run: &RunDir,
    ) -> Result<(Site, Made), ProvisionError> {
        let daemon = provisioner.daemon().await?;
        let docker = daemon.docker.clone();
        let made = self.make(provisioner, daemon, run, &Choice::default(), run.path()).await?;
        let site = Site::open(run.path(), docker).await.map_err(Box::new)?;
        Ok((site, made))
    }

    /// Makes a cluster that is called after the run, at that daemon; its files go to `dir`.
    ///
    /// # Errors
    /// What could not be had. What was made so far is there until [`fell`](Self::fell).
    pub async fn make(
        &self,
        provisioner: &Provisioner<'_>,
        daemon: Daemon,
        run: &RunDir,
        choice: &Choice,
        dir: &Path,
    ) -> Result<Made, ProvisionError> {
        let mut begun = self.0.lock().await;
        let Begun { daemon, owner, cluster, whole, .. } = begun.insert(Begun::of(provisioner, daemon, run)?);
        // An image can take long to be made.
        Cluster::named(run.name(), dir).may_be(&daemon.docker).await?;
        let image = provisioner.image(daemon, run, choice).await?;
        daemon.makes_node_of(&image.name)?;
        let kind = provisioner.kind(daemon, run, &dir.join("logs")).await?;
        let owner = owner.as_ref().expect("it was begun with one");
        let order = Order { name: run.name(), owner, image: &image, dir };
        // Before it is there: who is interrupted has something to take away.
        let (kind, _) = cluster.insert((kind, Cluster::named(run.name(), dir)));
        match Cluster::create(kind, &order, provisioner.tell, provisioner.note).await {
            Ok((_, made)) => {
                *whole = true;
                Ok(made)
            }
            Err(error) => {
                // It has seen to itself, or the one of that name is somebody else's.
                *cluster = None;
                Err(error.into())
            }
        }
    }

    /// Finds or makes the image of a node.
    ///
    /// # Errors
    /// What could not be had. What was begun is there until [`fell`](Self::fell).
    pub async fn image(
        &self,
        provisioner: &Provisioner<'_>,
        daemon: Daemon,
        run: &RunDir,
        choice: &Choice,
    ) -> Result<NodeImage, ProvisionError> {
        let mut begun = self.0.lock().await;
        let begun = begun.insert(Begun::of(provisioner, daemon, run)?);
        Ok(provisioner.image(&begun.daemon, run, choice).await?)
    }

    /// A cluster that was kept, and stays: woken if its node was stopped, and freed of what a killed run left. With `keep`,
    /// what its node and its servers leave will be wanted.
    ///
    /// # Errors
    /// That there is none of that name, that it does not answer, or what stays in it.
    pub async fn enter(
        &self,
        provisioner: &Provisioner<'_>,
        run: &RunDir,
        name: &str,
        keep: bool,
    ) -> Result<Site, ProvisionError> {
        let mut begun = self.0.lock().await;
        let held = Kept::of(provisioner.request.cache.root()).take(name, NAME)?;
        let dir = held.dir.clone();
        let daemon = provisioner.daemon().await?;
        is_at(&dir, &daemon.docker)?;
        let room = run.path().to_owned();
        let entered = Begun { daemon, owner: None, cluster: None, room, whole: true, held: Some(held) };
        let Begun { daemon, cluster, .. } = begun.insert(entered);
        let named = Cluster::named(name, &dir);
        named.wake(&daemon.docker, provisioner.tell).await?;
        if keep {
            *cluster = Some((provisioner.kind(daemon, run, &run.path().join("logs")).await?, named));
        }
        let site = Site::open(&dir, daemon.docker.clone()).await.map_err(Box::new)?;
        let left = leftovers::remove(&site.kube, &site.share, None).await;
        if left.is_empty() {
            return Ok(site);
        }
        Err(ProvisionError::Leftovers { name: name.to_owned(), left: left.join("; ") })
    }

    /// Leaves the daemon, with all that was made there. Answers with what could not be put back, and why.
    pub async fn leave(self) -> Vec<String> {
        match self.0.into_inner() {
            Some(Begun { daemon, .. }) => {
                daemon.leave().await.err().iter().map(|error| chain(error)).collect()
            }
            None => Vec::new(),
        }
    }

    /// Takes away what was begun, if anything was; with `keep`, what its node logged stays in the run's directory
    /// ([`NODE_LOGS`]), and so does the data of servers that are still there ([`DATA`]), all of it unmasked. `tell` hears
    /// that it is done now. Answers with what is still there, and why.
    pub async fn fell(&self, keep: bool, tell: &(dyn Fn(&str) + Send + Sync)) -> Vec<String> {
        let Some(Begun { daemon, owner, cluster, room, whole, held }) = self.0.lock().await.take() else {
            return Vec::new();
        };
        let mut left = Vec::new();
        if let Some((kind, cluster)) = cluster {
            tell(if owner.is_some() { "taking the cluster away" } else { "leaving the cluster" });
            // One that did not come up wrote them when it was given up.
            let wanted = keep && cluster.is_there(&daemon.docker).await.unwrap_or(true);
            if wanted && let Err(error) = cluster.export_logs(&kind, &room.join(NODE_LOGS)).await {
                tell(&format!("the logs of the node cannot be had: {}", chain(&error)));
            }
        }
        // Those of a plane that did not start: else they were copied when its servers were stopped.
        if let Some(held) = held.as_ref().filter(|_| keep && !room.join(DATA).exists())
            && let Err(error) = copy_tree(&held.dir.join(DATA), &room.join(DATA))
        {
            tell(&format!("the data of the servers cannot be had: {error}"));
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
