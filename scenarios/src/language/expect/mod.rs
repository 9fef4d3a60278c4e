//! `expect`: what the timeline must show. Each verb is a sentence over one of the harness's kernels.

mod bounds;
mod calls;
mod holds_still;
mod in_order;
mod objects;
mod outage;
mod propagates;
mod retired;
mod rotations;

use std::borrow::Cow;

use handover_harness::plan::{Expectation, Expected};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::draft::Draft;
use super::node::Node;
use super::room::{self, Entry, Verb};

/// How a person would say it, and what it means.
type Said = Option<(String, Expectation)>;

const VERBS: [Verb<Said>; 8] = [
    propagates::VERB,
    outage::VERB,
    retired::VERB,
    rotations::VERB,
    holds_still::VERB,
    in_order::VERB,
    objects::VERB,
    calls::VERB,
];

/// The room as a type, for the schema.
pub(super) struct Room;

impl JsonSchema for Room {
    fn schema_name() -> Cow<'static, str> {
        "expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<One>() })
    }
}

/// One entry as a type, for the schema.
pub(super) struct One;

impl JsonSchema for One {
    fn schema_name() -> Cow<'static, str> {
        "Expectation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        room::entry_schema(generator, "expect", &VERBS)
    }
}

/// The verbs, described.
pub(super) fn described() -> Vec<room::Described> {
    room::described("expect", &VERBS)
}

/// Reads the room.
pub(super) fn read(draft: &mut Draft<'_>, node: Option<&Node>) -> Vec<Expected> {
    let entries = room::entries(draft.sink, "expect", node, &VERBS);
    entries.into_iter().filter_map(|(verb, entry)| expected(draft, verb, &entry)).collect()
}

/// Reads one entry outside of the room: what settles a claim.
pub(super) fn read_one(draft: &mut Draft<'_>, room: &str, node: &Node) -> Option<Expected> {
    let entries = room::entry(draft.sink, room, node, &VERBS);
    let (verb, entry) = entries.into_iter().next()?;
    expected(draft, verb, &entry)
}

fn expected(draft: &mut Draft<'_>, verb: &Verb<Said>, entry: &Entry<'_>) -> Option<Expected> {
    let (text, expectation) = (verb.read)(draft, entry)?;
    Some(Expected { verb: verb.word.to_owned(), text, line: entry.line(), expectation })
}
