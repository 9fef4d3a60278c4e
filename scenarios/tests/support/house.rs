//! A cache with a Docker daemon of its own, and what is at that daemon. Needs root.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{self, Component, Environment, Overrides, Request, Resolved, resolve};
use handover_kind::docker::own::{self, Place};
use handover_kind::docker::{Census, Docker};

use super::{Cache, Done, eventually, handover, quick, say};

/// A cache with a daemon, which goes with it.
pub(crate) struct House {
    pub(crate) cache: Cache,
    pub(crate) place: Place,
    docker: Resolved,
    runtime: tokio::runtime::Runtime,
}

impl House {
    pub(crate) fn new(cache: Cache) -> Self {
        Self::with(cache, [Component::Docker])
    }

    /// One with all that a cluster is made of: obtained before somebody waits for one.
    pub(crate) fn of_clusters(cache: Cache) -> Self {
        Self::with(cache, Component::of_kind())
    }

    fn with(cache: Cache, wanted: impl IntoIterator<Item = Component>) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let place = Place::of(&components::Cache::at(cache.root()));
        let request = Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
        let set = runtime.block_on(resolve(request.only(wanted), Arc::from(on_stderr())));
        let set = set.unwrap_or_else(|error| panic!("{}", chain(&error)));
        let docker = set.require(Component::Docker).expect("it was asked for").clone();
        Self { cache, place, docker, runtime }
    }

    /// What of the machine a run could change; with a daemon, what is at it.
    pub(crate) fn census(&self, docker: Option<&Docker>) -> Census {
        let mut census = self.runtime.block_on(Census::take(&self.place, docker)).expect("a census");
        // Other daemons of our own may be on this machine; what is at this one says the daemon itself.
        census.bridges.clear();
        census.cgroups.clear();
        census
    }

    /// The same with this cache's daemon, which is started for that and goes on.
    pub(crate) fn census_at_docker(&self) -> Census {
        let docker = self.start();
        self.census(Some(&docker))
    }

    /// Starts the daemon, unless it runs. Nobody uses it then.
    pub(crate) fn start(&self) -> Docker {
        let program = Path::new(env!("CARGO_BIN_EXE_handover"));
        let daemon = self.runtime.block_on(own::start(&self.place, &self.docker, program));
        daemon.unwrap_or_else(|error| panic!("{}", chain(&error))).docker
    }

    /// The program, which sees no daemon but this one.
    pub(crate) fn handover<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = handover(&self.cache, words);
        command.env("HANDOVER_DOCKER", "own");
        command
    }

    /// The program, to which this daemon is the user's own.
    pub(crate) fn handover_at<S: AsRef<OsStr>>(
        &self,
        docker: &Docker,
        words: impl IntoIterator<Item = S>,
    ) -> Command {
        let client = docker.program.parent().expect("it lies in a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(client.to_owned()).chain(std::env::split_paths(&path));
        let mut command = handover(&self.cache, words);
        command.env("DOCKER_HOST", &docker.host);
        command.env("PATH", std::env::join_paths(folders).expect("folders of a path"));
        command
    }

    /// That what the run left is gone after `gc`: processes, directories, settings, the daemon, and all at it.
    pub(crate) fn assert_gc_leaves_nothing(&self, moment: &str, done: &Done, before: &Census, idle: &Census) {
        let gc = self.gc();
        say(&format!("{moment}: {}", gc.all()));
        assert_eq!(gc.code, Some(0), "{moment}: {}", gc.all());
        eventually("its processes are gone", || done.processes().is_empty().then_some(()));
        done.leaves_nothing(&self.cache);
        assert!(own::running(&self.place).is_none(), "{moment}: the daemon was not stopped");
        assert_eq!(before.differences(&self.census(None)), [""; 0], "{moment}");
        assert_eq!(idle.differences(&self.census_at_docker()), [""; 0], "{moment}");
    }

    pub(crate) fn gc(&self) -> Done {
        quick(self.handover(["gc"]))
    }
}

/// A test that fails leaves no daemon either.
impl Drop for House {
    fn drop(&mut self) {
        self.gc();
        own::kill(&self.place);
    }
}
