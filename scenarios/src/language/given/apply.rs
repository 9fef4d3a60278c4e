//! `apply: PATH`, `apply: [PATH, …]`, `apply: { kustomize: FOLDER }`: Kubernetes manifests, as a platform team
//! keeps them in Git.

use super::super::draft::Draft;
use super::super::form::{self, Form};
use super::super::gather::Gathered;
use super::super::manifest::{self, Object};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{FilePath, OneOrMore};

pub(super) const VERB: Verb<()> =
    Verb { word: "apply", read, shape: shape::of::<Shape>, example: "- apply: [app.yaml, fleet.yaml]" };

shape! {
    /// Kubernetes manifests, as a platform team keeps them in Git. Server, CA, audience and OpenBao namespace of
    /// stores and generators are set to those of the plane; everything else stays as it is written.
    struct Shape(OneOrMore<Applied>);

    /// Manifests.
    #[schemars(inline, untagged)]
    enum Applied {
        /// A file, a folder (whatever is below it, but for scenarios, kustomizations, charts and values of Helm) or a
        /// glob.
        Path(FilePath),
        /// What a kustomization makes.
        Kustomize(Kustomize),
    }

    /// What a kustomization makes; it needs `kustomize` or `kubectl` on the PATH.
    #[schemars(inline)]
    struct Kustomize {
        /// The folder that holds the `kustomization.yaml`.
        kustomize: FilePath,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    if entry.node.items().is_empty() {
        draft.sink.report(&entry.verb.span, "`apply` names no file");
        draft.blind = true;
    }
    for item in entry.node.items() {
        let Some(found) = gather(draft, entry, item) else {
            draft.blind = true;
            continue;
        };
        for (file, why) in found.unreadable {
            draft.sink.report_file(file, format!("cannot be read: {why}"));
            draft.blind = true;
        }
        let named = found.sources.len() == 1;
        for source in found.sources {
            let (objects, whole) = manifest::read(&source, draft.sink);
            if named && objects.is_empty() && whole {
                draft.sink.report(&item.span, "this file holds no object");
            }
            draft.blind |= !whole;
            for object in objects {
                add(draft, object);
            }
        }
    }
}

fn gather(draft: &Draft<'_>, entry: &Entry<'_>, item: &Node) -> Option<Gathered> {
    let one = |source| Gathered { sources: vec![source], unreadable: Vec::new() };
    let (node, found) = if item.map().is_some() {
        let form = Form::open::<Kustomize>(draft.sink, entry.verb, item)?;
        let node = form.need("kustomize")?;
        (node, draft.siblings.kustomize(form::text(draft.sink, node)?).map(|source| Some(one(source))))
    } else {
        (item, draft.siblings.gather(form::text(draft.sink, item)?))
    };
    match found {
        Ok(Some(found)) => Some(found),
        Ok(None) => draft.sibling(node).map(one),
        Err(why) => {
            draft.sink.report_with(&node.span, why, "paths are relative to the scenario's file");
            None
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
    draft.add(object);
}
