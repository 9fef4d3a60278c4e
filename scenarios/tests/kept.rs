//! An embedded control plane that stays (`handover up`): runs play on it one at a time, its death is told, and
//! `down` leaves nothing.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use handover_fixtures::kubernetes::client::client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::config::Kubeconfig;
use kube::core::GroupVersionKind;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Cache, Done, Run, Scratch, edited, eventually, handover, names, quick};

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
    // It starts no server, so it need not wait until others have none.
    let mut beside = handover(&cache, ["run", "--use", NAME, "kv/refresh", "--out"]);
    beside.arg(scratch.at("beside"));
    quick(beside).exits(5).says_once("the environment broke: `0` is used by a run that is not over");
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

/// `handover up` under way.
fn begin(cache: &Cache, scratch: &Scratch, words: &[&str]) -> Run {
    let mut command = handover(cache, ["up", "--plane", "embedded", "--name", NAME]);
    command.args(words);
    Run::of(command, cache, &scratch.at("none"))
}

/// Waits until servers are there that it has to stop: by then it holds its name as well.
fn until_servers_start(up: &Run, cache: &Cache) {
    let ledger = cache.root().join("runs").join(NAME).join("ledger.jsonl");
    up.until("a server is started", || {
        fs::read_to_string(&ledger).ok().filter(|ledger| ledger.lines().count() > 1)
    });
}

/// That not even the place is left of what never was, or ended in order.
#[track_caller]
fn assert_gone(cache: &Cache) {
    cache.assert_empty();
    assert_eq!(names(&cache.root().join("clusters")), Vec::<String>::new());
}

#[test]
fn held_in_the_foreground_it_goes_with_whoever_holds_it() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let held = begin(&cache, &scratch, &["--foreground"]);
    held.until("it is there", || {
        cache.root().join("clusters").join(NAME).join("kept").is_file().then_some(())
    });
    let run = Run::start(&cache, &scratch.at("out"), ["--use", NAME, "kv/refresh"]).end();
    run.exits(0);
    held.signal(Signal::INT);
    let done = held.end();
    done.exits(0).leaves_nothing(&cache);
    assert!(
        done.stdout.trim().ends_with("kubeconfig"),
        "it prints the path of a kubeconfig: {}",
        done.stdout
    );
    assert_gone(&cache);
}

/// Who comes second has nothing to do with what is there, and leaves it alone.
#[test]
fn of_two_at_once_one_is_there() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let both = [(), ()].map(|()| {
        let mut up = handover(&cache, ["up", "--plane", "embedded", "--name", NAME]);
        up.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    });
    let both = both.map(|up| up.wait_with_output().expect("it is ours"));
    let mut codes = both.each_ref().map(|done| done.status.code());
    codes.sort_unstable();
    let said = both.each_ref().map(|done| String::from_utf8_lossy(&done.stderr)).join("\n");
    assert_eq!(codes, [Some(0), Some(5)], "{said}");
    assert!(said.contains("there is a run in") || said.contains("is kept already"), "{said}");
    quick(handover(&cache, ["gc"])).exits(0);
    Run::start(&cache, &scratch.at("out"), ["--use", NAME, "kv/refresh"]).end().exits(0);
    quick(handover(&cache, ["down", NAME])).exits(0);
    assert_gone(&cache);
}

#[test]
fn one_that_is_not_wanted_any_more_while_it_starts_does_not_come() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let scratch = Scratch::new();
        let cache = Cache::new(&scratch);
        let up = begin(&cache, &scratch, &[]);
        until_servers_start(&up, &cache);
        up.signal(signal);
        up.end().exits(code).says_once(&format!("handover: interrupted by {name}")).leaves_nothing(&cache);
        assert_gone(&cache);
    }
}

/// Nobody is told where it is, so nobody would ever take it down.
#[test]
fn one_whose_order_was_killed_does_not_stay() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let up = begin(&cache, &scratch, &[]);
    until_servers_start(&up, &cache);
    up.signal(Signal::KILL);
    eventually("its keeper ends", || cache.runs().is_empty().then_some(()));
    assert_gone(&cache);
}

/// What its keeper says before it is there is said by who ordered it, and its exit is theirs.
#[test]
fn one_that_cannot_start_says_why_and_leaves_nothing() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let etcd = scratch.stand_in("etcd", "echo 'panic: the disk is on fire' >&2\nexit 7\n");
    let component = format!("etcd={}", etcd.display());
    let done = begin(&cache, &scratch, &["--component", &component]).end();
    done.exits(5).says_once("the control plane did not come to be (exit status: 5): handover: ");
    done.says("etcd").leaves_nothing(&cache);
    assert_gone(&cache);
}

/// What a scenario makes beside its own namespace: a namespace of its manifests, what has none, and a PushSecret that
/// nobody can delete any more once its OpenBao is gone.
fn belongings(scratch: &Scratch) -> PathBuf {
    edited("push/secret-to-openbao", &scratch.at("mine"), "mine", |name, text| {
        if name != "app.yaml" {
            return text;
        }
        let (source, target) = text.split_once("name: reader").expect("the second ServiceAccount");
        let target = target
            .replace("kind: SecretStore\nmetadata:\n  name: openbao\n  namespace: push-target", STORE)
            .replace(
                "            name: reader",
                "            name: reader\n            namespace: push-target",
            )
            .replace(
                "    name: openbao\n    kind: SecretStore",
                "    name: shared\n    kind: ClusterSecretStore",
            );
        format!("{source}name: reader{target}{MORE}")
    })
}

const STORE: &str = "kind: ClusterSecretStore\nmetadata:\n  name: shared";
const MORE: &str = "---
apiVersion: v1
kind: Namespace
metadata: { name: push-target, labels: { team: readers } }
---
apiVersion: generators.external-secrets.io/v1alpha1
kind: ClusterGenerator
metadata: { name: shared }
spec: { kind: Password, generator: { passwordSpec: { length: 16, digits: 2, symbols: 0, noUpper: false, allowRepeat: true } } }
";

/// Those of them that are there.
fn there(cache: &Cache) -> Vec<String> {
    let kubeconfig = cache.root().join("clusters").join(NAME).join("kubeconfig");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let client =
            client(Kubeconfig::read_from(kubeconfig).expect("a kubeconfig")).await.expect("a client");
        let mut there = Vec::new();
        for (group, version, kind) in [
            ("", "v1", "Namespace"),
            ("external-secrets.io", "v1", "ClusterSecretStore"),
            ("generators.external-secrets.io", "v1alpha1", "ClusterGenerator"),
        ] {
            let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let all = Api::<DynamicObject>::all_with(client.clone(), &kind);
            let all = all.list(&ListParams::default()).await.expect("a list");
            let names = all.items.into_iter().filter_map(|object| object.metadata.name);
            let ours = names.filter(|name| name == "shared" || name.contains("push-"));
            there.extend(ours.map(|name| format!("{} {name}", kind.kind)));
        }
        there
    })
}

#[test]
fn what_a_run_made_there_goes_with_it_or_before_the_next() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let up = Up::new(&cache);
    let file = belongings(&scratch);
    let file = file.to_str().expect("text");
    let all = ["push-source", "push-target"].map(|name| format!("Namespace {name}"));
    let all = [&all[..], &["ClusterSecretStore shared".into(), "ClusterGenerator shared".into()]].concat();

    let interrupted = up.play(&scratch.at("interrupted"), file);
    interrupted.until_it_says("step 4/");
    let seen = there(&cache);
    assert!(all.iter().all(|one| seen.contains(one)), "{seen:?}");
    interrupted.signal(Signal::INT);
    interrupted.end().exits(130);
    assert_eq!(there(&cache), Vec::<String>::new());

    let killed = up.play(&scratch.at("killed"), file);
    killed.until_it_says("step 4/");
    killed.signal(Signal::KILL);
    killed.end();
    let seen = there(&cache);
    assert!(all.iter().all(|one| seen.contains(one)), "{seen:?}");
    up.play(&scratch.at("next"), "kv/refresh").end().exits(0);
    assert_eq!(there(&cache), Vec::<String>::new());
    up.down().exits(0);
    assert_gone(&cache);
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
