//! `static_role: { name, server, rotation_period, user? }`: OpenBao's database engine owns a user's password.

use std::time::Duration;

use super::super::draft::{Draft, GivenStore};
use super::super::form::Form;
use super::super::names::{did_you_mean, listed};
use super::super::room::{Entry, Verb};
use super::super::scale::Grain;
use super::super::scenario::{Database, StaticRole};
use super::super::shape::{self, shape};
use super::super::words::{DatabaseName, DurationExpression, NewName, OneOrMore, Statement};

pub(super) const VERB: Verb<()> = Verb {
    word: "static_role",
    read,
    shape: shape::of::<Shape>,
    example: "- static_role: { name: fleet, server: db, rotation_period: 1h }",
};

shape! {
    /// A static role of OpenBao's database engine, which owns a user's password from then on: making the role
    /// rotates it.
    struct Shape {
        /// What the rest of the file calls it; the manifests read `database/static-creds/<name>`.
        name: NewName,
        /// The database whose user it is.
        server: DatabaseName,
        /// When OpenBao rotates it by itself; 5 s at least.
        rotation_period: DurationExpression,
        /// Which of the database's users; the one with the role's name unless said otherwise.
        user: Option<NewName>,
        /// What OpenBao runs to rotate it, with `{{username}}` and `{{password}}`; its own default unless said
        /// otherwise.
        rotation_statements: Option<OneOrMore<Statement>>,
        /// Whether it is made by a step (`static_role: NAME`) and not before the first one.
        later: Option<bool>,
    }
}

/// OpenBao refuses shorter ones.
const SHORTEST: Duration = Duration::from_secs(5);

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let database = form.need("server").and_then(|node| draft.databases.find(draft.sink, node)).cloned();
    let user = user(draft, &form, name.as_ref().map(|name| name.text.as_str()), database.as_ref());
    let rotation_period = rotation_period(draft, &form, name.as_ref().map_or("", |name| &name.text));
    let rotation_statements = form.optional("rotation_statements", |node| statements(draft, node));
    let later = form.flag("later", false);
    let Some(name) = name else { return };
    let role = (|| {
        let (user, database) = (user?, database?.name);
        let rotation_statements = rotation_statements?.unwrap_or_default();
        let (name, rotation_period, later) = (name.text.clone(), rotation_period?, later?);
        Some(StaticRole { name, database, user, rotation_period, rotation_statements, later })
    })();
    draft.stores.bind(draft.sink, name, role.map(GivenStore::StaticRole));
}

/// One statement, or several.
pub(super) fn statements(draft: &Draft<'_>, node: &super::super::node::Node) -> Option<Vec<String>> {
    let texts = node.items().iter().map(|node| super::super::form::text(draft.sink, node));
    texts.map(|text| text.map(str::to_owned)).collect()
}

/// One of the database's users; the one with the role's name unless the file says which.
fn user(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    role: Option<&str>,
    database: Option<&Database>,
) -> Option<String> {
    let (word, span) = match form.get("user") {
        Some(node) => (super::super::form::text(draft.sink, node)?, &node.span),
        None if form.has("user") => return None,
        None => (role?, &form.head.span),
    };
    let database = database?;
    if database.users.iter().any(|user| user == word) {
        return Some(word.to_owned());
    }
    let users = || database.users.iter().map(String::as_str);
    let message = format!("`{}` has no user `{word}`{}", database.name, did_you_mean(word, users()));
    draft.sink.report_with(span, message, format!("its users: {}", listed(users())));
    None
}

fn rotation_period(draft: &mut Draft<'_>, form: &Form<'_, '_>, role: &str) -> Option<Duration> {
    let period = draft.plain_duration(form, "rotation_period")?;
    if period < SHORTEST {
        let node = form.need("rotation_period")?;
        draft.sink.report(&node.span, "OpenBao takes no rotation_period below 5 s");
        return None;
    }
    let at = form.need("rotation_period")?.span.clone();
    draft.scaled(&at, &format!("rotation_period of {role}"), period, Grain::ROTATION)
}
