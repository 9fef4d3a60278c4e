//! Servers of images as containers on the embedded plane, where a Docker daemon is there.
//!
//! ```text
//! obtain ──► a daemon whose containers are near ──► the image there ──► Order, a file in the run's directory
//!                                                                                │
//! plane ──spawns──► handover contained ORDER PROGRAM ARGUMENT… ──stand──► container ◄┘
//! ```
//!
//! To the plane a server in a container is a process as all others: it is started by a command line, its output is a
//! log, and signals and figures are those of its program, which this machine sees among its processes
//! (`process::contained`). A container is in this machine's network, sees the run's directory where it is here, runs as
//! whoever has the directory that it works in, and needs no capability beyond Docker's default ones.
//!
//! It ends with its program, with who stands before it, and with the harness; what a `kill -9` leaves is found by
//! label.

mod image;
mod order;
#[cfg(feature = "containers")]
mod stand;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::contained::{held, program_in};
use handover_fixtures::components::images::ImageName;
use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{
    Cache, Component, Given, Request, ResolveError, Resolved, ResolvedSet, resolve,
};
use handover_fixtures::files::private_dir;
use handover_fixtures::kept::Kept;
use handover_fixtures::process::{CONTAINED, NoProgram, RunDir, contained, this_program};

use tokio::sync::OnceCell;

use crate::docker::own::{self, InUse, Place};
use crate::docker::{CACHE, Docker, DockerError, LABEL, Owner, QUIET, Wish, near, put_back, sweep, used};
use image::Seeker;
use order::Order;

/// The components that can be containers: the servers of the embedded plane that keep credentials.
const SERVERS: [Component; 4] =
    [Component::Openbao, Component::Mysql, Component::Valkey, Component::Postgres];

/// A server that cannot be a container.
#[derive(Debug, thiserror::Error)]
pub enum ContainedError {
    /// Docker is not asked as it should be, or does not answer.
    #[error(transparent)]
    Docker(Box<DockerError>),
    /// Something that does not run in a container cannot be obtained, or an image is none.
    #[error(transparent)]
    Component(#[from] Box<ResolveError>),
    /// The image is not there.
    #[error("there is no image `{image}` at the Docker daemon at {host}, and it cannot be pulled: {said}")]
    NoImage {
        /// Which.
        image: String,
        /// Where.
        host: String,
        /// What was said.
        said: String,
    },
    /// Where servers are pods, no daemon is asked for it.
    #[error(
        "on a cluster an image comes out of its registry or of an archive, and not out of a Docker daemon (of one that has \
         it: `docker save --output {component}.tar {image}`, and then --component {component}=image:./{component}.tar)"
    )]
    NoDaemon {
        /// For which component.
        component: Component,
        /// The image.
        image: String,
        /// What the registry said.
        source: Box<ResolveError>,
    },
    /// It is for another kind of machine.
    #[error("the image `{image}` is made for {made_for}, and not for this machine")]
    OtherMachine {
        /// Which.
        image: String,
        /// For what.
        made_for: String,
    },
    /// A file of the run cannot be written.
    #[error("cannot write `{path}`; is the disk full, or read-only?", path = .path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This program cannot stand before a container.
    #[error(transparent)]
    Program(#[from] NoProgram),
}

impl From<DockerError> for ContainedError {
    fn from(error: DockerError) -> Self {
        Self::Docker(Box::new(error))
    }
}

/// The containers of one run, and what it does where there can be none.
pub struct Containers {
    /// None where servers are pods.
    wanted: Option<Whose>,
    /// Looked for when an image is named for the first time.
    at: OnceCell<At>,
}

/// Whose they are.
struct Whose {
    cache: Cache,
    /// The run's directory.
    dir: PathBuf,
    /// Its name.
    run: String,
}

/// Where they are.
enum At {
    /// There can be none, and why.
    Nowhere(String),
    /// At this daemon.
    Docker(Box<Starter>),
}

/// Makes servers of containers, at a daemon.
struct Starter {
    docker: Docker,
    wish: Wish,
    owner: Owner,
    handover: PathBuf,
    /// The run's directory.
    dir: PathBuf,
    /// As long as it is used, no daemon of our own is stopped.
    in_use: InUse,
}

impl Containers {
    /// Those of a run, whose name is `run`.
    pub fn of(cache: &Cache, dir: &RunDir, run: &str) -> Self {
        let wanted = Whose { cache: cache.clone(), dir: dir.path().to_owned(), run: run.to_owned() };
        Self { wanted: Some(wanted), at: OnceCell::new() }
    }

    /// None, whatever is named: where servers are pods.
    pub fn none() -> Self {
        Self { wanted: None, at: OnceCell::new() }
    }

    /// Obtains what is requested as [`resolve`] does, but the images of servers at a daemon, if one is there. One of our
    /// own that runs will do, but none is started for this.
    ///
    /// # Errors
    /// What cannot be obtained.
    pub async fn obtain(
        &self,
        request: Request,
        progress: Arc<dyn Progress>,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<ResolvedSet, ContainedError> {
        let named = images(&request);
        let Some(wanted) = &self.wanted else {
            return resolve(request.clone(), progress).await.map_err(|error| undaemoned(&request, error));
        };
        if named.is_empty() {
            return Ok(resolve(request, progress).await.map_err(Box::new)?);
        }
        match self.at.get_or_try_init(|| wanted.find(tell)).await? {
            At::Nowhere(why) => {
                let set = resolve(request, progress).await.map_err(Box::new)?;
                let told = |one: &Resolved| match named.contains_key(&one.component) {
                    true => one.clone().with_note(format!(
                        "{why}: the program of the image of {} runs without a container",
                        one.component
                    )),
                    false => one.clone(),
                };
                Ok(set.iter().map(told).collect())
            }
            At::Docker(starter) => {
                let mut all = Vec::new();
                for (component, image) in &named {
                    all.push(starter.server(&request, *component, image, tell).await?);
                }
                let others: Vec<_> =
                    request.wanted.iter().copied().filter(|one| !named.contains_key(one)).collect();
                let set = resolve(request.only(others), progress).await.map_err(Box::new)?;
                Ok(set.iter().cloned().chain(all).collect())
            }
        }
    }

    /// Takes away what is left of the run's containers. Answers with what is still there, and why.
    pub async fn fell(self) -> Vec<String> {
        let (Some(At::Docker(starter)), Some(Whose { cache, .. })) = (self.at.into_inner(), self.wanted)
        else {
            return Vec::new();
        };
        let Starter { docker, wish, owner, in_use, .. } = *starter;
        let removed = async {
            docker.clear(|owned| owned.owner == owner, QUIET).await?;
            drop(in_use);
            put_back(&cache, &wish, &docker).await
        };
        removed.await.err().iter().map(|error| format!("containers: {}", chain(error))).collect()
    }
}

impl Whose {
    async fn find(&self, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<At, ContainedError> {
        if cfg!(not(feature = "containers")) {
            return Ok(At::Nowhere("this build of handover has no containers".to_owned()));
        }
        let wish = Wish::of_process().await?;
        let found = daemon(&wish, &Place::of(&self.cache)).await?;
        let (docker, in_use) = match found {
            Ok(found) => found,
            Err(why) => return Ok(At::Nowhere(why)),
        };
        let kept = Kept::of(self.cache.root());
        let swept = sweep(&self.cache, &docker, &|run| kept.keeps(run)).await?;
        swept.gone.iter().chain(&swept.left).for_each(|line| tell(line));
        Ok(At::Docker(Box::new(Starter {
            docker,
            wish,
            owner: Owner::of(&self.cache, &self.run)?,
            handover: this_program()?,
            dir: self.dir.clone(),
            in_use,
        })))
    }
}

impl Starter {
    async fn server(
        &self,
        request: &Request,
        component: Component,
        image: &ImageName,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Resolved, ContainedError> {
        let dir = self.dir.join(CONTAINED);
        private_dir(&dir).map_err(|source| ContainedError::Disk { path: dir.clone(), source })?;
        let seeker = Seeker { docker: &self.docker, request, work: &dir, tell };
        let found = seeker.obtain(component, image).await?;
        let key: String = found.id.trim_start_matches("sha256:").chars().take(12).collect();
        let order = Order {
            host: self.docker.host.clone(),
            image: image.to_string(),
            id: found.id.clone(),
            component: component.to_string(),
            name: self.owner.run.clone(),
            labels: [(LABEL, &self.owner.run), (CACHE, &self.owner.cache)]
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .into(),
            run: self.dir.clone(),
        };
        let path = dir.join(format!("{component}-{key}.json"));
        order.write(&path).map_err(|source| ContainedError::Disk { path: path.clone(), source })?;
        let program = program_in(component, &found.starts).unwrap_or(component.name());
        let resolved = held(component, image, &found, contained(&self.handover, &path, program));
        let note = format!("{component} runs in a container at {}", self.docker.host);
        Ok(resolved.with_note(note))
    }
}

/// The images that are named for servers that are wanted.
fn images(request: &Request) -> BTreeMap<Component, ImageName> {
    let named = |component: &Component| match request.overrides.get(*component) {
        Some(Given::Image(image)) => Some((*component, image.clone())),
        Some(Given::Path { .. } | Given::Version(_)) | None => None,
    };
    SERVERS.iter().filter(|one| request.wanted.contains(one)).filter_map(named).collect()
}

/// The error where no daemon is asked, which whoever has the image at one would wonder about.
fn undaemoned(request: &Request, error: ResolveError) -> ContainedError {
    match &error {
        ResolveError::Image { component, .. } => match request.overrides.get(*component) {
            Some(Given::Image(image @ ImageName::Registry(_))) => ContainedError::NoDaemon {
                component: *component,
                image: image.to_string(),
                source: Box::new(error),
            },
            Some(_) | None => Box::new(error).into(),
        },
        _ => Box::new(error).into(),
    }
}

/// The daemon at which containers can be, and that it is used; or why there is none.
async fn daemon(wish: &Wish, place: &Place) -> Result<Result<(Docker, InUse), String>, DockerError> {
    let why = match near(wish).await {
        Ok(Some(theirs)) => {
            let in_use = place.enter()?;
            used::remember(place, &theirs.docker.host, &in_use)?;
            return Ok(Ok((theirs.docker, in_use)));
        }
        Ok(None) => "no Docker daemon is there".to_owned(),
        Err(error) => chain(&error),
    };
    if own::running(place).is_none() {
        return Ok(Err(why));
    }
    let in_use = place.enter()?;
    // Whoever stopped it did so before, or will not now.
    Ok(own::running(place).map(|docker| (docker, in_use)).ok_or(why))
}

/// Stands before a container, as the words after [`CONTAINED`] say.
pub fn answer(args: impl Iterator<Item = OsString>) -> ExitCode {
    #[cfg(feature = "containers")]
    let said = match stand::stand(args) {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    #[cfg(not(feature = "containers"))]
    let said = {
        drop(args);
        "this build has no containers"
    };
    let _ = writeln!(io::stderr(), "handover {CONTAINED}: {said}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use handover_fixtures::components::progress::Silent;
    use handover_fixtures::components::{Environment, Override, Overrides};

    use super::*;

    #[tokio::test]
    async fn where_servers_are_pods_it_is_told_how_an_image_of_a_daemon_gets_there() {
        let home = tempfile::tempdir().unwrap();
        let environment: Environment = [("HOME".into(), home.path().into())].into_iter().collect();
        let obtain = async |named: &str| {
            let named = Override::parse(named).unwrap();
            let wanted = named.component;
            let overrides = Overrides::gather(&[named], &environment).unwrap();
            let request = Request::new(environment.clone(), overrides).unwrap().only([wanted]);
            let found = Containers::none().obtain(request, Arc::new(Silent), &|_| {}).await;
            chain(&found.unwrap_err())
        };
        let told = obtain("mysql=image:127.0.0.1:1/none/mysql:1").await;
        let how = "`docker save --output mysql.tar 127.0.0.1:1/none/mysql:1`";
        assert!(told.starts_with("on a cluster an image comes") && told.contains(how), "{told}");
        // One that lies on the disk is where it can be had.
        let archive = home.path().join("mysql.tar");
        std::fs::write(&archive, "none").unwrap();
        let told = obtain(&format!("mysql=image:{}", archive.display())).await;
        assert!(!told.contains("docker save"), "{told}");
    }
}
