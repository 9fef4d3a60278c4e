//! Steps on a server of the plane: `stop`, `start`, `kill`, `replace`, `seal`, `unseal`.
//!
//! Others use the servers too: who does this has the plane to itself.

use std::path::PathBuf;

use super::super::draft::Draft;
use super::super::form::{self, Form};
use super::super::names::{did_you_mean, listed};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, ServerAction};
use super::super::shape::{self, shape};
use super::super::words::{ComponentName, FilePath};
use super::Said;

/// The components that run as long as the plane does.
const SERVERS: [&str; 8] =
    ["openbao", "mysql", "postgres", "valkey", "eso", "kube-apiserver", "kube-controller-manager", "etcd"];

pub(super) const STOP: Verb<Said> =
    Verb { word: "stop", read: stop, shape: shape::of::<Stop>, example: "- stop: mysql" };
pub(super) const START: Verb<Said> =
    Verb { word: "start", read: start, shape: shape::of::<Start>, example: "- start: mysql" };
pub(super) const KILL: Verb<Said> =
    Verb { word: "kill", read: kill, shape: shape::of::<Kill>, example: "- kill: openbao" };
pub(super) const REPLACE: Verb<Said> = Verb {
    word: "replace",
    read: replace,
    shape: shape::of::<Replace>,
    example: "- replace: { component: eso, with: ./external-secrets }",
};
pub(super) const SEAL: Verb<Said> =
    Verb { word: "seal", read: seal, shape: shape::of::<Seal>, example: "- seal: openbao" };
pub(super) const UNSEAL: Verb<Said> =
    Verb { word: "unseal", read: unseal, shape: shape::of::<Unseal>, example: "- unseal: openbao" };

shape! {
    /// Stops a server as an administrator would. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Stop(ComponentName);

    /// Starts a server that was stopped or killed, at the same address, and waits until it answers.
    #[schemars(transparent)]
    struct Start(ComponentName);

    /// Kills a server at once. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Kill(ComponentName);

    /// Stops a server and starts another program in its place, with the same configuration, data and address: another
    /// version of it. Needs `exclusive: true`.
    struct Replace {
        /// Which server.
        component: ComponentName,
        /// The program, relative to the scenario's file.
        with: FilePath,
    }

    /// Seals OpenBao. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Seal(ComponentName);

    /// Unseals OpenBao, which with its static seal is a restart.
    #[schemars(transparent)]
    struct Unseal(ComponentName);
}

fn stop(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &SERVERS, ServerAction::Stop)
}

fn start(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &SERVERS, ServerAction::Start)
}

fn kill(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &SERVERS, ServerAction::Kill)
}

fn seal(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &["openbao"], ServerAction::Seal)
}

fn unseal(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &["openbao"], ServerAction::Unseal)
}

fn replace(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Replace>(draft.sink, entry.verb, entry.node)?;
    let name = form.need("component").and_then(|node| server(draft, entry, node, &SERVERS));
    let program = form.need("with").and_then(|node| program(draft, node));
    let (name, program) = (name?, program?);
    Some((format!("replace {name} with {}", program.display()), Action::Replace { name, program }))
}

/// A program that is there.
fn program(draft: &Draft<'_>, node: &Node) -> Option<PathBuf> {
    let said = form::text(draft.sink, node)?;
    let path = draft.siblings.path(said);
    match path.as_deref().map(std::fs::canonicalize) {
        Some(Ok(path)) if path.is_file() => Some(path),
        Some(_) | None => {
            let hint = "paths are relative to the scenario's file; give a program that is on this machine";
            draft.sink.report_with(&node.span, format!("there is no program `{said}`"), hint);
            None
        }
    }
}

fn act(draft: &mut Draft<'_>, entry: &Entry<'_>, known: &[&str], what: ServerAction) -> Said {
    let word = &entry.verb.text;
    if entry.node.is_null() {
        let hint = format!("it can be {}", listed(known.iter().copied()));
        draft.sink.report_with(&entry.verb.span, format!("`{word}` names no server"), hint);
        return None;
    }
    let name = server(draft, entry, entry.node, known)?;
    Some((format!("{word} {name}"), Action::Server { name, what }))
}

/// A server of the plane that this scenario may take away from others.
fn server(draft: &Draft<'_>, entry: &Entry<'_>, node: &Node, known: &[&str]) -> Option<String> {
    let word = &entry.verb.text;
    let name = form::text(draft.sink, node)?;
    if !known.contains(&name) {
        let message = format!("no server `{name}`{}", did_you_mean(name, known.iter().copied()));
        let hint = format!("`{word}` takes {}", listed(known.iter().copied()));
        draft.sink.report_with(&node.span, message, hint);
        return None;
    }
    if !draft.exclusive {
        let message = format!("`{word}` takes `{name}` away from every scenario that plays beside this one");
        draft.sink.report_with(&entry.verb.span, message, "add `exclusive: true` at the top");
        return None;
    }
    Some(name.to_owned())
}
