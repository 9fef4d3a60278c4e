//! What a daemon says about itself, and whether a cluster that is tested from this machine can be there.

use serde::Deserialize;

use super::error::DockerError;
use super::{Docker, QUESTION};

/// What a daemon is, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Its version: `20.10.24`.
    pub version: String,
    /// The newest version of its API: 1.41.
    pub api: (u32, u32),
    /// 1 or 2.
    pub cgroup: u32,
    /// How images and containers lie on the disk: `overlay2`.
    pub storage: String,
    /// Where they lie, as the daemon sees it.
    pub root: String,
    /// What starts containers, if nobody says anything else: `runc`.
    pub runtime: String,
    /// The system it runs on, as it calls itself.
    pub system: String,
    /// Whether it runs without root.
    pub rootless: bool,
    /// Whether it is Podman behind Docker's API.
    pub podman: bool,
}

/// What is wrong with a daemon, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What it is.
    pub why: String,
    /// What to do.
    pub advice: String,
}

/// kind gives each node a cgroup namespace of its own.
const API: (u32, u32) = (1, 41);
/// The way out for whoever is root.
pub(super) const OWN: &str = "HANDOVER_DOCKER=own takes one of our own, as root";

/// `docker version --format '{{json .}}'`, of which there are as many forms as engines.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Version {
    server: Option<Server>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Server {
    version: String,
    #[serde(alias = "APIVersion")]
    api_version: String,
    components: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Part {
    name: String,
}

/// `docker info --format '{{json .}}'`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    cgroup_version: String,
    driver: String,
    docker_root_dir: String,
    default_runtime: String,
    operating_system: String,
    security_options: Option<Vec<String>>,
    server_errors: Option<Vec<String>>,
}

impl Docker {
    /// Asks the daemon what it is.
    ///
    /// # Errors
    /// It does not answer, or with something else.
    pub async fn info(&self) -> Result<Info, DockerError> {
        let version = self.ask(&["version", "--format", "{{json .}}"], QUESTION).await?;
        let info = self.ask(&["info", "--format", "{{json .}}"], QUESTION).await?;
        Info::parse(&version, &info).map_err(|(command, why)| DockerError::Nonsense {
            command: command.to_owned(),
            why,
            said: if command == "info" { beginning(&info) } else { beginning(&version) },
        })
    }
}

fn beginning(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(200).collect()
}

impl Info {
    /// Reads both answers. Errors name the one that is wrong.
    fn parse(version: &str, info: &str) -> Result<Self, (&'static str, String)> {
        let version: Version =
            serde_json::from_str(version).map_err(|error| ("version", error.to_string()))?;
        let said: Said = serde_json::from_str(info).map_err(|error| ("info", error.to_string()))?;
        if let Some(error) = said.server_errors.unwrap_or_default().first() {
            return Err(("info", error.clone()));
        }
        let server = version.server.ok_or_else(|| ("version", "it names no server".to_owned()))?;
        let api = api(&server.api_version)
            .ok_or_else(|| ("version", format!("`{}` is no version of an API", server.api_version)))?;
        if said.driver.is_empty() {
            return Err(("info", "it names no storage driver".to_owned()));
        }
        let options = said.security_options.unwrap_or_default();
        Ok(Self {
            version: server.version,
            api,
            cgroup: said.cgroup_version.parse().unwrap_or(1),
            storage: said.driver,
            root: said.docker_root_dir,
            runtime: said.default_runtime,
            system: said.operating_system,
            rootless: options.iter().any(|option| option.split(',').any(|part| part == "name=rootless")),
            podman: server.components.iter().any(|part| part.name.starts_with("Podman")),
        })
    }

    /// Whether a cluster can be there; `lacking` are the capabilities that it cannot give.
    pub fn judge(&self, lacking: &[&str]) -> Result<(), Unfit> {
        self.is_near()?;
        // Another runtime may be what it takes: the first node shows it.
        if !lacking.is_empty() && matches!(self.runtime.as_str(), "runc" | "io.containerd.runc.v2" | "") {
            let why = format!(
                "this machine withholds {}, and the runtime `runc` starts no privileged container without",
                lacking.join(", ")
            );
            let advice = format!(
                "{OWN}; or make `exec handover oci-runtime /usr/sbin/runc \"$@\"`, as a script, its default \
                 runtime"
            );
            return Err(Unfit { why, advice });
        }
        Ok(())
    }

    /// Whether what is in its containers can be reached and measured from here.
    pub fn is_near(&self) -> Result<(), Unfit> {
        let unfit = |why: String, advice: &str| Err(Unfit { why, advice: advice.to_owned() });
        if self.podman {
            return unfit(
                "it is Podman, on which kind is an experiment and which is not tested here".into(),
                &format!("start Docker beside it; {OWN}"),
            );
        }
        if self.rootless {
            return unfit(
                "it is rootless: its containers have addresses that this machine cannot reach, so that nothing could \
                 be measured from here"
                    .into(),
                &format!("start Docker as root; {OWN}"),
            );
        }
        if self.system.starts_with("Docker Desktop") {
            return unfit(
                "it is Docker Desktop: its containers are in a virtual machine, with addresses that this one cannot \
                 reach"
                    .into(),
                &format!("start Docker's engine itself; {OWN}"),
            );
        }
        if self.api < API {
            let why = format!("its API is {}.{}, and kind needs {}.{}", self.api.0, self.api.1, API.0, API.1);
            return unfit(why, &format!("install Docker 20.10 or newer; {OWN}"));
        }
        Ok(())
    }
}

fn api(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = r#"{"Client":{"Version":"28.2.2","ApiVersion":"1.41"},
        "Server":{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20.10.24+dfsg1"}],
        "Version":"20.10.24+dfsg1","ApiVersion":"1.41","MinAPIVersion":"1.12"}}"#;
    const INFO: &str = r#"{"ID":"JCXO","Driver":"overlay2","CgroupDriver":"cgroupfs","CgroupVersion":"1",
        "DockerRootDir":"/var/lib/docker","DefaultRuntime":"runc","SecurityOptions":["name=seccomp,profile=default"],
        "OperatingSystem":"Debian GNU/Linux 12 (bookworm)","NCPU":2,"Warnings":null}"#;

    fn info() -> Info {
        Info::parse(VERSION, INFO).unwrap()
    }

    #[test]
    fn answers_are_read() {
        let info = info();
        assert_eq!((info.version.as_str(), info.api, info.cgroup), ("20.10.24+dfsg1", (1, 41), 1));
        assert_eq!((info.storage.as_str(), info.root.as_str()), ("overlay2", "/var/lib/docker"));
        assert!(!info.rootless && !info.podman);
        assert_eq!(info.judge(&[]), Ok(()));
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let wrong = |version: &str, info: &str| Info::parse(version, info).unwrap_err();
        assert_eq!(wrong("{}", INFO), ("version", "it names no server".to_owned()));
        assert_eq!(wrong("<html>", INFO).0, "version");
        assert_eq!(wrong(VERSION, "[]").0, "info");
        assert_eq!(wrong(r#"{"Server":{"Version":"1","ApiVersion":"x"}}"#, INFO).0, "version");
        let errors = r#"{"ServerErrors":["Cannot connect"]}"#;
        assert_eq!(wrong(VERSION, errors), ("info", "Cannot connect".to_owned()));
    }

    #[test]
    fn what_cannot_be_measured_from_here_will_not_do() {
        let podman = VERSION.replace("\"Engine\"", "\"Podman Engine\"");
        let rootless = INFO.replace("name=seccomp,profile=default", "name=rootless");
        let desktop = INFO.replace("Debian GNU/Linux 12 (bookworm)", "Docker Desktop");
        let old = VERSION.replace("\"ApiVersion\":\"1.41\",\"Min", "\"ApiVersion\":\"1.40\",\"Min");
        for (version, info, word) in [
            (podman.as_str(), INFO, "Podman"),
            (VERSION, rootless.as_str(), "rootless"),
            (VERSION, desktop.as_str(), "Desktop"),
            (old.as_str(), INFO, "its API is 1.40, and kind needs 1.41"),
        ] {
            let unfit = Info::parse(version, info).unwrap().judge(&[]).unwrap_err();
            assert!(unfit.why.contains(word), "{}", unfit.why);
            assert!(unfit.advice.contains("HANDOVER_DOCKER=own"), "{}", unfit.advice);
        }
    }

    #[test]
    fn a_withheld_capability_needs_another_runtime() {
        let unfit = info().judge(&["CAP_SYS_RESOURCE"]).unwrap_err();
        assert!(unfit.why.contains("withholds CAP_SYS_RESOURCE"), "{}", unfit.why);
        assert!(unfit.advice.contains("handover oci-runtime"), "{}", unfit.advice);
        let other = Info { runtime: "nores".into(), ..info() };
        assert_eq!(other.judge(&["CAP_SYS_RESOURCE"]), Ok(()));
    }
}
