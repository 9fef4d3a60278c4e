//! kill -9 of the harness, and of a server, in the middle of a rotation.

mod support;

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Cache, Run, Scratch, array, eventually, handover, judge, names, quick};

#[test]
fn a_killed_harness_takes_its_servers_along_and_its_evidence_stays() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let run = Run::start(&cache, &scratch.at("out"), ["mysql/static-role-forced"]);
    run.until_it_says("step 2/3");
    run.signal(Signal::KILL);
    let killed = run.end();
    assert_eq!(killed.code, None);
    eventually("its servers are gone", || killed.processes().is_empty().then_some(()));
    // The report from its first second on says that it never ended, and the files are its owner's alone.
    killed.junit_has(&["Aborted"]);
    assert_eq!(names(&killed.out), ["events.jsonl", "junit.xml"]);

    assert_eq!(cache.runs().len(), 1, "its directory is there until it is swept");
    quick(handover(&cache, ["gc"])).exits(0).says_once("swept run");
    killed.leaves_nothing(&cache);

    let judged = judge(&cache, &killed.out);
    judged.exits(3).says("the run was killed").junit_has(&["Aborted", "Inconclusive"]);
    assert_eq!(judged.verdict()["torn"], true);
    let scenario = judged.scenario("mysql/static-role-forced");
    assert_eq!(scenario["verdict"], "inconclusive");
    let hops = array(&scenario["hops"]);
    assert!(hops.iter().any(|hop| hop["hop"] == "store" && hop["kind"] == "forced"), "{hops:#?}");
}

/// The next run sweeps as `gc` does, and says so.
#[test]
fn the_next_run_sweeps_what_a_killed_one_left() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let run = Run::start(&cache, &scratch.at("killed"), ["kv/refresh"]);
    run.until_it_says("starting the servers: openbao is ready");
    run.signal(Signal::KILL);
    let killed = run.end();
    let [left] = cache.runs().try_into().expect("one directory is left");
    let next = Run::start(&cache, &scratch.at("next"), ["kv/refresh"]);
    next.until_it_says("starting the servers");
    assert!(!left.exists());
    next.signal(Signal::TERM);
    let next = next.end();
    let name = left.file_name().expect("a name").to_str().expect("text").to_owned();
    next.exits(143).says_once(&format!("swept run {name}")).leaves_nothing(&cache);
    killed.leaves_nothing(&cache);
}

/// A server that dies under a rotation is an error of the environment, never a verdict on the rotation.
#[test]
fn a_server_that_is_killed_ends_the_run_as_an_error() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let run = Run::start(&cache, &scratch.at("out"), ["mysql/static-role-forced"]);
    run.until_it_says("step 2/3");
    let [dir] = cache.runs().try_into().expect("one run");
    let ledger = fs::read_to_string(dir.join("ledger.jsonl")).expect("its ledger");
    let lines = ledger.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mysql = lines.rev().find(|line| line["name"] == "mysql").expect("mysql was started");
    let pid = mysql["pid"].as_i64().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).expect("a pid");
    kill_process(pid, Signal::KILL).expect("it runs");
    let done = run.end();
    done.exits(5).leaves_nothing(&cache);
    done.says_once("the environment broke: mysql ended by itself: was ended by signal 9");
    let scenario = done.scenario("mysql/static-role-forced");
    assert_eq!(scenario["verdict"], "error", "{scenario:#}");
    assert!(done.read("junit.xml").contains(r#"type="EnvironmentError""#));
}
