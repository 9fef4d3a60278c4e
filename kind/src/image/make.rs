//! Making an image of our own: the node's system as a first layer, containerd's store as a second one, filled by
//! containerd itself in a container that is allowed nothing.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::archive::{self, Image, Part};
use super::recipe::Recipe;
use super::{Builder, ImageError, is_there, parts};
use crate::docker::{CACHE, Docker, LABEL, Owner, REMOVAL};

/// How long the daemon may take to take in an image.
const LOAD: Duration = Duration::from_secs(5 * 60);
/// How long containerd may take to import the pods' images.
const FILL: Duration = Duration::from_secs(5 * 60);
/// How often somebody else's work is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Makes an image, unless somebody else does so meanwhile.
pub(super) async fn make(builder: &Builder<'_>, recipe: &Recipe) -> Result<(), ImageError> {
    let Builder { docker, tell, .. } = builder;
    let name = &recipe.image.name;
    let _one = alone(builder, name).await?;
    if is_there(docker, name).await? {
        return Ok(());
    }
    let began = Instant::now();
    let work = builder.run.path().join("node-image");
    fs::create_dir_all(&work).map_err(|source| ImageError::Write { path: work.clone(), source })?;
    // The right to make it is this cache's; another one may make the same at the same daemon.
    let unfilled = format!("{name}-unfilled-{}", builder.name);
    let made = steps(builder, &work, recipe, &unfilled).await;
    // Whatever became of it: nothing of the way there is kept.
    let _ = docker.ask(&["image", "rm", "--force", &unfilled], REMOVAL).await;
    let _ = fs::remove_dir_all(&work);
    made?;
    tell(&format!("made {name} in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

async fn steps(
    builder: &Builder<'_>,
    work: &Path,
    recipe: &Recipe,
    unfilled: &str,
) -> Result<(), ImageError> {
    let Builder { docker, tell, .. } = builder;
    let (run, node) = (builder.name, &recipe.node);
    tell("writing a node's system");
    let owner = Owner::of(&builder.request.cache, run)?;
    let labels = vec![(LABEL.to_owned(), owner.run.clone()), (CACHE.to_owned(), owner.cache.clone())];
    let image = Image { name: unfilled.to_owned(), labels, ..node.clone() };
    let loaded = load(docker, work.join("unfilled.tar"), vec![image]);
    let images = work.join("images.tar");
    let (loaded, written) = tokio::join!(loaded, write(images.clone(), recipe.pods.clone()));
    loaded?;
    written?;

    tell("importing the images of its pods");
    // Not as a volume: the daemon would make the directory of a run anew that was swept meanwhile.
    let label = owner.labels();
    let source = work.display().to_string().replace('"', "\"\"");
    let mount = format!("type=bind,\"source={source}\",target=/work");
    let container = format!("handover-{run}-fill");
    let run = ["run", "--rm", "--name", &container, "--label", &label[0], "--label", &label[1]];
    let alone = ["--network", "none", "--mount", &mount];
    let with = ["--security-opt", "seccomp=unconfined", "--entrypoint", parts::FILLER, unfilled, "/work"];
    let filled = docker.ask(&[&run[..], &alone[..], &with[..]].concat(), FILL).await;
    if filled.is_err() {
        // The client may be gone, and not the container.
        let _ = docker.ask(&["rm", "--force", "--volumes", &container], REMOVAL).await;
    }
    filled?;
    let _ = fs::remove_file(&images);

    tell("putting the image of a node together");
    let mut image = Image { name: recipe.image.name.clone(), ..node.clone() };
    image.layers.push(Part::Tar(work.join("store.tar")));
    load(docker, work.join("node.tar"), vec![image]).await
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
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ImageError::Stopped),
    }
}

/// The right to make an image, for as long as what is given back lives; waits while somebody else has it.
async fn alone(builder: &Builder<'_>, name: &str) -> Result<File, ImageError> {
    let locks = builder.request.cache.root().join("locks");
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
            (builder.tell)(&format!("waiting for another handover to make {name}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}
