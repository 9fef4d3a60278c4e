//! `watch`: how often credentials are asked for, and which objects and calls are counted.

use std::time::Duration;

use handover_harness::event::Hop;

use super::draft::Draft;
use super::error::Sink;
use super::form::{Form, text};
use super::node::{Key, Node};
use super::shape::shape;
use super::words::{BaoPath, CredentialName, DurationExpression, KindName};

/// Anything shorter measures the harness.
const SHORTEST: Duration = Duration::from_millis(5);

shape! {
    /// How often something is asked for, or what is counted.
    #[schemars(untagged)]
    pub(super) enum Watch {
        /// How often a credential is tried.
        Credential(Credential),
        /// Which objects are counted.
        Objects(Objects),
        /// Which calls are counted.
        Calls(Calls),
    }

    /// How often a credential is tried at its origin, and by its readers. `sync` and `secret` are watched, and the
    /// store is asked every 200 ms, whatever stands here.
    #[schemars(inline)]
    pub(super) struct Credential {
        /// Which credential.
        credential: CredentialName,
        /// The period; 5 ms at least.
        every: DurationExpression,
    }

    /// Objects of a kind in the scenario's namespace, counted.
    #[schemars(inline)]
    pub(super) struct Objects {
        /// Which kind.
        objects: KindName,
    }
}

shape! {
    /// Calls of others than the harness to a path of OpenBao, counted by its audit log.
    #[schemars(inline)]
    pub(super) struct Calls {
        /// As OpenBao's audit log names it, without the OpenBao namespace: `secret/data/app`.
        calls: BaoPath,
    }
}

/// Reads the room. Its entries are no verbs but say what they watch.
pub(super) fn read(draft: &mut Draft<'_>, node: &Node) {
    if node.map().is_some() {
        draft.sink.report_with(&node.span, "`watch` needs a list", "begin each entry with `- `");
        return;
    }
    for item in node.items() {
        let head = Key { text: "watch".to_owned(), span: item.span.clone() };
        if item.get("objects").is_some() {
            objects(draft, &head, item);
        } else if item.get("calls").is_some() {
            calls(draft, &head, item);
        } else {
            credential(draft, &head, item);
        }
    }
}

fn objects(draft: &mut Draft<'_>, head: &Key, item: &Node) {
    let Some(form) = Form::open::<Objects>(draft.sink, head, item) else { return };
    if let Some(kind) = form.need("objects").and_then(|node| kind(draft.sink, node)) {
        draft.count_objects(kind);
    }
}

fn calls(draft: &mut Draft<'_>, head: &Key, item: &Node) {
    let Some(form) = Form::open::<Calls>(draft.sink, head, item) else { return };
    if let Some(path) = form.need("calls").and_then(|node| audited(draft.sink, node)) {
        draft.count_calls(path);
    }
}

/// A path as OpenBao's audit log names it.
pub(super) fn audited<'n>(sink: &Sink, node: &'n Node) -> Option<&'n str> {
    let path = text(sink, node)?;
    let odd = path.is_empty() || path.starts_with('/') || path.ends_with('/') || path.starts_with("v1/");
    if odd {
        let hint = "as OpenBao's audit log names it: `database/static-creds/fleet`";
        sink.report_with(&node.span, format!("`{path}` is not a path"), hint);
        return None;
    }
    Some(path)
}

/// A kind of Kubernetes object: `GeneratorState`.
pub(super) fn kind<'n>(sink: &Sink, node: &'n Node) -> Option<&'n str> {
    let kind = text(sink, node)?;
    if !kind.starts_with(|c: char| c.is_ascii_uppercase()) || !kind.chars().all(|c| c.is_ascii_alphanumeric())
    {
        let hint = "as manifests write it: `GeneratorState`";
        sink.report_with(&node.span, format!("`{kind}` is not a kind of object"), hint);
        return None;
    }
    Some(kind)
}

fn credential(draft: &mut Draft<'_>, head: &Key, item: &Node) {
    let Some(form) = Form::open::<Credential>(draft.sink, head, item) else { return };
    let held = draft.credential(&form, "credential");
    let every = draft.duration(&form, "every", held.as_ref());
    let (Some(held), Some(every), Some(said)) = (held, every, form.get("every")) else { return };
    let name = held.credential.name.clone();
    if every < SHORTEST {
        draft.sink.report(&said.span, "nothing is asked more often than every 5 ms");
    }
    let hops = draft.hops(&held.credential);
    if !hops.contains(&Hop::Origin) && !hops.contains(&Hop::Login) && !draft.readers.any_broken() {
        let hint = "only origin and login are; sync and secret are watched, the store is asked every 200 ms";
        draft.sink.report_with(&said.span, format!("nothing of `{name}` is asked at a period"), hint);
    }
    if draft.periods.insert(name.clone(), every).is_some() {
        draft.sink.report(&said.span, format!("`{name}` is watched twice"));
    }
}
