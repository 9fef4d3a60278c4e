//! What this machine has for a cluster in containers, and what will be done about what it has not.

use std::path::Path;

use handover_fixtures::cause::chain;
use handover_fixtures::components::doctor::{Check, Verdict};
use handover_fixtures::components::{Cache, bytes};

use super::capability::Bounding;
use super::error::DockerError;
use super::find::{Theirs, Wish, look, place_of, root};
use super::info::Unfit;
use super::own::{self, Place};
use crate::image::{OFFICIAL, is_there};

/// Disk for a node's image, its parts and a cluster, in bytes.
const DISK: u64 = 6_000_000_000;

/// What was seen of Docker.
#[derive(Debug)]
pub struct Seen {
    /// Everything that matters.
    pub checks: Vec<Check>,
    /// Whether a daemon of our own is to be started, which takes Docker's programs.
    pub own: bool,
    /// Whether the official image of a node is there, so that none has to be made.
    pub image: bool,
}

/// Looks at everything that matters for Docker. Starts nothing.
pub async fn examine(cache: &Cache, wish: &Wish) -> Seen {
    let place = Place::of(cache);
    let found = look(wish).await;
    let own = matches!(found, Ok(None)) && own::running(&place).is_none();
    // One that will not do is asked for nothing.
    let fit = |theirs: &&Theirs| theirs.info.judge(&theirs.lacking).is_ok();
    let theirs = found.as_ref().ok().and_then(Option::as_ref).filter(fit);
    let at = theirs.map(|theirs| theirs.docker.clone());
    let image = match at.or_else(|| own::running(&place)) {
        Some(docker) => is_there(&docker, OFFICIAL).await.unwrap_or(false),
        None => false,
    };
    let mut checks = vec![daemon(&found, wish, &place)];
    let theirs = found.ok().flatten();
    checks.push(capabilities(theirs.as_ref()));
    checks.push(cgroup(theirs.as_ref()));
    checks.push(storage(theirs.as_ref(), &place));
    let data = theirs.as_ref().map_or(place.root(), |theirs| Path::new(&theirs.info.root));
    checks.push(disk(data, theirs.is_some()));
    Seen { checks, own, image }
}

fn check(what: &str, needed: &str, found: String, verdict: Verdict, advice: &str) -> Check {
    let advice = if verdict == Verdict::Ok { String::new() } else { advice.to_owned() };
    Check { what: what.into(), found, needed: needed.into(), verdict, advice }
}

fn daemon(found: &Result<Option<Theirs>, DockerError>, wish: &Wish, place: &Place) -> Check {
    let needed = "a Docker daemon of this machine, or root to start one of our own";
    let (found, verdict, advice) = match found {
        Ok(Some(theirs)) => {
            let what = format!("Docker {} at {}", theirs.info.version, theirs.docker.host);
            match theirs.info.judge(&theirs.lacking) {
                Ok(()) => (format!("{what}; it will be used"), Verdict::Ok, String::new()),
                Err(Unfit { why, advice }) => (format!("{what}: {why}"), Verdict::Missing, advice),
            }
        }
        Ok(None) => match (own::running(place), root()) {
            (Some(docker), _) => {
                (format!("one of our own at {}; it will be used", docker.host), Verdict::Ok, String::new())
            }
            (None, true) => (own_one(wish, place), Verdict::Ok, String::new()),
            (None, false) if wish.own => {
                let found =
                    "none of our own, as HANDOVER_DOCKER wishes, and this user is not root".to_owned();
                (found, Verdict::Missing, "run as root, or unset HANDOVER_DOCKER".to_owned())
            }
            (None, false) => {
                let found = format!("none at {}, and this user is not root", place_of(wish));
                (found, Verdict::Missing, "start Docker, set DOCKER_HOST, or run as root".to_owned())
            }
        },
        Err(error) => (chain(error), Verdict::Missing, String::new()),
    };
    check("docker", needed, found, verdict, &advice)
}

fn own_one(wish: &Wish, place: &Place) -> String {
    let why =
        if wish.own { "as HANDOVER_DOCKER wishes,".into() } else { format!("none at {};", place_of(wish)) };
    format!("{why} one of our own will be started in {}", place.root().display())
}

fn capabilities(theirs: Option<&Theirs>) -> Check {
    let needed = "all that the kernel knows: a node is a privileged container";
    let lacking = match theirs {
        Some(theirs) => Ok(theirs.lacking.clone()),
        None => Bounding::of_this_process().map(|bounding| bounding.lacking()),
    };
    let (found, verdict) = match (&lacking, theirs) {
        (Ok(lacking), _) if lacking.is_empty() => ("all of them".to_owned(), Verdict::Ok),
        (Ok(lacking), None) => {
            (format!("no {}; our own OCI runtime does without", lacking.join(", ")), Verdict::Ok)
        }
        (Ok(lacking), Some(theirs)) => {
            let (lacking, runtime) = (lacking.join(", "), &theirs.info.runtime);
            (format!("no {lacking}; it is up to the daemon's runtime `{runtime}`"), Verdict::Warn)
        }
        (Err(error), _) => (error.to_string(), Verdict::Warn),
    };
    check("capabilities", needed, found, verdict, "nothing, if nodes start")
}

fn cgroup(theirs: Option<&Theirs>) -> Check {
    let version = theirs.map_or_else(machine_cgroup, |theirs| theirs.info.cgroup);
    let found = match version {
        1 => "version 1; the node's kubelet is told to bear with it",
        _ => "version 2",
    };
    check("cgroups", "version 2, or 1 up to Kubernetes 1.36", found.into(), Verdict::Ok, "")
}

/// A unified hierarchy has its controllers at its root.
fn machine_cgroup() -> u32 {
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { 2 } else { 1 }
}

fn storage(theirs: Option<&Theirs>, place: &Place) -> Check {
    let (found, shares) = match theirs {
        Some(theirs) => (theirs.info.storage.clone(), theirs.info.storage != "vfs"),
        None if on_overlay(place.root()) => {
            ("the cache lies on overlayfs, on which there is no other".into(), false)
        }
        None => ("overlay2, in the cache".to_owned(), true),
    };
    let verdict = if shares { Verdict::Ok } else { Verdict::Warn };
    let advice = "each container takes a whole copy of its image: use a disk that is no overlayfs";
    check("docker storage", "a driver that shares layers", found, verdict, advice)
}

/// A container's own disk is one, as a rule.
fn on_overlay(path: &Path) -> bool {
    const OVERLAYFS: i64 = 0x794c_7630;
    rustix::fs::statfs(nearest(path)).is_ok_and(|stat| stat.f_type == OVERLAYFS)
}

/// The folder itself, or the nearest one above it that exists.
fn nearest(path: &Path) -> &Path {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"))
}

fn disk(data: &Path, theirs: bool) -> Check {
    let needed = format!("{} free for images and a cluster", bytes(DISK));
    let there = nearest(data);
    let advice = if theirs {
        "free some space, or move Docker's data"
    } else {
        "free some space, or set HANDOVER_CACHE to a larger disk"
    };
    let (found, verdict) = match rustix::fs::statvfs(there) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let verdict = if free >= DISK { Verdict::Ok } else { Verdict::Missing };
            (format!("{} free at {}", bytes(free), there.display()), verdict)
        }
        Err(errno) => (errno.to_string(), Verdict::Warn),
    };
    check("docker disk", &needed, found, verdict, advice)
}
