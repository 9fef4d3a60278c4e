//! A cluster of kind: from nothing, and back to nothing.
//!
//! A cluster carries the labels of whose it is. `kind` knows no labels, but a container has those of its image: so each
//! cluster has an image of its own, which is the node's image with labels and takes no room. Its network is
//! ours and carries them as well; its volume is anonymous and goes with its container.

mod config;
mod error;
mod host;
mod kind;
pub(crate) mod ready;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handover_fixtures::cause::chain;
use handover_fixtures::files::write_private;
use handover_fixtures::kubernetes::client;
use k8s_openapi::api::core::v1::Node;
use kube::api::Api;
use kube::config::Kubeconfig;

use crate::docker::{self, Docker, DockerError, LABEL, Owned, Owner, QUESTION, REMOVAL};
use crate::image::NodeImage;

pub use config::{SHARED, config};
pub use error::{ClusterError, Holder};
pub use host::Host;
pub use kind::{Kind, KindError};

/// How long a node may take to become ready after `kind` has made it.
const READY: Duration = Duration::from_secs(60);
/// How long Docker may take to make a container or an image, where its storage driver copies all that is in it.
const COPY: Duration = Duration::from_secs(5 * 60);
/// How long Docker may take to start one that was stopped.
const START: Duration = Duration::from_secs(60);
/// How long that one may take to answer: everything that was on it comes up beside it.
const WOKEN: Duration = Duration::from_secs(120);
/// The longest name: with what kind adds it is a host's name.
const LONGEST: usize = 49;
/// Where the logs of a node go that did not come up, or that somebody wants to see: below its cluster's directory.
pub const NODE_LOGS: &str = "node-logs";

/// Where a cluster's directory has what its node has at [`SHARED`]: the servers' data.
pub const DATA: &str = "shared";

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whose labels it carries.
    pub owner: &'a Owner,
    /// What its node is made of.
    pub image: &'a NodeImage,
    /// The directory in which its kubeconfig and its shared directory are made.
    pub dir: &'a Path,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: String,
    dir: PathBuf,
}

/// How a cluster came to be.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// How long it took until `kind` had made it.
    pub made: Duration,
    /// How long it took until its node was ready, from the same beginning.
    pub ready: Duration,
}

/// What the container of a cluster's node is called.
pub fn node(cluster: &str) -> String {
    format!("{cluster}-control-plane")
}

/// The label by which `kind` knows the nodes of a cluster.
fn label_of_kind(cluster: &str) -> String {
    format!("io.x-k8s.kind.cluster={cluster}")
}

impl Cluster {
    /// The cluster of this name whose files lie in `dir`, whether it is there or not.
    pub fn named(name: &str, dir: &Path) -> Self {
        Self { name: name.to_owned(), dir: dir.to_owned() }
    }

    /// Makes a cluster and waits until its node is ready. It is made once more where nothing but kind's own
    /// deadline for a node's start was missed, which `note` hears at once; `tell` hears what is done meanwhile. What goes
    /// wrong leaves nothing behind but logs of the node, below the order's directory.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn create(
        kind: &Kind,
        order: &Order<'_>,
        tell: &(dyn Fn(&str) + Send + Sync),
        note: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(Self, Made), ClusterError> {
        let began = Instant::now();
        let docker = kind.docker();
        let cluster = Self::named(order.name, order.dir);
        cluster.may_be(docker).await?;
        match cluster.make(kind, order, began, tell, note).await {
            Ok(made) => Ok((cluster, made)),
            Err(error) => {
                // It is the first error that counts; what cannot be removed now carries the run's label.
                let _ = kind.export_logs(&cluster.name, &cluster.dir.join(NODE_LOGS)).await;
                let _ = cluster.delete(docker, order.owner).await;
                Err(error)
            }
        }
    }

    /// Sees that nobody has the name, and that it is one.
    ///
    /// # Errors
    /// [`ClusterError::Name`], [`ClusterError::Taken`], or that the daemon does not say.
    pub async fn may_be(&self, docker: &Docker) -> Result<(), ClusterError> {
        may_be_called(&self.name)?;
        match self.holder(docker).await? {
            None => Ok(()),
            Some(holder) => Err(ClusterError::Taken { name: self.name.clone(), holder }),
        }
    }

    /// Who has a cluster of this name.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn holder(&self, docker: &Docker) -> Result<Option<Holder>, DockerError> {
        let run = format!("{{{{.Label \"{LABEL}\"}}}}");
        let nodes = self.nodes(docker, &run).await?;
        // One that is no run's says nothing in its line.
        Ok(nodes.split_once('\n').map(|(run, _)| match run.trim() {
            "" => Holder::Kind(self.name.clone()),
            run => Holder::Run(run.to_owned()),
        }))
    }

    async fn make(
        &self,
        kind: &Kind,
        order: &Order<'_>,
        began: Instant,
        tell: &(dyn Fn(&str) + Send + Sync),
        note: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Made, ClusterError> {
        let docker = kind.docker();
        let labels = order.owner.labels();
        let host = Host::detect(docker).await?;
        let path = self.write(&config(host, &order.image.maker, &self.shared()).to_string())?;
        let image = self.image();
        let (labelled, connected) =
            tokio::join!(self.label(docker, &order.image.name, &labels), self.connect(docker, &labels));
        labelled.and(connected)?;

        tell("making a cluster");
        let kubeconfig = self.kubeconfig();
        let make = || kind.create(&self.name, &image, &path, &kubeconfig);
        match make().await {
            Err(KindError::Missed { .. }) => {
                note("the node's system did not start within kind's 30 s: the cluster is made once more");
                self.remove_node(docker, order.owner).await?;
                make().await?;
            }
            first => first?,
        }
        let made = began.elapsed();
        tell("waiting for its node");
        self.ready(docker, READY).await?;
        Ok(Made { made, ready: began.elapsed() })
    }

    /// Starts its node if that was stopped, and waits until it answers: whoever stopped it may have been killed before
    /// it could start it again, and a machine that boots starts nobody's.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn wake(
        &self,
        docker: &Docker,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), ClusterError> {
        let node = node(&self.name);
        match docker.look(&["inspect", "--format", "{{.State.Running}}", &node]).await? {
            None => return Err(ClusterError::Gone { name: self.name.clone() }),
            Some(runs) if runs.trim() == "true" => return Ok(()),
            Some(_) => {}
        }
        tell("starting the node, which had been stopped");
        docker.ask(&["start", &node], START).await?;
        self.ready(docker, WOKEN).await
    }

    async fn ready(&self, docker: &Docker, within: Duration) -> Result<(), ClusterError> {
        let api: Api<Node> = Api::all(self.client().await?);
        let what = format!("the node of `{}` was not ready", self.name);
        let dead = self.death(docker);
        Ok(ready::watch(api, &node(&self.name), &what, within, ready::node_is_ready, dead).await?)
    }

    /// Writes what `kind` is told, and makes the shared directory.
    fn write(&self, config: &str) -> Result<PathBuf, ClusterError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| ClusterError::Write { path, source }
        };
        let (shared, path) = (self.shared(), self.dir.join("kind.json"));
        std::fs::create_dir_all(&shared).map_err(wrong(&shared))?;
        write_private(&path, config).map_err(wrong(&path))?;
        Ok(path)
    }

    /// Makes the image that carries the labels, from a container that never runs.
    async fn label(&self, docker: &Docker, image: &str, labels: &[String; 2]) -> Result<(), DockerError> {
        let container = self.labelling();
        let [run, cache] = labels;
        let words = ["create", "--name", &container, "--label", run, "--label", cache, image];
        docker.ask(&words, COPY).await?;
        let [run, cache] = labels.each_ref().map(|label| format!("LABEL {label}"));
        let words = ["commit", "--change", &run, "--change", &cache, &container, &self.image()];
        let made = docker.ask(&words, COPY).await;
        let removed = docker.ask(&["rm", "--force", "--volumes", &container], REMOVAL).await;
        made.and(removed).map(drop)
    }

    /// Makes the network that carries them.
    async fn connect(&self, docker: &Docker, labels: &[String; 2]) -> Result<(), DockerError> {
        let masquerade = "com.docker.network.bridge.enable_ip_masquerade=true";
        let [run, cache] = labels;
        let words = ["network", "create", "--driver", "bridge", "--opt", masquerade];
        let labels = ["--label", run, "--label", cache, &self.name];
        docker.ask(&[&words[..], &labels[..]].concat(), QUESTION).await.map(drop)
    }

    /// Ends when the node's container does, and says how.
    async fn death(&self, docker: &Docker) -> String {
        const LONG: Duration = Duration::from_secs(24 * 60 * 60);
        match docker.ask(&["wait", &node(&self.name)], LONG).await {
            Ok(said) => format!("its container exited with status {}", said.trim()),
            Err(error) => chain(&error),
        }
    }

    /// Whether it has a node, running or not.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn is_there(&self, docker: &Docker) -> Result<bool, DockerError> {
        Ok(!self.nodes(docker, "{{.ID}}").await?.is_empty())
    }

    /// A line of this format of each of its nodes.
    async fn nodes(&self, docker: &Docker, format: &str) -> Result<String, DockerError> {
        let filter = format!("label={}", label_of_kind(&self.name));
        docker.ask(&["ps", "--all", "--filter", &filter, "--format", format], QUESTION).await
    }

    /// The directory in which its files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file by which it is asked, which only its owner may read.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// The directory that its node has at [`SHARED`].
    pub fn shared(&self) -> PathBuf {
        self.dir.join(DATA)
    }

    /// The container that gives that image its labels, and never runs.
    fn labelling(&self) -> String {
        format!("{}-image", self.name)
    }

    /// The image that only its node is made of.
    fn image(&self) -> String {
        format!("handover-run:{}", self.name)
    }

    /// A client for it, as its administrator.
    ///
    /// # Errors
    /// Its kubeconfig makes no sense.
    pub async fn client(&self) -> Result<kube::Client, ClusterError> {
        let path = self.kubeconfig();
        let config = Kubeconfig::read_from(&path)
            .map_err(|source| ClusterError::Kubeconfig { path, source: Box::new(source) })?;
        Ok(client::client(config).await?)
    }

    /// Writes what its node logged into a directory: unmasked, so secrets may be among it.
    ///
    /// # Errors
    /// [`KindError`].
    pub async fn export_logs(&self, kind: &Kind, dir: &Path) -> Result<(), KindError> {
        kind.export_logs(&self.name, dir).await
    }

    /// Removes the cluster, its network and its image, and nothing that is not `owner`'s; answers with how long that
    /// took. That something is gone already is fine. Its files stay.
    ///
    /// # Errors
    /// The first refusal; what is still there carries the run's label.
    pub async fn delete(&self, docker: &Docker, owner: &Owner) -> Result<Duration, DockerError> {
        let began = Instant::now();
        let goes = |owned: &Owned| owned.owner == *owner && self.is_its(owned);
        docker.clear(goes, Duration::ZERO).await?;
        Ok(began.elapsed())
    }

    /// Removes a node that did not start.
    async fn remove_node(&self, docker: &Docker, owner: &Owner) -> Result<(), DockerError> {
        let goes = |owned: &Owned| {
            owned.owner == *owner && self.is_its(owned) && owned.kind == docker::Kind::Container
        };
        docker.clear(goes, Duration::ZERO).await
    }

    /// Whether something of a run is this cluster's: the run may have more.
    fn is_its(&self, owned: &Owned) -> bool {
        match owned.kind {
            docker::Kind::Container => [node(&self.name), self.labelling()].contains(&owned.name),
            docker::Kind::Network => owned.name == self.name,
            docker::Kind::Image => owned.name == self.image(),
            docker::Kind::Volume => false,
        }
    }
}

/// Sees that a cluster can be called so: asked before a daemon is, for that can take long.
///
/// # Errors
/// [`ClusterError::Name`].
pub fn may_be_called(name: &str) -> Result<(), ClusterError> {
    if is_name(name) { Ok(()) } else { Err(ClusterError::Name { name: name.to_owned(), longest: LONGEST }) }
}

/// Whether it can be the name of a cluster, a container and a network.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LONGEST
        && name.starts_with(plain)
        && name.ends_with(plain)
        && name.chars().all(|c| plain(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hosts() {
        for name in ["handover-dev", "a", "r2026"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a_b", "a.b", &"a".repeat(50)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
