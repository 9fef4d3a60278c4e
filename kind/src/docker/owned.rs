//! What is ours at a daemon: whatever carries [`LABEL`], and whose it is.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::error::DockerError;
use super::{CACHE, Docker, LABEL, Owner, REMOVAL};

/// How often it is seen whether a removal that is under way is over, or whether something came.
const LOOK: Duration = Duration::from_millis(100);
/// How long nothing may have come of what a daemon was told to make by a client that was killed. It copies what is in a
/// node's volume before it tells of the container.
pub const QUIET: Duration = Duration::from_secs(1);
/// How often something may come at the worst.
const COMES: usize = 10;
/// What Docker calls an image whose name another one has now.
const NAMELESS: &str = "<none>";

/// What can be at a daemon, in the order in which it can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container, with its anonymous volumes.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// A name of an image.
    Image,
}

/// Something of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// What it is.
    pub kind: Kind,
    /// What Docker knows it by.
    pub id: String,
    /// What people know it by.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Container, Self::Network, Self::Volume, Self::Image];

    /// How they are listed: an id, a name, and the labels if they can be said in a list.
    fn list(self) -> (&'static [&'static str], String) {
        let labels = format!("{{{{.Label \"{LABEL}\"}}}}\t{{{{.Label \"{CACHE}\"}}}}");
        match self {
            Self::Container => {
                (&["ps", "--all", "--no-trunc"], format!("{{{{.ID}}}}\t{{{{.Names}}}}\t{labels}"))
            }
            Self::Network => {
                (&["network", "ls", "--no-trunc"], format!("{{{{.ID}}}}\t{{{{.Name}}}}\t{labels}"))
            }
            Self::Volume => (&["volume", "ls"], format!("{{{{.Name}}}}\t{{{{.Name}}}}\t{labels}")),
            Self::Image => (&["image", "ls", "--no-trunc"], "{{.ID}}\t{{.Repository}}:{{.Tag}}".to_owned()),
        }
    }

    fn remove(self) -> &'static [&'static str] {
        match self {
            Self::Container => &["rm", "--force", "--volumes"],
            Self::Network => &["network", "rm"],
            Self::Volume => &["volume", "rm", "--force"],
            Self::Image => &["image", "rm"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Image => "image",
        })
    }
}

impl Docker {
    /// Everything of ours, of all runs of all caches.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn owned(&self) -> Result<Vec<Owned>, DockerError> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            all.extend(self.list(kind, LABEL).await?);
        }
        Ok(all)
    }

    /// Everything of one run.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn owned_by(&self, owner: &Owner) -> Result<Vec<Owned>, DockerError> {
        let mut all = self.owned().await?;
        all.retain(|owned| owned.owner == *owner);
        Ok(all)
    }

    async fn list(&self, kind: Kind, label: &str) -> Result<Vec<Owned>, DockerError> {
        let (words, format) = kind.list();
        let filter = format!("label={label}");
        let mut args = words.to_vec();
        args.extend(["--filter", &filter, "--format", &format]);
        let mut all = Vec::new();
        for fields in self.table(&args).await? {
            let [id, name, rest @ ..] = fields.as_slice() else { continue };
            let owner = match rest {
                [] => match self.owner_of_image(id).await? {
                    Some(owner) => owner,
                    // Another run ended, and took it away since it was listed.
                    None => continue,
                },
                [run, rest @ ..] => {
                    Owner { run: run.clone(), cache: rest.first().cloned().unwrap_or_default() }
                }
            };
            all.push(Owned { kind, id: id.clone(), name: name.clone(), owner });
        }
        Ok(all)
    }

    async fn owner_of_image(&self, id: &str) -> Result<Option<Owner>, DockerError> {
        let label = |name: &str| format!("{{{{index .Config.Labels {name:?}}}}}");
        let format = format!("{}\t{}", label(LABEL), label(CACHE));
        let said = self.look(&["image", "inspect", "--format", &format, id]).await?;
        Ok(said.map(|said| {
            let (run, cache) = said.split_once('\t').unwrap_or((&said, ""));
            Owner { cache: cache.trim().to_owned(), run: run.trim().to_owned() }
        }))
    }

    /// Removes what of ours is to go, until nothing of it has been there for so long: a daemon goes on with what a client
    /// asked for that was killed. What came meanwhile may also have been in the way of the rest.
    ///
    /// # Errors
    /// Something stays, though nothing came: the first refusal.
    pub async fn clear(&self, goes: impl Fn(&Owned) -> bool, quiet: Duration) -> Result<(), DockerError> {
        let mut refused = None;
        let mut known = Vec::new();
        let mut since = Instant::now();
        let mut comes = 0;
        loop {
            let mut there = self.owned().await?;
            there.retain(&goes);
            if there.is_empty() {
                if since.elapsed() >= quiet {
                    return Ok(());
                }
            } else {
                if let Some(error) = refused.take()
                    && (comes == COMES || there.iter().all(|owned| known.contains(owned)))
                {
                    return Err(error);
                }
                comes += 1;
                refused = self.remove(&there).await.err();
                known = there;
                since = Instant::now();
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Removes what is given, containers first. What is gone already is fine.
    ///
    /// # Errors
    /// Something is still there: the first refusal.
    async fn remove(&self, owned: &[Owned]) -> Result<(), DockerError> {
        let mut first = None;
        for kind in Kind::ALL {
            let of_kind: Vec<&Owned> = owned.iter().filter(|owned| owned.kind == kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            let mut args = kind.remove().to_vec();
            // An image goes by its name, for others may have more names for the same one; one without a name by its id.
            let by = |owned: &'_ Owned| match owned.kind {
                Kind::Image if !owned.name.contains(NAMELESS) => owned.name.clone(),
                Kind::Image | Kind::Container | Kind::Network | Kind::Volume => owned.id.clone(),
            };
            let names: Vec<String> = of_kind.iter().map(|owned| by(owned)).collect();
            args.extend(names.iter().map(String::as_str));
            let Err(error) = self.ask(&args, REMOVAL).await else { continue };
            // One that somebody else removed meanwhile is no failure; nor is one whose removal is under way, like
            // that of a container which was started to be removed when it ends.
            let until = Instant::now() + if under_way(&error) { REMOVAL } else { Duration::ZERO };
            loop {
                let left = self.list(kind, LABEL).await?;
                if !of_kind.iter().any(|owned| left.contains(owned)) {
                    break;
                }
                if Instant::now() >= until {
                    first.get_or_insert(error);
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        first.map_or(Ok(()), Err)
    }
}

/// Whether the daemon refuses to remove something because it is about to.
fn under_way(error: &DockerError) -> bool {
    matches!(error, DockerError::Refused { said, .. } if said.contains("already in progress"))
}

/// What was found, by whose it is.
pub fn by_owner(owned: Vec<Owned>) -> BTreeMap<Owner, Vec<Owned>> {
    let mut owners = BTreeMap::<Owner, Vec<Owned>>::new();
    for one in owned {
        owners.entry(one.owner.clone()).or_default().push(one);
    }
    owners
}

/// For people: `container a, container b, network c`.
pub fn told(owned: &[Owned]) -> String {
    let all: Vec<String> = owned.iter().map(|owned| format!("{} {}", owned.kind, owned.name)).collect();
    all.join(", ")
}
