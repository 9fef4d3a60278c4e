//! What stays when the program that made it ends: a cluster, until somebody wants it gone, and the image of a node.
//!
//! ```text
//! clusters/NAME/shared/   what its node has at /handover
//! clusters/NAME/logs/     what kind said
//! clusters/NAME/docker    the daemon that it is at
//! ```

use std::fs;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::files::write_private;
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::process::RunDir;

use crate::cluster::{Cluster, ClusterError, Made, may_be_called, node};
use crate::docker::{Docker, DockerError, Owner};
use crate::image::{Choice, NodeImage};
use crate::own::OwnCluster;
use crate::plane::NAME;
use crate::provision::{ProvisionError, Provisioner};

/// Where it stands at which daemon a cluster is.
const AT: &str = "docker";

/// Sees that the cluster whose files lie in `dir` is at this daemon: another one may have one of the same name, and would
/// say of this one that it is gone.
///
/// # Errors
/// [`DockerError::Elsewhere`].
pub(crate) fn is_at(dir: &Path, docker: &Docker) -> Result<(), DockerError> {
    let path = dir.join(AT);
    let host = fs::read_to_string(&path).map_err(DockerError::disk("read", &path))?;
    if host == docker.host {
        return Ok(());
    }
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(DockerError::Elsewhere { name, host, asked: docker.host.clone() })
}

impl Provisioner<'_> {
    /// Finds or makes the image of a node, unless `stop` comes first. What goes wrong leaves nothing.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn make_image(
        &self,
        name: &str,
        choice: &Choice,
        stop: impl Future<Output = ()>,
    ) -> Result<NodeImage, ProvisionError> {
        let mut stop = pin!(stop);
        let daemon = tokio::select! {
            daemon = self.daemon() => daemon?,
            () = &mut stop => return Err(ProvisionError::Stopped),
        };
        let run = RunDir::create(&self.request.cache.root().join("runs"), name)?;
        let own = OwnCluster::default();
        let image = tokio::select! {
            image = own.image(self, daemon, &run, choice) => image,
            () = stop => Err(ProvisionError::Stopped),
        };
        self.end(image, own, run, None).await
    }

    /// Makes a cluster that stays, unless `stop` comes first. What goes wrong leaves nothing at the daemon, and here what
    /// a node said that did not come up.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn up(
        &self,
        name: &str,
        choice: &Choice,
        stop: impl Future<Output = ()>,
    ) -> Result<(Cluster, Made), ProvisionError> {
        let mut stop = pin!(stop);
        let root = self.request.cache.root();
        let kept = Kept::of(root);
        may_be_called(name)?;
        if kept.keeps(name) {
            return Err(KeptError::Taken { name: name.to_owned() }.into());
        }
        let daemon = tokio::select! {
            daemon = self.daemon() => daemon?,
            () = &mut stop => return Err(ProvisionError::Stopped),
        };
        let run = RunDir::create(&root.join("runs"), name)?;
        let own = OwnCluster::default();
        let making = async {
            let dir = kept.make_room(&run)?;
            let host = daemon.docker.host.clone();
            let made = own.make(self, daemon, &run, choice, &dir).await?;
            let at = dir.join(AT);
            write_private(&at, host).map_err(DockerError::disk("write", &at))?;
            kept.keep(name, NAME)?;
            Ok((Cluster::named(name, &dir), made))
        };
        let made = tokio::select! {
            made = making => made,
            () = stop => Err(ProvisionError::Stopped),
        };
        let stays = match &made {
            Ok(_) | Err(ProvisionError::Kept(KeptError::Taken { .. })) => true,
            Err(ProvisionError::Cluster(error)) => {
                !matches!(error, ClusterError::Taken { .. } | ClusterError::Name { .. })
            }
            Err(_) => false,
        };
        self.end(made, own, run, (!stays).then_some(&kept)).await
    }

    /// Ends the run of what was made, and takes away what was begun if it was not, with its room if there is one that
    /// does not stay.
    async fn end<T>(
        &self,
        made: Result<T, ProvisionError>,
        own: OwnCluster,
        run: RunDir,
        room: Option<&Kept>,
    ) -> Result<T, ProvisionError> {
        let mut left = match &made {
            Ok(_) => own.leave().await,
            Err(_) => own.fell(false, self.tell).await,
        };
        left.extend(room.and_then(|kept| kept.forget(run.name()).err()).map(|error| chain(&error)));
        left.extend(run.finish().err().map(|error| chain(&error)));
        match made {
            Err(why) if !left.is_empty() => Err(ProvisionError::Left { why: Box::new(why), left }),
            made => {
                left.iter().for_each(|line| (self.tell)(&format!("left behind: {line}")));
                made
            }
        }
    }

    /// Removes a cluster that was kept, with its files.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub async fn down(&self, name: &str) -> Result<Removed, ProvisionError> {
        let kept = Kept::of(self.request.cache.root());
        let held = kept.take(name, NAME)?;
        let cluster = Cluster::named(name, &held.dir);
        let daemon = self.daemon().await?;
        let removed = self.remove(&cluster, &held.dir, &daemon.docker).await;
        let left = daemon.leave().await;
        let took = removed?;
        kept.forget(name)?;
        let left = match left {
            Ok(told) => {
                told.iter().for_each(|line| (self.tell)(&format!("put back {line}")));
                None
            }
            Err(error) => Some(chain(&error)),
        };
        Ok(Removed { took, left })
    }

    /// Removes a cluster whose files lie in `dir` from its daemon, and sees that it is gone.
    async fn remove(
        &self,
        cluster: &Cluster,
        dir: &Path,
        docker: &Docker,
    ) -> Result<Duration, ProvisionError> {
        is_at(dir, docker)?;
        let name = cluster.name();
        let took = cluster.delete(docker, &Owner::of(&self.request.cache, name)?).await?;
        match cluster.holder(docker).await? {
            None => Ok(took),
            Some(holder) => {
                let (name, node, dir) = (name.to_owned(), node(name), dir.to_owned());
                Err(ProvisionError::Stays { name, holder, node, dir })
            }
        }
    }
}

/// A cluster that is gone.
#[derive(Debug)]
pub struct Removed {
    /// How long that took.
    pub took: Duration,
    /// What it changed of the machine and is still so, and why.
    pub left: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_at_the_daemon_that_made_it_and_at_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let room = dir.path().join("dev");
        fs::create_dir(&room).unwrap();
        fs::write(room.join(AT), "unix:///one").unwrap();
        let docker = |host: &str| Docker { program: "docker".into(), host: host.to_owned() };
        is_at(&room, &docker("unix:///one")).unwrap();
        let said = is_at(&room, &docker("unix:///two")).unwrap_err().to_string();
        assert!(said.starts_with("cluster `dev` is at the Docker daemon at unix:///one"), "{said}");
        assert!(said.contains("unix:///two"), "{said}");
    }
}
