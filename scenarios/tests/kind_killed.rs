//! Ctrl-C, and kill -9 of the harness at any moment, of a run in a cluster of kind: what it leaves at Docker and on
//! the machine, if anything, is gone after `handover gc`. Needs root: the Docker daemon is one of our own, in a cache of the test's own.
//!
//! `HANDOVER_KILLS` says how many moments there are; they are drawn, so that other ones come with another number.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{self, Component, Environment, Overrides, Request, Resolved, resolve};
use handover_kind::docker::own::{self, Place};
use handover_kind::docker::{Census, Docker};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use support::{Cache, Done, Run, Scratch, eventually, handover, quick, say};

const SCENARIO: &str = "kv/refresh";
const KILLS: usize = 3;

/// What a run says, and for how long about it goes on with what that announces, in milliseconds. Until the image of
/// a node is there, only the first three come; from then on, only the others.
const PHASES: [(&str, u64); 9] = [
    ("writing a node's system", 15_000),
    ("importing the images of its pods", 8_000),
    ("putting the image of a node together", 15_000),
    ("making a cluster", 3_000),
    ("making a cluster", 20_000),
    ("waiting for its node", 15_000),
    ("starting the servers: openbao is ready", 10_000),
    ("measuring this host", 15_000),
    ("stopping the servers", 3_000),
];

/// A cache with a daemon, which goes with it.
struct House {
    cache: Cache,
    place: Place,
    docker: Resolved,
    runtime: tokio::runtime::Runtime,
}

impl House {
    fn new(scratch: &Scratch) -> Self {
        let cache = Cache::new(scratch);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let place = Place::of(&components::Cache::at(cache.root()));
        let request = Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
        let set = runtime.block_on(resolve(request.only([Component::Docker]), Arc::from(on_stderr())));
        let set = set.unwrap_or_else(|error| panic!("{}", chain(&error)));
        let docker = set.require(Component::Docker).expect("it was asked for").clone();
        Self { cache, place, docker, runtime }
    }

    /// What of the machine a run could change; with a daemon, what is at it.
    fn census(&self, docker: Option<&Docker>) -> Census {
        let mut census = self.runtime.block_on(Census::take(&self.place, docker)).expect("a census");
        // Other daemons of our own may be on this machine; what is at this one says the daemon itself.
        census.bridges.clear();
        census.cgroups.clear();
        census
    }

    /// The same with this cache's daemon, which is started for that and goes on.
    fn census_at_docker(&self) -> Census {
        let program = Path::new(env!("CARGO_BIN_EXE_handover"));
        let daemon = self.runtime.block_on(own::start(&self.place, &self.docker, program));
        let daemon = daemon.unwrap_or_else(|error| panic!("{}", chain(&error)));
        self.census(Some(&daemon.docker))
    }

    fn run(&self, out: &Path) -> Run {
        let mut command = handover(&self.cache, ["run", "--plane", "kind", SCENARIO, "--out"]);
        command.arg(out).env("HANDOVER_DOCKER", "own");
        Run::of(command, &self.cache, out)
    }

    /// That what the run left is gone after `gc`: processes, directories, settings, the daemon, and all at it.
    fn assert_gc_leaves_nothing(&self, moment: &str, done: &Done, before: &Census, idle: &Census) {
        let gc = self.gc();
        say(&format!("{moment}: {}", gc.all()));
        assert_eq!(gc.code, Some(0), "{moment}: {}", gc.all());
        eventually("its processes are gone", || done.processes().is_empty().then_some(()));
        done.leaves_nothing(&self.cache);
        assert!(own::running(&self.place).is_none(), "{moment}: the daemon was not stopped");
        assert_eq!(before.differences(&self.census(None)), [""; 0], "{moment}");
        assert_eq!(idle.differences(&self.census_at_docker()), [""; 0], "{moment}");
    }

    fn gc(&self) -> Done {
        let mut command = handover(&self.cache, ["gc"]);
        command.env("HANDOVER_DOCKER", "own");
        quick(command)
    }
}

/// A test that fails leaves no daemon either.
impl Drop for House {
    fn drop(&mut self) {
        self.gc();
        own::kill(&self.place);
    }
}

#[test]
fn however_a_run_ends_nothing_of_it_is_left() {
    if !rustix::process::geteuid().is_root() {
        say("skipped: only root can start a Docker daemon of our own");
        return;
    }
    let kills = std::env::var("HANDOVER_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let mut draw = SmallRng::seed_from_u64(kills as u64);
    let scratch = Scratch::new();
    let house = House::new(&scratch);
    let idle = house.census_at_docker();
    house.gc().exits(0);
    let before = house.census(None);

    for kill in 0..kills {
        let (words, long) = PHASES[kill * (PHASES.len() - 1) / (kills - 1).max(1)];
        let later = Duration::from_millis(draw.random_range(0..long));
        let run = house.run(&scratch.at(format!("out-{kill}")));
        run.until_it_says(words);
        // The moment itself: nothing is waited for.
        thread::sleep(later);
        run.signal(Signal::KILL);
        let killed = run.end();
        let last = killed.stderr.lines().last().unwrap_or_default();
        let moment = format!("kill {kill}, {later:?} after `{words}`, in `{last}`");
        house.assert_gc_leaves_nothing(&moment, &killed, &before, &idle);
    }

    // Ctrl-C: in order, and told; nobody has to clean up.
    let run = house.run(&scratch.at("out-once"));
    run.until_it_says("waiting for its node");
    run.signal(Signal::INT);
    let once = run.end();
    once.exits(130).says_once("taking the cluster away").says_once("the run was interrupted by SIGINT");
    once.leaves_nothing(&house.cache);
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);

    // Twice: at once, and what is left is told to be left.
    let run = house.run(&scratch.at("out-twice"));
    run.until_it_says("making a cluster");
    run.signal(Signal::INT);
    run.until_it_says("a second one ends it at once");
    run.signal(Signal::INT);
    let twice = run.end();
    twice.exits(130).says_once("goes at the next start, or with `handover gc`");
    house.assert_gc_leaves_nothing("SIGINT twice", &twice, &before, &idle);
    house.gc().exits(0);
}
