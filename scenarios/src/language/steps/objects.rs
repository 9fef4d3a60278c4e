//! Steps on Kubernetes objects: `apply`, `patch`, `delete`, `restart`, `gate`, `force_sync`.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::{Form, text};
use super::super::given::{apply, objects};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, ObjectRef};
use super::super::shape::{self, shape};
use super::super::words::{AnyMapping, ConditionStatus, DurationExpression, ObjectPlace, OneOrMore};
use super::Said;

pub(super) const APPLY: Verb<Said> =
    Verb { word: "apply", read: apply_more, shape: shape::of::<Apply>, example: "- apply: more.yaml" };

pub(super) const PATCH: Verb<Said> = Verb {
    word: "patch",
    read: patch,
    shape: shape::of::<Patch>,
    example: "- patch: { object: externalsecret/fleet-mysql, with: { spec: { refreshInterval: 10s } } }",
};

pub(super) const DELETE: Verb<Said> = Verb {
    word: "delete",
    read: delete,
    shape: shape::of::<Delete>,
    example: "- delete: externalsecret/fleet-mysql",
};

pub(super) const RESTART: Verb<Said> = Verb {
    word: "restart",
    read: restart,
    shape: shape::of::<Restart>,
    example: "- restart: { object: deployment/web, within: 30s }",
};

pub(super) const GATE: Verb<Said> = Verb {
    word: "gate",
    read: gate,
    shape: shape::of::<Gate>,
    example: "- gate: { object: deployment/web, condition: example.com/settled }",
};

pub(super) const FORCE_SYNC: Verb<Said> = Verb {
    word: "force_sync",
    read: force_sync,
    shape: shape::of::<ForceSync>,
    example: "- force_sync: externalsecret/fleet-mysql",
};

/// How long a rollout may take where the file says nothing.
const ROLLED_OUT_WITHIN: Duration = Duration::from_secs(60);

shape! {
    /// Applies more manifests, rewritten like those that are given.
    #[schemars(transparent)]
    struct Apply(apply::Shape);

    /// Changes an object by a JSON merge patch.
    struct Patch {
        /// Which object.
        object: ObjectPlace,
        /// What is merged into it.
        with: AnyMapping,
    }

    /// Deletes objects, and does not wait until they are gone.
    #[schemars(transparent)]
    struct Delete(OneOrMore<ObjectPlace>);

    /// Rolls a Deployment out anew, as `kubectl rollout restart` does, and waits until it is.
    #[schemars(untagged)]
    enum Restart {
        /// Which, within a minute.
        Short(ObjectPlace),
        /// Which, and how long it may take.
        Long(RestartWithin),
    }

    /// A rollout and its time.
    #[schemars(inline)]
    struct RestartWithin {
        /// Which Deployment.
        object: ObjectPlace,
        /// How long it may take; a minute unless said otherwise.
        within: Option<DurationExpression>,
    }

    /// Sets the condition of a readiness gate on all pods that a Deployment has at that moment, as the controller does to
    /// which the gate belongs. Until then a pod with `readinessGates` is not ready, whatever its probes say.
    struct Gate {
        /// Which Deployment.
        object: ObjectPlace,
        /// The condition's type, as `readinessGates` names it.
        condition: String,
        /// The condition's status, in quotes; `"True"` unless said otherwise.
        is: Option<ConditionStatus>,
    }

    /// Makes ESO refresh an ExternalSecret or PushSecret now, by changing an annotation.
    #[schemars(transparent)]
    struct ForceSync(ObjectPlace);
}

fn apply_more(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let manifests = objects::read(draft, entry)?;
    let names: Vec<_> =
        manifests.iter().map(|manifest| format!("{} {}", manifest.kind, manifest.name)).collect();
    Some((format!("apply {}", names.join(", ")), Action::Apply(manifests)))
}

fn patch(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Patch>(draft.sink, entry.verb, entry.node)?;
    let object = form.need("object").and_then(|node| draft.object(node));
    let patch = form.need("with").and_then(|node| mapping(draft, node));
    let (object, patch) = (object?, patch?);
    Some((format!("patch {object}"), Action::Patch { object, patch }))
}

fn mapping(draft: &Draft<'_>, node: &Node) -> Option<serde_json::Value> {
    if node.map().is_none() {
        draft.sink.report(&node.span, format!("a patch is a mapping, found {}", node.what()));
        return None;
    }
    Some(node.json())
}

fn delete(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    if entry.node.items().is_empty() {
        draft.sink.report(&entry.verb.span, "`delete` names no object");
        return None;
    }
    let objects: Vec<_> = entry.node.items().iter().map(|node| draft.object(node)).collect();
    let objects: Vec<ObjectRef> = objects.into_iter().collect::<Option<_>>()?;
    let names: Vec<_> = objects.iter().map(ToString::to_string).collect();
    Some((format!("delete {}", names.join(", ")), Action::Delete(objects)))
}

fn restart(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let (node, within) = if entry.node.map().is_some() {
        let form = Form::open::<RestartWithin>(draft.sink, entry.verb, entry.node)?;
        let within = match form.has("within") {
            true => draft.plain_duration(&form, "within"),
            false => Some(ROLLED_OUT_WITHIN),
        };
        (form.need("object")?, within?)
    } else {
        (entry.node, ROLLED_OUT_WITHIN)
    };
    let deployment = of_kind(draft, node, &["Deployment"])?;
    let text = format!("restart {deployment}, within {}", spoken(within));
    Some((text, Action::Restart { deployment, within }))
}

fn gate(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Gate>(draft.sink, entry.verb, entry.node)?;
    let deployment = form.need("object").and_then(|node| of_kind(draft, node, &["Deployment"]));
    let condition = form.text("condition");
    let is = form.optional("is", |node| text(draft.sink, node));
    let (deployment, condition, is) = (deployment?, condition?.to_owned(), is?.unwrap_or("True").to_owned());
    let said = format!("set {condition} {is} on the pods of {deployment}");
    Some((said, Action::Gate { deployment, condition, is }))
}

fn force_sync(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let object = of_kind(draft, entry.node, &["ExternalSecret", "PushSecret"])?;
    Some((format!("force a sync of {object}"), Action::ForceSync(object)))
}

fn of_kind(draft: &Draft<'_>, node: &Node, kinds: &[&str]) -> Option<ObjectRef> {
    let object = draft.object(node)?;
    if !kinds.contains(&object.kind.as_str()) {
        draft.sink.report(&node.span, format!("this works on {} only", kinds.join(" and ")));
        return None;
    }
    Some(object)
}
