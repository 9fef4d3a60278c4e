//! `secret: { name, fields | holds, namespace? }`: a Kubernetes Secret that somebody else would have made.

use super::super::draft::{Draft, GivenStore};
use super::super::form::{self, Form};
use super::super::room::{Entry, Verb};
use super::super::scenario::GivenSecret;
use super::super::shape::{self, shape};
use super::super::words::{FieldName, NewName};
use super::first;

pub(super) const VERB: Verb<()> = Verb {
    word: "secret",
    read,
    shape: shape::of::<Shape>,
    example: "- secret: { name: bootstrap, holds: { server: db, user: fleet } }",
};

shape! {
    /// A Kubernetes Secret that is there before the manifests: what a database operator left, or where a
    /// credential comes from.
    struct Shape {
        /// Its name, in the file and in Kubernetes.
        name: NewName,
        /// Its keys; each gets a random value.
        #[schemars(length(min = 1))]
        fields: Option<Vec<FieldName>>,
        /// The database user whose first credential it holds, as `username` and `password`.
        holds: Option<first::Shape>,
        /// Its namespace; the scenario's own unless said otherwise.
        namespace: Option<NewName>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let holds = form.optional("holds", |node| first::read(draft, &form, node));
    let fields = match form.has("holds") && !form.has("fields") {
        true => Some(first::FIELDS.map(str::to_owned).to_vec()),
        false => form.names("fields").map(|fields| fields.into_iter().map(|field| field.text).collect()),
    };
    let namespace = form.optional("namespace", |node| form::name(draft.sink, node));
    let Some(name) = name else { return };
    let secret = (|| {
        let namespace = namespace?.map(|name| name.text);
        Some(GivenSecret { name: name.text.clone(), namespace, fields: fields?, holds: holds? })
    })();
    draft.stores.bind(draft.sink, name, secret.map(GivenStore::Secret));
}
