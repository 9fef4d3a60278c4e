//! The manifests that `apply` names, wherever it stands.

use super::super::draft::Draft;
use super::super::manifest::{self, Object};
use super::super::room::Entry;
use super::super::scenario::Manifest;

/// Reads what a step applies. Such objects can be named by later steps; what they carry is not looked into.
pub(in super::super) fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Option<Vec<Manifest>> {
    let objects = objects(draft, entry)?;
    draft.later.extend(objects.iter().map(|object| object.manifest.clone()));
    Some(objects.into_iter().map(|object| object.manifest).collect())
}

/// The objects of all files; none where one could not be read.
pub(super) fn objects(draft: &Draft<'_>, entry: &Entry<'_>) -> Option<Vec<Object>> {
    if entry.node.items().is_empty() {
        draft.sink.report(&entry.verb.span, "`apply` names no file");
        return None;
    }
    let mut all = Vec::new();
    let mut sound = true;
    for item in entry.node.items() {
        let Some(source) = draft.sibling(item) else {
            sound = false;
            continue;
        };
        let (objects, whole) = manifest::read(&source, draft.sink);
        if objects.is_empty() && whole {
            draft.sink.report(&item.span, "this file holds no object");
        }
        sound &= whole;
        all.extend(objects);
    }
    sound.then_some(all)
}
