//! Scenario files and command lines that are wrong are refused before anything is started: with every
//! mistake at once, each at its place, and the exit code that says whose fault it is.

mod support;

use handover_harness::clock::Micros;
use handover_harness::event::{FORMAT, Header};
use support::{Cache, Done, Scratch, handover, quick};

struct House {
    scratch: Scratch,
    cache: Cache,
}

impl House {
    fn new() -> Self {
        let scratch = Scratch::new();
        let cache = Cache::new(&scratch);
        Self { scratch, cache }
    }

    fn told<const N: usize>(&self, words: [&str; N]) -> Done {
        let mut command = handover(&self.cache, words);
        command.current_dir(self.scratch.path());
        quick(command)
    }
}

const MANIFESTS: &str = include_str!("../catalogue/kv/app.yaml");
const SCENARIO: &str = include_str!("../catalogue/kv/refresh.yaml");

#[test]
fn the_catalogue_has_no_mistake_and_can_be_listed() {
    let house = House::new();
    house.told(["lint"]).exits(0).says_once("scenarios, no error");
    let list = house.told(["list"]);
    list.exits(0).says_once("settles: A non-zero refreshInterval does not rotate");
    let ids: Vec<&str> = list.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(ids.contains(&"kv/refresh") && !ids.contains(&"kv/app"), "{ids:?}");
}

#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_place() {
    let house = House::new();
    house.scratch.write("app.yaml", MANIFESTS);
    house.scratch.write(
        "wrong.yaml",
        "\
scenario: wrong/everywhere
about: Nothing here is right.
given:
  - kv: { name: app, path: app, fields: [password] }
  - apply: app.yaml
  - credential: { name: app, store: ap, in: secret/app }
steps:
  - rotat: app
  - wait: { credental: app, at: secret, within: 30s }
expect:
  - propagates: { credential: app, to: secret, within: 1d }
",
    );
    let done = house.told(["lint", "wrong.yaml"]);
    done.exits(2);
    // A dangling name, an unknown verb, a misspelt key, a bad duration.
    for (place, word) in [
        ("wrong.yaml:6:37", "`ap`"),
        ("wrong.yaml:8:5", "`rotat`"),
        ("wrong.yaml:9:13", "`credental`"),
        ("wrong.yaml:11:56", "`1d`"),
    ] {
        done.says_once(place).says(word);
    }
    assert_eq!(done.stdout, "");
    // `run` refuses it with the same words, and makes no directory for a run that is none.
    let run = house.told(["run", "wrong.yaml", "--out", "out"]);
    run.exits(2);
    assert_eq!(run.stderr, done.stderr);
    assert!(!house.scratch.at("out").exists());
    assert!(!house.cache.root().join("runs").exists());
}

/// What a file alone tells is told before anything is started, with its place.
#[test]
fn input_that_cannot_be_played_is_told_with_its_place() {
    let house = House::new();
    let told = |manifests: &str, scenario: &str| {
        house.scratch.write("app.yaml", manifests);
        house.scratch.write("s.yaml", scenario);
        let lint = house.told(["lint", "s.yaml"]);
        let run = house.told(["run", "s.yaml", "--out", "out"]);
        assert_eq!((run.code, &run.stderr), (lint.code, &lint.stderr), "`run` says the same");
        assert!(!house.scratch.at("out").exists());
        lint
    };
    // An API version that no ESO has served for long: which one is, and since when.
    let alpha = MANIFESTS.replace("external-secrets.io/v1\nkind: E", "external-secrets.io/v1alpha1\nkind: E");
    told(&alpha, SCENARIO)
        .exits(2)
        .says_once("app.yaml:24:13")
        .says_once(
            "`external-secrets.io/v1alpha1` of ExternalSecret is not served: it is gone since ESO v0.16.0",
        )
        .says_once("write `external-secrets.io/v1`, which v0.16.0 and later serve");
    // Where a line of the catalogue's scenario stands is its own affair.
    let line = |words: &str| 1 + SCENARIO.lines().position(|line| line.contains(words)).expect("a line");
    let (kv, credential) = (line("- kv:"), line("- credential:"));
    // One name for two things.
    let twice =
        SCENARIO.replace("  - apply:", "  - kv:         { name: app, path: other, fields: [x] }\n  - apply:");
    told(MANIFESTS, &twice)
        .exits(2)
        .says_once(&format!("s.yaml:{}:25", kv + 1))
        .says_once("store `app` is given twice")
        .says_once(&format!("first on line {kv}"));
    // An extractor that is none, and one for which the manifests alone say that there is no key.
    let extract = |how: &str| SCENARIO.replace("in: secret/app }", &format!("in: secret/app, {how} }}"));
    told(MANIFESTS, &extract("key: password, extract: url.pasword"))
        .exits(2)
        .says_once(&format!("s.yaml:{credential}:"))
        .says_once("did you mean `url.password`?");
    told(MANIFESTS, &extract("key: DATABASE_URL, extract: url.password"))
        .exits(2)
        .says_once("Secret `app` gets no key `DATABASE_URL`");
    // A scale that breaks a minimum.
    let scaled = SCENARIO.replace("about:", "scale: 1/60\nabout:");
    told(MANIFESTS, &scaled)
        .exits(2)
        .says_once("app.yaml:29:20")
        .says_once("refreshInterval of ExternalSecret app (5 s) would shrink to 83.333 ms, below 1 s")
        .says_once("ESO tells when it synced to the second");
}

/// One that an old ESO serves is a warning: which ESO plays is known later.
#[test]
fn an_api_version_that_only_an_old_operator_serves_is_told_with_the_one_that_replaced_it() {
    let house = House::new();
    let beta = MANIFESTS.replace("external-secrets.io/v1\nkind: E", "external-secrets.io/v1beta1\nkind: E");
    house.scratch.write("app.yaml", beta);
    house.scratch.write("s.yaml", SCENARIO);
    house
        .told(["lint", "s.yaml"])
        .exits(0)
        .says_once("app.yaml:24:13")
        .says_once("`external-secrets.io/v1beta1` of ExternalSecret is not served since ESO v0.17.0")
        .says_once("write `external-secrets.io/v1`, which v0.16.0 and later serve");
}

#[test]
fn every_file_of_a_folder_is_looked_at() {
    let house = House::new();
    house.scratch.write("all/app.yaml", MANIFESTS);
    house.scratch.write("all/good.yaml", SCENARIO.replace("kv/refresh", "kv/good"));
    house.scratch.write("all/a.yaml", SCENARIO.replace("kv/refresh", "kv/a").replace("rotate:", "rotat:"));
    house.scratch.write("all/deep/b.yaml", SCENARIO.replace("kv/refresh", "kv/b"));
    let done = house.told(["lint", "all"]);
    done.exits(2).says("a.yaml").says("`rotat`").says("b.yaml").says("app.yaml");
    assert!(!done.stderr.contains("good.yaml"), "{}", done.stderr);
}

#[test]
fn a_file_that_is_not_there_or_is_no_scenario_is_named() {
    let house = House::new();
    house.scratch.write("app.yaml", MANIFESTS);
    house.told(["lint", "nowhere.yaml"]).exits(2).says_once("nowhere.yaml");
    house.told(["lint", "app.yaml"]).exits(2).says_once("the key `scenario` is missing");
}

#[test]
fn a_filter_that_matches_nothing_plays_nothing() {
    let house = House::new();
    for command in ["run", "list", "lint"] {
        let done = house.told([command, "oracle/", "--set", "limit=1s"]);
        done.exits(4).says_once("no scenario matches `oracle/`").says_once("`handover list`");
        let done = house.told([command, "kv/refresh", "oracle/", "kv/refesh"]);
        done.exits(4).says_once("no scenario matches `oracle/`, `kv/refesh`");
    }
    assert!(!house.scratch.at("target").exists());
}

#[test]
fn a_variable_that_no_chosen_scenario_has_is_refused_and_those_that_are_there_are_told() {
    let house = House::new();
    let done = house.told(["run", "kv/refresh", "--set", "limt=1s"]);
    done.exits(2).says_once("`limt`").says("limit");
    house.told(["lint", "--set", "limit=1d"]).exits(2).says("`1d`");
    house.told(["lint", "--set", "limit"]).exits(2).says("NAME=VALUE");
    house.told(["lint", "--set", "limit=9s"]).exits(0);
    assert!(!house.scratch.at("target").exists());
}

#[test]
fn components_that_are_none_are_refused_before_anything_starts() {
    let house = House::new();
    let done =
        house.told(["run", "kv/", "--component", "eos=/bin/true", "--component", "etcd=/nowhere/etcd"]);
    done.exits(2)
        .says_once("unknown component `eos`; did you mean `eso`?")
        .says_once("there is no such file");
    let mut command = handover(&house.cache, ["run", "kv/"]);
    command.current_dir(house.scratch.path()).env("HANDOVER_COMPONENT_ESO", "/nowhere/eso");
    quick(command)
        .exits(2)
        .says_once("HANDOVER_COMPONENT_ESO=/nowhere/eso")
        .says_once("there is no such file");
    house.told(["components", "resolve", "eos"]).exits(2).says_once("did you mean `eso`?");
    assert!(!house.scratch.at("target").exists());
}

#[test]
fn words_that_are_no_command_are_usage() {
    let house = House::new();
    house.told(["rum"]).exits(2).says("unrecognized subcommand 'rum'");
    house.told(["run", "--jobs", "0"]).exits(2).says("--jobs");
    house.told(["run", "--format", "xml"]).exits(2).says("human").says("json");
}

#[test]
fn a_directory_that_holds_a_run_is_not_written_over() {
    let house = House::new();
    let events = house.scratch.write("old/events.jsonl", "the evidence of yesterday\n");
    let done = house.told(["run", "kv/", "--out", "old"]);
    done.exits(2).says_once("old holds a run already; name another directory");
    assert_eq!(std::fs::read_to_string(events).expect("it is there"), "the evidence of yesterday\n");
    assert_eq!(support::names(&house.scratch.at("old")), ["events.jsonl"]);
}

#[test]
fn a_directory_without_a_run_cannot_be_judged() {
    let house = House::new();
    house.told(["judge", "nowhere"]).exits(2).says_once("nowhere/events.jsonl").says("output directory");
    for (text, words) in
        [("", "is empty"), ("not a run\n", "line 1 is not the header"), ("{\"format\":99}\n", "format 99")]
    {
        house.scratch.write("dir/events.jsonl", text);
        house.told(["judge", "dir"]).exits(2).says_once(words);
        assert_eq!(support::names(&house.scratch.at("dir")), ["events.jsonl"]);
    }
}

#[test]
fn runs_are_compared_from_their_events_and_what_holds_none_is_named() {
    let house = House::new();
    let run = |name: &str| {
        let wall = "2026-11-26T00:00:00Z".to_owned();
        let header = Header { format: FORMAT, run: name.to_owned(), wall, at: Micros(0) };
        serde_json::to_string(&header).expect("a header is plain data") + "\n"
    };
    // A run that was killed before anything was played, and two rounds of a folder.
    house.scratch.write("a/events.jsonl", run("a"));
    house.scratch.write("b/1/events.jsonl", run("b1"));
    house.scratch.write("b/2/events.jsonl", run("b2"));
    let done = house.told(["compare", "a", "b"]);
    done.exits(3).says("cannot tell").says("runs b1, b2");
    house.told(["compare", "a", "b", "--format", "json"]).exits(3).says("\"b2\"");
    house.scratch.write("c/readme", "");
    house.told(["compare", "a", "c"]).exits(2).says_once("c holds no run: name the output directory");
    house.told(["compare", "a", "nowhere"]).exits(2).says_once("cannot read nowhere");
    house.told(["run", "--eso-values", "nowhere.yaml"]).exits(2).says_once("nowhere.yaml");
}

/// A platform's tree: three broken files among five hundred are three messages, each at its place.
#[test]
fn a_tree_of_five_hundred_manifests_is_read_whole() {
    let house = House::new();
    house.scratch.write("s.yaml", SCENARIO.replace("apply:      app.yaml", "apply:      tree"));
    house.scratch.write("tree/app.yaml", MANIFESTS);
    for number in 0..499 {
        let sound = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c{number} }}\ndata: {{}}\n");
        let text = match number {
            17 => sound.replace("kind: ConfigMap\n", ""),
            170 => sound.replace("name: c170", "name: [c170"),
            417 => {
                sound.replace("v1\nkind: ConfigMap", "external-secrets.io/v1\nkind: ExternalSecret")
                    + "spec: { refreshInterval: 1d }\n"
            }
            _ => sound,
        };
        house.scratch.write(format!("tree/team-{}/{number}.yaml", number % 10), text);
    }
    let began = std::time::Instant::now();
    let done = house.told(["lint", "s.yaml"]);
    done.exits(2)
        .says_once("tree/team-7/17.yaml:1:1")
        .says_once("tree/team-0/170.yaml:3:")
        .says_once("tree/team-7/417.yaml:5:26");
    assert_eq!(done.stderr.matches("error: ").count(), 3, "{}", done.stderr);
    assert!(began.elapsed().as_secs() < 10, "an editor waits for this: {:?}", began.elapsed());
}

#[test]
fn a_kustomization_is_built_by_whichever_program_is_there() {
    let house = House::new();
    house
        .scratch
        .write("s.yaml", SCENARIO.replace("apply:      app.yaml", "apply:      { kustomize: base }"));
    house.scratch.write("base/kustomization.yaml", "resources: [app.yaml]\n");
    house.scratch.write("base/app.yaml", MANIFESTS);
    let lint = |path: &std::path::Path| {
        let mut command = handover(&house.cache, ["lint", "s.yaml"]);
        command.current_dir(house.scratch.path()).env("PATH", path);
        quick(command)
    };
    let bin = house.scratch.at("bin");
    lint(&bin).exits(2).says_once("neither `kustomize` nor `kubectl` is on the PATH").says("s.yaml:");
    let program = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = house.scratch.write(format!("bin/{name}"), text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    };
    program(
        "kubectl",
        "#!/bin/sh\n[ \"$1\" = kustomize ] && while read -r l; do echo \"$l\"; done < $2/none\n",
    );
    lint(&bin).exits(2).says_once("kubectl kustomize").says("fails");
    program(
        "kustomize",
        "#!/bin/sh\n[ \"$1\" = build ] && [ -z \"$VAULT_TOKEN\" ] && exec /bin/cat $2/app.yaml\n",
    );
    lint(&bin).exits(0).says_once("1 scenario, no error");
}

#[test]
fn manifests_alone_are_explained() {
    let house = House::new();
    house.scratch.write("good/app.yaml", MANIFESTS);
    house.scratch.write("bad/app.yaml", MANIFESTS.replace("refreshInterval: 5s", "refreshInterval: 1d"));
    house.scratch.write("broken/app.yaml", "kind: [\n");
    house.told(["explain", "good"]).exits(0).says_once("within 5 s").says_once("1 credential, no finding");
    house.told(["explain", "good", "bad/app.yaml"]).exits(1).says_once("bad/app.yaml:29: bad duration: `1d`");
    house.told(["explain", "good", "broken"]).exits(2).says_once("broken/app.yaml:");
    house.told(["explain"]).exits(2);
}

#[test]
fn a_new_scenario_is_sound_and_nothing_is_written_over() {
    let house = House::new();
    house.told(["new", "team/fleet"]).exits(0).says("fleet.yaml").says("handover run");
    house.told(["lint", "fleet.yaml"]).exits(0).says_once("1 scenario, no error");
    house.told(["list", "fleet.yaml"]).exits(0).says_once("team/fleet").says_once("about 10 s");
    assert_eq!(support::names(house.scratch.path()).iter().filter(|name| name.ends_with(".yaml")).count(), 2);
    let before = std::fs::read_to_string(house.scratch.at("fleet.yaml")).expect("it was written");
    house.told(["new", "other/fleet"]).exits(2).says_once("fleet.yaml is there already");
    assert_eq!(std::fs::read_to_string(house.scratch.at("fleet.yaml")).expect("it is there"), before);
    // Both or none.
    house.scratch.write("half-manifests.yaml", "mine");
    house.told(["new", "half"]).exits(2).says_once("half-manifests.yaml is there already");
    assert!(!house.scratch.at("half.yaml").exists());
    house.told(["new", "Team/Fleet"]).exits(2).says_once("cannot be a scenario's name");
    house.told(["new", "fleet", "nowhere"]).exits(2).says_once("cannot write nowhere/fleet.yaml");
}

#[test]
fn what_is_listed_says_what_it_takes_and_what_is_missing() {
    let house = House::new();
    house.scratch.write("app.yaml", MANIFESTS);
    let text = SCENARIO.replace("about:", "tags: [kv, quick]\nslow: true\nneeds: [proxy]\nabout:");
    house.scratch.write("s.yaml", text);
    house
        .told(["list", "s.yaml"])
        .exits(0)
        .says_once("needs eso, openbao, proxy; about 15 s; slow; tags kv, quick")
        .says_once("cannot play: no plane has proxy");
}

#[test]
fn claims_are_listed_with_how_they_stand() {
    let house = House::new();
    let claims = house.told(["list", "--claims"]);
    claims.exits(0).says("A non-zero refreshInterval does not rotate").says("no run below target/handover");
    assert!(claims.stdout.contains("not settled yet"), "{}", claims.stdout);
    house.told(["list", "--claims", "--out", "nowhere"]).exits(2).says_once("nowhere/events.jsonl");
    house.told(["list", "--out", "nowhere"]).exits(2).says("--claims");
}
