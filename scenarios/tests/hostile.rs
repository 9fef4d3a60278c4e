//! Servers that do not do what servers do: stand-ins for components, each told in one clear message, none
//! left running.

mod support;

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use support::{Cache, Done, Run, Scratch, edited};

/// A run that needs no database, with a stand-in for a component.
fn with(scratch: &Scratch, cache: &Cache, component: &str, program: &Path) -> Run {
    let component = format!("{component}={}", program.display());
    Run::start(cache, &scratch.at("out"), ["kv/refresh", "--component", &component])
}

/// What a run says when its environment cannot be made: once, with the log's place in what is kept.
fn broke(done: &Done, cache: &Cache, server: &str, log: &str) {
    done.exits(5).junit_has(&["EnvironmentError"]).leaves_nothing(cache);
    done.says_once("the environment broke:").says_once(&format!("`{server}`"));
    let kept = done.out.join("logs").join(log);
    done.says_once(&format!("log tail ({}):", kept.display()));
    assert!(kept.is_file(), "the message names {}", kept.display());
    let verdict = done.verdict();
    let why = verdict["broke"].as_str().expect("how it broke");
    assert!(why.contains(&format!("`{server}`")), "{why}");
    assert!(done.read("events.jsonl").lines().last().expect("a line").contains(r#""end":{"broke":"#));
}

#[test]
fn one_that_exits_at_once_is_told_with_its_status_and_its_last_words() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let etcd = scratch.stand_in("etcd", "echo 'panic: the disk is on fire' >&2\nexit 7\n");
    let done = with(&scratch, &cache, "etcd", &etcd).end();
    broke(&done, &cache, "etcd", "making-control-plane.log");
    done.says_once("exited with status 7").says_once("panic: the disk is on fire");
}

#[test]
fn one_that_cannot_be_executed_is_told_with_what_to_look_at() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let etcd = scratch.stand_in("etcd", "");
    fs::write(&etcd, "#!/nowhere/interpreter\n").expect("a file");
    let done = with(&scratch, &cache, "etcd", &etcd).end();
    done.exits(5).junit_has(&["EnvironmentError"]).leaves_nothing(&cache);
    done.says_once("cannot start `etcd`").says_once("cannot be executed; look at its mode");
}

#[test]
fn one_that_never_gets_ready_is_given_up_in_time() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    // Of all components this one has the shortest time: 15 s.
    let valkey = scratch.stand_in("valkey", "echo 'I am up, sort of'\nexec sleep 1000\n");
    let component = format!("valkey={}", valkey.display());
    let words = ["valkey/", "--component", &component];
    let done = Run::start(&cache, &scratch.at("out"), words).end();
    broke(&done, &cache, "valkey", "valkey.log");
    done.says_once("was not ready after 15s").says_once("I am up, sort of");
    done.says_once("last: its administrator cannot log in");
}

#[test]
fn one_that_never_gets_ready_can_be_interrupted() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let api_server = scratch.stand_in("kube-apiserver", "echo here I sit\nexec sleep 1000\n");
    let run = with(&scratch, &cache, "kube-apiserver", &api_server);
    let log = "logs/kube-apiserver.log";
    run.until("it sits", || cache.runs().pop().filter(|run| has(&run.join(log), "here I sit")));
    run.signal(Signal::TERM);
    let done = run.end();
    done.exits(143).says_once("the run was interrupted by SIGTERM").junit_has(&["Aborted"]);
    done.leaves_nothing(&cache);
    assert_eq!(done.read(log), "here I sit\n");
}

/// It ignores every signal that can be ignored, and has a child that left its group, its session and its
/// directory.
const STUBBORN: &str = "\
trap '' TERM INT HUP QUIT
setsid sh -c 'cd /; trap \"\" TERM INT HUP QUIT; echo hidden; while :; do sleep 1000; done' &
while :; do sleep 1000; done
";

#[test]
fn one_that_ignores_sigterm_is_ended_with_all_that_it_started() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let api_server = scratch.stand_in("kube-apiserver", STUBBORN);
    let run = with(&scratch, &cache, "kube-apiserver", &api_server);
    let log = "logs/kube-apiserver.log";
    run.until("its child hides", || cache.runs().pop().filter(|run| has(&run.join(log), "hidden")));
    run.signal(Signal::INT);
    let done = run.end();
    done.exits(130).says_once("the run was interrupted by SIGINT").junit_has(&["Aborted"]);
    done.leaves_nothing(&cache);
}

/// The harness is killed too, so nobody is there to stop it: the next `gc` does, by the mark.
#[test]
fn one_that_outlives_a_killed_harness_is_swept() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let api_server = scratch.stand_in("kube-apiserver", STUBBORN);
    let run = with(&scratch, &cache, "kube-apiserver", &api_server);
    let log = "logs/kube-apiserver.log";
    run.until("its child hides", || cache.runs().pop().filter(|run| has(&run.join(log), "hidden")));
    run.signal(Signal::KILL);
    let done = run.end();
    assert_eq!(done.code, None, "it was killed");
    done.junit_has(&["Aborted"]);
    // What the harness started dies with it, and what that had started does not.
    let left = support::eventually("what the harness started is gone", || {
        let left = done.processes();
        left.iter().all(|line| !line.contains("--etcd-servers")).then_some(left)
    });
    assert!(left.iter().any(|line| line.contains("echo hidden")), "{left:?}");
    let swept = support::quick(support::handover(&cache, ["gc"]));
    swept.exits(0).says_once("swept run").says("(sh)");
    done.leaves_nothing(&cache);
    support::quick(support::handover(&cache, ["gc"])).exits(0).says_once("nothing was left behind");
}

#[test]
fn one_that_floods_its_log_fills_no_disk() {
    const LIMIT: u64 = 64 << 20;
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let etcd = scratch.stand_in("etcd", "echo first words\nexec yes 'all work and no play'\n");
    let run = with(&scratch, &cache, "etcd", &etcd);
    let mut longest = 0;
    run.until("its log was cut", || {
        let log = cache.runs().pop()?.join("logs/making-control-plane.log");
        let length = fs::metadata(log).ok()?.len();
        // Whoever does not cut it fills this disk: that is not waited for.
        assert!(length < 16 * LIMIT, "{length} bytes");
        longest = longest.max(length);
        (length < longest).then_some(())
    });
    run.signal(Signal::TERM);
    let done = run.end();
    done.exits(143).junit_has(&["Aborted"]).leaves_nothing(&cache);
    let kept = done.out.join("logs/making-control-plane.log");
    let length = fs::metadata(&kept).expect("it is kept").len();
    // Its limit, and what it writes between two looks; unhindered it writes gigabytes a second. That it was beyond the
    // limit is in the note below: this test's own looks are too far apart to see it.
    assert!(length < 16 * LIMIT, "{length} bytes");
    let text = fs::read(&kept).expect("it is kept");
    assert!(text.starts_with(b"first words\n"), "how it began stays");
    let note = b"over the limit of 67108864]";
    assert!(text.windows(note.len()).any(|window| window == note), "what was left out is told");
}

#[test]
fn an_operator_that_exits_once_the_control_plane_is_up_is_told() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let eso = "[ \"$1\" = --help ] && exit 0\necho 'flag provided but not defined: -moon' >&2\nexit 3\n";
    let eso = scratch.stand_in("eso", eso);
    let done = with(&scratch, &cache, "eso", &eso).end();
    broke(&done, &cache, "eso", "eso.log");
    done.says_once("exited with status 3").says_once("flag provided but not defined: -moon");
    done.says("starting the servers: kube-apiserver is ready");
    let verdict = done.verdict();
    let played_on = support::array(&verdict["on"]["components"]);
    let eso = played_on.iter().find(|component| component["name"] == "eso").expect("it was played on");
    assert_eq!((&eso["source"], &eso["version"]), (&"path".into(), &"unknown".into()));
}

#[test]
fn a_component_that_is_not_there_is_refused_before_anything_starts() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let done = with(&scratch, &cache, "etcd", &scratch.at("none")).end();
    done.exits(2).says_once("there is no such file").says_once("--component etcd=");
    assert!(!done.out.exists());
    cache.assert_empty();
}

/// Two manifests that the API server refuses, and one that it takes: each is told where it stands, and who
/// plays beside them is not disturbed.
#[test]
fn a_manifest_that_the_api_server_refuses_is_told_with_its_line() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let files = scratch.at("scenarios");
    edited("kv/refresh", &files.join("good"), "good", |_, text| text);
    edited("kv/refresh", &files.join("schema"), "schema", |_, text| {
        text.replace("  refreshInterval: 5s\n", "  refreshInterval: 5s\n  refreshPolicy: Sometimes\n")
    });
    edited("kv/refresh", &files.join("kind"), "kind", |name, text| match name == "app.yaml" {
        true => text + "---\napiVersion: example.com/v1\nkind: Gadget\nmetadata:\n  name: g\n",
        false => text,
    });
    let done = Run::start(&cache, &scratch.at("out"), [&files]).end();
    done.exits(5).says_once("3 scenarios: 1 pass, 2 error exit 5").leaves_nothing(&cache);
    let told = |id: &str| {
        let scenario = done.scenario(id);
        assert_eq!(scenario["verdict"], "error");
        scenario["summary"].as_str().expect("text").to_owned()
    };
    let schema = told("schema/kv/refresh");
    let place = format!("{}:24: ", files.join("schema/app.yaml").display());
    assert!(schema.contains(&place), "{schema}");
    assert_eq!(schema.matches("Unsupported value: \"Sometimes\"").count(), 1, "{schema}");
    let kind = told("kind/kv/refresh");
    let place = format!("{}:41: ", files.join("kind/app.yaml").display());
    assert!(kind.contains(&place) && kind.contains("serves no kind `Gadget`"), "{kind}");
    assert_eq!(done.scenario("good/kv/refresh")["verdict"], "pass");
}

fn has(file: &Path, words: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.contains(words))
}
