//! What of Docker is on this machine, taken before and after, to see that nothing is left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Docker;
use super::error::DockerError;
use super::own::{self, Place};
use super::sysctls::{self, Sysctls};

/// Everything that a cluster makes, or could change, outside of its containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Containers, networks and volumes of the daemon that is asked, of everybody.
    pub docker: BTreeSet<String>,
    /// Processes of a daemon of our own, the daemon itself apart.
    pub processes: BTreeSet<String>,
    /// Mounts that the machine sees at or below our place.
    pub mounts: BTreeSet<String>,
    /// Bridges of the machine.
    pub bridges: BTreeSet<String>,
    /// Groups of containers of daemons of our own.
    pub cgroups: BTreeSet<String>,
    /// Settings of the machine.
    pub sysctls: Sysctls,
}

impl Census {
    /// Takes it; without a daemon there are no containers, networks and volumes.
    ///
    /// # Errors
    /// The daemon does not say.
    pub async fn take(place: &Place, docker: Option<&Docker>) -> Result<Self, DockerError> {
        let mut all = BTreeSet::new();
        if let Some(docker) = docker {
            let lists = [
                ("container", &["ps", "--all", "--format", "{{.Names}}"][..]),
                ("network", &["network", "ls", "--format", "{{.Name}}"]),
                ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
            ];
            for (what, args) in lists {
                let names = docker.table(args).await?;
                all.extend(names.iter().filter_map(|fields| Some(format!("{what} {}", fields.first()?))));
            }
        }
        let process = |process: handover_fixtures::process::SweptProcess| {
            format!("process {} {}", process.pid, process.name)
        };
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Ok(Self {
            docker: all,
            processes: own::processes(place).into_iter().map(process).collect(),
            mounts: mounts_below(&mounts, place.root()),
            bridges: names(Path::new("/sys/class/net"), |path| path.join("bridge").is_dir()),
            cgroups: cgroups(),
            sysctls: sysctls::read(),
        })
    }

    /// What is there and was not, or was and is not: `container x is new`. Empty if nothing was left.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let sets = [
            (&self.docker, &after.docker, ""),
            (&self.processes, &after.processes, ""),
            (&self.mounts, &after.mounts, "mount "),
            (&self.bridges, &after.bridges, "bridge "),
            (&self.cgroups, &after.cgroups, "cgroup "),
        ];
        let mut all = Vec::new();
        for (before, now, what) in sets {
            all.extend(now.difference(before).map(|name| format!("{what}{name} is new")));
            all.extend(before.difference(now).map(|name| format!("{what}{name} is gone")));
        }
        let names: BTreeSet<&String> = self.sysctls.keys().chain(after.sysctls.keys()).collect();
        for name in names {
            let none = "nothing".to_owned();
            let (was, is) =
                (self.sysctls.get(name).unwrap_or(&none), after.sysctls.get(name).unwrap_or(&none));
            if was != is {
                all.push(format!("{name} was {was} and is {is}"));
            }
        }
        all
    }
}

/// The mount points in a `mountinfo` at or below a folder.
fn mounts_below(mountinfo: &str, root: &Path) -> BTreeSet<String> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4));
    points.filter(|point| Path::new(point).starts_with(root)).map(str::to_owned).collect()
}

fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| wanted(&entry.path()));
    wanted.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Cgroups below those that daemons of our own put their containers into.
fn cgroups() -> BTreeSet<String> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = names(root, Path::is_dir);
    let mut all = BTreeSet::new();
    for hierarchy in hierarchies.iter().map(|name| root.join(name)).chain([root.to_owned()]) {
        let ours = names(&hierarchy, |path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("handover-"))
        });
        for daemon in ours {
            let below = names(&hierarchy.join(&daemon), Path::is_dir);
            all.extend(below.iter().map(|name| format!("{daemon}/{name}")));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_went_is_told() {
        let mut before = Census::default();
        before.bridges.insert("docker0".into());
        before.sysctls.insert("kernel.panic".into(), "0".into());
        let mut after = before.clone();
        assert_eq!(before.differences(&after), [""; 0]);
        after.docker.insert("container x".into());
        after.bridges.clear();
        after.sysctls.insert("kernel.panic".into(), "10".into());
        assert_eq!(
            before.differences(&after),
            ["container x is new", "bridge docker0 is gone", "kernel.panic was 0 and is 10"]
        );
    }

    #[test]
    fn mounts_are_found_by_their_place() {
        let mountinfo = "22 27 0:20 / /proc rw - proc proc rw\n\
                         90 27 0:50 / /c/docker/exec rw shared:7 - tmpfs handover rw\n\
                         91 27 0:51 / /c/dockerish rw - tmpfs x rw\n";
        assert_eq!(
            mounts_below(mountinfo, Path::new("/c/docker")),
            BTreeSet::from(["/c/docker/exec".to_owned()])
        );
    }
}
