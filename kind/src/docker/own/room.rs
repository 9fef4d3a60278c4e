//! The room of a daemon of our own: a mount namespace, so that whatever it mounts goes away with its last
//! process, however that ends.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use handover_fixtures::process::pass_no_files_on;
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, unmount,
};
use rustix::process::setsid;
use rustix::thread::UnshareFlags;
#[expect(
    deprecated,
    reason = "the successor is unsafe for the sake of files, which are not unshared here"
)]
use rustix::thread::unshare;

const RUN: &str = "/run";
/// Where containerd listens, in the room.
pub(super) const CONTAINERD: &str = "/run/containerd/containerd.sock";
/// How long it may take to.
const PATIENCE: Duration = Duration::from_secs(20);
/// What Docker keeps there.
const DOCKERS: [&str; 4] = ["docker", "docker.sock", "docker.pid", "containerd"];

/// Why a daemon did not get its room.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}; a daemon of our own needs root, and the right to mount")]
pub struct RoomError {
    what: String,
    source: io::Error,
}

/// Becomes `dockerd` with these arguments, in a session of its own, where its mounts are nobody else's and
/// `/run` is its own. `scratch` is an empty folder, `containerd` the configuration of that program. Returns only
/// if it cannot. Has to be called before there are other threads.
///
/// Left to itself, dockerd would start containerd so that it dies with the *thread* that did, and some of its
/// threads end when a network is made.
pub fn become_daemon(scratch: &Path, containerd: &Path, dockerd: &OsStr, args: &[OsString]) -> RoomError {
    let alone =
        pass_no_files_on().map_err(|source| RoomError { what: "see its open files".to_owned(), source });
    match alone.and_then(|()| enter(scratch)).and_then(|()| start_containerd(containerd)) {
        Ok(()) => {
            let what = format!("start `{}`", dockerd.display());
            RoomError { what, source: Command::new(dockerd).args(args).exec() }
        }
        Err(error) => error,
    }
}

/// Starts it and waits until it listens.
fn start_containerd(config: &Path) -> Result<(), RoomError> {
    let failed = |source| RoomError { what: "start containerd".to_owned(), source };
    let mut child = Command::new("containerd").arg("--config").arg(config).spawn().map_err(failed)?;
    let until = Instant::now() + PATIENCE;
    while let Err(error) = UnixStream::connect(CONTAINERD) {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Err(failed(io::Error::other(format!("it ended with {status}"))));
        }
        if Instant::now() > until {
            return Err(failed(error));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn enter(scratch: &Path) -> Result<(), RoomError> {
    // No terminal's end is this daemon's. Who leads a group already has left it.
    let _ = setsid();
    #[expect(deprecated, reason = "see above")]
    unshare(UnshareFlags::NEWNS).map_err(failed("make a mount namespace"))?;
    let all = |kind: MountPropagationFlags| {
        mount_change("/", kind | MountPropagationFlags::REC)
            .map_err(failed("part its mounts from the machine's"))
    };
    // What the machine mounts and unmounts is seen here, and nothing of here there.
    all(MountPropagationFlags::DOWNSTREAM)?;
    own_run(scratch)?;
    // What is mounted from now on may be shared with containers.
    all(MountPropagationFlags::SHARED)
}

/// Daemon, containerd and shims keep sockets and state in fixed places of `/run`, where another Docker may be:
/// so it is a new one, with what else is in the machine's (a resolver's configuration, …).
fn own_run(scratch: &Path) -> Result<(), RoomError> {
    mount_bind_recursive(RUN, scratch).map_err(failed("look at /run"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("handover", RUN, "tmpfs", flags, Some(c"mode=755")).map_err(failed("mount a /run of its own"))?;
    let fill = || -> io::Result<()> {
        for entry in fs::read_dir(scratch)? {
            let entry = entry?;
            let name = entry.file_name();
            if DOCKERS.iter().any(|docker| name == *docker) {
                continue;
            }
            let (from, to) = (entry.path(), Path::new(RUN).join(&name));
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                symlink(fs::read_link(&from)?, &to)?;
                continue;
            }
            if kind.is_dir() {
                fs::create_dir(&to)?;
            } else {
                fs::File::create(&to)?;
            }
            mount_bind_recursive(&from, &to)?;
        }
        Ok(())
    };
    fill().map_err(|source| RoomError { what: "fill a /run of its own".to_owned(), source })?;
    unmount(scratch, UnmountFlags::DETACH).map_err(failed("leave the machine's /run"))
}

fn failed(what: &'static str) -> impl Fn(Errno) -> RoomError {
    move |errno| RoomError { what: what.to_owned(), source: errno.into() }
}
