//! The daemon that a run uses, whosever it is, for as long as the run uses it.

use std::path::Path;

use handover_fixtures::components::{Cache, ResolveError, Resolved};

use super::error::DockerError;
use super::find::{Wish, find, place_of, root};
use super::info::Info;
use super::own::{self, InUse, Place};
use super::owned::Kind;
use super::{Docker, sysctls};

/// Whose daemon it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It was there.
    Theirs,
    /// One of our own.
    Own {
        /// Whether it was started just now.
        started: bool,
    },
}

/// A daemon that is used by this run. While it lives, no daemon of our own is stopped, and the machine's
/// settings are not put back; with the last one they are.
#[derive(Debug)]
pub struct Daemon {
    /// How it is asked.
    pub docker: Docker,
    /// What it is.
    pub info: Info,
    /// Whose.
    pub whose: Whose,
    place: Place,
    in_use: Option<InUse>,
}

/// Whether there can be one: asked before anything is obtained, for that can take long.
///
/// # Errors
/// See [`DockerError`].
pub async fn can_be(wish: &Wish) -> Result<(), DockerError> {
    match find(wish).await? {
        None if !root() => Err(DockerError::NoDaemon { host: place_of(wish).to_owned() }),
        None | Some(_) => Ok(()),
    }
}

/// The daemon that a cluster can be made at: the user's, or one of our own. `component` gives Docker's own
/// programs, and is asked only if they are needed; `handover` is a program that understands
/// [`hidden`](super::hidden) words. What a kubelet will change of the machine is written down.
///
/// # Errors
/// See [`DockerError`].
pub async fn daemon(
    cache: &Cache,
    wish: &Wish,
    handover: &Path,
    component: impl Future<Output = Result<Resolved, ResolveError>>,
) -> Result<Daemon, DockerError> {
    let place = Place::of(cache);
    let (docker, info, whose, in_use) = match find(wish).await? {
        Some(theirs) => (theirs.docker, theirs.info, Whose::Theirs, place.enter()?),
        None if !root() => return Err(DockerError::NoDaemon { host: place_of(wish).to_owned() }),
        None => {
            let component = component.await.map_err(Box::new)?;
            let own = own::start(&place, &component, handover).await?;
            let info = own.docker.info().await?;
            (own.docker, info, Whose::Own { started: own.started }, own.in_use)
        }
    };
    let daemon = Daemon { docker, info, whose, place, in_use: Some(in_use) };
    sysctls::record(&daemon.place)?;
    Ok(daemon)
}

impl Daemon {
    /// Leaves it. If nobody else uses Docker, and nothing of ours is there any more (a cluster that was kept),
    /// what a kubelet changed of the machine is put back: answers with that.
    ///
    /// # Errors
    /// The daemon does not say what is there, or the kernel refuses; `gc` tries again.
    pub async fn leave(mut self) -> Result<Vec<String>, DockerError> {
        drop(self.in_use.take());
        if !self.docker.owned().await?.iter().all(|owned| owned.kind == Kind::Image) {
            return Ok(Vec::new());
        }
        match self.place.enter_alone() {
            Some(_alone) => sysctls::restore(&self.place, Some(&self.docker)).await,
            None => Ok(Vec::new()),
        }
    }
}
