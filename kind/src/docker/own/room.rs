//! The room of a daemon of our own: a mount namespace, so that whatever it mounts goes away with its last
//! process, however that ends.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::setsid;
use rustix::thread::UnshareFlags;
#[expect(
    deprecated,
    reason = "the successor is unsafe for the sake of files, which are not unshared here"
)]
use rustix::thread::unshare;

/// Why a daemon did not get its room.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: a daemon of our own needs root, and the right to mount")]
pub struct RoomError {
    what: String,
    source: io::Error,
}

/// Becomes `command`, in a session of its own, where its mounts are nobody else's and each folder of `hide` is
/// empty and its own. Returns only if it cannot. Has to be called before there are other threads.
pub fn become_daemon(hide: &[PathBuf], command: &[OsString]) -> RoomError {
    match enter(hide) {
        Ok(()) => {
            let (program, args) =
                command.split_first().map_or((OsString::new(), &[][..]), |(p, a)| (p.clone(), a));
            let what = format!("start `{}`", program.display());
            RoomError { what, source: Command::new(program).args(args).exec() }
        }
        Err(error) => error,
    }
}

fn enter(hide: &[PathBuf]) -> Result<(), RoomError> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |errno: rustix::io::Errno| RoomError { what, source: errno.into() }
    };
    // No terminal's end is this daemon's. Who leads a group already has left it.
    let _ = setsid();
    #[expect(deprecated, reason = "see above")]
    unshare(UnshareFlags::NEWNS).map_err(failed("make a mount namespace"))?;
    // What the machine mounts and unmounts is seen here, and nothing of here there; and what is mounted here
    // may be shared with containers.
    let rec = MountPropagationFlags::REC;
    for kind in [MountPropagationFlags::DOWNSTREAM, MountPropagationFlags::SHARED] {
        mount_change("/", kind | rec).map_err(failed("part its mounts from the machine's"))?;
    }
    for folder in hide {
        let what = format!("mount a folder of its own at `{}`", folder.display());
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("handover", Path::new(folder), "tmpfs", flags, None).map_err(failed(&what))?;
    }
    Ok(())
}
