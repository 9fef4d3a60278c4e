//! The scenario that is played across an upgrade, written from what was found: everything is given, watched, and
//! held still while the kinds change, the program changes, and both come back where they can.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use handover_fixtures::components::Component;
use handover_harness::compare::STEADY as MARK;

use super::found::{Found, Place, Watch};
use super::origin::KvPath;

/// The scenario's name.
pub(super) const ID: &str = "upgrade/crossing";
/// How the names of the harness's own databases begin.
const OWN: &str = "handover";
/// The word for what was found, where the scenario names files.
pub(super) const FOUND: &str = "manifests";
/// The word for the harness's own part of the manifests.
pub(super) const STEADY: &str = "steady";
/// The credential that is written and synced at once in each phase (`scenarios/upgrade/steady.yaml`).
pub(super) const PACED: &str = "handover-paced";
/// The path that is read every two seconds.
pub(super) const TICKING: &str = "handover-ticking";
/// How often it is read.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// How the crossing is played.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long each phase is watched.
    pub hold: Duration,
    /// How often in each phase a value is written and timed.
    pub times: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { hold: Duration::from_secs(8), times: 8 }
    }
}

/// The scenario's text: `components` are replaced, and those of them that can go `back` do.
pub(super) fn text(found: &Found, components: &[Component], back: &[Component], pace: Pace) -> String {
    let mut text = String::new();
    let mut line = |line: &str| writeln!(text, "{line}").expect("a text takes what is written");
    line(&format!("scenario: {ID}"));
    let gives = if back.is_empty() { "" } else { ", and gives it back" };
    line(&format!(
        "about: Nothing that must stand still moves while one version takes another's place{gives}."
    ));
    line("exclusive: true");
    line("given:");
    let databases: Vec<&str> = components.iter().filter_map(|component| database(*component)).collect();
    for entry in given(found).into_iter().chain(databases.iter().flat_map(|kind| user_of(kind))) {
        line(&format!("  - {entry}"));
    }
    line("watch:");
    for path in called(found) {
        line(&format!("  - {{ calls: {} }}", quoted(&path)));
    }
    line("steps:");
    for step in steps(components, back, pace) {
        line(&format!("  - {step}"));
    }
    line("expect:");
    // The value that the harness itself writes shows that what stands still could have moved.
    line(&format!("  - rotations: {{ credential: {PACED}, at: secret, at_least: 1 }}"));
    for kind in databases {
        line(&format!("  - refused: {{ of: {OWN}-{kind}-login, exactly: 0 }}"));
        line(&format!("  - holds_still: {{ credential: {OWN}-{kind}-user, at: login, after: {MARK} }}"));
    }
    for value in found.values.iter().filter(|value| value.moves.is_none()) {
        let at = value.at.hop();
        line(&format!("  - holds_still: {{ credential: {}, at: {at}, after: {MARK} }}", quoted(&value.name)));
    }
    text
}

/// The paths of OpenBao whose calls are counted: the login, what is read all the time, and what was found.
pub(super) fn called(found: &Found) -> Vec<String> {
    let kv = |path: &KvPath| format!("{}/data/{}", path.mount, path.path);
    let own = [format!("secret/data/{TICKING}"), "auth/kubernetes/login".to_owned()];
    let roles = found.static_roles.iter().map(|role| format!("database/static-creds/{role}"));
    let dynamic = found.dynamic_roles.iter().map(|role| format!("database/creds/{role}"));
    own.into_iter().chain(found.kv.keys().map(kv)).chain(roles).chain(dynamic).collect()
}

/// The word for a database that is replaced.
fn database(component: Component) -> Option<&'static str> {
    matches!(component, Component::Mysql | Component::Valkey | Component::Postgres).then(|| component.name())
}

/// A user of a database that is replaced, who logs in all the time with a password that nobody changes: what was in it
/// before is there afterwards.
fn user_of(kind: &str) -> [String; 4] {
    let own = format!("{OWN}-{kind}");
    [
        format!("{kind}: {{ name: {own}, users: [{own}] }}"),
        format!("secret: {{ name: {own}-held, holds: {{ server: {own}, user: {own} }} }}"),
        format!("credential: {{ name: {own}-user, in: secret/{own}-held, fields: [username, password] }}"),
        format!("reader: {{ name: {own}-login, reads: {own}-user, logs_in_to: {own} }}"),
    ]
}

fn given(found: &Found) -> Vec<String> {
    let mut given = Vec::new();
    let users: BTreeSet<&String> = found.static_roles.iter().collect();
    if !users.is_empty() || !found.dynamic_roles.is_empty() {
        let users =
            if users.is_empty() { vec!["handover".to_owned()] } else { users.into_iter().cloned().collect() };
        given.push(format!("mysql: {{ name: handover-db, users: {} }}", list(&users)));
    }
    for role in &found.static_roles {
        // Longer than any upgrade is played: what a schedule moves, no version has moved.
        let role = quoted(role);
        given.push(format!("static_role: {{ name: {role}, server: handover-db, rotation_period: 24h }}"));
    }
    for role in &found.dynamic_roles {
        given.push(format!("dynamic_role: {{ name: {}, server: handover-db, ttl: 24h }}", quoted(role)));
    }
    for (number, (path, wanted)) in found.kv.iter().enumerate() {
        let fields: Vec<String> = wanted.fields.iter().cloned().collect();
        let fields = if fields.is_empty() { vec!["value".to_owned()] } else { fields };
        given.push(format!(
            "kv: {{ name: kv-{number}, mount: {}, path: {}, fields: {}, seeded: {} }}",
            quoted(&path.mount),
            quoted(&path.path),
            list(&fields),
            !wanted.pushed
        ));
    }
    for ((namespace, name), fields) in &found.secrets {
        let namespace = namespace.as_ref().map(|namespace| format!(", namespace: {}", quoted(namespace)));
        let fields: Vec<String> = fields.iter().cloned().collect();
        given.push(format!(
            "secret: {{ name: {}, fields: {}{} }}",
            quoted(name),
            list(&fields),
            namespace.unwrap_or_default()
        ));
    }
    for own in [PACED, TICKING] {
        given.push(format!("kv: {{ name: {own}, path: {own}, fields: [password] }}"));
    }
    given.push(format!("apply: [{FOUND}, {STEADY}]"));
    given.push(format!("credential: {{ name: {PACED}, store: {PACED}, in: secret/{PACED} }}"));
    given.extend(found.values.iter().map(|value| credential(found, value)));
    given
}

fn credential(found: &Found, value: &Watch) -> String {
    let name = quoted(&value.name);
    match &value.at {
        Place::Secret { namespace, name: secret, fields } => {
            let namespace = namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
            let fields = match fields.as_slice() {
                [] => "\"*\"".to_owned(),
                some => list(&some.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>()),
            };
            let place = quoted(&format!("{namespace}secret/{secret}"));
            format!("credential: {{ name: {name}, in: {place}, fields: {fields} }}")
        }
        Place::Store(path) => {
            let number = found.kv.keys().position(|known| known == path).unwrap_or_default();
            format!("credential: {{ name: {name}, store: kv-{number} }}")
        }
    }
}

fn steps(components: &[Component], back: &[Component], pace: Pace) -> Vec<String> {
    // At its beginning External Secrets Operator may make a value twice: that is no move of the upgrade.
    let mut steps = vec!["watch: 2s".to_owned(), format!("mark: {MARK}")];
    steps.extend(phase(pace));
    if components.contains(&Component::Eso) {
        steps.push("replace: { component: eso-crds, with: to }".to_owned());
        steps.extend(phase(pace));
    }
    for (components, end) in [(components, "to"), (back, "from")] {
        let replaced = |component: &Component| format!("replace: {{ component: {component}, with: {end} }}");
        steps.extend(components.iter().map(replaced));
        if !components.is_empty() {
            steps.extend(phase(pace));
        }
    }
    steps
}

/// What is done in each phase: nothing is touched but the harness's own value.
fn phase(pace: Pace) -> Vec<String> {
    let mut steps = vec![format!("watch: {}ms", pace.hold.as_millis())];
    for _ in 0..pace.times {
        steps.push(format!("rotate: {PACED}"));
        steps.push(format!("force_sync: externalsecret/{PACED}"));
        steps.push(format!("wait: {{ credential: {PACED}, at: secret, within: 20s }}"));
    }
    steps
}

/// As YAML takes any text: JSON is YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}
