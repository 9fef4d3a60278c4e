//! `rotations: { credential, at, exactly | at_least, at_most }`: how often the value moves.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "rotations",
    read,
    shape: shape::of::<Shape>,
    example: "- rotations: { credential: fleet, at: secret, exactly: 1 }",
};

shape! {
    /// How often the value moves at this hop.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: HopWord,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let bounds = bounds::read(draft, &form);
    let (credential, at, bounds) = (held?.credential.name, at?, bounds?);
    let text = format!("{credential} moves {} at {at}", bounds.times());
    let of = Counted::Moves { credential, at };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
