//! Kubernetes manifests: the objects of a file, and which of them carry credentials.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::duration::{self, spoken};
use super::error::Sink;
use super::names::listed;
use super::node::{Node, Value, documents};
use super::scale::{Grain, Scale, written};
use super::scenario::{Inference, Manifest};
use super::source::{Source, Span};
use super::vars::Interval;

mod eso;

/// What External Secrets Operator takes where a manifest says nothing.
const DEFAULT_REFRESH: Duration = Duration::from_secs(3600);

/// One object, with its places.
pub(crate) struct Object {
    pub(crate) manifest: Manifest,
    pub(crate) span: Span,
    pub(crate) carrier: Option<Carrier>,
    /// Its times that a scale shrinks.
    pub(crate) times: Vec<Time>,
}

/// A time of an object's that a scale shrinks.
pub(crate) struct Time {
    path: Vec<&'static str>,
    /// Where it stands, or the object where it is a default.
    span: Span,
    real: Duration,
    grain: Grain,
}

/// What moves a credential between OpenBao and Kubernetes.
#[derive(Clone)]
pub(crate) struct Carrier {
    pub(crate) way: Way,
    pub(crate) interval: Interval,
    /// The interval as the manifest says it.
    pub(crate) refresh: String,
    /// The interval before a scale shrank it.
    pub(crate) real: Option<Duration>,
}

#[derive(Clone)]
pub(crate) enum Way {
    /// An ExternalSecret: it writes this Secret, with these keys where they can be told.
    Writes { secret: String, keys: Option<BTreeSet<String>> },
    /// A PushSecret: it writes these paths.
    Feeds(Vec<String>),
}

impl Object {
    /// `ExternalSecret app`
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.manifest.kind, self.manifest.name)
    }

    /// `ExternalSecret app (kv/app.yaml:24)`
    pub(crate) fn placed(&self) -> String {
        format!("{} ({})", self.title(), self.span.place())
    }
}

impl Object {
    /// Shrinks its times. Answers with what was changed; what cannot be is reported.
    pub(crate) fn shrink(&mut self, sink: &Sink, scale: &Scale) -> Vec<Inference> {
        let mut changes = Vec::new();
        for Time { path, span, real, grain } in std::mem::take(&mut self.times) {
            let key = path.last().unwrap_or(&"");
            let what = format!("{key} of {}", self.title());
            let Some(short) = scale.shrink(sink, &span, &what, real, grain) else { continue };
            set(&mut self.manifest.object, &path, written(short).into());
            if path == ["spec", "refreshInterval"]
                && let Some(carrier) = &mut self.carrier
                && let Interval::Every(interval) = &mut carrier.interval
            {
                *interval = short;
                carrier.real = Some(real);
                carrier.refresh = format!("{}, here {}", carrier.refresh, spoken(short));
            }
            let text = format!("{what} is {} here, not {} ({scale})", written(short), spoken(real));
            changes.push(Inference { text, file: self.manifest.file.clone(), line: span.line() });
        }
        changes
    }
}

/// Puts a value where the path leads.
fn set(object: &mut serde_json::Value, path: &[&str], value: serde_json::Value) {
    let mut place = object;
    for key in path {
        place = &mut place[*key];
    }
    *place = value;
}

/// The times of an object that a scale shrinks: intervals, and how long what a generator asks for lives.
fn times(node: &Node, api: &str, kind: &str) -> Vec<Time> {
    let time = |path: &[&'static str], span: &Span, real: Duration, grain: Grain| {
        (!real.is_zero()).then(|| Time { path: path.to_vec(), span: span.clone(), real, grain })
    };
    let said = |path: &[&'static str], grain: Grain| {
        let field = node.at(path)?;
        time(path, &field.span, duration::parse(field.text()?).ok()?, grain)
    };
    let refresh = |path: &[&'static str]| match node.at(path) {
        Some(_) => said(path, Grain::REFRESH),
        None => time(path, &node.span, DEFAULT_REFRESH, Grain::REFRESH),
    };
    let found = match kind {
        _ if !eso::is_ours(api) => vec![],
        "ExternalSecret" | "PushSecret" => vec![refresh(&["spec", "refreshInterval"])],
        "ClusterExternalSecret" => vec![
            said(&["spec", "refreshTime"], Grain::REFRESH),
            refresh(&["spec", "externalSecretSpec", "refreshInterval"]),
        ],
        "ClusterPushSecret" => vec![
            said(&["spec", "refreshTime"], Grain::REFRESH),
            refresh(&["spec", "pushSecretSpec", "refreshInterval"]),
        ],
        "VaultDynamicSecret" => vec![said(&["spec", "parameters", "ttl"], Grain::TTL)],
        _ => vec![],
    };
    found.into_iter().flatten().collect()
}

/// The objects of a file, and whether all could be read.
pub(crate) fn read(source: &Arc<Source>, sink: &Sink) -> (Vec<Object>, bool) {
    if may_hold_secret(source.text()) {
        source.hide();
    }
    let documents = documents(source, sink);
    let nodes: Vec<_> = documents.nodes.iter().flat_map(unfolded).collect();
    if nodes.iter().any(|node| node.get("kind").and_then(Node::text) == Some("Secret")) {
        source.hide();
    }
    let objects: Vec<_> = nodes.iter().filter_map(|node| object(node, sink)).collect();
    let whole = documents.whole && objects.len() == nodes.len();
    (objects, whole)
}

/// The items of a `List`, or of a list of one kind; else the object itself.
fn unfolded(node: &Node) -> Vec<&Node> {
    let kind = node.get("kind").and_then(Node::text).unwrap_or_default();
    match node.get("items").map(|items| &items.value) {
        Some(Value::List(items)) if kind.ends_with("List") => items.iter().flat_map(unfolded).collect(),
        Some(_) | None => vec![node],
    }
}

/// Whether the word `Secret` stands anywhere outside of a comment: then nothing of the file is ever shown,
/// even where it cannot be parsed.
fn may_hold_secret(text: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        line.match_indices("Secret").any(|(at, word)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    })
}

fn object(node: &Node, sink: &Sink) -> Option<Object> {
    if node.map().is_none() {
        sink.report(&node.span, format!("expected a Kubernetes object, found {}", node.what()));
        return None;
    }
    let needed: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];
    complete(node, &needed, sink);
    let [api, kind, name] = needed.map(|path| text(node.at(path)?, &path.join("."), sink));
    let namespace = match node.at(&["metadata", "namespace"]) {
        Some(namespace) => Some(text(namespace, "metadata.namespace", sink)?),
        None => None,
    };
    let (api, kind, name) = (api?, kind?, name?);
    if eso::is_ours(&api) {
        eso::check(node, &api, &kind, sink);
    }
    let ours = api.starts_with("external-secrets.io/");
    let carrier = match kind.as_str() {
        "ExternalSecret" if ours => external_secret(node, &name),
        "PushSecret" if ours => Some(push_secret(node)),
        _ => None,
    };
    let file = node.span.source.name().to_owned();
    let manifest = Manifest { file, line: node.span.line(), kind, name, namespace, object: node.json() };
    let times = times(node, &api, &manifest.kind);
    Some(Object { manifest, span: node.span.clone(), carrier, times })
}

/// Reports in one go what an object lacks.
fn complete(node: &Node, needed: &[&[&str]], sink: &Sink) {
    let absent = needed.iter().filter(|path| node.at(path).is_none());
    let absent: Vec<_> = absent.map(|path| format!("`{}`", path.join("."))).collect();
    if absent.is_empty() {
        return;
    }
    let message = format!("this object lacks {}", listed(absent.iter().map(String::as_str)));
    if node.at(&["metadata", "generateName"]).is_some() {
        sink.report_with(&node.span, message, "a generated name cannot be found again; give it a name");
    } else {
        sink.report(&node.span, message);
    }
}

fn text(node: &Node, what: &str, sink: &Sink) -> Option<String> {
    match node.text() {
        Some(text) if !text.is_empty() => Some(text.to_owned()),
        Some(_) => {
            sink.report(&node.span, format!("`{what}` is empty"));
            None
        }
        None => {
            sink.report(&node.span, format!("`{what}` must be text, found {}", node.what()));
            None
        }
    }
}

fn external_secret(node: &Node, name: &str) -> Option<Carrier> {
    let (mut interval, refresh) = interval(node.at(&["spec", "refreshInterval"]));
    let policy = node.at(&["spec", "refreshPolicy"]).and_then(Node::text);
    if let Some(policy @ ("CreatedOnce" | "OnChange")) = policy {
        interval = Interval::Never(format!("refreshPolicy {policy}"));
    }
    // It only checks that the value can be read.
    if node.at(&["spec", "target", "creationPolicy"]).and_then(Node::text) == Some("None") {
        return None;
    }
    let secret = node.at(&["spec", "target", "name"]).and_then(Node::text).unwrap_or(name).to_owned();
    Some(Carrier { way: Way::Writes { secret, keys: keys(node) }, interval, refresh, real: None })
}

/// The keys that an ExternalSecret writes, where the manifest alone tells.
fn keys(node: &Node) -> Option<BTreeSet<String>> {
    let names = |node: &Node| -> Option<BTreeSet<String>> {
        Some(node.map()?.iter().map(|(key, _)| key.text.clone()).collect())
    };
    if let Some(template) = node.at(&["spec", "target", "template"]) {
        let merged = template.at(&["mergePolicy"]).and_then(Node::text) == Some("Merge");
        match (template.at(&["data"]), template.at(&["templateFrom"]), merged) {
            (Some(data), None, false) => return names(data),
            (None, None, _) => {}
            (_, Some(_), _) | (Some(_), None, true) => return None,
        }
    }
    if node.at(&["spec", "dataFrom"]).is_some() {
        return None;
    }
    let data = node.at(&["spec", "data"])?;
    data.items().iter().map(|item| item.at(&["secretKey"])?.text().map(str::to_owned)).collect()
}

fn push_secret(node: &Node) -> Carrier {
    let (interval, refresh) = interval(node.at(&["spec", "refreshInterval"]));
    let data = node.at(&["spec", "data"]).map(Node::items).unwrap_or_default();
    let mut paths: Vec<_> = data
        .iter()
        .filter_map(|item| item.at(&["match", "remoteRef", "remoteKey"])?.text().map(str::to_owned))
        .collect();
    paths.dedup();
    Carrier { way: Way::Feeds(paths), interval, refresh, real: None }
}

/// What a `refreshInterval` means, and how the manifest says it. What is wrong with it was reported.
fn interval(node: Option<&Node>) -> (Interval, String) {
    let Some(node) = node else {
        return (Interval::Every(DEFAULT_REFRESH), "1h by default".to_owned());
    };
    let said = match node.text() {
        Some("0") | None => node.span.text().to_owned(),
        Some(text) => text.to_owned(),
    };
    match node.text().map(|text| (text, duration::parse(text))) {
        Some(("0", _) | (_, Ok(Duration::ZERO))) => (never(&said), said),
        Some((_, Ok(span))) => (Interval::Every(span), said),
        Some((_, Err(_))) | None => (Interval::Unknown, said),
    }
}

fn never(said: &str) -> Interval {
    Interval::Never(format!("refreshInterval {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> (Vec<Object>, Vec<String>, String) {
        let sink = Sink::default();
        let (objects, whole) = read(&Source::new("m.yaml", text), &sink);
        match sink.finish(()) {
            Ok(_) => {
                assert!(whole);
                (objects, Vec::new(), String::new())
            }
            Err(problems) => {
                let lines = problems.as_slice().iter().map(ToString::to_string).collect();
                (objects, lines, problems.render(false))
            }
        }
    }

    const HEAD: &str = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: app }\n";

    #[test]
    fn every_broken_document_is_reported() {
        let (objects, lines, _) = problems(
            "kind: ConfigMap\nmetadata:\n  name: a\n---\n- 1\n---\na: [\n---\napiVersion: v1\nkind: Pod\n\
             metadata: { generateName: x- }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: fine }\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: { name: 5, namespace: [] }\n",
        );
        assert_eq!(objects.len(), 1);
        assert_eq!((objects[0].manifest.name.as_str(), objects[0].manifest.line), ("fine", 13));
        let heads: Vec<_> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(
            heads,
            ["m.yaml:1:1", "m.yaml:5:1", "m.yaml:7:4", "m.yaml:9:1", "m.yaml:19:19", "m.yaml:19:33"]
        );
        assert_eq!(lines[3], "m.yaml:9:1: this object lacks `metadata.name`");
    }

    #[test]
    fn bad_intervals_are_found() {
        for (interval, message, hint) in [
            ("1d", "bad duration: `1d` has a unit that does not exist: `d`", "write `24h`"),
            ("abc", "bad duration: `abc` is not a duration", "write it as"),
            ("0", "`refreshInterval` is text, found a number", "write \"0\", in quotes"),
            ("30", "`refreshInterval` is text, found a number", "write `30s`"),
            ("[5s]", "`refreshInterval` is text, found a list", ""),
        ] {
            let (_, lines, rendered) = problems(&format!("{HEAD}spec: {{ refreshInterval: {interval} }}\n"));
            assert_eq!(lines, [format!("m.yaml:4:26: {message}")]);
            assert!(rendered.contains(hint), "{rendered}");
        }
    }

    #[test]
    fn every_duration_of_the_operator_is_looked_at() {
        let (_, lines, _) = problems(
            "apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nmetadata: { name: a }\n\
             spec: { refreshTime: 1d, externalSecretSpec: { refreshInterval: 2d } }\n---\n\
             apiVersion: external-secrets.io/v1alpha1\nkind: PushSecret\nmetadata: { name: a }\n\
             spec: { refreshInterval: 3d }\n---\n\
             apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: { name: a }\n\
             spec: { refreshInterval: 4d, retrySettings: { retryInterval: 5d } }\n---\n\
             apiVersion: generators.external-secrets.io/v1alpha1\nkind: Webhook\nmetadata: { name: a }\n\
             spec: { timeout: 6d }\n",
        );
        let places: Vec<_> = lines.iter().map(|line| line.split(':').nth(1).unwrap()).collect();
        assert_eq!(places, ["4", "4", "9", "14", "14", "19"], "{lines:?}");
    }

    #[test]
    fn versions_that_are_not_served_are_found() {
        let told = |api: &str, kind: &str| {
            let sink = Sink::default();
            let text = format!("kind: {kind}\napiVersion: {api}\nmetadata: {{ name: a }}\n");
            read(&Source::new("m.yaml", text), &sink);
            match sink.finish(()) {
                Ok(((), warned)) => {
                    warned.map_or("fine".to_owned(), |warned| format!("warned: {}", warned.as_slice()[0]))
                }
                Err(problems) => problems.as_slice()[0].to_string(),
            }
        };
        for (api, kind, said) in [
            ("external-secrets.io/v1", "ExternalSecret", "fine"),
            ("external-secrets.io/v1alpha1", "PushSecret", "fine"),
            ("generators.external-secrets.io/v1alpha1", "Password", "fine"),
            ("example.org/v1beta1", "ExternalSecret", "fine"),
            (
                "external-secrets.io/v1beta1",
                "ExternalSecret",
                "warned: m.yaml:2:13: `external-secrets.io/v1beta1` of ExternalSecret is not served since ESO v0.17.0",
            ),
            (
                "external-secrets.io/v1alpha1",
                "SecretStore",
                "m.yaml:2:13: `external-secrets.io/v1alpha1` of SecretStore is not served: it is gone since ESO v0.16.0",
            ),
            (
                "external-secrets.io/v1",
                "PushSecret",
                "m.yaml:2:13: `external-secrets.io/v1` of PushSecret is served by no version of ESO",
            ),
            (
                "generators.external-secrets.io/v1",
                "Password",
                "m.yaml:2:13: `generators.external-secrets.io/v1` of Password is served by no version of ESO",
            ),
        ] {
            assert_eq!(told(api, kind), said);
        }
    }

    #[test]
    fn lists_are_unfolded() {
        let (objects, lines, _) = problems(
            "apiVersion: v1\nkind: List\nitems:\n- { apiVersion: v1, kind: ConfigMap, metadata: { name: a } }\n\
             - { apiVersion: v1, kind: ConfigMap, metadata: { name: b } }\n",
        );
        assert_eq!(lines, Vec::<String>::new());
        let found: Vec<_> = objects.iter().map(|one| (one.title(), one.manifest.line)).collect();
        assert_eq!(found, [("ConfigMap a".to_owned(), 4), ("ConfigMap b".to_owned(), 5)]);
        let (_, lines, _) = problems("apiVersion: v1\nkind: ConfigMapList\nitems: [{ kind: ConfigMap }]\n");
        assert_eq!(lines, ["m.yaml:3:9: this object lacks `apiVersion` and `metadata.name`"]);
    }

    #[test]
    fn carriers_say_what_they_carry() {
        let way = |spec: &str| {
            let (objects, lines, _) = problems(&format!("{HEAD}spec: {spec}\n"));
            assert_eq!(lines, Vec::<String>::new());
            objects[0].carrier.clone()
        };
        let writes = |spec: &str| match way(spec).unwrap().way {
            Way::Writes { secret, keys } => (secret, keys.map(|keys| keys.into_iter().collect::<Vec<_>>())),
            Way::Feeds(_) => panic!("an ExternalSecret feeds nothing"),
        };
        assert_eq!(writes("{}"), ("app".to_owned(), None));
        assert_eq!(writes("{ target: { name: other }, dataFrom: [{}] }"), ("other".to_owned(), None));
        let keyed = ("app".to_owned(), Some(vec!["k".to_owned()]));
        assert_eq!(writes("{ data: [{ secretKey: k }] }"), keyed);
        assert_eq!(writes("{ target: { template: { data: { k: v } } }, dataFrom: [{}] }"), keyed);
        assert_eq!(writes("{ target: { template: { data: { k: v }, mergePolicy: Merge } } }").1, None);
        assert!(way("{ target: { creationPolicy: None } }").is_none());
        assert!(matches!(way("{ refreshInterval: \"0\" }").unwrap().interval, Interval::Never(_)));
        assert!(matches!(way("{ refreshPolicy: OnChange }").unwrap().interval, Interval::Never(_)));
        assert!(matches!(way("{}").unwrap().interval, Interval::Every(DEFAULT_REFRESH)));
    }

    #[test]
    fn what_could_hold_a_secret_is_never_shown() {
        for text in [
            "apiVersion: v1\nkind: Secret\nmetadata: {}\nstringData: { password: hunter2 }\n",
            "kind: \"Secret\"\nstringData: { password: hunter2, password: hunter2 }\n",
            "{kind: Secret, data: {password: hunter2\n",
            "kind: \"\\x53ecret\"\nstringData: { p: hunter2, p: hunter2 }\n",
            "kind: Secret\ndata:\n  password: hunter2: *hunter2\n",
        ] {
            let (_, lines, rendered) = problems(text);
            assert!(!lines.is_empty());
            assert!(!rendered.contains("hunter2") && rendered.contains("m.yaml:"), "{rendered}");
        }
        let (_, _, rendered) = problems(&format!("# A Secret\n{HEAD}spec: {{ refreshInterval: 1d }}\n"));
        assert!(rendered.contains("refreshInterval: 1d"), "{rendered}");
    }
}
