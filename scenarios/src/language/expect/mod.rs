//! `expect`: what the timeline must show. Each verb is a sentence over one of the harness's kernels.

mod age;
mod blast_radius;
mod bounds;
mod calls;
mod churn;
mod condition;
mod converges;
mod holds_still;
mod in_order;
mod leases;
mod metric;
mod objects;
mod outage;
mod propagates;
mod refused;
mod restarts;
mod restores;
mod retired;
mod rotations;
mod still_accepted;
mod stragglers;
pub(super) mod subject;
mod whole;

use std::borrow::Cow;

use handover_harness::plan::{Expectation, Expected};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::draft::Draft;
use super::node::Node;
use super::room::{self, Entry, Verb};
use super::shape::shape;

/// How a person would say it, and what it means.
type Said = Option<(String, Expectation)>;

const VERBS: [Verb<Said>; 21] = [
    propagates::VERB,
    restores::VERB,
    converges::VERB,
    outage::VERB,
    refused::VERB,
    retired::VERB,
    still_accepted::VERB,
    rotations::VERB,
    age::VERB,
    holds_still::VERB,
    whole::VERB,
    in_order::VERB,
    blast_radius::VERB,
    stragglers::VERB,
    leases::VERB,
    churn::VERB,
    restarts::VERB,
    condition::VERB,
    metric::VERB,
    objects::VERB,
    calls::VERB,
];

shape! {
    /// Which generation: only the one before a rotation can be named.
    #[schemars(rename_all = "lowercase")]
    enum Previous {
        /// The value before the rotation.
        Previous,
    }
}

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
