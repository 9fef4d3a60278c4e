//! `holds: { server, user }`: the credential that a database user was made with, before OpenBao manages it.

use super::super::draft::Draft;
use super::super::form::{Form, text};
use super::super::names::{did_you_mean, listed};
use super::super::node::{Key, Node};
use super::super::scenario::FirstPassword;
use super::super::shape::shape;
use super::super::words::{DatabaseName, NewName};

/// What such a credential consists of.
pub(super) const FIELDS: [&str; 2] = ["username", "password"];

shape! {
    /// The credential that a database user was made with.
    pub(super) struct Shape {
        /// The database.
        server: DatabaseName,
        /// One of its users.
        user: NewName,
    }
}

pub(super) fn read(draft: &Draft<'_>, of: &Form<'_, '_>, node: &Node) -> Option<FirstPassword> {
    let head = Key { text: "holds".to_owned(), span: of.head.span.clone() };
    let form = Form::open::<Shape>(draft.sink, &head, node)?;
    let database = form.need("server").and_then(|node| draft.databases.find(draft.sink, node));
    let said = form.need("user")?;
    let user = text(draft.sink, said)?;
    let database = database?;
    if !database.users.iter().any(|known| known == user) {
        let users = || database.users.iter().map(String::as_str);
        let message = format!("`{}` has no user `{user}`{}", database.name, did_you_mean(user, users()));
        draft.sink.report_with(&said.span, message, format!("its users: {}", listed(users())));
        return None;
    }
    Some(FirstPassword { database: database.name.clone(), user: user.to_owned() })
}
