//! `in_order: { credential, at }`: no generation is left out, and none comes back unordered.

use handover_harness::plan::Expectation;

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "in_order",
    read,
    shape: shape::of::<Shape>,
    example: "- in_order: { credential: fleet, at: secret }",
};

shape! {
    /// The generations pass this hop in the order in which they were ordered: none is left out, none comes back.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: HopWord,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let (credential, at) = (held?.credential.name, at?);
    let text = format!("the generations of {credential} pass {at} in the order in which they were ordered");
    Some((text, Expectation::Order { credential, at }))
}
