//! A cluster that cannot be had: each reason is told at once, in one message, before anything is obtained or made.

mod support;

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{Done, Scratch, eventually, handover_in, names, quick};

/// `nobody`, wherever there is one.
const NOBODY: u32 = 65534;

/// `handover run --plane kind` on a cache where nothing is, as whoever has this environment.
fn run(scratch: &Scratch, words: &[&str], environment: &[(&str, &str)]) -> Done {
    let out = scratch.at("out");
    let mut command = handover_in(&scratch.at("cache"), ["run", "--plane", "kind", "kv/refresh", "--out"]);
    command.arg(&out).args(words);
    command.env_remove("DOCKER_HOST").envs(environment.iter().copied());
    let done = quick(command).moved_to(&out);
    let components = fs::read_dir(scratch.at("cache").join("components"));
    assert_eq!(components.map_or(0, Iterator::count), 0, "something was obtained");
    done
}

#[test]
fn a_daemon_that_is_named_and_does_not_answer() {
    let scratch = Scratch::new();
    let host = format!("unix://{}", scratch.at("docker.sock").display());
    let done = run(&scratch, &[], &[("DOCKER_HOST", &host)]);
    done.exits(5).says_once("the environment broke: no Docker daemon answers at").says("DOCKER_HOST names");
    done.junit_has(&["EnvironmentError"]);
}

#[test]
fn a_daemon_of_another_machine() {
    let scratch = Scratch::new();
    let done = run(&scratch, &[], &[("DOCKER_HOST", "tcp://127.0.0.1:9")]);
    done.exits(5).says("it is not a socket of this machine");
}

/// Somebody listens, and is no Docker.
#[test]
fn a_daemon_that_says_nothing_sensible() {
    let scratch = Scratch::new();
    let path = scratch.at("docker.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let done = run(&scratch, &[], &[("DOCKER_HOST", &format!("unix://{}", path.display()))]);
    done.exits(5).says("the environment broke").says(&path.display().to_string());
}

#[test]
fn a_wish_that_means_nothing() {
    let scratch = Scratch::new();
    run(&scratch, &[], &[("HANDOVER_DOCKER", "mine")]).exits(5).says("HANDOVER_DOCKER=mine means nothing");
}

#[test]
fn a_cluster_that_nobody_kept() {
    let scratch = Scratch::new();
    let said = "handover: there is no cluster called `nobody` that was kept";
    run(&scratch, &["--use", "nobody"], &[]).exits(2).says_once(said);
    quick(handover_in(&scratch.at("cache"), ["down", "nobody"])).exits(2).says_once(said);
}

/// What makes what stays, without a run: whatever is in its way, it leaves no directory of its own.
fn makers() -> [Vec<&'static str>; 2] {
    [vec!["up", "--plane", "kind", "--name", "mine"], vec!["kind", "image"]]
}

#[track_caller]
fn assert_nothing_is_left(scratch: &Scratch) {
    for place in ["runs", "clusters"] {
        let left = names(&scratch.at("cache").join(place));
        assert!(left.iter().all(|name| name.starts_with('.')), "in {place}: {left:?}");
    }
}

#[test]
fn nothing_is_made_where_no_daemon_answers() {
    for words in makers() {
        let scratch = Scratch::new();
        let mut command = handover_in(&scratch.at("cache"), words);
        command.env("DOCKER_HOST", format!("unix://{}", scratch.at("docker.sock").display()));
        quick(command).exits(5).says_once("handover: no Docker daemon answers at");
        assert_nothing_is_left(&scratch);
    }
}

/// A daemon may take minutes to come up, or to answer.
#[test]
fn who_waits_for_a_daemon_can_be_stopped() {
    for (words, (signal, code)) in makers().into_iter().zip([(Signal::INT, 130), (Signal::TERM, 143)]) {
        let scratch = Scratch::new();
        let socket = scratch.at("docker.sock");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        let asked = scratch.at("asked");
        scratch.stand_in("bin/docker", &format!("touch '{}'\nexec sleep 1000\n", asked.display()));
        let mut command = handover_in(&scratch.at("cache"), words);
        let path = std::env::var("PATH").expect("a PATH");
        command.env("PATH", format!("{}:{path}", scratch.at("bin").display()));
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        eventually("the daemon is asked", || asked.exists().then_some(()));
        let pid = child.id().try_into().ok().and_then(Pid::from_raw).expect("a pid");
        let began = Instant::now();
        kill_process(pid, signal).expect("it runs");
        let ended = child.wait_with_output().expect("it is ours");
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_nothing_is_left(&scratch);
    }
}

#[test]
fn a_name_that_is_none() {
    for plane in ["kind", "embedded"] {
        let scratch = Scratch::new();
        let words = ["up", "--plane", plane, "--name", "../mine"];
        quick(handover_in(&scratch.at("cache"), words)).exits(2).says_once("`../mine` cannot be");
        // No daemon was looked for, or started.
        assert_nothing_is_left(&scratch);
        assert!(!scratch.at("cache").join("docker").exists());
    }
}

/// A typing error in the name of a context must not lead to another daemon.
#[test]
fn a_context_that_is_not_there() {
    let scratch = Scratch::new();
    scratch.stand_in("bin/docker", "echo 'context \"prod\": context not found' >&2\nexit 1\n");
    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{path}", scratch.at("bin").display());
    let done = run(&scratch, &[], &[("PATH", &path), ("DOCKER_CONTEXT", "prod")]);
    let said = "Docker's client cannot say where its daemon is (DOCKER_CONTEXT)";
    done.exits(5).says_once(said).says("context not found");
    // What does not hang on it is swept, and told.
    let mut gc = handover_in(&scratch.at("cache"), ["gc"]);
    gc.env_remove("DOCKER_HOST").envs([("PATH", &*path), ("DOCKER_CONTEXT", "prod")]);
    let run = scratch.at("cache").join("runs/dead");
    fs::create_dir_all(&run).expect("a directory");
    quick(gc).exits(6).says_once(said).says("swept run dead");
    assert!(!run.exists());
}

/// Only root can start a daemon of Handover's own. These tests are nobody where they are root, and themselves elsewhere.
fn as_nobody(environment: &[(&str, &str)]) -> Done {
    // TMPDIR may lie where only root may go.
    let dir = tempfile::tempdir_in("/tmp").expect("a folder");
    let program = dir.path().join("handover");
    fs::copy(env!("CARGO_BIN_EXE_handover"), &program).expect("a copy that anybody may start");
    let (cache, out) = (dir.path().join("cache"), dir.path().join("out"));
    let mut command = Command::new(program);
    command.args(["run", "--plane", "kind", "kv/refresh", "--out"]).arg(&out);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HANDOVER_CACHE", cache);
    command.envs(environment.iter().copied());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        command.uid(NOBODY).gid(NOBODY);
    }
    quick(command).moved_to(&out)
}

#[test]
fn no_daemon_and_no_right_to_start_one() {
    if UnixStream::connect("/var/run/docker.sock").is_ok() {
        support::say("not tested: a Docker daemon of this machine's answers");
        return;
    }
    let done = as_nobody(&[]);
    done.exits(5).says_once("the environment broke: no Docker daemon answers at unix:///var/run/docker.sock");
    done.says("only root can start one of our own");
}

#[test]
fn a_daemon_of_our_own_and_no_right_to_start_one() {
    let done = as_nobody(&[("HANDOVER_DOCKER", "own")]);
    done.exits(5)
        .says_once("HANDOVER_DOCKER=own takes a Docker daemon of our own, and only root can start one");
}
