//! Making an image of our own: the node's system as a first layer, containerd's store as a second one, filled by
//! containerd itself in a container that is allowed nothing.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handover_fixtures::components::ResolvedSet;

use super::archive::{self, Image, Part};
use super::parts::{self, Versions};
use super::{Ground, ImageError, is_there};
use crate::docker::{Docker, LABEL, REMOVAL};

/// How long the daemon may take to take in an image.
const LOAD: Duration = Duration::from_secs(5 * 60);
/// How long containerd may take to import the pods' images.
const FILL: Duration = Duration::from_secs(5 * 60);
/// How often somebody else's work is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Makes the image `name` of these parts, unless somebody else does so meanwhile.
pub(super) async fn make(
    ground: &Ground<'_>,
    set: &ResolvedSet,
    versions: &Versions,
    name: &str,
) -> Result<(), ImageError> {
    let Ground { docker, tell, .. } = ground;
    let _one = alone(ground, name).await?;
    if is_there(docker, name).await? {
        return Ok(());
    }
    let began = Instant::now();
    let work = ground.run.path().join("node-image");
    fs::create_dir_all(&work).map_err(|source| ImageError::Write { path: work.clone(), source })?;
    let unfilled = format!("{name}-unfilled");
    let made = steps(ground, &work, set, versions, name, &unfilled).await;
    // Whatever became of it: nothing of the way there is kept.
    let _ = docker.ask(&["image", "rm", "--force", &unfilled], REMOVAL).await;
    let _ = fs::remove_dir_all(&work);
    made?;
    tell(&format!("made {name} in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

async fn steps(
    ground: &Ground<'_>,
    work: &Path,
    set: &ResolvedSet,
    versions: &Versions,
    name: &str,
    unfilled: &str,
) -> Result<(), ImageError> {
    let Ground { docker, tell, .. } = ground;
    let run = ground.name;
    tell("writing a node's system");
    let (parts_set, parts_versions) = (set.clone(), versions.clone());
    let (system, pods) = blocking(move || {
        Ok((parts::system(&parts_set, &parts_versions)?, parts::pods(&parts_set, &parts_versions)?))
    })
    .await?;
    let first = Part::Layer(system);
    let labelled = vec![(LABEL.to_owned(), run.to_owned())];
    let image = Image { labels: labelled, layers: vec![first.clone()], ..node(unfilled) };
    let loaded = load(docker, work.join("unfilled.tar"), vec![image]);
    let images = work.join("images.tar");
    let (loaded, written) = tokio::join!(loaded, write(images.clone(), pods));
    loaded?;
    written?;

    tell("importing the images of its pods");
    let (label, volume) = (format!("{LABEL}={run}"), format!("{}:/work", work.display()));
    let container = format!("handover-{run}-fill");
    let run =
        ["run", "--rm", "--name", &container, "--label", &label, "--network", "none", "--volume", &volume];
    let with = ["--security-opt", "seccomp=unconfined", "--entrypoint", parts::FILLER, unfilled, "/work"];
    let filled = docker.ask(&[&run[..], &with[..]].concat(), FILL).await;
    if filled.is_err() {
        // The client may be gone, and not the container.
        let _ = docker.ask(&["rm", "--force", "--volumes", &container], REMOVAL).await;
    }
    filled?;
    let _ = fs::remove_file(&images);

    tell("putting the image of a node together");
    let store = Part::Tar(work.join("store.tar"));
    let image = Image { layers: vec![first, store], ..node(name) };
    load(docker, work.join("node.tar"), vec![image]).await
}

/// How any node starts and stops.
fn node(name: &str) -> Image {
    let environment = vec![archive::PATH.to_owned(), "container=docker".to_owned()];
    let stop_signal = Some(parts::STOP_SIGNAL.to_owned());
    let image = Image { name: name.to_owned(), environment, stop_signal, ..Image::default() };
    image.starts(parts::STARTS)
}

/// Writes images into an archive, and has the daemon take them in.
async fn load(docker: &Docker, path: PathBuf, images: Vec<Image>) -> Result<(), ImageError> {
    write(path.clone(), images).await?;
    let loaded = docker.ask(&["load", "--quiet", "--input", &path.display().to_string()], LOAD).await;
    let _ = fs::remove_file(&path);
    Ok(loaded.map(drop)?)
}

async fn write(path: PathBuf, images: Vec<Image>) -> Result<(), ImageError> {
    blocking(move || {
        archive::write(&path, &images).map_err(|source| ImageError::Write { path: path.clone(), source })
    })
    .await
}

/// Work that reads and writes much, beside the runtime's own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ImageError::Stopped),
    }
}

/// The right to make an image, for as long as what is given back lives; waits while somebody else has it.
async fn alone(ground: &Ground<'_>, name: &str) -> Result<File, ImageError> {
    let locks = ground.request.cache.root().join("locks");
    let path = locks.join(format!("{}.lock", name.replace(':', "-")));
    let wrong = |source| ImageError::Write { path: path.clone(), source };
    fs::create_dir_all(&locks).map_err(wrong)?;
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(wrong(source)),
        }
        if !std::mem::replace(&mut told, true) {
            (ground.tell)(&format!("waiting for another handover to make {name}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}
