//! The programs of a daemon of our own, found beside `dockerd` or where the system keeps its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use handover_fixtures::components::Resolved;
use serde::{Deserialize, Serialize};

/// Where the system keeps programs.
const SYSTEM: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What a daemon is started with; kept with it, so that it can be asked, and started again, later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    pub(super) dockerd: PathBuf,
    /// The client.
    pub docker: PathBuf,
    pub(super) runc: PathBuf,
    pub(super) proxy: PathBuf,
    /// Folders of programs, the daemon's own first.
    pub(super) path: Vec<PathBuf>,
    /// Whether it writes a key into `/etc/docker` if it is not told another place; newer ones know no such word.
    pub(super) writes_key: bool,
    /// Libraries that come with the programs.
    pub(super) libraries: Option<PathBuf>,
}

/// Docker 24 came after 23, and 23 after 20.10.
fn writes_key(version: &str) -> bool {
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    major.is_some_and(|major: u32| major < 24)
}

impl Programs {
    /// Those of the component `docker`: unpacked ones, or what the user named.
    pub fn of(docker: &Resolved) -> Self {
        let base = docker.basedir();
        let own = [docker.dir.clone(), base.join("bin"), base.join("sbin")];
        let path: Vec<PathBuf> = own.into_iter().chain(SYSTEM.map(PathBuf::from)).collect();
        let find = |name: &str| {
            let places = path.iter().map(|folder| folder.join(name));
            let mut there = places.filter(|program| program.is_file());
            there.next().unwrap_or_else(|| docker.dir.join(name))
        };
        let libraries = docker.program().and_then(|program| program.library_path()).map(PathBuf::from);
        Self {
            dockerd: docker.path().into(),
            docker: find("docker"),
            runc: find("runc"),
            proxy: find("docker-proxy"),
            path,
            writes_key: writes_key(&docker.version),
            libraries,
        }
    }

    /// Whether the daemon's program is still there: a cache may be emptied.
    pub(super) fn there(&self) -> bool {
        self.dockerd.is_file()
    }

    /// The daemon's environment: cleared, and what it needs. A proxy is the way to images.
    pub(super) fn environment(&self, home: &Path) -> Vec<(&'static str, OsString)> {
        const PROXIES: [&str; 6] =
            ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
        let path =
            std::env::join_paths(&self.path).unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        let mut all = vec![("PATH", path), ("HOME", home.into()), ("LC_ALL", "C.UTF-8".into())];
        all.extend(self.libraries.clone().map(|libraries| ("LD_LIBRARY_PATH", libraries.into_os_string())));
        all.extend(PROXIES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        all
    }
}
