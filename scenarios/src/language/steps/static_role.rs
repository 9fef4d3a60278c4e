//! `static_role: NAME`: makes a static role that was given with `later: true`.

use super::super::draft::{Draft, GivenStore};
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::words::StoreName;
use super::Said;

pub(super) const VERB: Verb<Said> =
    Verb { word: "static_role", read, shape: shape::of::<Make>, example: "- static_role: late" };

shape! {
    /// Makes a static role that was given with `later: true`. OpenBao rotates its user's password at once.
    #[schemars(transparent)]
    struct Make(StoreName);
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    match draft.stores.find(draft.sink, entry.node)? {
        GivenStore::StaticRole(role) if role.later => {
            Some((format!("make static_role {}", role.name), Action::StaticRole(role.name.clone())))
        }
        GivenStore::StaticRole(role) => {
            let message = format!("static_role `{}` is made before the first step already", role.name);
            draft.sink.report_with(&entry.node.span, message, "give it with `later: true`");
            None
        }
        GivenStore::Kv(_) | GivenStore::DynamicRole(_) | GivenStore::Secret(_) => {
            draft.sink.report(&entry.node.span, "this is no static_role");
            None
        }
    }
}
