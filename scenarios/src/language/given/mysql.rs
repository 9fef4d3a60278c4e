//! `mysql: { name, users }`: a MySQL that OpenBao's database engine knows by this name.

use super::super::room::Verb;
use super::super::scenario::DatabaseKind;
use super::super::shape::{self, shape};
use super::database;

pub(super) const VERB: Verb<()> = Verb {
    word: "mysql",
    read: |draft, entry| database::read(draft, entry, DatabaseKind::Mysql),
    shape: shape::of::<Shape>,
    example: "- mysql: { name: db, users: [fleet] }",
};

shape! {
    /// A MySQL that OpenBao's database engine can manage.
    struct Shape(database::Shape);
}
