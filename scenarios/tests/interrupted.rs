//! Ctrl-C and SIGTERM at every moment of a run: the servers stop, the report is written, nothing is left,
//! and the exit code names the signal.

mod support;

use rustix::process::Signal;
use support::{Cache, Done, Run, Scratch, array, judge};

/// Sends the signal once the run says `words`; `words` come at the moment that is meant.
fn interrupted_at(scratch: &Scratch, words: &str, signal: Signal, filters: &[&str]) -> Done {
    let cache = Cache::new(scratch);
    let run = Run::start(&cache, &scratch.at("out"), filters);
    run.until_it_says(words);
    run.signal(signal);
    let done = run.end();
    let (code, name) = match signal {
        Signal::INT => (130, "SIGINT"),
        _ => (143, "SIGTERM"),
    };
    done.exits(code).says_once(&format!("the run was interrupted by {name}")).leaves_nothing(&cache);
    assert_eq!(done.verdict()["interrupted"], name);
    assert!(done.read("junit.xml").contains(r#"type="Aborted""#));
    // Its own files say the same again.
    let (verdict, junit) = (done.read("verdict.json"), done.read("junit.xml"));
    judge(&cache, &done.out).exits(code);
    assert_eq!((done.read("verdict.json"), done.read("junit.xml")), (verdict, junit));
    done
}

#[test]
fn while_the_programs_are_checked() {
    let scratch = Scratch::new();
    let done = interrupted_at(&scratch, "checking the servers' programs", Signal::INT, &["kv/refresh"]);
    assert!(!done.stderr.contains("starting the servers"), "{}", done.stderr);
}

#[test]
fn while_the_servers_start() {
    let scratch = Scratch::new();
    let done = interrupted_at(
        &scratch,
        "starting the servers: etcd is ready",
        Signal::INT,
        &["kv/refresh", "mysql/"],
    );
    assert!(!done.stderr.contains("measuring"), "{}", done.stderr);
    assert!(done.out.join("logs/etcd.log").is_file(), "logs are kept");
}

#[test]
fn while_the_host_is_measured() {
    let scratch = Scratch::new();
    let done = interrupted_at(&scratch, "measuring this host", Signal::INT, &["kv/refresh"]);
    assert!(!done.stderr.contains("setting the stage"), "{}", done.stderr);
}

#[test]
fn while_scenarios_play() {
    let scratch = Scratch::new();
    let done = interrupted_at(&scratch, "step 2/3", Signal::TERM, &["mysql/static-role-forced"]);
    done.junit_has(&["Aborted", "Inconclusive"]);
    let scenario = done.scenario("mysql/static-role-forced");
    assert_eq!(scenario["verdict"], "inconclusive", "what was not seen to its end is not decided");
    // What was seen until then is told: the order, and that it left OpenBao.
    let hops = array(&scenario["hops"]);
    assert!(hops.iter().any(|hop| hop["hop"] == "store" && hop["kind"] == "forced"), "{hops:#?}");
    assert!(done.out.join("logs/mysql.log").is_file(), "logs are kept");
}

/// `timeout` sends its signal to the program and to the group that it is in: that is one wish, and it ends in order.
#[test]
fn both_signals_of_timeout_are_one() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let run = Run::start(&cache, &scratch.at("out"), ["kv/refresh"]);
    run.until_it_says("starting the servers: openbao is ready");
    run.signal(Signal::TERM);
    run.signal(Signal::TERM);
    let done = run.end();
    done.exits(143).says("the run was interrupted by SIGTERM").leaves_nothing(&cache);
}
