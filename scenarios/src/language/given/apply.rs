//! `apply: FILE` or `apply: [FILE, …]`: Kubernetes manifests, as a platform team keeps them in Git.

use super::super::draft::Draft;
use super::super::manifest::{self, Object};
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{FilePath, OneOrMore};

pub(super) const VERB: Verb<()> =
    Verb { word: "apply", read, shape: shape::of::<Shape>, example: "- apply: [app.yaml, fleet.yaml]" };

shape! {
    /// Kubernetes manifests, as a platform team keeps them in Git. Server, CA, audience and OpenBao namespace of
    /// stores and generators are set to those of the plane; everything else stays as it is written.
    struct Shape(OneOrMore<FilePath>);
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    if entry.node.items().is_empty() {
        draft.sink.report(&entry.verb.span, "`apply` names no file");
        draft.blind = true;
    }
    for item in entry.node.items() {
        let Some(source) = draft.sibling(item) else {
            draft.blind = true;
            continue;
        };
        let (objects, whole) = manifest::read(&source, draft.sink);
        if objects.is_empty() && whole {
            draft.sink.report(&item.span, "this file holds no object");
        }
        draft.blind |= !whole;
        for object in objects {
            add(draft, object);
        }
    }
}

fn add(draft: &mut Draft<'_>, object: Object) {
    let same = |other: &&Object| {
        let (a, b) = (&object.manifest, &other.manifest);
        let api = |object: &Object| object.manifest.object.get("apiVersion").cloned();
        a.kind == b.kind && a.name == b.name && a.namespace == b.namespace && api(&object) == api(other)
    };
    if let Some(other) = draft.objects.iter().find(same) {
        let message = format!("{} is given twice", object.title());
        draft.sink.report_with(&object.span, message, format!("first in {}", other.span.place()));
        return;
    }
    draft.objects.push(object);
}
