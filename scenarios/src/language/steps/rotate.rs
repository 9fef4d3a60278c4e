//! `rotate: CREDENTIAL` or `rotate: { credential, to?, phase? }`: forces a rotation.

use super::super::draft::{Draft, Held};
use super::super::form::{self, Form};
use super::super::names::did_you_mean;
use super::super::node::{Node, Value};
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, How, Store, Target};
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
        /// only a KV value has one. `same` writes the value that stands again, which rotates nothing.
        to: Option<To>,
        /// At which part of the time between two refreshes, from 0 (right after one) to 1; at once unless said
        /// otherwise. A latency that hangs on the phase of a refresh interval needs it.
        #[schemars(range(min = 0.0, max = 1.0))]
        phase: Option<f64>,
        /// Whether the value before stays accepted: only where the harness sets the password itself, and only MySQL
        /// and Valkey can.
        keeps: Option<Keeps>,
        /// Whether the server must answer with an error; what it set is then waited for all the same.
        fails: Option<bool>,
    }

    /// What a rotation leaves standing.
    #[schemars(inline, rename_all = "lowercase")]
    enum Keeps {
        Previous,
    }

    /// Which value.
    #[schemars(inline, rename_all = "lowercase")]
    enum To {
        Next,
        Previous,
        Same,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let (held, node, to, how) = if entry.node.map().is_some() {
        let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
        let held = draft.credential(&form, "credential");
        let to = match form.get("to") {
            Some(node) => target(draft, node).map(|target| (target, node)),
            None if form.has("to") => None,
            None => Some((Target::Next, entry.node)),
        };
        let phase = form.optional("phase", |node| phase(draft, node));
        let keeps = form.has("keeps");
        form.only("keeps", "previous")?;
        let fails = form.flag("fails", false);
        let (held, phase, fails) = (held?, phase?, fails?);
        if let (Some(_), None) = (phase, held.credential.refresh_interval) {
            let message = format!("`{}` is not refreshed, so there is no phase", held.credential.name);
            draft.sink.report(&form.need("phase")?.span, message);
            return None;
        }
        let by_hand = matches!(held.credential.store, Some(Store::Kv(_))) && draft.has_user(&held.credential);
        if keeps && !by_hand {
            let message =
                format!("the harness does not set the password of `{}` itself", held.credential.name);
            let hint = "say it in the role's `rotation_statements`";
            draft.sink.report_with(&form.need("keeps")?.span, message, hint);
            return None;
        }
        (held, form.need("credential")?, to?, How { phase, keeps, fails })
    } else if entry.node.is_null() {
        let hint = "write `rotate: CREDENTIAL`";
        draft.sink.report_with(&entry.verb.span, "`rotate` names no credential", hint);
        return None;
    } else {
        let held = draft.credentials.find(draft.sink, entry.node).cloned();
        (held?, entry.node, (Target::Next, entry.node), How::default())
    };
    possible(draft, &held, node, to)?;
    let credential = held.credential.name;
    let text = match to.0 {
        Target::Next => format!("rotate {credential}"),
        Target::Previous => format!("rotate {credential} to its previous value"),
        Target::Same => format!("write {credential} again as it is"),
    };
    let text = match how.phase {
        Some(phase) => format!("{text} at {phase} of a refresh interval"),
        None => text,
    };
    let text = if how.keeps { format!("{text}, the one before kept") } else { text };
    let text = if how.fails { format!("{text}, which must be answered with an error") } else { text };
    Some((text, Action::Rotate { credential, to: to.0, how }))
}

fn target(draft: &Draft<'_>, node: &Node) -> Option<Target> {
    match form::text(draft.sink, node)? {
        "next" => Some(Target::Next),
        "previous" => Some(Target::Previous),
        "same" => Some(Target::Same),
        word => {
            let message = format!("no value `{word}`{}", did_you_mean(word, ["next", "previous", "same"]));
            draft.sink.report_with(&node.span, message, "`to` is `next`, `previous` or `same`");
            None
        }
    }
}

/// A part of a refresh interval.
fn phase(draft: &Draft<'_>, node: &Node) -> Option<f64> {
    let phase = match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    };
    let phase = phase.filter(|phase| (0.0..=1.0).contains(phase));
    if phase.is_none() {
        draft.sink.report(&node.span, "a phase is a number from 0 to 1");
    }
    phase
}

fn possible(draft: &Draft<'_>, held: &Held, node: &Node, (to, said): (Target, &Node)) -> Option<()> {
    let name = &held.credential.name;
    let fail = |message: String, hint: &str| {
        draft.sink.report_with(&node.span, message, hint);
        None
    };
    if held.credential.from.is_some() {
        return match to {
            Target::Next => Some(()),
            Target::Previous | Target::Same => {
                draft
                    .sink
                    .report(&said.span, format!("`{name}` comes from a Secret: it can only go to `next`"));
                None
            }
        };
    }
    match (to, held.credential.store.as_ref()) {
        (_, None | Some(Store::Secret(_))) => {
            let hint = "rotate the credential that has the `store`, or say `from` which Secret it comes";
            fail(format!("`{name}` cannot be rotated: it has no `store`"), hint)
        }
        (_, Some(Store::DynamicRole(_))) => {
            let hint = "each refresh makes a new user: force a sync of its ExternalSecret";
            fail(format!("`{name}` is dynamic: there is nothing to rotate"), hint)
        }
        (Target::Next, Some(Store::Kv(_) | Store::StaticRole(_))) | (Target::Same, Some(Store::Kv(_))) => {
            Some(())
        }
        (Target::Previous | Target::Same, Some(Store::StaticRole(role))) => {
            let hint = format!("OpenBao keeps no earlier password of static_role `{role}`");
            let way =
                if to == Target::Same { "is drawn by OpenBao, and not written" } else { "has no way back" };
            draft.sink.report_with(&said.span, format!("`{name}` {way}"), hint);
            None
        }
        (Target::Previous, Some(Store::Kv(_))) => {
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
