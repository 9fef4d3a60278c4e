//! A daemon of our own in a cache of its own, an image of one program, and what a test looks at.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Cache, Component, Environment, Overrides, Request, Resolved, resolve};
use handover_kind::docker::own::{self, OwnDaemon, Place};
use handover_kind::docker::{Census, Docker, Owner, Swept, Wish, gc};
use tempfile::TempDir;

/// What understands the hidden words.
pub(crate) const HANDOVER: &str = env!("CARGO_BIN_EXE_handover-hidden");
/// For whatever a daemon does in no time.
pub(crate) const SOON: Duration = Duration::from_secs(60);
pub(crate) const IMAGE: &str = "handover.test/tiny:1";

/// A cache with room for a daemon.
pub(crate) struct House {
    pub(crate) cache: Cache,
    pub(crate) place: Place,
    before: Census,
    _dir: TempDir,
}

/// Docker's own programs, out of the cache that people have.
pub(crate) async fn component() -> Resolved {
    let request = Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
    let set = resolve(request.only([Component::Docker]), Arc::from(on_stderr())).await;
    let set = set.unwrap_or_else(|error| panic!("{}", chain(&error)));
    set.require(Component::Docker).expect("it was asked for").clone()
}

impl House {
    /// Nothing where this user cannot start a daemon.
    pub(crate) async fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can start a Docker daemon of our own");
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(dir.path());
        let place = Place::of(&cache);
        let before = Census::take(&place, None).await.expect("a census");
        Some(Self { cache, place, before, _dir: dir })
    }

    pub(crate) async fn start(&self) -> OwnDaemon {
        let daemon = own::start(&self.place, &component().await, Path::new(HANDOVER)).await;
        daemon.unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.cache.root().join("runs")
    }

    pub(crate) fn owner(&self, run: &str) -> Owner {
        Owner::of(&self.cache, run).expect("a cache that can be written")
    }

    /// As `handover gc` does, but for the user's own daemon.
    pub(crate) async fn gc(&self) -> Swept {
        let wish = Wish { own: true, ..Wish::default() };
        gc(&self.cache, Ok(wish), &|_| false).await
    }

    /// That nothing but data is left of what was done here.
    pub(crate) async fn assert_clean(&self) {
        let after = Census::take(&self.place, None).await.expect("a census");
        let ours = differences(&self.before, &after);
        assert_eq!(ours, [""; 0]);
        assert!(own::running(&self.place).is_none());
    }
}

/// What changed between the two, apart from what tests and runs beside this one have at this moment.
pub(crate) fn differences(before: &Census, after: &Census) -> Vec<String> {
    let mut all = before.differences(after);
    all.retain(|line| !line.starts_with("bridge ") && !line.starts_with("cgroup "));
    all
}

/// A test that fails leaves no daemon either.
impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.place.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the daemon said:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        let (cache, place) = (self.cache.clone(), self.place.clone());
        let clear = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(gc(&cache, Ok(Wish { own: true, ..Wish::default() }), &|_| false));
            own::kill(&place);
        };
        let _ = std::thread::spawn(clear).join();
    }
}

/// Everything that a node would be: a network, a volume, and a privileged container in both, of this run.
pub(crate) async fn populate(docker: &Docker, owner: &Owner) {
    load_tiny(docker).await;
    let ([run, cache], name) = (owner.labels(), format!("n-{}", owner.run));
    let volume = format!("v-{}", owner.run);
    ask(docker, &["network", "create", "--label", &run, "--label", &cache, &name]).await;
    ask(docker, &["volume", "create", "--label", &run, "--label", &cache, &volume]).await;
    let mount = format!("{volume}:/data");
    let words = [
        "run",
        "--detach",
        "--privileged",
        "--cgroupns=private",
        "--tmpfs",
        "/run",
        "--volume",
        "/var",
        "--restart=on-failure:1",
        "--publish=127.0.0.1::6443/TCP",
        "--security-opt",
        "seccomp=unconfined",
    ];
    let mut args = words.to_vec();
    args.extend([
        "--label",
        &run,
        "--label",
        &cache,
        "--name",
        &name,
        "--net",
        &name,
        "--volume",
        &mount,
        IMAGE,
        "/bin/sleep",
        "600",
    ]);
    ask(docker, &args).await;
    ask(docker, &["exec", "--privileged", &name, "/bin/sleep", "0"]).await;
}

pub(crate) async fn ask(docker: &Docker, args: &[&str]) -> String {
    docker.ask(args, SOON).await.unwrap_or_else(|error| panic!("{}", chain(&error))).trim().to_owned()
}

/// Brings an image with one program there.
pub(crate) async fn load_tiny(docker: &Docker) {
    let archive = tempfile::NamedTempFile::new().expect("a file");
    tiny(archive.as_file());
    let path = archive.path().display().to_string();
    ask(docker, &["import", &path, IMAGE]).await;
}

/// An image with `sleep` and what it runs on.
fn tiny(file: &fs::File) {
    let mut tar = tar::Builder::new(file);
    let maps = fs::read_to_string("/proc/self/maps").expect("proc");
    let mut libraries: Vec<&str> = maps.lines().filter_map(|line| Some(&line[line.find('/')?..])).collect();
    libraries.retain(|path| path.contains("/libc.so") || path.contains("/ld-linux"));
    libraries.sort_unstable();
    libraries.dedup();
    let put = |tar: &mut tar::Builder<&fs::File>, from: &str, to: &str| {
        let mut file = fs::File::open(from).expect("it is mapped");
        tar.append_file(to.trim_start_matches('/'), &mut file).expect("an archive");
    };
    for library in &libraries {
        put(&mut tar, library, library);
    }
    let loader = libraries.iter().find(|path| path.contains("/ld-linux")).expect("a loader");
    put(&mut tar, loader, "lib64/ld-linux-x86-64.so.2");
    put(&mut tar, "/bin/sleep", "bin/sleep");
    tar.finish().expect("an archive");
}
