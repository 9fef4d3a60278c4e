//! `propagates: { credential, to, within }`: every rotation ordered of it is seen at the hop in time.

use handover_harness::plan::{Expectation, Orders, Who};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "propagates",
    read,
    shape: shape::of::<Shape>,
    example: "- propagates: { credential: fleet, to: secret, within: refresh_interval + 2s }",
};

shape! {
    /// Every rotation that a step ordered is seen at this hop in time.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        to: HopWord,
        /// From the rotation at the origin on.
        within: DurationExpression,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "to", held.as_ref());
    let within = draft.duration(&form, "within", held.as_ref());
    let (credential, at, within) = (held?.credential.name, at?, within?);
    let text = format!("{credential} reaches {at} within {}", spoken(within));
    Some((
        text,
        Expectation::Arrival { credential, at, within: within.into(), who: Who::Every, orders: Orders::All },
    ))
}
