//! The daemon that a run uses, whosever it is, for as long as the run uses it.

use std::path::Path;

use handover_fixtures::components::{Cache, ResolveError, Resolved};

use super::error::DockerError;
use super::find::{Wish, find, root};
use super::info::Info;
use super::own::{self, InUse, Place};
use super::{Docker, sysctls, used};

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
    cache: Cache,
    wish: Wish,
    in_use: Option<InUse>,
}

/// Whether there can be one: asked before anything is obtained, for that can take long.
///
/// # Errors
/// See [`DockerError`].
pub async fn can_be(wish: &Wish) -> Result<(), DockerError> {
    match find(wish).await? {
        None if !root() => Err(wish.in_vain()),
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
        Some(theirs) => {
            let in_use = place.enter()?;
            used::remember(&place, &theirs.docker.host, &in_use)?;
            (theirs.docker, theirs.info, Whose::Theirs, in_use)
        }
        None if !root() => return Err(wish.in_vain()),
        None => {
            let component = component.await.map_err(Box::new)?;
            let own = own::start(&place, &component, handover).await?;
            let info = own.docker.info().await?;
            (own.docker, info, Whose::Own { started: own.started }, own.in_use)
        }
    };
    sysctls::record(&place)?;
    Ok(Daemon { docker, info, whose, cache: cache.clone(), wish: wish.clone(), in_use: Some(in_use) })
}

impl Daemon {
    /// Says of what image a node is about to be made.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn makes_node_of(&self, image: &str) -> Result<(), DockerError> {
        sysctls::record_image(&self.place(), image)
    }

    fn place(&self) -> Place {
        Place::of(&self.cache)
    }

    /// Leaves it. If nobody else uses Docker, and nothing of ours is at any daemon any more (a cluster that was kept), what a
    /// kubelet changed of the machine is put back: answers with that.
    ///
    /// # Errors
    /// A daemon does not say what is there, or the kernel refuses; `gc` tries again.
    pub async fn leave(mut self) -> Result<Vec<String>, DockerError> {
        drop(self.in_use.take());
        put_back(&self.cache, &self.wish, &self.docker).await
    }
}

/// Settles a daemon that is left, by somebody who does not use it any more. If nobody else uses Docker either, and nothing of
/// ours is at any daemon, what a kubelet changed of the machine is put back: answers with that.
///
/// # Errors
/// The daemon does not say what is there, or the kernel refuses.
pub(crate) async fn put_back(
    cache: &Cache,
    wish: &Wish,
    docker: &Docker,
) -> Result<Vec<String>, DockerError> {
    let place = Place::of(cache);
    let Some(alone) = place.enter_alone() else { return Ok(Vec::new()) };
    let mut nothing = used::settle(cache, docker, &alone).await?;
    // The settings are the whole machine's. What cannot be asked now is for `gc` to tell of.
    let mut dockers = vec![docker.clone()];
    for host in used::hosts(&place).into_iter().filter(|host| *host != docker.host) {
        let Ok(other) = used::ask(&place, wish, host).await else {
            nothing = false;
            continue;
        };
        nothing &= used::settle(cache, &other, &alone).await.unwrap_or(false);
        dockers.push(other);
    }
    match own::running(&place) {
        Some(own) if own.host == docker.host => {}
        Some(own) => nothing &= used::settle(cache, &own, &alone).await.unwrap_or(false),
        // One that was killed may have a cluster.
        None => nothing &= !place.record().exists(),
    }
    if nothing { sysctls::restore(&place, &dockers).await } else { Ok(Vec::new()) }
}
