//! Whole files: what the catalogue means, and what a file may say.

mod wrong;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use super::scenario::Scenario;
use super::{Catalogue, Problems, load_all};

/// Loads scenario files that stand in one folder.
fn load(files: &[(&str, &str)], sets: &[(&str, &str)]) -> Result<Vec<Scenario>, Problems> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let sets: BTreeMap<_, _> = sets.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    load_all(&Catalogue::from_paths(&[dir.path().to_path_buf()]).unwrap(), &sets)
}

/// The problems of one scenario file beside the manifests of this module, as `LINE:COLUMN: MESSAGE [HINT]`.
fn problems(text: &str) -> Vec<String> {
    let beside = [("app.yaml", APP), ("fleet.yaml", FLEET), ("tokens.yaml", TOKENS)];
    let loaded = load(&[&[("s.yaml", text)], beside.as_slice()].concat(), &[]);
    let Err(problems) = loaded else { return Vec::new() };
    // Files stand in a folder whose name means nothing.
    let folder = std::env::temp_dir().join(".tmp").display().to_string();
    let text = |text: &str| match text.split_once(&folder) {
        Some((before, rest)) => {
            format!("{before}{}", rest.split_once('/').map_or("", |(_, name)| name))
        }
        None => text.to_owned(),
    };
    let say = |problem: &super::Problem| {
        let place =
            problem.place.as_ref().map_or("-".to_owned(), |place| format!("{}:{}", place.line, place.column));
        let hint = problem.hint.as_ref().map(|hint| format!(" [{hint}]")).unwrap_or_default();
        text(&format!("{place}: {}{hint}", problem.message))
    };
    problems.as_slice().iter().map(say).collect()
}

const APP: &str = include_str!("../../catalogue/kv/app.yaml");
const FLEET: &str = include_str!("../../catalogue/mysql/fleet.yaml");
const TOKENS: &str = include_str!("../../catalogue/kubelet/tokens.yaml");
const TOKEN: &str = include_str!("../../catalogue/kubelet/projected-token.yaml");

/// A scenario about a KV value and one about a static role, to be spoilt.
const KV: &str = "\
scenario: a/b
about: x
given:
  - kv: { name: app, path: app, fields: [password] }
  - apply: app.yaml
  - credential: { name: app, store: app, in: secret/app }
steps:
  - rotate: app
expect:
  - propagates: { credential: app, to: secret, within: 7s }
";
const ROLE: &str = "\
scenario: a/b
about: x
given:
  - mysql: { name: db, users: [fleet] }
  - static_role: { name: fleet, server: db, rotation_period: 1h }
  - apply: fleet.yaml
  - credential: { name: fleet, store: fleet, in: secret/fleet-mysql }
  - reader: { name: web, reads: fleet, logs_in_to: db }
steps:
  - rotate: fleet
expect:
  - outage: { of: web, at_most: refresh_interval + 2s }
";

/// What is said when a piece of a sound scenario is replaced, one replacement after the other.
fn spoilt(sound: &str, replacements: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (from, to) in replacements {
        assert!(sound.contains(from), "{from}");
        let lines = problems(&sound.replacen(from, to, 1));
        assert!(!lines.is_empty(), "nothing is said about `{to}`");
        writeln!(out, "{}\n    {}", to.trim(), lines.join("\n    ")).unwrap();
    }
    out
}

#[test]
fn the_catalogue_means_what_it_says() {
    let scenarios =
        load_all(&Catalogue::embedded(), &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems}"));
    for scenario in scenarios {
        let told = !scenario.plan.covers.is_empty() || !scenario.plan.claims.is_empty();
        assert!(told, "{} states its source under `covers` or `settles`", scenario.id);
        insta::assert_snapshot!(scenario.id.replace('/', "-"), summary(&scenario));
    }
}

/// All of a scenario but the objects themselves.
fn summary(scenario: &Scenario) -> String {
    let mut out = String::new();
    let Scenario { databases, static_roles, kv, credentials, readers, objects, calls, needs, vars, .. } =
        scenario;
    writeln!(out, "needs {needs:?}, vars {vars:?}").unwrap();
    for line in databases.iter().map(|it| format!("{it:?}")) {
        writeln!(out, "{line}").unwrap();
    }
    let lines = static_roles.iter().map(|it| format!("{it:?}")).chain(kv.iter().map(|it| format!("{it:?}")));
    let lines = lines.chain(credentials.iter().map(|it| format!("{it:?}")));
    let lines = lines.chain(readers.iter().map(|it| format!("{it:?}")));
    let lines = lines.chain(objects.iter().map(|it| format!("{it:?}")));
    for line in lines.chain(calls.iter().map(|it| format!("{it:?}"))) {
        writeln!(out, "{line}").unwrap();
    }
    for manifest in &scenario.manifests {
        writeln!(out, "{}:{} {} {}", manifest.file, manifest.line, manifest.kind, manifest.name).unwrap();
    }
    for inference in &scenario.inferences {
        writeln!(out, "{}:{} {}", inference.file, inference.line, inference.text).unwrap();
    }
    for step in &scenario.steps {
        writeln!(out, "line {}: {} = {:?}", step.line, step.text, step.action).unwrap();
    }
    out + &serde_json::to_string_pretty(&scenario.plan).unwrap()
}

#[test]
fn sound_scenarios_are_sound() {
    assert_eq!(problems(KV), Vec::<String>::new());
    assert_eq!(problems(ROLE), Vec::<String>::new());
}

#[test]
fn a_field_can_be_a_part_of_a_key() {
    let keyed = KV.replace("in: secret/app }", "in: secret/app, key: password, extract: url.password }");
    let mapped = KV.replace(
        "in: secret/app }",
        "in: secret/app, fields: { password: { key: password, extract: url.password } } }",
    );
    for text in [keyed, mapped] {
        let scenario = load(&[("s.yaml", &text), ("app.yaml", APP)], &[]).unwrap().remove(0);
        let secret = scenario.credentials[0].secret.as_ref().unwrap();
        assert_eq!(format!("{:?}", secret.keys), r#"{"password": "password" url.password}"#);
    }
    let role = ROLE.replace("in: secret/fleet-mysql }", "in: secret/fleet-mysql, key: password }");
    let scenario = load(&[("s.yaml", &role), ("fleet.yaml", FLEET)], &[]).unwrap().remove(0);
    assert_eq!(scenario.credentials[0].fields, ["password"]);
}

/// Two candidates are named both; nothing that refreshes is said to have no interval.
#[test]
fn manifests_that_do_not_decide() {
    let twice =
        format!("{APP}---\n{}", APP.rsplit("---\n").next().unwrap().replacen("name: app", "name: two", 1));
    let zero = APP.replace("refreshInterval: 5s", "refreshInterval: \"0\"");
    let day = APP.replace("refreshInterval: 5s", "refreshInterval: 1d");
    let scenario = KV
        .replace("within: 7s", "within: limit")
        .replace("steps:", "vars: { limit: refresh_interval + 2s }\nsteps:");
    let mut out = String::new();
    for manifest in [&twice, &zero, &day] {
        let problems = load(&[("s.yaml", &scenario), ("app.yaml", manifest)], &[]).unwrap_err();
        let dir = problems.as_slice()[0].file.rsplit_once('/').unwrap().0.to_owned() + "/";
        writeln!(out, "{}\n", problems.render(false).replace(&dir, "")).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_secret_that_the_manifests_hold_needs_no_external_secret() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { password: x }\n";
    let scenario = load(&[("s.yaml", KV), ("app.yaml", secret)], &[]).unwrap().remove(0);
    assert_eq!(scenario.credentials[0].secret.as_ref().unwrap().external_secret, None);
    assert_eq!(scenario.plan.probes.keys().collect::<Vec<_>>(), ["secret:app", "store:app"]);
}

#[test]
fn a_push_secret_that_feeds_gives_the_interval() {
    let push = "apiVersion: external-secrets.io/v1alpha1\nkind: PushSecret\nmetadata: { name: p }\n\
                spec: { data: [{ match: { remoteRef: { remoteKey: secret/data/app } } }] }\n";
    let text = KV
        .replace("in: secret/app", "fields: [password]")
        .replace("to: secret, within: 7s", "to: store, within: refresh_interval");
    let scenario = load(&[("s.yaml", &text), ("app.yaml", push)], &[]).unwrap().remove(0);
    assert_eq!(scenario.inferences[0].text, "app is fed by PushSecret p, refreshInterval 1h by default");
    assert_eq!(scenario.plan.expectations[0].text, "app reaches store within 1 h");
}

#[test]
fn sets_replace_vars() {
    let text = KV.replace("within: 7s", "within: limit").replace("steps:", "vars: { limit: 7s }\nsteps:");
    let files = [("s.yaml", text.as_str()), ("app.yaml", APP)];
    let scenario = load(&files, &[("limit", "2 * refresh_interval"), ("other", "1s")]).unwrap().remove(0);
    assert_eq!(scenario.plan.expectations[0].text, "app reaches secret within 10 s");
    assert_eq!(scenario.vars, BTreeMap::from([("limit".to_owned(), "2 * refresh_interval".to_owned())]));
    let problems = load(&files, &[("limit", "1d")]).unwrap_err();
    assert_eq!(problems.as_slice().len(), 1);
    let said = problems.as_slice()[0].to_string();
    assert_eq!(said, "--set limit:1:1: `1d` has a unit that does not exist: `d`");
}

#[test]
fn two_scenarios_of_one_name_are_an_error() {
    let problems = load(&[("a.yaml", KV), ("b.yaml", KV), ("app.yaml", APP)], &[]).unwrap_err();
    let [one] = problems.as_slice() else { panic!("{problems}") };
    assert_eq!(one.message, "scenario `a/b` is given twice");
    assert!(one.file.ends_with("b.yaml") && one.hint.as_ref().unwrap().ends_with("a.yaml:1"));
}

/// The verbs and fields that the catalogue does not use.
#[test]
fn the_rest_of_the_language() {
    let text = ROLE
        .replace("server: db,", "server: db, user: fleet,")
        .replace(
            "in: secret/fleet-mysql }",
            "in: secret/fleet-mysql, fields: { username: username, password: password } }",
        )
        .replace("steps:", "exclusive: true\nslow: true\nneeds: [proxy]\nwatch: [{ objects: Pod }]\nsteps:")
        .replace(
            "expect:",
            "expect:\n  - objects: { kind: Pod, at_most: 2 + 1 }\n  - objects: { kind: Job, at_least: 1 }",
        );
    let scenario = load(&[("s.yaml", &text), ("fleet.yaml", FLEET)], &[]).unwrap().remove(0);
    assert!(scenario.exclusive && scenario.slow);
    assert_eq!(scenario.needs.iter().collect::<Vec<_>>(), ["eso", "mysql", "openbao", "proxy"]);
    let counted: Vec<_> = scenario.objects.iter().map(|object| object.counter.as_str()).collect();
    assert_eq!(counted, ["objects:Pod", "objects:Job"]);
    let texts: Vec<_> = scenario.plan.expectations.iter().map(|expected| expected.text.as_str()).collect();
    assert_eq!(
        texts[..2],
        ["there are never more than 3 Pod objects", "at some time there are 1 Job objects or more"]
    );
}

/// However a file breaks off, and whatever stands in it, the answer is a scenario or problems that can be shown.
#[test]
fn any_text_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (path, manifest) = (dir.path().join("s.yaml"), dir.path().join("fleet.yaml"));
    fs::write(&manifest, FLEET).unwrap();
    let sound = ROLE.replace("about: x", "about: é ü");
    let prefixes = sound.char_indices().map(|(end, _)| sound[..end].to_owned());
    let holes =
        sound.char_indices().map(|(at, c)| format!("{}{}", &sound[..at], &sound[at + c.len_utf8()..]));
    // As deep as the reader goes.
    let nested = format!("scenario: {}", "{a: ".repeat(127) + &"}".repeat(127));
    let spoilt = prefixes.step_by(3).chain(holes.step_by(4));
    for text in spoilt.filter(|text| text.starts_with("scenario:")).chain([nested]) {
        fs::write(&path, &text).unwrap();
        let catalogue = Catalogue::from_paths(std::slice::from_ref(&path)).unwrap();
        if let Err(problems) = load_all(&catalogue, &BTreeMap::new()) {
            assert!(!problems.render(true).is_empty(), "{text}");
        }
    }
}

#[test]
fn a_scale_shrinks_what_belongs_together() {
    let fleet = FLEET.replace("refreshInterval: 5s", "refreshInterval: 1h");
    let text = ROLE.replace("about: x", "about: x\nscale: 1/360");
    let scenario = load(&[("s.yaml", &text), ("fleet.yaml", &fleet)], &[]).unwrap().remove(0);
    assert_eq!(scenario.static_roles[0].rotation_period, Duration::from_secs(10));
    assert_eq!(scenario.plan.expectations[0].text, "web is refused no longer than 12 s");
    assert_eq!(scenario.plan.scale.as_deref(), Some("1/360"));
    let refresh = scenario.plan.credentials["fleet"].refresh.unwrap();
    assert_eq!((refresh.real.duration().as_secs(), refresh.played.duration().as_secs()), (3600, 10));
    let external = scenario.manifests.iter().find(|manifest| manifest.kind == "ExternalSecret").unwrap();
    assert_eq!(external.object["spec"]["refreshInterval"], "10s");
    let notes: Vec<_> = scenario.inferences.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        notes,
        [
            "refreshInterval of ExternalSecret fleet-mysql is 10s here, not 1 h (scale 1/360)",
            "rotation_period of fleet is 10 s here, not 1 h (scale 1/360)",
            "fleet is carried by ExternalSecret fleet-mysql, refreshInterval 1h, here 10 s",
        ]
    );
    // What lives for so long lives shorter, too.
    let dynamic = text
        .replace("  - static_role:", "  - login: { role: fleet, token_ttl: 2h, token_max_ttl: 6h }\n  - dynamic_role: { name: other, server: db, ttl: 1h, max_ttl: 24h }\n  - static_role:");
    let scenario = load(&[("s.yaml", &dynamic), ("fleet.yaml", &fleet)], &[]).unwrap().remove(0);
    let (role, login) = (&scenario.dynamic_roles[0], &scenario.logins[0]);
    assert_eq!((role.ttl.as_secs(), role.max_ttl.as_secs()), (10, 240));
    let ttls = [login.token_ttl, login.token_max_ttl].map(|ttl| ttl.unwrap().as_secs());
    assert_eq!(ttls, [20, 60]);
    let notes =
        scenario.inferences.iter().filter(|one| one.text.contains("ttl")).map(|one| one.text.as_str());
    assert_eq!(
        notes.collect::<Vec<_>>(),
        [
            "ttl of other is 10 s here, not 1 h (scale 1/360)",
            "max_ttl of other is 4 min here, not 24 h (scale 1/360)",
            "token_ttl of fleet is 20 s here, not 2 h (scale 1/360)",
            "token_max_ttl of fleet is 60 s here, not 6 h (scale 1/360)",
        ]
    );
    // The defaults of what says nothing shrink as well.
    let silent = FLEET.replace("  refreshInterval: 5s\n", "");
    let scenario = load(&[("s.yaml", &text), ("fleet.yaml", &silent)], &[]).unwrap().remove(0);
    let external = scenario.manifests.iter().find(|manifest| manifest.kind == "ExternalSecret").unwrap();
    assert_eq!(external.object["spec"]["refreshInterval"], "10s");
}
