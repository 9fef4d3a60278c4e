//! `apply: PATH`, `apply: [PATH, …]`, `apply: { kustomize: FOLDER }`: Kubernetes manifests, as a platform team
//! keeps them in Git.

use super::super::draft::Draft;
use super::super::manifest::Object;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{FilePath, OneOrMore};
use super::objects::{self, Kustomize};

pub(super) const VERB: Verb<()> =
    Verb { word: "apply", read, shape: shape::of::<Shape>, example: "- apply: [app.yaml, fleet.yaml]" };

shape! {
    /// Kubernetes manifests, as a platform team keeps them in Git. Server, CA, audience and OpenBao namespace of
    /// stores and generators are set to those of the plane; everything else stays as it is written.
    pub(in super::super) struct Shape(OneOrMore<Applied>);

    /// Manifests.
    #[schemars(inline, untagged)]
    pub(in super::super) enum Applied {
        /// A file, a folder (whatever is below it, but for scenarios, kustomizations, charts and values of Helm) or a
        /// glob.
        Path(FilePath),
        /// What a kustomization makes.
        Kustomize(Kustomize),
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let (objects, whole) = objects::objects(draft, entry);
    draft.blind |= !whole;
    for object in objects {
        add(draft, object);
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
    draft.add(object);
}
