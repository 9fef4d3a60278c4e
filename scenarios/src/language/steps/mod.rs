//! `steps`: what is done, one after the other.

mod hold;
mod mark;
mod objects;
mod request;
mod rotate;
mod server;
mod static_role;
mod wait;
mod watch;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::draft::Draft;
use super::node::Node;
use super::room::{self, Verb, entries};
use super::scenario::{Action, Step};

/// How a person would say it, and what it is.
type Said = Option<(String, Action)>;

const VERBS: [Verb<Said>; 20] = [
    rotate::VERB,
    wait::VERB,
    hold::VERB,
    watch::VERB,
    mark::VERB,
    objects::APPLY,
    objects::PATCH,
    objects::DELETE,
    objects::RESTART,
    objects::GATE,
    objects::FORCE_SYNC,
    request::SQL,
    request::BAO,
    static_role::VERB,
    server::STOP,
    server::START,
    server::KILL,
    server::REPLACE,
    server::SEAL,
    server::UNSEAL,
];

/// The room as a type, for the schema.
pub(super) struct Room;

impl JsonSchema for Room {
    fn schema_name() -> Cow<'static, str> {
        "steps".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        room::schema(generator, "steps", &VERBS)
    }
}

/// The verbs, described.
pub(super) fn described() -> Vec<room::Described> {
    room::described("steps", &VERBS)
}

/// Reads the room.
pub(super) fn read(draft: &mut Draft<'_>, node: Option<&Node>) {
    for (verb, entry) in entries(draft.sink, "steps", node, &VERBS) {
        if let Some((text, action)) = (verb.read)(draft, &entry) {
            draft.steps.push(Step { text, line: entry.line(), action });
        }
    }
}
