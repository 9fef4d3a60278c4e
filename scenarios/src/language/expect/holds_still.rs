//! `holds_still: { credential, at }`: the value never moves.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "holds_still",
    read,
    shape: shape::of::<Shape>,
    example: "- holds_still: { credential: fleet, at: secret }",
};

shape! {
    /// The value never moves at this hop.
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
    let text = format!("{credential} holds still at {at}");
    Some((text, Expectation::Always(Always::HoldsStill { credential, at })))
}
