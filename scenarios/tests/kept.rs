//! An embedded control plane that stays (`handover up`): runs play on it one at a time, its death is told, and
//! `down` leaves nothing.

mod support;

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Cache, Done, Run, Scratch, edited, handover, quick};

/// One that is up; a test that fails takes it down all the same.
struct Up<'a> {
    cache: &'a Cache,
    keeper: Pid,
}

/// Sorts before every run's name.
const NAME: &str = "0";

impl<'a> Up<'a> {
    fn new(cache: &'a Cache) -> Self {
        let up = quick(handover(cache, ["up", "--plane", "embedded", "--name", NAME]));
        up.exits(0);
        assert!(Path::new(up.stdout.trim()).is_file(), "it prints the path of a kubeconfig: {}", up.stdout);
        let pid = up.stderr.split("held by pid ").nth(1).and_then(|rest| rest.split(';').next());
        let pid = pid.and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        Self { cache, keeper: pid.expect("it says who holds it") }
    }

    fn down(&self) -> Done {
        quick(handover(self.cache, ["down", NAME]))
    }

    fn play(&self, out: &Path, which: &str) -> Run {
        Run::start(self.cache, out, ["--use", NAME, which])
    }

    /// The pid of a part of it.
    fn part(&self, name: &str) -> Pid {
        let ledger = self.cache.root().join("runs").join(NAME).join("ledger.jsonl");
        let ledger = fs::read_to_string(ledger).expect("its ledger");
        let mut lines = ledger.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let part = lines.find(|line| line["name"] == name).expect("it was started");
        Pid::from_raw(part["pid"].as_i64().and_then(|pid| pid.try_into().ok()).expect("a pid"))
            .expect("not 0")
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.down();
    }
}

#[test]
fn runs_play_on_it_one_at_a_time_and_it_goes_when_it_is_told() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let up = Up::new(&cache);
    let again = quick(handover(&cache, ["up", "--plane", "embedded", "--name", NAME]));
    again.exits(5).says_once("`0` is kept already");

    let first = up.play(&scratch.at("first"), "kv/static-refresh");
    first.until_it_says("step 2/");
    let beside = up.play(&scratch.at("beside"), "kv/refresh").end();
    beside.exits(5).says_once("the environment broke: `0` is used by a run that is not over");
    up.down().exits(5).says_once("`0` is used by a run");
    first.end().exits(0);

    // Whoever cannot wait until its objects are removed presses twice; the next run removes them.
    let hurried = up.play(&scratch.at("hurried"), "kv/refresh");
    hurried.until_it_says("step 2/");
    hurried.signal(Signal::INT);
    hurried.until_it_says("a second one ends it at once");
    hurried.signal(Signal::INT);
    hurried.end().exits(130).says_once("SIGINT for the second time: left at once");

    // Its control plane is not a run's to end.
    let files = scratch.at("etcd");
    edited("kv/refresh", &files, "etcd", |file, text| match file == "refresh.yaml" {
        true => text.replacen("\nabout:", "\nexclusive: true\nabout:", 1).replacen(
            "\nsteps:\n",
            "\nsteps:\n  - kill: etcd\n",
            1,
        ),
        false => text,
    });
    let skipped = up.play(&scratch.at("skipped"), files.to_str().expect("text")).end();
    skipped.exits(4).says_once("the embedded plane has no etcd");

    // The same names again, and other ones.
    up.play(&scratch.at("second"), "kv/").end().exits(0);
    up.down().exits(0).says_once("removed control plane `0`");
    up.down().exits(2).says_once("there is no cluster called `0`");
    cache.assert_empty();
}

#[test]
fn one_whose_keeper_was_killed_is_told_and_forgotten() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let up = Up::new(&cache);
    kill_process(up.keeper, Signal::KILL).expect("it runs");
    // Its end is its last file's: a lock, which the kernel lets go of.
    let lock = cache.root().join("runs").join(NAME).join("lock");
    let lock = fs::File::open(lock).expect("its run's lock");
    lock.lock().expect("it is let go of");
    drop(lock);
    let told = up.play(&scratch.at("out"), "kv/refresh").end();
    told.exits(5).says_once("`handover down 0` forgets it");
    quick(handover(&cache, ["gc"])).exits(0).says_once("forgot control plane 0");
    cache.assert_empty();
}

#[test]
fn a_part_that_dies_ends_it_and_the_run_on_it() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let up = Up::new(&cache);
    let run = up.play(&scratch.at("out"), "kv/refresh");
    run.until_it_says("step 2/3");
    kill_process(up.part("etcd"), Signal::KILL).expect("it runs");
    let done = run.end();
    done.exits(5)
        .says("the environment broke: control plane ended by itself")
        .says("etcd ended by itself: was ended by signal 9");
    assert_eq!(done.scenario("kv/refresh")["verdict"], "error");
    up.down().exits(0);
    cache.assert_empty();
}
