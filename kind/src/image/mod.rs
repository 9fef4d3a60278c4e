//! The image of a node: the official one where it is there or can be pulled, else one of our own, made once of
//! the components and found again by what it is made of.
//!
//! ```text
//! components ──► a node's system ─► image to fill in ─► containerd imports the pods' images ─┐
//!            └─► pods' images ──────────────────────────┘                                    ▼
//!                                 handover-node:VERSION-KEY = the system, and containerd's store
//! ```
//!
//! Nothing is pulled by a node afterwards: all images of its own pods lie in it, under names that no registry
//! has. Official images are used as they are.

pub mod archive;
pub mod layer;
mod make;
mod parts;
mod recipe;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::inventory::{State, list};
use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Component, Request, ResolveError, resolve};
use handover_fixtures::process::RunDir;

use crate::docker::{Docker, DockerError};

use recipe::Recipe;

pub(crate) use parts::REPOSITORY;
pub use parts::Versions;

/// The official image: of the same minor version as the embedded plane, and the last that starts where there is
/// only cgroup v1.
pub const OFFICIAL: &str =
    "kindest/node:v1.36.1@sha256:3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5";
/// What ours are called; the tag says of what.
pub const OURS: &str = "handover-node";

/// An image that nodes can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeImage {
    /// Its name at the daemon.
    pub name: String,
    /// Who made it.
    pub maker: Maker,
}

/// Who made an image, which says what has to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// It is made as kind makes them.
    Kind,
    /// It is ours, of these versions.
    Ours(Versions),
}

/// Which image is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// What is there, the official one first; else the official one, if it can be pulled; else ours, made.
    #[default]
    Any,
    /// Ours.
    Ours,
    /// One that the user names: made as kind makes them, unless it is ours.
    Named(String),
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A part cannot be obtained.
    #[error(transparent)]
    Resolve(Box<ResolveError>),
    /// The daemon does not do what it is asked for.
    #[error(transparent)]
    Docker(Box<DockerError>),
    /// A version cannot be read.
    #[error(
        "{component} is of version `{version}`, and a node's image needs one like 1.36.3; \
         name it with the path: --component {component}=PATH@VERSION"
    )]
    Version {
        /// Which component.
        component: Component,
        /// Its version.
        version: String,
    },
    /// Parts of one Kubernetes are of several versions.
    #[error(
        "{component} is of version {version} and kubelet of {kubelet}, and a node takes one version of Kubernetes: name \
         the same for {}", parts::KUBERNETES.map(Component::name).join(", ")
    )]
    Mixed {
        /// Which component.
        component: Component,
        /// Its version.
        version: String,
        /// That of the kubelet.
        kubelet: String,
    },
    /// Somebody's image is used as it is.
    #[error(
        "the image `{name}` has a {component} of its own: --component {component}=… goes with --node-image own"
    )]
    Whole {
        /// The image.
        name: String,
        /// Which component is named.
        component: Component,
    },
    /// An image of ours, of which nothing is known: not what of its pods' images it has, nor of which versions.
    #[error(
        "the image `{name}` is not the one of our own that is made of today's components, which is `{now}`; say \
         `--node-image own` for that one"
    )]
    Outdated {
        /// What was named.
        name: String,
        /// What ours is called now.
        now: String,
    },
    /// The files of the packages are not as they should be.
    #[error("cannot read the files of a node's packages below {}", .root.display())]
    Packages {
        /// Where they lie.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The libraries of a program cannot be found.
    #[error("cannot find the libraries of {}: {why}", .program.display())]
    Loader {
        /// The program.
        program: PathBuf,
        /// What its loader said.
        why: String,
    },
    /// A file cannot be written.
    #[error("cannot write the image of a node to {}; it takes 2 GB for as long as it is made", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image that the user named is not there, and cannot be pulled.
    #[error("there is no image `{name}` at the daemon, and it cannot be pulled; is its name right?")]
    NotThere {
        /// Its name.
        name: String,
        /// What pulling it said.
        source: Box<DockerError>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

impl From<ResolveError> for ImageError {
    fn from(error: ResolveError) -> Self {
        Self::Resolve(Box::new(error))
    }
}

impl From<DockerError> for ImageError {
    fn from(error: DockerError) -> Self {
        Self::Docker(Box::new(error))
    }
}

/// What making an image takes.
pub struct Builder<'a> {
    /// The daemon that is to have it.
    pub docker: &'a Docker,
    /// For what is needed on the way; its name labels containers and images that are to go again.
    pub run: &'a RunDir,
    /// The name of that run.
    pub name: &'a str,
    /// How the parts are obtained.
    pub request: Request,
    /// Whoever hears of that.
    pub progress: Arc<dyn Progress>,
    /// Hears what is done now, in a few words.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// Finds or makes the image that is wanted.
///
/// # Errors
/// [`ImageError`].
pub async fn obtain(builder: &Builder<'_>, choice: &Choice) -> Result<NodeImage, ImageError> {
    let Builder { docker, tell, .. } = builder;
    match choice {
        Choice::Named(name) if is_ours(name) => {
            let now = recipe(builder).await?.image.name;
            if now == *name {
                ours(builder).await
            } else {
                Err(ImageError::Outdated { name: name.clone(), now })
            }
        }
        Choice::Named(name) => {
            if let Some(component) = part_named(&builder.request) {
                return Err(ImageError::Whole { name: name.clone(), component });
            }
            if !is_there(docker, name).await? {
                tell(&format!("pulling {name}"));
                docker.pull(name, None).await.map_err(|error| match is_of_registry(&error) {
                    true => ImageError::NotThere { name: name.clone(), source: Box::new(error) },
                    false => error.into(),
                })?;
            }
            Ok(NodeImage { name: name.clone(), maker: Maker::Kind })
        }
        Choice::Ours => ours(builder).await,
        // No other image has it.
        Choice::Any if part_named(&builder.request).is_some() => ours(builder).await,
        Choice::Any => {
            let official = NodeImage { name: OFFICIAL.to_owned(), maker: Maker::Kind };
            if is_there(docker, OFFICIAL).await? {
                return Ok(official);
            }
            if parts_are_there(&builder.request) {
                let recipe = recipe(builder).await?;
                if is_there(docker, &recipe.image.name).await? {
                    return Ok(recipe.image);
                }
            }
            tell(&format!("pulling {OFFICIAL}"));
            match docker.pull(OFFICIAL, None).await {
                Ok(()) => Ok(official),
                Err(DockerError::Refused { said: why, .. }) => instead(builder, &why).await,
                Err(error) if is_of_registry(&error) => instead(builder, &chain(&error)).await,
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Whether a node can be made of what is named for its parts, as far as the names say it; what is not named is as
/// pinned.
///
/// # Errors
/// That the parts of Kubernetes would be of several versions, or that something that is named makes no sense.
pub fn fits(request: &Request) -> Result<(), ImageError> {
    if part_named(request).is_none() {
        return Ok(());
    }
    let items = list(&request.clone().only(Component::NODE))?;
    parts::one_kubernetes(items.iter().map(|item| (item.component, item.version.as_str())))
}

/// A part of a node for which something is named.
fn part_named(request: &Request) -> Option<Component> {
    Component::NODE.into_iter().find(|component| request.overrides.get(*component).is_some())
}

/// Ours, because the official one cannot be had.
async fn instead(builder: &Builder<'_>, why: &str) -> Result<NodeImage, ImageError> {
    (builder.tell)(&format!("{OFFICIAL} cannot be had ({why}); making one of our own"));
    ours(builder).await
}

/// Whether a pull failed by what a registry answered, or did not. Where it is the daemon that fails, ours would fail as
/// well.
fn is_of_registry(error: &DockerError) -> bool {
    matches!(error, DockerError::Refused { .. } | DockerError::Silent { .. } | DockerError::Hangs { .. })
}

/// Whether a name is one of those that ours have.
fn is_ours(name: &str) -> bool {
    name.split([':', '@']).next() == Some(OURS)
}

/// Ours, found or made.
async fn ours(builder: &Builder<'_>) -> Result<NodeImage, ImageError> {
    let recipe = recipe(builder).await?;
    if !is_there(builder.docker, &recipe.image.name).await? {
        make::make(builder, &recipe).await?;
    }
    Ok(recipe.image)
}

/// Obtains the parts, and says what they make.
async fn recipe(builder: &Builder<'_>) -> Result<Recipe, ImageError> {
    let request = builder.request.clone().only(Component::NODE);
    let set = resolve(request, Arc::clone(&builder.progress)).await?;
    make::blocking(move || Recipe::of(&set)).await
}

/// Whether all parts lie in the cache, by their names alone.
fn parts_are_there(request: &Request) -> bool {
    let items = list(&request.clone().only(Component::NODE));
    items.is_ok_and(|items| items.iter().all(|item| matches!(item.state, State::Cached | State::Path)))
}

/// Whether the daemon has an image.
pub(crate) async fn is_there(docker: &Docker, name: &str) -> Result<bool, DockerError> {
    Ok(docker.look(&["image", "inspect", "--format", "{{.Id}}", name]).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_known_by_their_name() {
        for name in ["handover-node:v1.36.3-0123456789ab", "handover-node", "handover-node@sha256:01"] {
            assert!(is_ours(name), "{name}");
        }
        for name in
            ["kindest/node:v1.36.1", "mirror.example/handover-node:v1", "handover-node-mine:v1", OFFICIAL]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
