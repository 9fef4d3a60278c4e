//! The images of one run: archives that are made once and kept in the cache, and loaded into the node when a pod needs
//! them.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use handover_fixtures::components::Program;
use handover_fixtures::files::private_dir;
use handover_fixtures::process::{RunDir, Signal, this_program};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::ServersError;
use super::contents::{Contents, Entry};
use super::site::Node;
use crate::image::archive;

/// The version of how images are made.
const RECIPE: &str = "3";
/// How long an archive is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Under which name images of ours are known: no registry has them.
const REGISTRY: &str = "images.handover.dev";

/// Makes images, and loads them.
#[derive(Clone)]
pub struct Images {
    dir: PathBuf,
    /// Where they are made: in the run's directory, which is swept if it is killed.
    work: PathBuf,
    node: Node,
    loaded: Arc<Mutex<HashSet<String>>>,
    making: Arc<Mutex<BTreeMap<String, Arc<Mutex<()>>>>>,
}

impl Images {
    /// Archives lie below `cache`, and are made in `run`; what the node has already is not loaded again.
    ///
    /// # Errors
    /// What the node said.
    pub async fn of(cache: &Path, run: &RunDir, node: Node) -> Result<Self, ServersError> {
        let has = node.images().await?.into_iter().filter(|image| image.starts_with(REGISTRY));
        let loaded = Arc::new(Mutex::new(has.collect()));
        let (dir, work) = (cache.join("images"), run.path().to_owned());
        Ok(Self { dir, work, node, loaded, making: Arc::default() })
    }

    /// The image of a program of this host that stands in for another, or is a part of this one.
    ///
    /// # Errors
    /// What cannot be read, written or loaded.
    pub async fn stand_in(&self, program: PathBuf) -> Result<String, ServersError> {
        let program = Program::plain(program);
        let name = program.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        self.obtain(&format!("stand-in-{name}"), &program, Vec::new(), None).await
    }

    /// The image of a program, ready to be run: `name` is what it is called, `trees` are folders beside it that it
    /// needs, and `stop` asks it to end where that is not SIGTERM.
    ///
    /// # Errors
    /// What cannot be read, written or loaded.
    pub async fn obtain(
        &self,
        name: &str,
        program: &Program,
        trees: Vec<PathBuf>,
        stop: Option<Signal>,
    ) -> Result<String, ServersError> {
        let turn = Arc::clone(self.making.lock().await.entry(name.to_owned()).or_default());
        let _turn = turn.lock().await;
        let (dir, work) = (self.dir.clone(), self.work.clone());
        let (name, program) = (name.to_owned(), program.clone());
        let made = tokio::task::spawn_blocking(move || make(&dir, &work, &name, &program, trees, stop));
        let (reference, path) = made.await.expect("making an image does not panic")?;
        if !self.loaded.lock().await.contains(&reference) {
            self.node.load(&path).await?;
            self.loaded.lock().await.insert(reference.clone());
        }
        Ok(reference)
    }
}

/// The image's reference, and its archive in `dir`, which is made in `work` on the same disk.
fn make(
    dir: &Path,
    work: &Path,
    name: &str,
    program: &Program,
    trees: Vec<PathBuf>,
    stop: Option<Signal>,
) -> Result<(String, PathBuf), ServersError> {
    private_dir(dir).map_err(ServersError::file(dir))?;
    let contents = Contents { stop, ..Contents::of(program)?.with_trees(trees)? };
    let key = key(&contents)?;
    let reference = format!("{REGISTRY}/{name}:{key}");
    let path = dir.join(format!("{name}-{key}.tar"));
    if path.is_file() {
        let used = || {
            File::options()
                .write(true)
                .open(&path)?
                .set_times(FileTimes::new().set_modified(SystemTime::now()))
        };
        used().map_err(ServersError::file(&path))?;
        return Ok((reference, path));
    }
    let draft =
        tempfile::Builder::new().prefix("image-").tempdir_in(work).map_err(ServersError::file(work))?;
    let contents = match stripped(program.path(), draft.path()) {
        Some(file) => contents.with_file(program.path(), &file),
        None => contents,
    };
    let made = draft.path().join("image.tar");
    let image = contents.image(&reference).map_err(ServersError::file(program.path()))?;
    archive::write(&made, &[image]).map_err(ServersError::file(&made))?;
    fs::rename(&made, &path).map_err(ServersError::file(&path))?;
    forget(dir, name);
    Ok((reference, path))
}

/// What tells these contents from others: of each file where it lies, how long it is, and since when it is so.
fn key(contents: &Contents) -> Result<String, ServersError> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(RECIPE.as_bytes());
    for (path, entry) in &contents.entries {
        add(path.as_os_str().as_bytes());
        match entry {
            Entry::Folder(mode) => add(&mode.to_le_bytes()),
            Entry::Link(target) => add(target.as_os_str().as_bytes()),
            Entry::Text(text) => add(text.as_bytes()),
            Entry::File(file) => {
                let about = fs::metadata(file).map_err(ServersError::file(file))?;
                for number in [about.len() as i64, about.mtime(), about.mtime_nsec(), i64::from(about.mode())]
                {
                    add(&number.to_le_bytes());
                }
            }
        }
    }
    for (name, value) in &contents.env {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(&contents.stop.map_or(0, Signal::as_raw).to_le_bytes());
    Ok(hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The program without what only a debugger reads, if it is this very program and this machine can take that away:
/// of a development build it is half. What others built stays as they built it.
fn stripped(program: &Path, work: &Path) -> Option<PathBuf> {
    if this_program().ok()? != program {
        return None;
    }
    let strip = which::which("strip").ok()?;
    let out = work.join("stripped");
    let done = std::process::Command::new(strip).arg("-o").arg(&out).arg(program).env_clear().status();
    done.is_ok_and(|status| status.success()).then_some(out)
}

/// Removes archives of that name that nobody has used for long: a development build makes one each time.
fn forget(dir: &Path, name: &str) {
    for item in fs::read_dir(dir).into_iter().flatten().flatten() {
        let file = item.file_name();
        let of_name =
            file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".tar"));
        let old = || item.metadata().ok()?.modified().ok()?.elapsed().ok();
        if of_name.is_some_and(|key| key.len() == 16) && old().is_some_and(|age| age > KEPT) {
            // Whoever reads it now reads it to its end.
            let _ = fs::remove_file(item.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_made_once_and_again_for_another_program() {
        let dir = tempfile::tempdir().expect("a directory");
        let program = dir.path().join("server");
        fs::write(&program, "one").expect("a file");
        let images = dir.path().join("images");
        let make_stopped = |stop| {
            make(&images, dir.path(), "server", &Program::plain(&program), Vec::new(), stop)
                .expect("an image")
        };
        let make = || make_stopped(None);
        let (one, path) = make();
        let inode = |path: &Path| fs::metadata(path).expect("an archive").ino();
        let first = inode(&path);
        assert_eq!(make(), (one.clone(), path.clone()));
        assert_eq!(inode(&path), first, "it was not made again");
        assert_ne!(make_stopped(Some(Signal::INT)).0, one, "it is ended in another way");
        fs::write(&program, "other").expect("a file");
        let (other, _) = make();
        assert_ne!(one, other);
        assert!(other.starts_with("images.handover.dev/server:"));
    }

    #[test]
    fn archives_that_nobody_used_for_long_are_forgotten() {
        let dir = tempfile::tempdir().expect("a directory");
        let age = |name: &str, age: Duration| {
            let file = File::create(dir.path().join(name)).expect("a file");
            file.set_modified(SystemTime::now() - age).expect("a time");
        };
        let old = KEPT + Duration::from_secs(60);
        age("server-0123456789abcdef.tar", old);
        age("server-1123456789abcdef.tar", Duration::ZERO);
        age("server-side-0123456789abcdef.tar", old);
        forget(dir.path(), "server");
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .expect("a directory")
            .map(|item| item.expect("an item").file_name().into_string().expect("text"))
            .collect();
        left.sort();
        assert_eq!(left, ["server-1123456789abcdef.tar", "server-side-0123456789abcdef.tar"]);
    }
}
