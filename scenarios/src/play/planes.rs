//! The planes that a run can play on: which one, started, held and stopped.

use std::path::PathBuf;
use std::sync::Arc;

use handover_fixtures::embedded::{self, Embedded, PlaneError, Request};
use handover_fixtures::plane::Plane;
use handover_kind::docker::Docker;
use handover_kind::plane::{self as kind, Kind};
use handover_kind::servers::ServersError;
use handover_kind::servers::site::Site;

/// Where a run plays.
#[derive(Clone, Debug, Default)]
pub enum Where {
    /// As processes of this host.
    #[default]
    Embedded,
    /// In a cluster of kind that is there: its directory, and the daemon whose container its node is.
    Kind {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The daemon.
        docker: Docker,
    },
}

/// A plane that did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The embedded one.
    #[error(transparent)]
    Embedded(#[from] PlaneError),
    /// The one of kind.
    #[error(transparent)]
    Kind(#[from] Box<ServersError>),
}

/// A plane that runs.
pub enum Running {
    /// As processes of this host.
    Embedded(Arc<Embedded>),
    /// In a cluster of kind.
    Kind(Arc<Kind>),
}

impl Where {
    /// What the plane is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded => embedded::NAME,
            Self::Kind { .. } => kind::NAME,
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// What did not start, and why.
    pub async fn start(&self, request: &Request<'_>) -> Result<Running, StartError> {
        Ok(match self {
            Self::Embedded => Running::Embedded(Arc::new(Embedded::start(request).await?)),
            Self::Kind { cluster, docker } => {
                let site = Site::open(cluster, docker.clone()).await.map_err(Box::new)?;
                Running::Kind(Arc::new(Kind::start(request, site).await.map_err(Box::new)?))
            }
        })
    }
}

impl Running {
    /// The plane itself.
    pub fn plane(&self) -> Arc<dyn Plane> {
        match self {
            Self::Embedded(plane) => Arc::clone(plane) as Arc<dyn Plane>,
            Self::Kind(plane) => Arc::clone(plane) as Arc<dyn Plane>,
        }
    }

    /// The components that run on it.
    pub fn components(&self) -> Vec<String> {
        match self {
            Self::Embedded(plane) => plane.components(),
            Self::Kind(plane) => plane.components(),
        }
    }

    /// Stops everything. Answers with what could not be stopped, and why.
    pub async fn stop(self) -> Vec<String> {
        const LEFT: &str = "everybody who played has left the plane";
        match self {
            Self::Embedded(plane) => Arc::into_inner(plane).expect(LEFT).stop().await,
            Self::Kind(plane) => Arc::into_inner(plane).expect(LEFT).stop().await,
        }
    }
}
