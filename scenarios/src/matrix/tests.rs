//! What a file comes to, what is wrong with one, and which cells are done.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use handover_fixtures::components::{Environment, Override, Overrides, Request};
use handover_harness::verdict::RunVerdict;
use handover_reports::verdict_json;
use serde_json::json;

use super::*;
use crate::play::planes::Where;

/// Reads a file in a folder of its own, beside which `eso` is a program.
fn read_text(text: &str) -> Result<Grid, Vec<String>> {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["eso", "eso-crds"] {
        fs::write(dir.path().join(name), "#!/bin/sh\n").expect("a file");
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let file = dir.path().join("m.yaml");
    fs::write(&file, text).expect("a file");
    read(&file).map_err(|problems| {
        let root = format!("{}/", dir.path().display());
        let all = problems.as_slice().iter();
        all.map(|problem| problem.to_string().replace(&root, "")).collect()
    })
}

/// Somebody with a home, and nothing else.
fn environment() -> Environment {
    [("HOME".into(), "/nonexistent".into())].into_iter().collect()
}

fn grid(text: &str) -> Grid {
    read_text(text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn labels(grid: &Grid) -> Vec<String> {
    grid.cells.iter().map(|cell| cell.asked.label()).collect()
}

#[test]
fn every_combination_is_a_cell_and_the_file_may_leave_some_out() {
    let grid = grid(
        "\
matrix: eso against databases
scenarios: [kv/refresh, mysql/*]
planes: [embedded, kind]
components:
  eso: [v0.16.1, v0.20.4]
  valkey: [pinned, 9.10]
without:
  - { eso: v0.16.1, plane: kind, because: its definitions need a webhook there }
  - { valkey: 9.10, eso: v0.20.4, because: nobody runs that }
out: made
",
    );
    let left_out: Vec<_> = grid.cells.iter().map(|cell| cell.left_out.is_some()).collect();
    let expected = [
        ("eso v0.16.1, valkey pinned on embedded", false),
        ("eso v0.16.1, valkey 9.10 on embedded", false),
        ("eso v0.20.4, valkey pinned on embedded", false),
        ("eso v0.20.4, valkey 9.10 on embedded", true),
        ("eso v0.16.1, valkey pinned on kind", true),
        ("eso v0.16.1, valkey 9.10 on kind", true),
        ("eso v0.20.4, valkey pinned on kind", false),
        ("eso v0.20.4, valkey 9.10 on kind", true),
    ];
    let found: Vec<_> = labels(&grid).into_iter().zip(left_out).collect();
    let found: Vec<_> = found.iter().map(|(label, left_out)| (label.as_str(), *left_out)).collect();
    assert_eq!(found, expected);
    assert_eq!(grid.cells[1].asked.dir, "eso-v0.16.1_valkey-9.10_embedded");
    assert!(grid.scenarios.iter().any(|scenario| scenario.id == "mysql/static-role-forced"));
    assert!(grid.scenarios.iter().all(|s| s.id == "kv/refresh" || s.id.starts_with("mysql/")));
    assert!(grid.out.as_ref().is_some_and(|out| out.ends_with("made") && out.is_absolute()));
}

#[test]
fn a_file_that_says_no_more_than_its_name_is_the_catalogue_as_pinned() {
    let grid = grid("matrix: all\n");
    assert_eq!(labels(&grid), ["as pinned on embedded"]);
    let all = crate::language::load_all(&crate::language::Catalogue::embedded(), &BTreeMap::new());
    assert_eq!(grid.scenarios.len(), all.expect("the catalogue loads").len());
}

#[test]
fn directories_are_told_apart_and_stay_when_a_file_grows() {
    let dirs = |components: &str| -> Vec<String> {
        let grid = grid(&format!("matrix: x\nscenarios: [kv/refresh]\ncomponents: {components}\n"));
        grid.cells.into_iter().map(|cell| cell.asked.dir).collect()
    };
    let [one, other] = dirs("{ eso: [./eso, image:registry.example/eso] }").try_into().expect("two");
    assert!(
        one.starts_with("eso-.-eso_embedded-")
            && other.starts_with("eso-image-registry.example-eso_embedded-")
    );
    assert_eq!(dirs("{ eso: [v1, ./eso, pinned] }")[1], one);
    assert_ne!(dirs("{ eso: [./eso@v1] }"), dirs("{ eso: [./eso@v2] }"));
}

#[test]
fn what_is_chosen_takes_the_place_of_what_was_named_for_the_same_and_for_its_parts() {
    let grid = grid("matrix: x\nscenarios: [kv/refresh]\ncomponents: { eso: [pinned, v0.16.1, ./eso] }\n");
    let one = |text: &str| Override::parse(text).expect("a good override");
    let named = [one("eso=v2.0.0"), one("eso-chart=/"), one("valkey=9.0.0")];
    let environment = environment();
    let overrides = Overrides::gather(&named, &environment).expect("good overrides");
    let base = Request::new(environment, overrides).expect("a cache");
    let all = grid.cells.iter().map(|cell| {
        let request = cell.request(&base);
        request.overrides.iter().map(|one| format!("{}={}", one.component, one.given)).collect::<Vec<_>>()
    });
    let all: Vec<Vec<String>> = all.collect();
    assert_eq!(all[0], ["valkey=9.0.0"]);
    assert_eq!(all[1], ["eso=v0.16.1", "valkey=9.0.0"]);
    assert!(all[2][0].starts_with("eso=/") && all[2][0].ends_with("/eso"), "{:?}", all[2]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let problems = read_text(
        "\
matrix: [x]
scenarios: [kv/refrsh, mysql/*, nowhere.yaml]
planes: embedded
components:
  eos: [v1]
  eso: [v1, v1, ./none, true]
  valkey: []
  mysql: ./eso-crds/
outt: x
",
    )
    .expect_err("nothing of it is right");
    let expected = [
        "m.yaml:1:9: expected text, found a list",
        "m.yaml:3:9: expected a list of names, found text",
        "m.yaml:5:3: unknown component `eos`; did you mean `eso`?",
        "m.yaml:6:13: `v1` stands here twice",
        "m.yaml:6:17: cannot use none: there is no such file",
        "m.yaml:6:25: expected text, found a boolean",
        "m.yaml:7:3: `valkey` has no release",
        "m.yaml:8:10: cannot use eso-crds/: Not a directory (os error 20)",
        "m.yaml:9:1: unknown key `outt`, did you mean `out`?",
        "nowhere.yaml: cannot be read: No such file or directory (os error 2)",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn scenarios_and_cells_that_are_not_there_are_told_with_what_was_meant() {
    let problems = read_text(
        "\
matrix: x
scenarios: [kv/refrsh, mysql/*]
components: { eso: [v0.16.1, v0.20.4] }
without:
  - { eso: v0.16.2, because: a }
  - { esso: v0.16.1, because: b }
  - { eso: v0.16.1 }
  - { because: d }
  - { eso: v0.20.4, plane: kind, because: e }
  - text
",
    )
    .expect_err("nothing of it is right");
    let expected = [
        "m.yaml:2:13: no scenario matches `kv/refrsh`, did you mean `kv/refresh`?",
        "m.yaml:5:12: `eso` is never `v0.16.2` here, did you mean `v0.16.1`?",
        "m.yaml:6:7: unknown key `esso`, did you mean `eso`?",
        "m.yaml:7:5: `without` lacks `because`: say why these cells are left out",
        "m.yaml:8:5: this leaves every cell out",
        "m.yaml:9:28: `plane` is never `kind` here",
        "m.yaml:10:5: expected a mapping, found text",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_file_that_is_none_is_told() {
    let told = |text: &str| read_text(text).expect_err("it is none").join("\n");
    assert_eq!(told(""), "m.yaml: this file is empty");
    assert_eq!(told("a: 1\n---\nb: 2\n").lines().count(), 3, "{}", told("a: 1\n---\nb: 2\n"));
    assert!(told("matrix: [").starts_with("m.yaml:1:"));
    assert!(told("- x\n").contains("needs a mapping"));
    let many: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
    let many = many.join(", ");
    let large = format!("matrix: x\ncomponents: {{ eso: [{many}], valkey: [{many}] }}\n");
    assert!(told(&large).contains("this grid has 400 cells; 256 are the most"));
    assert!(read(Path::new("/nonexistent/m.yaml")).is_err());
}

#[test]
fn planes_that_are_not_there_say_so() {
    assert_eq!(plane("embedded"), Ok(Where::default()));
    assert_eq!(plane("kind"), Ok(Where::Kind { kept: None }));
    assert_eq!(
        plane("embeded").unwrap_err(),
        "there is no plane `embeded`, did you mean `embedded`; there is embedded and kind"
    );
}

fn key() -> Key {
    Key {
        handover: "0.1.0".into(),
        plane: "embedded".into(),
        components: BTreeMap::from([("eso".into(), "v0.16.1".into())]),
        eso_values: None,
        scenarios: BTreeMap::from([("kv/refresh".into(), "1234".into())]),
    }
}

fn verdict() -> RunVerdict {
    let run = json!({"format": 1, "run": "r", "wall": "w", "on": null, "calibration": null, "took_us": 1,
        "interrupted": null, "broke": null, "torn": false, "scenarios": [], "servers": []});
    serde_json::from_value(run).expect("it is a run")
}

/// Why a cell has to be played, of which these files are there; nothing: it has not.
fn why(note: Option<&Note>, verdict: Option<&RunVerdict>) -> Option<String> {
    let (note, verdict) = (note.map(Note::to_json), verdict.map(verdict_json::to_json));
    match standing(&key(), note.as_deref(), verdict.as_deref()) {
        Standing::Done(_) => None,
        Standing::ToPlay(why) => Some(why.unwrap_or_default()),
    }
}

#[test]
fn a_cell_is_done_when_it_was_played_to_its_end_from_the_same() {
    let done = Note::new(key(), Vec::new(), Vec::new());
    assert_eq!(why(Some(&done), Some(&verdict())), None);
    assert_eq!(why(None, None).as_deref(), Some(""), "nothing is there");
    let unfinished = "it was not played to its end";
    assert_eq!(why(None, Some(&verdict())).as_deref(), Some(unfinished));
    assert_eq!(why(Some(&done), None).as_deref(), Some(unfinished));
    let interrupted = RunVerdict { interrupted: Some("SIGINT".into()), ..verdict() };
    assert_eq!(why(Some(&done), Some(&interrupted)).as_deref(), Some(unfinished));
    assert_eq!(why(Some(&done), Some(&RunVerdict { torn: true, ..verdict() })).as_deref(), Some(unfinished));
    let broke = RunVerdict { broke: Some("etcd ended by itself".into()), ..verdict() };
    assert_eq!(why(Some(&done), Some(&broke)).as_deref(), Some("its environment broke"));
    for (changed, how) in [
        (Key { handover: "0.2.0".into(), ..key() }, "another version of handover played it"),
        (Key { components: BTreeMap::new(), ..key() }, "other components were named for it"),
        (Key { scenarios: BTreeMap::new(), ..key() }, "the scenarios were others"),
        (Key { eso_values: Some("1".into()), ..key() }, "it had other values for ESO's chart"),
        (Key { plane: "kind".into(), ..key() }, "it was played on another plane"),
    ] {
        let note = Note::new(changed, Vec::new(), Vec::new());
        assert_eq!(why(Some(&note), Some(&verdict())).as_deref(), Some(how));
    }
    assert!(matches!(standing(&key(), Some("{"), Some("{")), Standing::ToPlay(Some(_))));
    assert!(matches!(standing(&key(), Some(&done.to_json()), Some("{")), Standing::ToPlay(Some(_))));
}

#[test]
fn what_a_done_cell_left_behind_is_not_forgotten() {
    let note = Note::new(key(), vec!["a process".into()], vec!["events.jsonl".into()]);
    let json = verdict_json::to_json(&verdict());
    match standing(&key(), Some(&note.to_json()), Some(&json)) {
        Standing::Done(done) => assert!(done.left && done.leaked),
        Standing::ToPlay(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_key_knows_what_lies_in_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let write = |name: &str, text: &str| fs::write(at(name), text).expect("a file");
    write("crds", "one");
    write("values", "one");
    write("app.yaml", include_str!("../../catalogue/kv/app.yaml"));
    write("s.yaml", include_str!("../../catalogue/kv/refresh.yaml"));
    let environment = environment();
    let named = Override::parse(&format!("eso-crds={}", at("crds").display())).expect("a file");
    let overrides = Overrides::gather(&[named], &environment).expect("good overrides");
    let request = Request::new(environment, overrides).expect("a cache");
    let key = || {
        let catalogue = crate::language::Catalogue::from_paths(&[at("s.yaml")]).expect("a scenario");
        let scenarios = crate::language::load_all(&catalogue, &BTreeMap::new()).expect("it loads");
        Key::of("embedded", &request, &scenarios, Some(&at("values"))).expect("all is there")
    };
    let first = key();
    assert_eq!(key().differs(&first), None);
    let app =
        include_str!("../../catalogue/kv/app.yaml").replacen("refreshInterval: ", "refreshInterval: 1", 1);
    for (name, text, how) in [
        ("crds", "two", "other components were named for it"),
        ("values", "two", "it had other values for ESO's chart"),
        ("app.yaml", app.as_str(), "the scenarios were others"),
    ] {
        let before = fs::read_to_string(at(name)).expect("a file");
        write(name, text);
        assert_eq!(key().differs(&first), Some(how), "{name}");
        write(name, &before);
    }
    assert_eq!(key(), first);
}
