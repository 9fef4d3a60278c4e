//! `rotate: CREDENTIAL` or `rotate: { credential, to: next | previous }`: forces a rotation.

use super::super::draft::{Draft, Held};
use super::super::form::{self, Form};
use super::super::names::did_you_mean;
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, Store, Target};
use super::super::shape::{self, shape};
use super::super::words::CredentialName;
use super::Said;

pub(super) const VERB: Verb<Said> =
    Verb { word: "rotate", read, shape: shape::of::<Rotate>, example: "- rotate: fleet" };

shape! {
    /// Forces a rotation, and goes on when the server has taken it.
    #[schemars(untagged)]
    enum Rotate {
        /// To a new value.
        Short(CredentialName),
        /// To a new value or back.
        Long(Shape),
    }

    /// A rotation that says where to.
    #[schemars(inline)]
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// To which value; `next` unless said otherwise. `previous` is the one before the latest `rotate`, and
        /// only a KV value has one.
        to: Option<To>,
    }

    /// Which value.
    #[schemars(inline, rename_all = "lowercase")]
    enum To {
        Next,
        Previous,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let (held, node, to) = if entry.node.map().is_some() {
        let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
        let held = draft.credential(&form, "credential");
        let to = match form.get("to") {
            Some(node) => target(draft, node).map(|target| (target, node)),
            None if form.has("to") => None,
            None => Some((Target::Next, entry.node)),
        };
        (held?, form.need("credential")?, to?)
    } else if entry.node.is_null() {
        let hint = "write `rotate: CREDENTIAL`";
        draft.sink.report_with(&entry.verb.span, "`rotate` names no credential", hint);
        return None;
    } else {
        let held = draft.credentials.find(draft.sink, entry.node).cloned();
        (held?, entry.node, (Target::Next, entry.node))
    };
    possible(draft, &held, node, to)?;
    let credential = held.credential.name;
    let text = match to.0 {
        Target::Next => format!("rotate {credential}"),
        Target::Previous => format!("rotate {credential} to its previous value"),
    };
    Some((text, Action::Rotate { credential, to: to.0 }))
}

fn target(draft: &Draft<'_>, node: &Node) -> Option<Target> {
    match form::text(draft.sink, node)? {
        "next" => Some(Target::Next),
        "previous" => Some(Target::Previous),
        word => {
            let message = format!("no value `{word}`{}", did_you_mean(word, ["next", "previous"]));
            draft.sink.report_with(&node.span, message, "`to` is `next` or `previous`");
            None
        }
    }
}

fn possible(draft: &Draft<'_>, held: &Held, node: &Node, (to, said): (Target, &Node)) -> Option<()> {
    let name = &held.credential.name;
    let Some(store) = &held.credential.store else {
        let hint = "rotate the credential that has the `store`";
        draft.sink.report_with(&node.span, format!("`{name}` cannot be rotated: it has no `store`"), hint);
        return None;
    };
    match (to, store) {
        (Target::Next, Store::Kv(_) | Store::StaticRole(_)) => Some(()),
        (Target::Previous, Store::StaticRole(role)) => {
            let hint = format!("OpenBao keeps no earlier password of static_role `{role}`");
            draft.sink.report_with(&said.span, format!("`{name}` has no way back"), hint);
            None
        }
        (Target::Previous, Store::Kv(_)) => {
            let rotates =
                |action: &Action| matches!(action, Action::Rotate { credential, .. } if credential == name);
            if draft.steps.iter().any(|step| rotates(&step.action)) {
                return Some(());
            }
            draft
                .sink
                .report(&said.span, format!("no earlier step rotates `{name}`: it has no previous value"));
            None
        }
    }
}
