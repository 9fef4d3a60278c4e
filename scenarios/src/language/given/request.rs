//! `sql` and `bao`: what is asked of a server before the manifests are applied.

use super::super::draft::Draft;
use super::super::request;
use super::super::room::{Entry, Verb};
use super::super::shape;

pub(super) const SQL: Verb<()> = Verb {
    word: "sql",
    read: sql,
    shape: shape::of::<request::Sql>,
    example: "- sql: { on: db, run: \"ALTER USER {fleet} FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1\" }",
};

pub(super) const BAO: Verb<()> = Verb {
    word: "bao",
    read: bao,
    shape: shape::of::<request::Bao>,
    example: "- bao: { write: sys/mounts/team, data: { type: kv } }",
};

fn sql(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let request = request::sql(draft, entry).map(|(_, request)| request);
    draft.preparations.extend(request);
}

fn bao(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let request = request::bao(draft, entry).map(|(_, request)| request);
    draft.preparations.extend(request);
}
