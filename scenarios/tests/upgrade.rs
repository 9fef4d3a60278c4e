//! `handover upgrade`, and versions that a plane cannot have: what is refused before any work, a hop that is not played,
//! a signal while releases are obtained, and the hop of a real database.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use support::{Cache, Done, Run, Scratch, array, handover, quick};

fn comparison(out: &Path) -> Value {
    let text = fs::read_to_string(out.join("comparison.json")).expect("a comparison");
    serde_json::from_str(&text).expect("JSON")
}

/// `handover upgrade --hop-only` of Valkey between what is named.
fn hop(cache: &Cache, out: &Path, from: &str, to: &str) -> Done {
    let (from, to) = (format!("valkey={from}"), format!("valkey={to}"));
    let mut command =
        handover(cache, ["upgrade", "--hop-only", "--hold", "1s", "--from", &from, "--to", &to]);
    command.arg("--out").arg(out);
    Run::of(command, cache, out).end()
}

#[test]
fn a_version_that_the_plane_cannot_have_is_refused() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let out = scratch.at("out");
    let run = |words: &[&str]| {
        let mut command = handover(&cache, words);
        command.arg("--out").arg(&out);
        let done = quick(command);
        assert!(!out.exists(), "{}", done.all());
        done
    };
    let api_server = "kube-apiserver=v1.35.2";
    let mixed = "kube-apiserver is of version 1.35.2 and kubelet of 1.36.";
    run(&["run", "kv/refresh", "--plane", "kind", "--component", api_server]).exits(2).says_once(mixed);
    run(&["run", "kv/refresh", "--use", "dev", "--component", "etcd=v3.6.1"]).exits(2).says("`dev`");
    let upgrade = |plane: &str, from: &str, to: &str| {
        run(&["upgrade", "--hop-only", "--plane", plane, "--from", from, "--to", to])
    };
    upgrade("kind", "etcd=v3.6.1", "etcd=v3.6.8")
        .exits(2)
        .says_once("cannot be replaced while a cluster runs");
    upgrade("embedded", "kubelet=v1.36.1", "kubelet=v1.36.3")
        .exits(2)
        .says_once("`kubelet` is nothing that is replaced while a plane runs");

    let grid = "\
matrix: an API server
scenarios: [kv/refresh]
planes: [kind]
components: { kube-apiserver: [v1.35.2] }
";
    let file = scratch.write("m.yaml", grid);
    let words = ["matrix".as_ref(), file.as_os_str(), "--out".as_ref(), out.as_os_str()];
    quick(handover(&cache, words)).exits(3).says_once(mixed).says("not run");
    cache.assert_empty();
}

#[test]
fn a_plane_that_cannot_be_is_told_before_anything_is_obtained() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    // It would be asked, and hold everything up.
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    let image = format!("eso=image:{}/none/eso:v1.0.0", registry.local_addr().expect("a port"));
    let words = ["upgrade", "--hop-only", "--plane", "kind", "--from", "eso=v0.16.1", "--to", &image];
    let mut command = handover(&cache, words);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").arg("--out").arg(scratch.at("out"));
    quick(command).exits(5).says_once("no Docker daemon answers at unix:///nowhere/docker.sock");
    cache.assert_empty();
}

#[test]
fn a_hop_whose_plane_does_not_start_says_why_and_is_no_answer() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let valkey = scratch.stand_in("valkey", "echo 'the moon is full' >&2\nexit 3\n");
    let (out, path) = (scratch.at("out"), valkey.display().to_string());
    let done = hop(&cache, &out, &format!("{path}@9.1.0"), &format!("{path}@9.1.2"));
    done.exits(5)
        .says("cannot tell: the upgrade is error: it is played to its end: ")
        .says("the moon is full")
        .says_once("exit 5: the environment could not be made, or broke");
    assert_eq!(comparison(&out)["crossing"]["verdict"], "error");
    cache.assert_empty();
}

#[test]
fn a_signal_while_releases_are_obtained_is_the_exit() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    // A registry that takes what is said to it, and never answers.
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    let image = format!("valkey=image:{}/none/valkey:1", registry.local_addr().expect("a port"));
    let out = scratch.at("out");
    let resolve = ["components", "resolve", "valkey", "--component", &image];
    let upgrade = ["upgrade", "--hop-only", "--from", &image, "--to", &image];
    for words in [&resolve[..], &upgrade] {
        for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
            let mut command = handover(&cache, words);
            command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
            let run = Run::of(command, &cache, &out);
            let _asked = registry.accept().expect("it asks");
            run.signal(signal);
            run.end().exits(code).says_once("handover: interrupted");
        }
    }
    assert!(!out.exists());
    cache.assert_empty();
}

#[test]
fn a_user_of_a_database_that_is_replaced_logs_in_over_the_hop() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let out = scratch.at("out");
    let list = quick(handover(&cache, ["components", "list"])).exits(0).stdout.clone();
    let valkey = list.lines().find(|line| line.trim_start().starts_with("valkey "));
    let version = valkey.and_then(|line| line.split_whitespace().nth(1)).expect("its version");
    let done = hop(&cache, &out, version, version);
    done.exits(0);
    let found = comparison(&out);
    let phases =
        array(&found["crossing"]["phases"]).iter().map(|phase| phase["name"].as_str().unwrap_or_default());
    let back = format!("back on valkey {version}");
    assert_eq!(
        phases.collect::<Vec<_>>(),
        [&format!("valkey {version}"), &format!("valkey {version}, started anew"), &back]
    );
    let done = done.moved_to(&out.join("crossing"));
    let story = done.scenario("upgrade/crossing");
    let of_login = array(&story["findings"]).iter().filter(|finding| {
        finding["expected"].as_str().is_some_and(|expected| expected.contains("handover-valkey"))
    });
    let verdicts: Vec<_> = of_login.map(|finding| finding["verdict"].as_str().unwrap_or_default()).collect();
    assert_eq!(verdicts, ["pass", "pass"], "{story:#}");
    cache.assert_empty();
}
