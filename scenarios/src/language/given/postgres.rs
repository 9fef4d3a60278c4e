//! `postgres: { name, users }`: a PostgreSQL that OpenBao's database engine knows by this name.

use super::super::room::Verb;
use super::super::scenario::DatabaseKind;
use super::super::shape::{self, shape};
use super::database;

pub(super) const VERB: Verb<()> = Verb {
    word: "postgres",
    read: |draft, entry| database::read(draft, entry, DatabaseKind::Postgres),
    shape: shape::of::<Shape>,
    example: "- postgres: { name: ledger, users: [clerk] }",
};

shape! {
    /// A PostgreSQL that OpenBao's database engine can manage.
    struct Shape(database::Shape);
}
