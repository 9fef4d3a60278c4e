//! `sql` and `bao`: a server is asked for something as its administrator.

use super::super::draft::Draft;
use super::super::request;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape;
use super::Said;

pub(super) const SQL: Verb<Said> = Verb {
    word: "sql",
    read: sql,
    shape: shape::of::<request::Sql>,
    example: "- sql: { on: db, run: \"ALTER USER {fleet} DISCARD OLD PASSWORD\" }",
};

pub(super) const BAO: Verb<Said> = Verb {
    word: "bao",
    read: bao,
    shape: shape::of::<request::Bao>,
    example: "- bao: { write: sys/leases/revoke-prefix/database/creds/fleet }",
};

fn sql(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    request::sql(draft, entry).map(|(text, request)| (text, Action::Request(request)))
}

fn bao(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    request::bao(draft, entry).map(|(text, request)| (text, Action::Request(request)))
}
