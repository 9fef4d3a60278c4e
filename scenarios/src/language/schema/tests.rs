//! The schema and the reader say the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::schema;
use crate::language::docs::{EXTRACTS, page};
use crate::language::error::Sink;
use crate::language::node::documents;
use crate::language::room::Described;
use crate::language::source::Source;
use crate::language::{Catalogue, Problems, expect, given, load_all, steps};

/// What the examples name beside each other: with them it is one sound scenario.
const BESIDE: [&str; 3] = [
    "- credential: { name: app, store: app, in: secret/app }",
    "- static_role: { name: late, server: ledger, user: clerk, rotation_period: 1h, later: true }",
    "- apply: web.yaml",
];

/// The workload that the examples speak of: that of a scenario, under another name.
fn web() -> String {
    let all = include_str!("../../../catalogue/mysql/consumers.yaml");
    let found = all.split("---\n").find(|one| one.contains("kind: Deployment"));
    found.expect("it has one").replace("fresh", "web")
}

struct Validator {
    schemas: Schemas,
    scenario: SchemaIndex,
}

fn validator() -> Validator {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.add_resource("schema.json", serde_json::from_str(&schema()).unwrap()).unwrap();
    let scenario = compiler.compile("schema.json", &mut schemas).unwrap();
    Validator { schemas, scenario }
}

fn value(text: &str) -> Value {
    let sink = Sink::default();
    documents(&Source::new("s.yaml", text), &sink).nodes[0].json()
}

fn verbs() -> Vec<Described> {
    given::described().into_iter().chain(steps::described()).chain(expect::described()).collect()
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    let valid = validator.schemas.validate(value, validator.scenario);
    valid.err().map(|error| error.to_string()).into_iter().collect()
}

/// Loads one scenario beside the manifests that the examples name.
fn load(text: &str) -> Result<(), Problems> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("s.yaml"), text).unwrap();
    for (name, text) in [
        ("app.yaml", include_str!("../../../catalogue/kv/app.yaml").replace("key: app", "key: team/app")),
        ("fleet.yaml", include_str!("../../../catalogue/mysql/fleet.yaml").to_owned()),
        ("web.yaml", web()),
        ("more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\n".to_owned()),
        ("external-secrets", "a program".to_owned()),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let catalogue = Catalogue::from_paths(&[dir.path().join("s.yaml")]).unwrap();
    load_all(&catalogue, &BTreeMap::new()).map(drop)
}

/// A scenario in which all examples of `given` stand, and these entries of the other rooms.
fn around(given: &[&str], step: Option<&str>, expect: Option<&str>) -> String {
    let indented = |text: &&str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let given: String = given.iter().chain(&BESIDE).map(indented).collect();
    let step = indented(&step.unwrap_or("- rotate: fleet"));
    let expect = indented(&expect.unwrap_or("- rotations: { credential: fleet, at: secret, exactly: 1 }"));
    format!("scenario: an/example\nabout: x\nexclusive: true\ngiven:\n{given}steps:\n{step}expect:\n{expect}")
}

/// The example scenario, with another text in place of the example of one verb.
fn scene(verb: &Described, example: &str) -> String {
    let all = given::described();
    let given: Vec<_> =
        all.iter().map(|one| if one.word == verb.word { example } else { one.example }).collect();
    match verb.room {
        "given" => around(&given, None, None),
        "steps" => {
            let given: Vec<_> = all.iter().map(|one| one.example).collect();
            around(&given, Some(example), None)
        }
        _ => {
            let given: Vec<_> = all.iter().map(|one| one.example).collect();
            around(&given, None, Some(example))
        }
    }
}

#[test]
fn the_committed_schema_is_the_printed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "run `handover schema > scenarios/schema.json`, or this test with UPDATE=1"
    );
}

#[test]
fn the_committed_page_is_the_printed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page(), "run `handover docs > docs/language.md`, or this test with UPDATE=1");
}

/// What somebody wrote who had only the page: under twenty lines, sound, and valid.
#[test]
fn the_page_is_enough_to_write_a_scenario() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples");
    let text = fs::read_to_string(path.join("two-databases.yaml")).unwrap();
    assert!(text.lines().count() < 20);
    assert_eq!(complaints(&validator(), &value(&text)), Vec::<String>::new());
    let catalogue = Catalogue::from_paths(&[path]).unwrap();
    let scenarios = load_all(&catalogue, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenarios[0].readers.len(), 2);
}

#[test]
fn the_catalogue_is_valid_and_names_the_schema() {
    let validator = validator();
    for source in Catalogue::embedded().sources() {
        assert_eq!(complaints(&validator, &value(source.text())), Vec::<String>::new(), "{}", source.name());
        let up = "../".repeat(1 + source.name().matches('/').count());
        let first = format!("# yaml-language-server: $schema={up}schema.json\n");
        assert!(source.text().starts_with(&first), "{} begins with `{}`", source.name(), first.trim());
    }
}

#[test]
fn everything_is_described() {
    fn walk(path: &str, schema: &Value, bare: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            // The one key of an entry is described by the entry.
            let entry = schema["required"] == json!([key]) && property.get("$ref").is_some();
            if property.get("description").is_none() && !entry {
                bare.push(format!("{path}.{key}"));
            }
            walk(&format!("{path}.{key}"), property, bare);
        }
        for list in ["anyOf", "oneOf", "allOf"] {
            for option in schema[list].as_array().into_iter().flatten() {
                walk(path, option, bare);
            }
        }
    }
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut bare = Vec::new();
    walk("file", &schema, &mut bare);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        walk(name, definition, &mut bare);
        let room = ["given", "steps", "expect", "Expectation"].contains(&name.as_str());
        if definition.get("description").is_none() && !room {
            bare.push(name.clone());
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn every_example_is_sound_and_valid() {
    let validator = validator();
    let examples: Vec<_> = given::described().iter().map(|one| one.example).chain(EXTRACTS).collect();
    let text = around(&examples, None, None);
    assert_eq!(complaints(&validator, &value(&text)), Vec::<String>::new());
    load(&text).unwrap_or_else(|problems| panic!("{problems}"));
    for verb in verbs() {
        let text = scene(&verb, verb.example);
        let found = complaints(&validator, &value(&text));
        assert_eq!(found, Vec::<String>::new(), "{} {}", verb.room, verb.word);
        if let Err(problems) = load(&text) {
            panic!("the example of `{}` in `{}`:\n{problems}", verb.word, verb.room);
        }
    }
}

/// A key that the reader misses is one that the schema misses, and the other way round.
#[test]
fn the_reader_and_the_schema_miss_the_same_keys() {
    let validator = validator();
    let mut apart = Vec::new();
    for verb in verbs() {
        let entry = value(verb.example)[0].take();
        let Some(keys) = entry[verb.word].as_object() else { continue };
        for key in keys.keys() {
            let mut less = entry.clone();
            less[verb.word].as_object_mut().unwrap().remove(key);
            let text = scene(&verb, &format!("- {less}"));
            let valid = complaints(&validator, &value(&text)).is_empty();
            let lacks = format!("`{}` lacks `{key}`", verb.word);
            let told = load(&text).err().map(|problems| problems.to_string()).unwrap_or_default();
            // A rule over several keys has words of its own.
            let missed = told.contains(&lacks) || told.contains("how many") || told.contains("nowhere");
            if valid == missed {
                apart.push(format!("{}.{} without `{key}`: {told}", verb.room, verb.word));
            }
        }
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}

#[test]
fn mistakes_are_invalid() {
    let validator = validator();
    let sound = scene(&steps::described()[0], "- rotate: fleet");
    for (from, to) in [
        ("rotate: fleet", "rotat: fleet"),
        ("rotate: fleet", "rotate: { credential: fleet, to: last }"),
        ("rotate: fleet", "rotate: fleet\n    hold: fleet"),
        ("at: secret, exactly: 1", "at: sceret, exactly: 1"),
        ("at: secret, exactly: 1", "at: secret"),
        ("at: secret, exactly: 1", "at: secret, exactly: -1"),
        ("at: secret, exactly: 1", "at: secret, exactly: 1, exaclty: 2"),
        ("about: x", "about: x\nslow: 1"),
        ("about: x", "abuot: x"),
        ("about: x", "about:"),
        ("users: [fleet]", "users: []"),
        ("name: web", "name: \"web:1\""),
        ("in: secret/app", "in: app"),
    ] {
        assert!(sound.contains(from), "{from}");
        let text = sound.replacen(from, to, 1);
        assert!(!complaints(&validator, &value(&text)).is_empty(), "nobody minds `{to}`");
    }
    assert_eq!(complaints(&validator, &value(&sound)), Vec::<String>::new());
}
