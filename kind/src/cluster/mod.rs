//! A cluster of kind: from nothing, and back to nothing.
//!
//! A cluster carries the run's name and the run's label. `kind` knows no labels, but a container has those of
//! its image: so each cluster has an image of its own, which is the node's image with a label and takes no
//! room. Its network is ours and carries the label as well; its volumes go with its container.

mod config;
mod host;
mod ready;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handover_fixtures::kubernetes::{KubeError, client};
use handover_fixtures::process::write_private;
use handover_harness::wait::WaitError;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::api::Api;
use kube::config::Kubeconfig;

use crate::docker::LABEL;
use crate::image::{ANSWER, NodeImage};
use crate::tool::{ToolError, Tools};

pub use config::{SHARED, config};
pub use host::Host;

/// How long `kind` may take to make a cluster: its own waits inside end before that.
const CREATE: Duration = Duration::from_secs(6 * 60);
/// How long a node may take to become ready after that.
const READY: Duration = Duration::from_secs(60);
/// How long `kind` may take to remove a cluster.
const DELETE: Duration = Duration::from_secs(60);
/// How long images may take to be taken in, and logs to be written.
const COPY: Duration = Duration::from_secs(5 * 60);
/// What `kind` says when a node's system did not start within its 30 seconds, and nothing else is wrong.
const MISSED: &str = "could not find a log line that matches";
/// Which network `kind` puts nodes into.
const NETWORK: &str = "KIND_EXPERIMENTAL_DOCKER_NETWORK";
/// The longest name: with what kind adds it is a host's name.
const LONGEST: usize = 49;

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The run whose label it carries.
    pub run: &'a str,
    /// What its node is made of.
    pub image: &'a NodeImage,
    /// The `kind` program.
    pub kind: &'a Path,
    /// The run's directory, in which its kubeconfig and its shared directory are made.
    pub dir: &'a Path,
}

/// A cluster whose node is ready.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    kind: PathBuf,
    kubeconfig: PathBuf,
    shared: PathBuf,
    image: String,
}

/// How long it took to make a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Until `kind` had made it.
    pub made: Duration,
    /// Until its node was ready, from the beginning.
    pub ready: Duration,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A name that is none.
    #[error(
        "`{name}` cannot be the name of a cluster: it takes 1 to {LONGEST} of a-z, 0-9 and `-`, \
         beginning and ending with a letter or digit"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// There is a cluster of that name.
    #[error(
        "there is a cluster called `{name}` already; remove it with `handover down {name}`, or choose another name"
    )]
    Taken {
        /// The name.
        name: String,
    },
    /// A program did not do what it was to do.
    #[error(transparent)]
    Tool(Box<ToolError>),
    /// A file of the cluster cannot be written or read.
    #[error("cannot {what} {}", .path.display())]
    File {
        /// What was tried: `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `kind` wrote a kubeconfig that makes no sense.
    #[error("cannot read the cluster's kubeconfig {}", .path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<kube::config::KubeconfigError>,
    },
    /// The cluster cannot be asked.
    #[error(transparent)]
    Kube(Box<KubeError>),
    /// The cluster did not become what it should.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

impl From<ToolError> for ClusterError {
    fn from(error: ToolError) -> Self {
        Self::Tool(Box::new(error))
    }
}

impl From<KubeError> for ClusterError {
    fn from(error: KubeError) -> Self {
        Self::Kube(Box::new(error))
    }
}

/// What the container of a cluster's node is called.
pub fn node(cluster: &str) -> String {
    format!("{cluster}-control-plane")
}

/// The label by which `kind` knows the nodes of a cluster: `--filter label=…`.
pub fn label_of_kind(cluster: &str) -> String {
    format!("io.x-k8s.kind.cluster={cluster}")
}

/// The image that only the nodes of this cluster are made of.
fn own_image(cluster: &str) -> String {
    format!("handover-run:{cluster}")
}

impl Cluster {
    /// Makes a cluster and waits until its node is ready. What goes wrong leaves nothing behind but logs. It is
    /// made once more where nothing but kind's own deadline for a node's start was missed; `tell` hears that.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn create(
        tools: &Tools,
        order: &Order<'_>,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(Self, Took), ClusterError> {
        let began = Instant::now();
        let name = order.name;
        if !is_name(name) {
            return Err(ClusterError::Name { name: name.to_owned() });
        }
        if !nodes(tools, name).await?.is_empty() {
            return Err(ClusterError::Taken { name: name.to_owned() });
        }
        let cluster = Self::of(order);
        let made = cluster.begin(tools, order, tell).await;
        match made {
            Ok(made) => Ok((cluster, Took { made: made - began, ready: began.elapsed() })),
            Err(error) => {
                // It is the error that counts; what cannot be removed now carries the run's label.
                let _ = cluster.delete(tools).await;
                Err(error)
            }
        }
    }

    fn of(order: &Order<'_>) -> Self {
        Self {
            name: order.name.to_owned(),
            kind: order.kind.to_owned(),
            kubeconfig: order.dir.join("kubeconfig"),
            shared: order.dir.join("shared"),
            image: own_image(order.name),
        }
    }

    async fn begin(
        &self,
        tools: &Tools,
        order: &Order<'_>,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Instant, ClusterError> {
        let host = Host::detect(tools).await?;
        std::fs::create_dir_all(&self.shared).map_err(|source| ClusterError::File {
            what: "make",
            path: self.shared.clone(),
            source,
        })?;
        let path = order.dir.join("kind.json");
        let text = config(host, &order.image.maker, &self.shared).to_string();
        write_private(&path, text).map_err(|source| ClusterError::File {
            what: "write",
            path: path.clone(),
            source,
        })?;
        let (labelled, connected) = tokio::join!(self.label(tools, order), self.connect(tools, order));
        labelled?;
        connected?;
        tell("making a cluster");
        match self.make(tools, &path).await {
            Err(ToolError::Ended { tail, .. }) if tail.contains(MISSED) => {
                tell("the node's system did not start within kind's 30 s; making the cluster once more");
                self.remove(tools).await?;
                self.make(tools, &path).await?;
            }
            made => made?,
        }
        let made = Instant::now();
        tell("waiting for its node");
        self.wait(tools).await?;
        Ok(made)
    }

    /// Makes the image that carries the run's label.
    async fn label(&self, tools: &Tools, order: &Order<'_>) -> Result<(), ToolError> {
        let label = format!("{LABEL}={}", order.run);
        let container = format!("{}-image", self.name);
        let words = ["create", "--name", &container, "--label", &label, &order.image.name];
        tools.ask("name a node's image after the run", words, ANSWER).await?;
        let change = format!("LABEL {label}");
        let words = ["commit", "--change", &change, &container, &self.image];
        let made = tools.ask("name a node's image after the run", words, ANSWER).await;
        let words = ["rm", "--force", "--volumes", &container];
        let removed = tools.ask("remove a container", words, ANSWER).await;
        made.and(removed).map(drop)
    }

    /// Makes the network that carries it.
    async fn connect(&self, tools: &Tools, order: &Order<'_>) -> Result<(), ToolError> {
        let label = format!("{LABEL}={}", order.run);
        let masquerade = "com.docker.network.bridge.enable_ip_masquerade=true";
        let words =
            ["network", "create", "--driver", "bridge", "--opt", masquerade, "--label", &label, &self.name];
        tools.ask("make a network", words, ANSWER).await.map(drop)
    }

    async fn make(&self, tools: &Tools, config: &Path) -> Result<(), ToolError> {
        let words = ["create", "cluster", "--retain", "--name", &self.name, "--image", &self.image];
        let words = words.into_iter().map(std::ffi::OsStr::new);
        let words = words.chain(["--kubeconfig".as_ref(), self.kubeconfig.as_os_str()]);
        let words = words.chain(["--config".as_ref(), config.as_os_str()]);
        let variables = [(NETWORK, self.name.as_str())];
        tools.run("make a cluster", &self.kind, words, &variables, CREATE).await.map(drop)
    }

    async fn wait(&self, tools: &Tools) -> Result<(), ClusterError> {
        let node = node(&self.name);
        let api: Api<Node> = Api::all(self.client().await?);
        let what = format!("the node of `{}` was not ready", self.name);
        Ok(ready::watch(api, &node, &what, READY, ready::node_is_ready, self.death(tools)).await?)
    }

    /// Waits until the cluster answers for the names of its Services.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn names(&self, tools: &Tools, within: Duration) -> Result<(), ClusterError> {
        let api: Api<Deployment> = Api::namespaced(self.client().await?, "kube-system");
        let what = format!("the names of `{}` were not answered for", self.name);
        Ok(ready::watch(api, "coredns", &what, within, ready::deployment_is_there, self.death(tools)).await?)
    }

    /// Ends when the node's container does, and says how.
    async fn death(&self, tools: &Tools) -> String {
        const LONG: Duration = Duration::from_secs(24 * 60 * 60);
        match tools.ask("wait for a node's end", ["wait", &node(&self.name)], LONG).await {
            Ok(said) => format!("its container exited with status {}", said.trim()),
            Err(error) => handover_fixtures::cause::chain(&error),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file by which it is asked, which only its owner may read.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The directory that its node has at [`SHARED`].
    pub fn shared(&self) -> &Path {
        &self.shared
    }

    /// A client for it, as its administrator.
    ///
    /// # Errors
    /// Its kubeconfig makes no sense.
    pub async fn client(&self) -> Result<kube::Client, ClusterError> {
        let config = Kubeconfig::read_from(&self.kubeconfig).map_err(|source| ClusterError::Kubeconfig {
            path: self.kubeconfig.clone(),
            source: Box::new(source),
        })?;
        Ok(client::client(config).await?)
    }

    /// The node's address, which this machine reaches without a detour.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn address(&self, tools: &Tools) -> Result<std::net::IpAddr, ClusterError> {
        let what = "ask for a node's address";
        let format = format!("{{{{(index .NetworkSettings.Networks {:?}).IPAddress}}}}", self.name);
        let node = node(&self.name);
        let said = tools.ask(what, ["inspect", "--format", &format, &node], ANSWER).await?;
        let said = said.trim();
        let wrong = |_| ToolError::Answer {
            what: what.to_owned(),
            program: "docker".to_owned(),
            said: said.to_owned(),
        };
        Ok(said.parse().map_err(wrong)?)
    }

    /// Has its node take in the images of an archive.
    ///
    /// # Errors
    /// [`ToolError`].
    pub async fn load(&self, tools: &Tools, archive: &Path) -> Result<(), ToolError> {
        let words = ["load".as_ref(), "image-archive".as_ref(), archive.as_os_str()];
        let words = words.into_iter().chain(["--name".as_ref(), self.name.as_ref()]);
        tools.run("load images into a cluster", &self.kind, words, &[], COPY).await.map(drop)
    }

    /// Writes what its node logged into a directory: unmasked, so secrets may be among it.
    ///
    /// # Errors
    /// [`ToolError`].
    pub async fn export_logs(&self, tools: &Tools, dir: &Path) -> Result<(), ToolError> {
        let words = ["export".as_ref(), "logs".as_ref(), dir.as_os_str()];
        let words = words.into_iter().chain(["--name".as_ref(), self.name.as_ref()]);
        tools.run("export a cluster's logs", &self.kind, words, &[], COPY).await.map(drop)
    }

    /// Removes the cluster, its network and its image; answers with how long that took. That something is gone
    /// already is fine.
    ///
    /// # Errors
    /// [`ToolError`]; what is still there carries the run's label.
    pub async fn delete(&self, tools: &Tools) -> Result<Duration, ToolError> {
        let began = Instant::now();
        self.remove(tools).await?;
        let (image, network) = tokio::join!(
            gone(tools, ["image", "rm", &self.image]),
            gone(tools, ["network", "rm", &self.name])
        );
        image.and(network)?;
        Ok(began.elapsed())
    }

    async fn remove(&self, tools: &Tools) -> Result<(), ToolError> {
        let words = ["delete", "cluster", "--name", &self.name].map(std::ffi::OsStr::new);
        let words = words.into_iter().chain(["--kubeconfig".as_ref(), self.kubeconfig.as_os_str()]);
        tools.run("remove a cluster", &self.kind, words, &[], DELETE).await.map(drop)
    }
}

/// Removes something; that it is not there is fine.
async fn gone(tools: &Tools, words: [&str; 3]) -> Result<(), ToolError> {
    match tools.ask("remove what a cluster had", words, ANSWER).await {
        Err(error) if error.said().to_lowercase().contains("no such") => Ok(()),
        done => done.map(drop),
    }
}

/// The containers of a cluster's nodes.
async fn nodes(tools: &Tools, cluster: &str) -> Result<Vec<String>, ToolError> {
    let filter = format!("label={}", label_of_kind(cluster));
    let words = ["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"];
    let said = tools.ask("look for a cluster", words, ANSWER).await?;
    Ok(said.lines().map(str::to_owned).collect())
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
