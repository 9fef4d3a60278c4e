//! `given`: what is there before the first step.

mod access;
pub(super) mod apply;
mod credential;
mod database;
mod dynamic_role;
mod eso;
mod fields;
mod first;
mod kv;
mod mysql;
pub(super) mod objects;
mod postgres;
mod reader;
mod release;
mod request;
mod secret;
mod static_role;
mod valkey;
mod workload;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::draft::Draft;
use super::names;
use super::node::{Key, Node};
use super::room::{self, Verb, entries};

/// In the order in which they build on each other: entries are read in this order, so that the file may
/// give them in any.
const VERBS: [Verb<()>; 17] = [
    release::VERB,
    eso::VERB,
    mysql::VERB,
    postgres::VERB,
    valkey::VERB,
    kv::VERB,
    secret::VERB,
    apply::VERB,
    static_role::VERB,
    dynamic_role::VERB,
    access::POLICY,
    access::LOGIN,
    request::SQL,
    request::BAO,
    credential::VERB,
    reader::VERB,
    workload::VERB,
];

/// The room as a type, for the schema.
pub(super) struct Room;

impl JsonSchema for Room {
    fn schema_name() -> Cow<'static, str> {
        "given".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        room::schema(generator, "given", &VERBS)
    }
}

/// The verbs, described.
pub(super) fn described() -> Vec<room::Described> {
    room::described("given", &VERBS)
}

/// Reads the room.
pub(super) fn read(draft: &mut Draft<'_>, node: Option<&Node>) {
    let entries = entries(draft.sink, "given", node, &VERBS);
    for item in node.map(Node::items).unwrap_or_default() {
        for (key, node) in item.map().unwrap_or_default() {
            if VERBS.iter().all(|verb| verb.word != key.text) {
                excuse(draft, node);
            }
        }
    }
    for verb in &VERBS {
        for (_, entry) in entries.iter().filter(|(found, _)| found.word == verb.word) {
            let before = bound(draft);
            (verb.read)(draft, entry);
            if bound(draft) == before {
                excuse(draft, entry.node);
            }
        }
    }
}

fn bound(draft: &Draft<'_>) -> usize {
    let given = draft.databases.count() + draft.stores.count() + draft.credentials.count();
    let access = draft.policies.len() + draft.logins.len() + draft.preparations.len();
    given
        + draft.releases.len()
        + usize::from(draft.replicas.is_some())
        + draft.readers.count()
        + draft.workloads.count()
        + access
}

/// An entry that could not be read was reported; the name that it probably gives is not missed again.
fn excuse(draft: &mut Draft<'_>, node: &Node) {
    let named = |(key, node): &'_ (Key, Node)| {
        names::closest(&key.text, ["name"]).map(|_| node.span.text().trim_matches(['"', '\'']).to_owned())
    };
    let name = match node.map() {
        Some(entries) => entries.iter().find_map(named),
        None => node.text().map(str::to_owned),
    };
    if let Some(name) = name {
        draft.databases.excuse(&name);
        draft.stores.excuse(&name);
        draft.credentials.excuse(&name);
        draft.readers.excuse(&name);
        draft.workloads.excuse(&name);
    }
}
