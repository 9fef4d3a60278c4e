//! What is ours at a daemon: whatever carries [`LABEL`], and the run that it belongs to.

use std::collections::BTreeMap;
use std::fmt;

use super::error::DockerError;
use super::{Docker, LABEL, REMOVAL};

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
    /// The run that made it.
    pub run: String,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Container, Self::Network, Self::Volume, Self::Image];

    /// How they are listed: an id, a name, and the run if it can be said in a list.
    fn list(self) -> (&'static [&'static str], String) {
        let run = format!("{{{{.Label \"{LABEL}\"}}}}");
        match self {
            Self::Container => {
                (&["ps", "--all", "--no-trunc"], format!("{{{{.ID}}}}\t{{{{.Names}}}}\t{run}"))
            }
            Self::Network => (&["network", "ls", "--no-trunc"], format!("{{{{.ID}}}}\t{{{{.Name}}}}\t{run}")),
            Self::Volume => (&["volume", "ls"], format!("{{{{.Name}}}}\t{{{{.Name}}}}\t{run}")),
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
    /// Everything of ours, of all runs.
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
    pub async fn owned_by(&self, run: &str) -> Result<Vec<Owned>, DockerError> {
        let mut all = self.owned().await?;
        all.retain(|owned| owned.run == run);
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
            let run = match rest {
                [run, ..] => run.clone(),
                [] => self.label_of_image(id).await?,
            };
            all.push(Owned { kind, id: id.clone(), name: name.clone(), run });
        }
        Ok(all)
    }

    async fn label_of_image(&self, id: &str) -> Result<String, DockerError> {
        let format = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
        let said = self.ask(&["image", "inspect", "--format", &format, id], super::QUESTION).await?;
        Ok(said.trim().to_owned())
    }

    /// Removes what is given, containers first. What is gone already is fine.
    ///
    /// # Errors
    /// Something is still there: the first refusal.
    pub async fn remove(&self, owned: &[Owned]) -> Result<(), DockerError> {
        let mut first = None;
        for kind in Kind::ALL {
            let of_kind: Vec<&Owned> = owned.iter().filter(|owned| owned.kind == kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            let mut args = kind.remove().to_vec();
            // An image goes by its name: others may have more names for the same one.
            let by =
                |owned: &'_ Owned| if kind == Kind::Image { owned.name.clone() } else { owned.id.clone() };
            let names: Vec<String> = of_kind.iter().map(|owned| by(owned)).collect();
            args.extend(names.iter().map(String::as_str));
            let Err(error) = self.ask(&args, REMOVAL).await else { continue };
            // One that somebody else removed meanwhile is no failure; nor is one whose removal is under way.
            let left = self.list(kind, LABEL).await?;
            if of_kind.iter().any(|owned| left.contains(owned)) {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }
}

/// What was found, by run.
pub fn by_run(owned: Vec<Owned>) -> BTreeMap<String, Vec<Owned>> {
    let mut runs = BTreeMap::<String, Vec<Owned>>::new();
    for one in owned {
        runs.entry(one.run.clone()).or_default().push(one);
    }
    runs
}

/// For people: `container a, container b, network c`.
pub fn told(owned: &[Owned]) -> String {
    let all: Vec<String> = owned.iter().map(|owned| format!("{} {}", owned.kind, owned.name)).collect();
    all.join(", ")
}
