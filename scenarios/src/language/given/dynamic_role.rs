//! `dynamic_role: { name, server, ttl, max_ttl?, creation_statements? }`: each read makes a user with a lease.

use std::time::Duration;

use super::super::draft::{Draft, GivenStore};
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::scale::Grain;
use super::super::scenario::DynamicRole;
use super::super::shape::{self, shape};
use super::super::words::{DatabaseName, DurationExpression, NewName, OneOrMore, Statement};
use super::static_role::statements;

pub(super) const VERB: Verb<()> = Verb {
    word: "dynamic_role",
    read,
    shape: shape::of::<Shape>,
    example: "- dynamic_role: { name: report, server: db, ttl: 10s }",
};

shape! {
    /// A dynamic role of OpenBao's database engine: each read of `database/creds/<name>` makes a new user, whose
    /// lease ends after the ttl.
    struct Shape {
        /// What the rest of the file calls it; the manifests read `database/creds/<name>`.
        name: NewName,
        /// The database in which it makes users.
        server: DatabaseName,
        /// How long a lease lives, in whole seconds.
        ttl: DurationExpression,
        /// How long it lives with every renewal; the ttl unless said otherwise.
        max_ttl: Option<DurationExpression>,
        /// What OpenBao runs to make a user; one that may log in and do nothing else unless said otherwise.
        creation_statements: Option<OneOrMore<Statement>>,
    }
}

/// OpenBao counts leases in whole seconds.
const SHORTEST: Duration = Duration::from_secs(1);

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let database = form.need("server").and_then(|node| draft.databases.find(draft.sink, node)).cloned();
    let of = name.as_ref().map_or("", |name| &name.text);
    let ttl = seconds(draft, &form, "ttl", of);
    let max_ttl = if form.has("max_ttl") { seconds(draft, &form, "max_ttl", of) } else { ttl };
    let creation = form.optional("creation_statements", |node| statements(draft, node));
    let Some(name) = name else { return };
    let role = (|| {
        let creation_statements = creation?.unwrap_or_default();
        let (database, ttl, max_ttl) = (database?.name, ttl?, max_ttl?);
        Some(DynamicRole { name: name.text.clone(), database, ttl, max_ttl, creation_statements })
    })();
    draft.stores.bind(draft.sink, name, role.map(GivenStore::DynamicRole));
}

/// A time that OpenBao can count, of the role of this name; shrunk where a scale is set.
pub(super) fn seconds(draft: &mut Draft<'_>, form: &Form<'_, '_>, key: &str, of: &str) -> Option<Duration> {
    let time = draft.plain_duration(form, key)?;
    if time < SHORTEST || time.subsec_nanos() != 0 {
        let message = format!("OpenBao counts `{key}` in whole seconds, 1 s at least");
        draft.sink.report(&form.need(key)?.span, message);
        return None;
    }
    let at = form.need(key)?.span.clone();
    draft.scaled(&at, &format!("{key} of {of}"), time, Grain::TTL)
}
