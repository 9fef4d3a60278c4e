//! `reader: { name, reads, logs_in_to }`: logs in with what the Secret says at that moment.

use std::time::Duration;

use super::super::draft::{Draft, GivenStore, Held};
use super::super::form::Form;
use super::super::names::listed;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Credential, Database, Reader, Store};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DatabaseName, NewName};

pub(super) const VERB: Verb<()> = Verb {
    word: "reader",
    read,
    shape: shape::of::<Shape>,
    example: "- reader: { name: web, reads: fleet, logs_in_to: db }",
};

shape! {
    /// Logs in with what the Secret says at that moment, over a fresh connection each time.
    struct Shape {
        /// What the rest of the file calls it.
        name: NewName,
        /// The credential that it reads from its Secret.
        reads: CredentialName,
        /// The database that it logs in to.
        logs_in_to: DatabaseName,
    }
}

/// How often it logs in where `watch` says nothing.
const EVERY: Duration = Duration::from_millis(100);

/// What a login needs.
const NEEDED: [&str; 2] = ["username", "password"];

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let held = draft.credential(&form, "reads");
    let database = form.need("logs_in_to").and_then(|node| draft.databases.find(draft.sink, node)).cloned();
    let Some(name) = name else { return };
    let reader = (|| {
        let (Held { credential, .. }, database) = (held?, database?);
        fits(draft, &form, &credential, &database)?;
        let (credential, database) = (credential.name, database.name);
        Some(Reader { name: name.text.clone(), credential, database, every: EVERY })
    })();
    draft.readers.bind(draft.sink, name, reader);
}

/// Whether somebody who reads the credential could ever get in.
pub(super) fn fits(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    credential: &Credential,
    database: &Database,
) -> Option<()> {
    let name = &credential.name;
    let reads = &form.need("reads")?.span;
    if credential.secret.is_none() {
        let hint = "say which with `in: secret/NAME`";
        draft.sink.report_with(reads, format!("`{name}` is in no Secret that could be read"), hint);
        return None;
    }
    // Of a static role it is known who logs in.
    let known = |field: &str| field == "username" && matches!(credential.store, Some(Store::StaticRole(_)));
    let lacks: Vec<_> = NEEDED
        .into_iter()
        .filter(|field| !known(field) && !credential.fields.iter().any(|has| has == field))
        .collect();
    if !lacks.is_empty() {
        let message = format!("nobody can log in with `{name}`: it has no field {}", listed(lacks));
        let hint = format!("its fields: {}", listed(credential.fields.iter().map(String::as_str)));
        draft.sink.report_with(reads, message, hint);
        return None;
    }
    let of = match &credential.store {
        Some(Store::StaticRole(role) | Store::DynamicRole(role)) => match draft.stores.get(role) {
            Some(GivenStore::StaticRole(role)) => Some(&role.database),
            Some(GivenStore::DynamicRole(role)) => Some(&role.database),
            Some(GivenStore::Kv(_) | GivenStore::Secret(_)) | None => None,
        },
        Some(Store::Kv(_) | Store::Secret(_)) | None => None,
    };
    if let Some(of) = of.filter(|of| **of != database.name) {
        let message = format!("`{name}` is a user of `{of}`, not of `{}`", database.name);
        draft.sink.report(&form.need("logs_in_to")?.span, message);
        return None;
    }
    Some(())
}
