//! The image of a server at a daemon: found, brought there from this machine's disk, or pulled.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use handover_fixtures::components::contained::{Held, Wanted, wanted};
use handover_fixtures::components::images::{DiskImage, ImageName};
use handover_fixtures::components::{Component, Request};
use serde::Deserialize;

use super::ContainedError;
use crate::docker::{Docker, DockerError};
use crate::image::archive::architecture;

/// How long the daemon may take to take in an image.
const LOAD: Duration = Duration::from_secs(10 * 60);
/// Under which name images from the disk are known: no registry has them.
const REGISTRY: &str = "images.handover.dev";

/// `docker image inspect --format '{{json .}}'`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    labels: Option<std::collections::BTreeMap<String, String>>,
}

/// Where images are sought, and where they can be written down on their way.
pub(super) struct Seeker<'a> {
    pub(super) docker: &'a Docker,
    pub(super) request: &'a Request,
    pub(super) work: &'a Path,
    /// Hears what is done now.
    pub(super) tell: &'a (dyn Fn(&str) + Send + Sync),
}

impl Seeker<'_> {
    /// Sees to it that the daemon has the image, and says what it has.
    pub(super) async fn obtain(
        &self,
        component: Component,
        image: &ImageName,
    ) -> Result<Held, ContainedError> {
        let found = match wanted(self.request, component, image).map_err(Box::new)? {
            Wanted::Named(names) => self.named(component, image, &names).await?,
            Wanted::OnDisk(disk) => self.loaded(component, image, disk).await?,
        };
        found.held(image)
    }

    async fn named(
        &self,
        component: Component,
        image: &ImageName,
        names: &[String],
    ) -> Result<Inspected, ContainedError> {
        for name in names {
            if let Some(found) = self.look(name).await? {
                return Ok(found);
            }
        }
        let name = names.last().cloned().unwrap_or_else(|| image.to_string());
        (self.tell)(&format!("{component}: Docker pulls {name}"));
        let none = |said: String| ContainedError::NoImage {
            image: image.to_string(),
            host: self.docker.host.clone(),
            said,
        };
        match self.docker.pull(&name, self.credentials().as_deref()).await {
            Ok(()) => self.look(&name).await?.ok_or_else(|| none("it is not there after all".to_owned())),
            Err(DockerError::Refused { said, .. }) => Err(none(said)),
            Err(silent @ DockerError::Silent { .. }) => Err(none(silent.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The folder with the user's credentials for registries.
    fn credentials(&self) -> Option<PathBuf> {
        let environment = &self.request.environment;
        let named = environment.get("DOCKER_CONFIG").map(PathBuf::from);
        named.or_else(|| Some(PathBuf::from(environment.get("HOME")?).join(".docker")))
    }

    async fn loaded(
        &self,
        component: Component,
        image: &ImageName,
        disk: Box<DiskImage>,
    ) -> Result<Inspected, ContainedError> {
        let key: String = disk.digest().trim_start_matches("sha256:").chars().take(16).collect();
        let name = format!("{REGISTRY}/{component}:{key}");
        if let Some(found) = self.look(&name).await? {
            return Ok(Inspected { repo_digests: Some(vec![format!("@{}", disk.digest())]), ..found });
        }
        (self.tell)(&format!("{component}: loading {image} into Docker"));
        let digest = disk.digest().to_owned();
        let archive = self.work.join(format!("{component}-{key}.tar"));
        let (to, called) = (archive.clone(), name.clone());
        let write = move || -> Result<(), ContainedError> {
            let failed = |source| ContainedError::Disk { path: to.clone(), source };
            let mut file = BufWriter::with_capacity(1 << 20, File::create(&to).map_err(failed)?);
            disk.save(component, &called, &mut file).map_err(Box::new)?;
            file.flush().map_err(failed)
        };
        let written = tokio::task::spawn_blocking(write).await.expect("writing an image does not panic");
        let loaded = match written {
            Ok(()) => {
                let path = archive.display().to_string();
                self.docker.ask(&["load", "--quiet", "--input", &path], LOAD).await.map_err(Into::into)
            }
            Err(error) => Err(error),
        };
        let _ = fs::remove_file(&archive);
        loaded?;
        let none = || ContainedError::NoImage {
            image: image.to_string(),
            host: self.docker.host.clone(),
            said: "it was loaded, and is not there".to_owned(),
        };
        let found = self.look(&name).await?.ok_or_else(none)?;
        Ok(Inspected { repo_digests: Some(vec![format!("@{digest}")]), ..found })
    }

    async fn look(&self, name: &str) -> Result<Option<Inspected>, ContainedError> {
        let args = ["image", "inspect", "--format", "{{json .}}", name];
        let Some(said) = self.docker.look(&args).await? else { return Ok(None) };
        serde_json::from_str(&said).map(Some).map_err(|error| {
            let command = format!("image inspect {name}");
            DockerError::Nonsense { command, why: error.to_string(), said: String::new() }.into()
        })
    }
}

impl Inspected {
    fn held(self, image: &ImageName) -> Result<Held, ContainedError> {
        if (self.os.as_str(), self.architecture.as_str()) != ("linux", architecture()) {
            return Err(ContainedError::OtherMachine {
                image: image.to_string(),
                made_for: format!("{}/{}", self.os, self.architecture),
            });
        }
        let Config { entrypoint, cmd, labels } = self.config.unwrap_or_default();
        let label = |name: &str| labels.as_ref()?.get(name).map(|value| value.trim().to_owned());
        let digests = self.repo_digests.unwrap_or_default();
        Ok(Held {
            id: self.id,
            digest: digests.first().and_then(|name| Some(name.split_once('@')?.1.to_owned())),
            version: label("org.opencontainers.image.version").filter(|version| !version.is_empty()),
            starts: [entrypoint.unwrap_or_default(), cmd.unwrap_or_default()].concat(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(inspected: &str) -> Result<Held, String> {
        let inspected: Inspected = serde_json::from_str(inspected).unwrap();
        inspected.held(&ImageName::parse("mysql:8").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_daemon_says_of_an_image_is_read() {
        let architecture = architecture();
        let found = held(&format!(
            r#"{{"Id":"sha256:1","RepoDigests":["mysql@sha256:2"],"Os":"linux","Architecture":"{architecture}",
            "Config":{{"Entrypoint":["entry.sh"],"Cmd":["mysqld"],
            "Labels":{{"org.opencontainers.image.version":" 8.4.3"}}}}}}"#
        ));
        let held_ = Held {
            id: "sha256:1".into(),
            digest: Some("sha256:2".into()),
            version: Some("8.4.3".into()),
            starts: vec!["entry.sh".into(), "mysqld".into()],
        };
        assert_eq!(found, Ok(held_));
        let bare = format!(
            r#"{{"Id":"sha256:1","RepoDigests":null,"Os":"linux","Architecture":"{architecture}","Config":null}}"#
        );
        let bare = held(&bare).unwrap();
        assert_eq!((bare.digest, bare.version, bare.starts.len()), (None, None, 0));
    }

    #[test]
    fn an_image_for_another_machine_is_refused() {
        let said = held(r#"{"Id":"sha256:1","Os":"linux","Architecture":"s390x"}"#).unwrap_err();
        assert!(said.contains("made for linux/s390x"), "{said}");
    }
}
