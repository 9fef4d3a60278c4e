//! The fields of a credential that make a generation, and where in the Secret each of them is.

use std::collections::BTreeMap;

use handover_harness::extract::{BadExtract, Extract, Spot, WORDS};

use super::super::draft::{Draft, GivenStore};
use super::super::form::{self, Form};
use super::super::names::{self, Name, did_you_mean, listed};
use super::super::node::{Key, Node, Value};
use super::super::shape::shape;
use super::super::source::Span;
use super::super::words::{self, EveryKey, ExtractExpression};

shape! {
    /// Fields of a credential.
    #[schemars(untagged, inline)]
    pub(super) enum Fields {
        /// `"*"`: every key that the Secret has.
        All(EveryKey),
        /// Fields whose keys in the Secret have the same names.
        Same(#[schemars(length(min = 1))] Vec<words::FieldName>),
        /// Field by field, where in the Secret it is.
        Spots(#[schemars(length(min = 1))] BTreeMap<String, FieldSpot>),
    }

    /// Where in the Secret a field is.
    #[schemars(untagged, inline)]
    pub(super) enum FieldSpot {
        /// The key that holds it.
        Key(String),
        /// A part of the text behind a key.
        Part(Part),
    }

    /// A part of the text behind a key.
    #[schemars(inline)]
    pub(super) struct Part {
        /// The key of the Secret.
        #[schemars(length(min = 1))]
        key: String,
        /// Where in its text.
        extract: Option<ExtractExpression>,
    }
}

/// A field, where it is, and where the file says so.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) spot: Spot,
    pub(super) span: Span,
}

/// What the file says of fields: `fields`, or `key` and `extract` for a single one. The inner none: nothing.
pub(super) fn said(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    store: Option<&GivenStore>,
) -> Option<Option<Vec<Field>>> {
    if !form.has("key") {
        if let Some(extract) = form.get("extract") {
            let hint = "say of which key of the Secret: `key: DATABASE_URL`";
            draft.sink.report_with(&extract.span, "`extract` does not say of what", hint);
            return None;
        }
        return form.optional("fields", |node| fields(draft, node));
    }
    let spot = spot(draft, form);
    if let Some(fields) = form.get("fields") {
        draft.sink.report(&fields.span, "`key` says where the one field is; this would say it again");
        return None;
    }
    let name = match store {
        Some(GivenStore::Kv(kv)) if kv.fields.len() == 1 => kv.fields[0].clone(),
        _ => "password".to_owned(),
    };
    let span = form.get("key")?.span.clone();
    Some(Some(vec![Field { name, spot: spot?, span }]))
}

/// `"*"` (no field, which means every key), `[FIELD, …]`, or `{ FIELD: KEY, … }` where the Secret's keys have other names, or
/// `{ FIELD: { key, extract }, … }` where the value is a part of the text.
fn fields(draft: &Draft<'_>, node: &Node) -> Option<Vec<Field>> {
    if node.text() == Some("*") {
        return Some(Vec::new());
    }
    let Value::Map(entries) = &node.value else {
        let names = form::names(draft.sink, node)?;
        let field = |name: Name| Field { spot: name.text.as_str().into(), name: name.text, span: name.span };
        return Some(names.into_iter().map(field).collect());
    };
    if entries.is_empty() {
        draft.sink.report(&node.span, "expected at least one field");
        return None;
    }
    let read = |(name, node): &(Key, Node)| {
        let sound = names::check(draft.sink, &name.text, &name.span);
        let spot = match node.map() {
            Some(_) => spot(draft, &Form::open::<Part>(draft.sink, name, node)?),
            None => form::text(draft.sink, node).map(Spot::from),
        };
        let spot = spot?;
        sound.then(|| Field { name: name.text.clone(), spot, span: name.span.clone() })
    };
    let fields: Vec<_> = entries.iter().map(read).collect();
    fields.into_iter().collect()
}

/// `key` and `extract` of a form.
fn spot(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<Spot> {
    let key = form.text("key");
    let extract = form.optional("extract", |node| extract(draft, node));
    let (key, extract) = (key?.to_owned(), extract?);
    Some(Spot { key, extract })
}

fn extract(draft: &Draft<'_>, node: &Node) -> Option<Extract> {
    let text = form::text(draft.sink, node)?;
    Extract::parse(text)
        .map_err(|error| {
            let guess = match &error {
                BadExtract::Unknown(word) => did_you_mean(word, WORDS),
                BadExtract::Empty | BadExtract::Pointer(_) | BadExtract::Nameless(_) => String::new(),
            };
            let hint = format!("there are {}; chain them with `|`", listed(WORDS));
            draft.sink.report_with(&node.span, format!("{error}{guess}"), hint);
        })
        .ok()
}
