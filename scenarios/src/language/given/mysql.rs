//! `mysql: { name, users }`: a MySQL that OpenBao's database engine knows by this name.

use super::super::room::Verb;
use super::super::scenario::DatabaseKind;
use super::database;

pub(super) const VERB: Verb<()> =
    Verb { word: "mysql", read: |draft, entry| database::read(draft, entry, DatabaseKind::Mysql) };
