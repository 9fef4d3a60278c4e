//! The planes that a run can play on: which one, started, held and stopped.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{self, Cache, Component, Given};
use handover_fixtures::embedded::{Embedded, keeper};
use handover_fixtures::ground::{PlaneError, Request};
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::plane::{EMBEDDED, Plane};
use handover_fixtures::process::{RunDir, this_program};
use handover_harness::event::ComponentState;
use handover_kind::contained::Containers;
use handover_kind::docker::{self, DockerError, Wish};
use handover_kind::image::{self, ImageError};
use handover_kind::own::OwnCluster;
use handover_kind::plane::{self as kind, Kind};
use handover_kind::provision::{ProvisionError, Provisioner};
use handover_kind::servers::ServersError;
use handover_kind::servers::site::Site;

use crate::language::REPLACED;
use crate::language::names::listed;

/// Where a run plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// As processes of this host.
    Embedded {
        /// The name of a control plane that was kept; without it the run starts its own.
        kept: Option<String>,
    },
    /// In a cluster of kind.
    Kind {
        /// The name of one that was kept; without it the run makes its own.
        kept: Option<String>,
    },
}

impl Default for Where {
    fn default() -> Self {
        Self::Embedded { kept: None }
    }
}

/// A plane that did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The embedded one.
    #[error(transparent)]
    Embedded(#[from] PlaneError),
    /// There is no cluster.
    #[error(transparent)]
    Cluster(#[from] ProvisionError),
    /// Docker is not asked as it should be.
    #[error(transparent)]
    Docker(#[from] Box<DockerError>),
    /// The servers do not run in it.
    #[error(transparent)]
    Servers(#[from] Box<ServersError>),
}

/// What is named for a component, and cannot be had on a plane.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The plane was made before.
    #[error(
        "`{name}` was made with an {component} of its own, and {component}={given} cannot take its place: name it for \
         `handover up`, or play without --use"
    )]
    Kept {
        /// The plane's name.
        name: String,
        /// Which component.
        component: Component,
        /// What was named.
        given: String,
    },
    /// No node can be made of it.
    #[error(transparent)]
    Node(#[from] Box<ImageError>),
}

/// A plane that runs.
pub enum Running {
    /// As processes of this host.
    Embedded(Arc<Embedded>),
    /// In a cluster of kind.
    Kind {
        /// The plane.
        plane: Arc<Kind>,
        /// Whether the cluster stays when the run is over.
        stays: bool,
    },
}

/// What a plane is started with beside its servers.
pub struct With<'a> {
    /// How components are obtained.
    pub components: &'a components::Request,
    /// Whoever hears of that.
    pub progress: Arc<dyn Progress>,
    /// Hears what is done now, in a few words.
    pub show: &'a (dyn Fn(&str) + Send + Sync),
    /// Takes what the run has of its own at Docker, to be taken away when it ends.
    pub own: &'a OwnCluster,
    /// Whether what servers and nodes leave will be wanted.
    pub keep: bool,
}

/// What an embedded control plane that is kept has of its own.
const CONTROL_PLANE: [Component; 3] =
    [Component::Etcd, Component::KubeApiserver, Component::KubeControllerManager];

/// What is named for some components.
fn named<'r>(
    components: &'static [Component],
    request: &'r components::Request,
) -> impl Iterator<Item = (Component, &'r Given)> {
    components.iter().filter_map(|component| Some((*component, request.overrides.get(*component)?)))
}

impl Where {
    /// What the plane is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => EMBEDDED,
            Self::Kind { .. } => kind::NAME,
        }
    }

    /// How many scenarios play side by side unless somebody says otherwise: they mostly wait, but what a busy machine
    /// misses is inconclusive, and a login that takes a hundred times as long as on an idle one says little of a server. On
    /// two cores a whole catalogue takes no longer by four than by six. The start of a pod costs more than that of a process.
    pub fn jobs(&self) -> u64 {
        let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64);
        match self {
            Self::Embedded { .. } => (2 * cores).clamp(2, 6),
            Self::Kind { .. } => 3,
        }
    }

    /// Whether it was there before, and stays.
    pub fn is_kept(&self) -> bool {
        match self {
            Self::Embedded { kept } | Self::Kind { kept } => kept.is_some(),
        }
    }

    /// The components that nobody has to obtain for it: it has them, or makes its node of them.
    fn brings(&self) -> &'static [Component] {
        match self {
            Self::Embedded { kept: None } => &[],
            Self::Embedded { kept: Some(_) } => &CONTROL_PLANE,
            Self::Kind { .. } => &Component::NODE,
        }
    }

    /// What is obtained for a run: all of this but for what the plane brings. A node is made of what is named for its
    /// parts, so those are the run's too.
    pub fn wants(
        &self,
        components: impl IntoIterator<Item = Component>,
        request: &components::Request,
    ) -> BTreeSet<Component> {
        let brings = self.brings();
        let own = components.into_iter().filter(|component| !brings.contains(component));
        own.chain(named(brings, request).map(|(component, _)| component)).collect()
    }

    /// Whether it can have what is named for its own parts. A version that is asked for is played, or refused.
    ///
    /// # Errors
    /// What cannot be had.
    pub fn takes(&self, request: &components::Request) -> Result<(), NotTaken> {
        match self {
            Self::Embedded { kept: None } => Ok(()),
            Self::Kind { kept: None } => Ok(image::fits(request).map_err(Box::new)?),
            Self::Embedded { kept: Some(name) } | Self::Kind { kept: Some(name) } => {
                match named(self.brings(), request).next() {
                    None => Ok(()),
                    Some((component, given)) => {
                        Err(NotTaken::Kept { name: name.clone(), component, given: given.to_string() })
                    }
                }
            }
        }
    }

    /// Whether another release of a component can take its place while it runs.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub fn replaces(&self, component: Component) -> Result<(), String> {
        if !REPLACED.contains(&component.name()) {
            let known = listed(REPLACED.iter().copied());
            return Err(format!(
                "`{component}` is nothing that is replaced while a plane runs; that can be {known}"
            ));
        }
        match self.brings().contains(&component) {
            false => Ok(()),
            true => Err(format!(
                "`{component}` cannot be replaced while a cluster runs: play on either version \
                 (`handover run --plane {} --component {component}=…`), and compare the two (`handover compare`)",
                self.name()
            )),
        }
    }

    /// The containers of a run on it, whose name is `run`.
    pub fn containers(&self, cache: &Cache, dir: &RunDir, run: &str) -> Containers {
        match self {
            Self::Embedded { .. } => Containers::of(cache, dir, run),
            Self::Kind { .. } => Containers::none(),
        }
    }

    /// Whether it can be started, as far as that is seen at once: components may take twenty minutes to obtain.
    ///
    /// # Errors
    /// What is missing, or named and not there.
    pub async fn check(&self, cache: &Path) -> Result<(), StartError> {
        if let Self::Embedded { kept: Some(name) } | Self::Kind { kept: Some(name) } = self {
            Kept::of(cache).take(name, self.name()).map_err(PlaneError::from)?;
        }
        if let Self::Kind { .. } = self {
            let wish = Wish::of_process().await.map_err(Box::new)?;
            docker::can_be(&wish).await.map_err(Box::new)?;
        }
        Ok(())
    }

    /// Whether there is one of the name that somebody gave.
    ///
    /// # Errors
    /// [`KeptError::NotKept`].
    pub fn is_there(&self, cache: &Path) -> Result<(), KeptError> {
        match self {
            Self::Embedded { kept: Some(name) } | Self::Kind { kept: Some(name) } => {
                Kept::of(cache).find(name, self.name())
            }
            Self::Embedded { kept: None } | Self::Kind { kept: None } => Ok(()),
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// What did not start, and why.
    pub async fn start(&self, request: &Request<'_>, with: With<'_>) -> Result<Running, StartError> {
        Ok(match self {
            Self::Embedded { kept: None } => Running::Embedded(Arc::new(Embedded::start(request).await?)),
            Self::Embedded { kept: Some(name) } => {
                let held = keeper::enter(request.cache, name)?;
                Running::Embedded(Arc::new(Embedded::enter(request, held).await?))
            }
            Self::Kind { kept } => {
                let handover = this_program().map_err(PlaneError::from)?;
                let provisioner = Provisioner {
                    request: with.components.clone(),
                    wish: Wish::of_process().await.map_err(Box::new)?,
                    handover: &handover,
                    progress: Arc::clone(&with.progress),
                    tell: with.show,
                    note: request.note,
                };
                let site = match kept {
                    Some(name) => with.own.enter(&provisioner, request.run, name, with.keep).await?,
                    None => raise(request, &provisioner, &with).await?,
                };
                let plane = Arc::new(Kind::start(request, site).await.map_err(Box::new)?);
                Running::Kind { plane, stays: kept.is_some() }
            }
        })
    }
}

/// Makes a cluster of the run's own.
async fn raise(
    request: &Request<'_>,
    provisioner: &Provisioner<'_>,
    with: &With<'_>,
) -> Result<Site, StartError> {
    (request.tell)("cluster", ComponentState::Started);
    let (site, made) = with.own.raise(provisioner, request.run).await?;
    (request.tell)("cluster", ComponentState::Ready);
    (request.note)(&format!("the cluster was made in {:?}, its node ready in {:?}", made.made, made.ready));
    Ok(site)
}

impl Running {
    /// The plane itself.
    pub fn plane(&self) -> Arc<dyn Plane> {
        match self {
            Self::Embedded(plane) => Arc::clone(plane) as Arc<dyn Plane>,
            Self::Kind { plane, .. } => Arc::clone(plane) as Arc<dyn Plane>,
        }
    }

    /// The components that run on it.
    pub fn components(&self) -> Vec<String> {
        match self {
            Self::Embedded(plane) => plane.components(),
            Self::Kind { plane, .. } => plane.components(),
        }
    }

    /// Stops everything, but for a cluster of the run's own; where servers' data lies elsewhere than in the run's directory,
    /// a copy goes to `keep` if that is given. Answers with what could not be stopped, and why.
    pub async fn stop(self, keep: Option<&Path>) -> Vec<String> {
        const LEFT: &str = "everybody who played has left the plane";
        match self {
            Self::Embedded(plane) => Arc::into_inner(plane).expect(LEFT).stop().await,
            Self::Kind { plane, stays: true } => Arc::into_inner(plane).expect(LEFT).stop(keep).await,
            // It goes with its cluster.
            Self::Kind { stays: false, .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use handover_fixtures::cause::chain;
    use handover_fixtures::components::{Environment, Override, Overrides};

    use super::*;

    const EMBEDDED: Where = Where::Embedded { kept: None };
    const KIND: Where = Where::Kind { kept: None };

    fn request(named: &[&str]) -> components::Request {
        let named: Vec<_> =
            named.iter().map(|text| Override::parse(text).expect("a good override")).collect();
        let environment: Environment = [("HOME".into(), "/nonexistent".into())].into_iter().collect();
        let overrides = Overrides::gather(&named, &environment).expect("good overrides");
        components::Request::new(environment, overrides).expect("a cache")
    }

    fn refused(plane: &Where, named: &[&str]) -> String {
        plane.takes(&request(named)).map_or_else(|error| chain(&error), |()| String::new())
    }

    #[test]
    fn what_is_named_for_a_control_plane_that_is_there_already_is_refused() {
        let kept = || Some("dev".to_owned());
        for plane in [Where::Embedded { kept: kept() }, Where::Kind { kept: kept() }] {
            let said = refused(&plane, &["etcd=v3.6.1"]);
            assert!(said.starts_with("`dev` was made with an etcd of its own, and etcd=v3.6.1"), "{said}");
            assert_eq!(refused(&plane, &["eso=v0.16.1", "mysql=8.4.7"]), "");
        }
        assert_eq!(refused(&EMBEDDED, &["etcd=v3.6.1", "kube-apiserver=v1.35.2"]), "");
    }

    #[test]
    fn a_node_is_made_of_what_is_named_for_its_parts_where_they_fit_together() {
        assert_eq!(refused(&KIND, &["etcd=v3.6.1", "eso=v0.16.1"]), "");
        let said = refused(&KIND, &["kube-apiserver=v1.35.2"]);
        assert!(said.starts_with("kube-apiserver is of version 1.35.2 and kubelet of 1.36."), "{said}");
        let all = [
            "kubelet",
            "kubeadm",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
        ];
        let all: Vec<String> = all.iter().map(|name| format!("{name}=v1.35.2")).collect();
        assert_eq!(refused(&KIND, &all.iter().map(String::as_str).collect::<Vec<_>>()), "");
    }

    #[test]
    fn what_a_plane_brings_is_obtained_only_where_its_node_is_made_of_it() {
        let wants = |plane: &Where, named: &[&str]| plane.wants(Component::ALL, &request(named));
        let of = |found: BTreeSet<Component>| {
            [Component::Etcd, Component::Kubelet, Component::Eso].map(|one| found.contains(&one))
        };
        assert_eq!(of(wants(&EMBEDDED, &["kubelet=v1.36.1"])), [true, false, true]);
        assert_eq!(of(wants(&KIND, &[])), [false, false, true]);
        assert_eq!(of(wants(&KIND, &["kubelet=v1.36.1", "etcd=v3.6.1"])), [true, true, true]);
        assert_eq!(of(wants(&Where::Embedded { kept: Some("dev".into()) }, &[])), [false, false, true]);
    }

    #[test]
    fn a_control_plane_is_replaced_where_it_is_the_runs_own_to_end() {
        assert_eq!(EMBEDDED.replaces(Component::KubeApiserver), Ok(()));
        assert_eq!(KIND.replaces(Component::Mysql), Ok(()));
        let said = KIND.replaces(Component::KubeApiserver).unwrap_err();
        assert!(said.contains("handover run --plane kind --component kube-apiserver=…"), "{said}");
        let said = EMBEDDED.replaces(Component::Kubelet).unwrap_err();
        assert!(said.starts_with("`kubelet` is nothing that is replaced"), "{said}");
    }
}
