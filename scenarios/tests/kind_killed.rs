//! Ctrl-C, and kill -9 of the harness at any moment, of a run in a cluster of kind: what it leaves at Docker and on
//! the machine, if anything, is gone after `handover gc`. Needs root: the Docker daemon is one of our own, in a cache of the test's own.
//!
//! `HANDOVER_KILLS` says how many moments there are; they are drawn, so that other ones come with another number.

mod support;

use std::path::Path;
use std::thread;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::client::client;
use handover_kind::docker::REMOVAL;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use kube::config::Kubeconfig;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use support::house::House;
use support::{Cache, Run, Scratch, names, quick, say};

/// The cluster that stays.
const KEPT: &str = "kept";
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

/// Where the image is there.
const MAKING: usize = 3;

fn begin(house: &House, out: &Path) -> Run {
    let mut command = house.handover(["run", "--plane", "kind", SCENARIO, "--out"]);
    command.arg(out);
    Run::of(command, &house.cache, out)
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
    let house = House::of_clusters(Cache::new(&scratch));
    let idle = house.census_at_docker();
    house.gc().exits(0);
    let before = house.census(None);

    for kill in 0..kills {
        let (words, long) = PHASES[kill * (PHASES.len() - 1) / (kills - 1).max(1)];
        let later = Duration::from_millis(draw.random_range(0..long));
        let run = begin(&house, &scratch.at(format!("out-{kill}")));
        // A daemon goes on with the image that it was told to make when its harness is killed: the next run may find it
        // whole, and makes none.
        match kill * (PHASES.len() - 1) / (kills - 1).max(1) < MAKING {
            true => run.until_it_says_any(&[words, PHASES[MAKING].0]),
            false => run.until_it_says(words),
        }
        // The moment itself: nothing is waited for.
        thread::sleep(later);
        run.signal(Signal::KILL);
        let killed = run.end();
        let last = killed.stderr.lines().last().unwrap_or_default();
        let moment = format!("kill {kill}, {later:?} after `{words}`, in `{last}`");
        house.assert_gc_leaves_nothing(&moment, &killed, &before, &idle);
    }

    // Ctrl-C: in order, and told; nobody has to clean up.
    let run = begin(&house, &scratch.at("out-once"));
    // Docker makes a node then, and goes on when its client is gone.
    run.until_it_says("making a cluster");
    run.signal(Signal::INT);
    let once = run.end();
    once.exits(130).says_once("taking the cluster away").says_once("the run was interrupted by SIGINT");
    once.leaves_nothing(&house.cache);
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);

    // Twice: at once, and what is left is told to be left.
    let run = begin(&house, &scratch.at("out-twice"));
    run.until_it_says("making a cluster");
    run.signal(Signal::INT);
    run.until_it_says("a second one ends it at once");
    run.signal(Signal::INT);
    let twice = run.end();
    twice.exits(130).says_once("goes at the next start, or with `handover gc`");
    house.assert_gc_leaves_nothing("SIGINT twice", &twice, &before, &idle);
    killed_in_one_that_is_kept(&house, &scratch);
    house.assert_gc_leaves_nothing("after `down`", &twice, &before, &idle);
    house.gc().exits(0);
}

/// What a killed run leaves in a cluster that stays is in nobody's way, nor is a node that it had stopped: the next run
/// starts the one and removes the other.
fn killed_in_one_that_is_kept(house: &House, scratch: &Scratch) {
    let up = quick(house.handover(["up", "--plane", "kind", "--name", KEPT]));
    up.exits(0);
    let inside = Inside::of(Path::new(up.stdout.trim()));
    let shared = house.cache.root().join("clusters").join(KEPT).join("shared");
    let play = |scenario: &str, out: &str| {
        let out = scratch.at(out);
        let mut command = house.handover(["run", "--plane", "kind", "--use", KEPT, scenario, "--out"]);
        command.arg(&out);
        Run::of(command, &house.cache, &out)
    };
    let killed = play("mysql/static-role-forced", "out-kept-killed");
    killed.until_it_says("step 2/");
    killed.signal(Signal::KILL);
    killed.end();
    let left = inside.left();
    assert!(left.iter().any(|left| left.contains("mysql-0")), "it left its servers: {left:?}");
    assert!(left.iter().any(|left| left.starts_with("namespace")), "and what its scenario made: {left:?}");
    assert_ne!(names(&shared), [""; 0], "and their data");
    let docker = house.start();
    let node = format!("{KEPT}-control-plane");
    let stopped = inside.runtime.block_on(docker.ask(&["stop", "--time", "20", &node], REMOVAL));
    stopped.unwrap_or_else(|error| panic!("{}", chain(&error)));

    let next = play("kv/refresh", "out-kept-next").end();
    next.exits(0).says_once("starting the node, which had been stopped");
    assert_eq!(inside.left(), [""; 0]);
    assert_eq!(names(&shared), [""; 0]);
    quick(house.handover(["down", KEPT])).exits(0).says_once("removed cluster `kept`");
}

/// A cluster, and what of runs is in it.
struct Inside {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
}

impl Inside {
    fn of(kubeconfig: &Path) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
        let client = runtime.block_on(client(config)).unwrap_or_else(|error| panic!("{}", chain(&error)));
        Self { runtime, client }
    }

    fn left(&self) -> Vec<String> {
        let labelled = |label: &str| ListParams::default().labels(label);
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let pods = Api::<Pod>::all(self.client.clone());
        let (scenarios, servers) = (labelled("handover.dev/scenario"), labelled("handover.dev/component"));
        let (namespaces, pods) = self
            .runtime
            .block_on(async { tokio::try_join!(namespaces.list(&scenarios), pods.list(&servers)) })
            .expect("its API server answers");
        let namespaces = namespaces.items.into_iter().map(|item| format!("namespace {}", item.name_any()));
        namespaces.chain(pods.items.into_iter().map(|item| format!("pod {}", item.name_any()))).collect()
    }
}
