//! `valkey: { name, users }`: a Valkey that OpenBao's database engine knows by this name.

use super::super::room::Verb;
use super::super::scenario::DatabaseKind;
use super::super::shape::{self, shape};
use super::database;

pub(super) const VERB: Verb<()> = Verb {
    word: "valkey",
    read: |draft, entry| database::read(draft, entry, DatabaseKind::Valkey),
    shape: shape::of::<Shape>,
    example: "- valkey: { name: cache, users: [app] }",
};

shape! {
    /// A Valkey that OpenBao's database engine can manage.
    struct Shape(database::Shape);
}
