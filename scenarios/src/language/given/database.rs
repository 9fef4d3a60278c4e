//! What the databases have in common: a name and the users that are made in them.

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::Entry;
use super::super::scenario::{Database, DatabaseKind};
use super::super::shape::shape;
use super::super::words::NewName;

shape! {
    /// A database.
    #[schemars(inline)]
    pub(super) struct Shape {
        /// What the rest of the file calls it; OpenBao's database engine knows it by this name too.
        name: NewName,
        /// Users that are made before OpenBao manages them.
        #[schemars(length(min = 1))]
        users: Vec<NewName>,
    }
}

/// Reads one; its verb names the server.
pub(super) fn read(draft: &mut Draft<'_>, entry: &Entry<'_>, kind: DatabaseKind) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let (name, users) = (form.name("name"), form.names("users"));
    let Some(name) = name else { return };
    // All databases of a kind are on one server.
    let taken = users.iter().flatten().filter_map(|user| {
        let other = draft
            .databases
            .iter()
            .find(|database| database.kind == kind && database.users.contains(&user.text))?;
        Some((user, other.name.clone()))
    });
    for (user, other) in taken {
        let message = format!("user `{}` is given twice: `{other}` has it too", user.text);
        draft.sink.report(&user.span, message);
    }
    let database = users.map(|users| Database {
        name: name.text.clone(),
        kind,
        users: users.into_iter().map(|user| user.text).collect(),
    });
    draft.databases.bind(draft.sink, name, database);
}
