//! The manifests that `apply` names, wherever it stands.

use super::super::draft::Draft;
use super::super::form::{self, Form};
use super::super::gather::Gathered;
use super::super::manifest::{self, Object};
use super::super::node::Node;
use super::super::room::Entry;
use super::super::scenario::Manifest;
use super::super::shape::shape;
use super::super::words::FilePath;

shape! {
    /// What a kustomization makes; it needs `kustomize` or `kubectl` on the PATH.
    #[schemars(inline)]
    pub(in super::super) struct Kustomize {
        /// The folder that holds the `kustomization.yaml`.
        kustomize: FilePath,
    }
}

/// Reads what a step applies. Such objects can be named by later steps; what they carry is not looked into.
pub(in super::super) fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Option<Vec<Manifest>> {
    let (objects, whole) = objects(draft, entry);
    draft.later.extend(objects.iter().map(|object| object.manifest.clone()));
    whole.then(|| objects.into_iter().map(|object| object.manifest).collect())
}

/// The objects of all that is named, and whether all could be read.
pub(super) fn objects(draft: &Draft<'_>, entry: &Entry<'_>) -> (Vec<Object>, bool) {
    let (mut all, mut whole) = (Vec::new(), true);
    if entry.node.items().is_empty() {
        draft.sink.report(&entry.verb.span, "`apply` names no file");
        whole = false;
    }
    for item in entry.node.items() {
        let Some(found) = gather(draft, entry, item) else {
            whole = false;
            continue;
        };
        for (file, why) in found.unreadable {
            draft.sink.report_file(file, format!("cannot be read: {why}"));
            whole = false;
        }
        let named = found.sources.len() == 1;
        for source in found.sources {
            let (objects, sound) = manifest::read(&source, draft.sink);
            if named && objects.is_empty() && sound {
                draft.sink.report(&item.span, "this file holds no object");
            }
            whole &= sound;
            all.extend(objects);
        }
    }
    (all, whole)
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
