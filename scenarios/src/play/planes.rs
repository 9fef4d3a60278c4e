//! The planes that a run can play on: which one, started, held and stopped.

use std::path::Path;
use std::sync::Arc;

use handover_fixtures::components;
use handover_fixtures::components::progress::Progress;
use handover_fixtures::embedded::{self, Embedded, PlaneError, Request, keeper};
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::plane::Plane;
use handover_fixtures::process::this_program;
use handover_harness::event::ComponentState;
use handover_kind::docker::{self, DockerError, Wish};
use handover_kind::ground::{Ground, GroundError};
use handover_kind::own::OwnCluster;
use handover_kind::plane::{self as kind, Kind};
use handover_kind::servers::ServersError;
use handover_kind::servers::site::Site;

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
    Cluster(#[from] GroundError),
    /// Docker is not asked as it should be.
    #[error(transparent)]
    Docker(#[from] Box<DockerError>),
    /// The servers do not run in it.
    #[error(transparent)]
    Servers(#[from] Box<ServersError>),
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
}

impl Where {
    /// What the plane is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => embedded::NAME,
            Self::Kind { .. } => kind::NAME,
        }
    }

    /// How many scenarios play side by side unless somebody says otherwise: they mostly wait, but the start of a pod
    /// costs more than that of a process, and what a busy machine misses is inconclusive.
    pub fn jobs(&self) -> u64 {
        match self {
            Self::Embedded { .. } => 6,
            Self::Kind { .. } => 3,
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
                let ground = Ground {
                    request: with.components.clone(),
                    wish: Wish::of_process().await.map_err(Box::new)?,
                    handover: &handover,
                    progress: Arc::clone(&with.progress),
                    tell: with.show,
                };
                let site = match kept {
                    Some(name) => with.own.enter(&ground, name).await?,
                    None => raise(request, &ground, &with).await?,
                };
                let plane = Arc::new(Kind::start(request, site).await.map_err(Box::new)?);
                Running::Kind { plane, stays: kept.is_some() }
            }
        })
    }
}

/// Makes a cluster of the run's own.
async fn raise(request: &Request<'_>, ground: &Ground<'_>, with: &With<'_>) -> Result<Site, StartError> {
    (request.tell)("cluster", ComponentState::Started);
    let (site, made) = with.own.raise(ground, request.run).await?;
    (request.tell)("cluster", ComponentState::Ready);
    if made.retried {
        (request.note)("kind's own deadline for a node's start was missed: the cluster was made twice");
    }
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

    /// Stops everything, but for a cluster of the run's own. Answers with what could not be stopped, and why.
    pub async fn stop(self) -> Vec<String> {
        const LEFT: &str = "everybody who played has left the plane";
        match self {
            Self::Embedded(plane) => Arc::into_inner(plane).expect(LEFT).stop().await,
            Self::Kind { plane, stays: true } => Arc::into_inner(plane).expect(LEFT).stop().await,
            // It goes with its cluster.
            Self::Kind { stays: false, .. } => Vec::new(),
        }
    }
}
