//! Steps on a server of the plane: `stop`, `start`, `kill`, `replace`, `seal`, `unseal`.
//!
//! Others use the servers too: who does this has the plane to itself.

use super::super::draft::Draft;
use super::super::form::{self, Form};
use super::super::names::{did_you_mean, listed};
use super::super::node::Node;
use super::super::release;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, LEADER, NODE, ServerAction};
use super::super::shape::{self, shape};
use super::super::words::{ComponentName, ReleaseWord};
use super::Said;

/// What can be ended: the components that run as long as the plane does, and whoever leads of several replicas of ESO.
const ENDED: [&str; 10] = [
    "openbao",
    "mysql",
    "postgres",
    "valkey",
    "eso",
    "kube-apiserver",
    "kube-controller-manager",
    "etcd",
    NODE,
    LEADER,
];
/// What can be started: all but the leader, whom others choose.
const STARTED: &[&str] = ENDED.split_at(ENDED.len() - 1).0;

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
    example: "- replace: { component: eso, with: v0.20.4 }",
};
pub(super) const SEAL: Verb<Said> =
    Verb { word: "seal", read: seal, shape: shape::of::<Seal>, example: "- seal: openbao" };
pub(super) const UNSEAL: Verb<Said> =
    Verb { word: "unseal", read: unseal, shape: shape::of::<Unseal>, example: "- unseal: openbao" };

shape! {
    /// Stops a server as an administrator would. `node` is the machine that the cluster runs on, and everything on it
    /// is away with it; `eso-leader` is whoever leads of several replicas of ESO, and the step is done when another
    /// one leads. Those two need a cluster. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Stop(ComponentName);

    /// Starts a server that was stopped or killed, at the same address, and waits until it answers; with `node`, until
    /// everything on it does. What a scenario has ended and not started is started when it is over.
    #[schemars(transparent)]
    struct Start(ComponentName);

    /// Kills a server at once; what `stop` says of `node` and `eso-leader` holds here, too. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Kill(ComponentName);

    /// Puts another release of a component in its place: what runs is stopped, what belongs to the release is applied
    /// (of ESO its CRDs and permissions), and it is started with the same configuration, data and address. `eso-crds`
    /// applies the CRDs alone, while ESO runs on. The run's release comes back when the scenario is over, unless the plane
    /// goes with it. Needs `exclusive: true`.
    struct Replace {
        /// Which component.
        component: ComponentName,
        /// Which release.
        with: ReleaseWord,
    }

    /// Seals OpenBao. Needs `exclusive: true`.
    #[schemars(transparent)]
    struct Seal(ComponentName);

    /// Unseals OpenBao, which with its static seal is a restart.
    #[schemars(transparent)]
    struct Unseal(ComponentName);
}

fn stop(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &ENDED, ServerAction::Stop)
}

fn start(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, STARTED, ServerAction::Start)
}

fn kill(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &ENDED, ServerAction::Kill)
}

fn seal(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &["openbao"], ServerAction::Seal)
}

fn unseal(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    act(draft, entry, &["openbao"], ServerAction::Unseal)
}

fn replace(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Replace>(draft.sink, entry.verb, entry.node)?;
    let release = release::read(draft, entry, &form)?;
    Some((format!("replace {} with {}", release.component, release.with), Action::Replace(release)))
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
    if name == LEADER && draft.replicas.is_none() {
        let hint = "give it several replicas: `eso: { replicas: 2 }`";
        draft.sink.report_with(&node.span, "ESO runs once here, so nobody leads", hint);
        return None;
    }
    Some(name.to_owned())
}
