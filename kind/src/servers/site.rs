//! What servers stand on in a cluster: its API, its node, and the directory that both see.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::{KubeError, client};
use k8s_openapi::ByteString;
use kube::api::{Api, ListParams};
use kube::config::Kubeconfig;

use super::ServersError;
use crate::cluster::{DATA, SHARED};
use crate::docker::Docker;

/// A cluster that runs.
#[derive(Clone)]
pub struct Site {
    /// The cluster, as its administrator.
    pub kube: kube::Client,
    /// Who signed its API server's certificate, as PEM.
    pub ca_pem: String,
    /// Its one node.
    pub node: Node,
    /// The directory that this host and the node see.
    pub share: Share,
}

/// The node of a cluster: a container of this host.
#[derive(Clone, Debug)]
pub struct Node {
    /// Whose container it is.
    pub docker: Docker,
    /// The container's name, which is the node's.
    pub name: String,
    /// Its address, which this host reaches.
    pub address: IpAddr,
}

/// A directory of this host, and where the node has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Here.
    pub host: PathBuf,
    /// There.
    pub node: PathBuf,
}

impl Site {
    /// A cluster by its directory, in which its kubeconfig and its shared directory are; it is called as that is.
    ///
    /// # Errors
    /// That there is no such cluster, or that it does not answer.
    pub async fn open(dir: &Path, docker: Docker) -> Result<Self, ServersError> {
        let path = dir.join("kubeconfig");
        let unreadable = |why: String| ServersError::Kubeconfig { path: path.clone(), why };
        let config = Kubeconfig::read_from(&path).map_err(|error| unreadable(chain(&error)))?;
        let ca = config
            .clusters
            .first()
            .and_then(|cluster| cluster.cluster.as_ref()?.certificate_authority_data.clone());
        let decoded = serde_json::from_value::<ByteString>(ca.into()).map(|bytes| String::from_utf8(bytes.0));
        let Ok(Ok(ca_pem)) = decoded else { return Err(unreadable("it names no CA".to_owned())) };
        let kube = client::client(config).await?;
        let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(kube.clone());
        let listed = nodes.list(&ListParams::default()).await;
        let listed = listed.map_err(|error| KubeError::request("list nodes", error))?;
        let found = listed.items.into_iter().find_map(|node| {
            let addresses = node.status?.addresses.unwrap_or_default();
            let own = addresses.into_iter().find(|address| address.type_ == "InternalIP")?;
            Some((node.metadata.name?, own.address.parse().ok()?))
        });
        let Some((name, address)) = found else {
            return Err(unreadable("its cluster has no node".to_owned()));
        };
        let share = Share { host: dir.join(DATA), node: SHARED.into() };
        Ok(Self { kube, ca_pem, node: Node { docker, name, address }, share })
    }
}

impl Share {
    /// Where the node has a path of this host; nothing if it does not see it.
    pub fn in_node(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.host).ok().map(|below| self.node.join(below))
    }
}

impl Node {
    /// Puts the image of an archive where the node's pods find it.
    ///
    /// # Errors
    /// What the node said.
    pub async fn load(&self, archive: &Path) -> Result<(), ServersError> {
        let file = File::open(archive).map_err(ServersError::file(archive))?;
        let import =
            ["ctr", "--namespace=k8s.io", "images", "import", "--digests", "--snapshotter=overlayfs", "-"];
        self.exec(&import, file.into(), "load an image").await.map(drop)
    }

    /// The images that it has, by name.
    ///
    /// # Errors
    /// What the node said.
    pub async fn images(&self) -> Result<Vec<String>, ServersError> {
        let list = ["ctr", "--namespace=k8s.io", "images", "list", "--quiet"];
        let said = self.exec(&list, Stdio::null(), "list its images").await?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Sends a signal to the process of a container, by the id that its pod's status says.
    ///
    /// # Errors
    /// What the node said.
    pub async fn signal(&self, container: &str, signal: i32) -> Result<(), ServersError> {
        let id = container.strip_prefix("containerd://").unwrap_or(container);
        let signal = signal.to_string();
        let kill = ["ctr", "--namespace=k8s.io", "tasks", "kill", "--signal", &signal, id];
        self.exec(&kill, Stdio::null(), "signal a container").await.map(drop)
    }

    /// Runs a command in the node. Answers with what it wrote.
    ///
    /// # Errors
    /// What the node said.
    pub async fn exec(&self, words: &[&str], input: Stdio, what: &str) -> Result<String, ServersError> {
        let failed =
            |said: String| ServersError::Node { node: self.name.clone(), what: what.to_owned(), said };
        let output = self
            .docker
            .command(["exec", "--interactive", &self.name].iter().chain(words))
            .stdin(input)
            .output()
            .await
            .map_err(|error: io::Error| failed(error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(failed(format!("{}: {}", output.status, text(&output.stderr))))
    }

    /// Where it serves a port of its own.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_node_does_not_see_has_no_place_there() {
        let share = Share { host: "/c/runs".into(), node: "/handover".into() };
        assert_eq!(share.in_node(Path::new("/c/runs/r1/openbao")), Some("/handover/r1/openbao".into()));
        assert_eq!(share.in_node(Path::new("/c/runs2/r1")), None);
    }
}
