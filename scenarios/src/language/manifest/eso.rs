//! What the operator would swallow without a word: API versions that are not served, durations that are none.

use super::super::duration;
use super::super::error::Sink;
use super::super::node::{Node, Value};

/// The kinds of `external-secrets.io` whose version is `v1` since v0.16.0.
const STABLE: [&str; 4] = ["ExternalSecret", "SecretStore", "ClusterSecretStore", "ClusterExternalSecret"];
/// Those that never left `v1alpha1`.
const ALPHA: [&str; 2] = ["PushSecret", "ClusterPushSecret"];

const GROUP: &str = "external-secrets.io";
const GENERATORS: &str = "generators.external-secrets.io";

/// The fields of a kind that are durations as Go writes them.
///
/// A bad one passes the API server's schema, where it is a string, and then breaks the operator's watch on all
/// objects of that kind.
fn durations(kind: &str) -> &'static [&'static [&'static str]] {
    match kind {
        "ExternalSecret" => &[&["spec", "refreshInterval"]],
        "PushSecret" => &[&["spec", "refreshInterval"]],
        "ClusterExternalSecret" => {
            &[&["spec", "refreshTime"], &["spec", "externalSecretSpec", "refreshInterval"]]
        }
        "ClusterPushSecret" => &[&["spec", "refreshTime"], &["spec", "pushSecretSpec", "refreshInterval"]],
        "SecretStore" | "ClusterSecretStore" => &[&["spec", "retrySettings", "retryInterval"]],
        "Webhook" => &[&["spec", "timeout"]],
        _ => &[],
    }
}

/// Whether a group is the operator's.
pub(super) fn is_ours(api: &str) -> bool {
    let group = api.split_once('/').map(|(group, _)| group);
    matches!(group, Some(GROUP | GENERATORS))
}

/// Looks an object of the operator's over. `api` and `kind` stand in it as text.
pub(super) fn check(node: &Node, api: &str, kind: &str, sink: &Sink) {
    version(node, api, kind, sink);
    for path in durations(kind) {
        if let Some(field) = node.at(path) {
            duration(field, path.last().unwrap_or(&""), sink);
        }
    }
    if matches!(kind, "SecretStore" | "ClusterSecretStore")
        && let Some(field) = node.at(&["spec", "refreshInterval"])
    {
        store_interval(field, sink);
    }
}

fn version(node: &Node, api: &str, kind: &str, sink: &Sink) {
    let Some((at, (group, version))) = node.get("apiVersion").zip(api.split_once('/')) else { return };
    let gone = |message: String, hint: &str| sink.report_with(&at.span, message, hint);
    let served =
        |version: &str, kind: &str| format!("`{group}/{version}` of {kind} is served by no version of ESO");
    match (group, version) {
        (GROUP, "v1") if ALPHA.contains(&kind) => {
            gone(served(version, kind), "write `external-secrets.io/v1alpha1`");
        }
        (GROUP, "v1alpha1") if STABLE.contains(&kind) => gone(
            format!("`{api}` of {kind} is not served: it is gone since ESO v0.16.0"),
            "write `external-secrets.io/v1`, which v0.16.0 and later serve",
        ),
        (GROUP, "v1beta1") if STABLE.contains(&kind) => sink.warn_with(
            &at.span,
            format!("`{api}` of {kind} is not served since ESO v0.17.0"),
            "write `external-secrets.io/v1`, which v0.16.0 and later serve; only an older ESO, or one whose chart \
             sets crds.unsafeServeV1Beta1, takes this",
        ),
        (GROUP, "v1" | "v1alpha1") => {}
        (GROUP, _) if ALPHA.contains(&kind) => {
            gone(served(version, kind), "write `external-secrets.io/v1alpha1`");
        }
        (GROUP, _) if STABLE.contains(&kind) => gone(served(version, kind), "write `external-secrets.io/v1`"),
        (GENERATORS, "v1alpha1") => {}
        (GENERATORS, _) => {
            gone(served(version, kind), "write `generators.external-secrets.io/v1alpha1`");
        }
        _ => {}
    }
}

fn duration(field: &Node, key: &str, sink: &Sink) {
    match &field.value {
        Value::Text(text) if text == "0" => {}
        Value::Text(text) => {
            if let Err(error) = duration::parse(text) {
                sink.report_with(&field.span, format!("bad duration: {error}"), error.hint());
            }
        }
        Value::Int(number) => {
            let hint = match number {
                0 => "write \"0\", in quotes".to_owned(),
                _ => format!("write `{number}s` for seconds"),
            };
            sink.report_with(&field.span, format!("`{key}` is text, found a number"), hint);
        }
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            sink.report(&field.span, format!("`{key}` is text, found {}", field.what()));
        }
    }
}

/// A store is validated every so many seconds, not every so much time.
fn store_interval(field: &Node, sink: &Sink) {
    match &field.value {
        Value::Int(_) => {}
        Value::Text(text) if duration::parse(text).is_ok() => sink.warn_with(
            &field.span,
            "`refreshInterval` of a store is a number of seconds before ESO v2.8.0",
            format!("write {}", duration::parse(text).map_or(0, |span| span.as_secs())),
        ),
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            let message =
                format!("`refreshInterval` of a store is a number of seconds, found {}", field.what());
            sink.report(&field.span, message);
        }
    }
}
