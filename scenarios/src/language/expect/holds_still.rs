//! `holds_still: { credential, at }`: the value never moves.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "holds_still",
    read,
    shape: shape::of::<Shape>,
    example: "- holds_still: { credential: fleet, at: secret }",
};

shape! {
    /// The value never moves at this hop.
    struct Shape {
        /// Which credential, or `"*"`.
        credential: CredentialName,
        /// Where.
        at: HopWord,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let mut subject = subject::credentials(draft, &form, "credential");
    let at = subject::at(draft, &form, "at", subject.as_mut());
    let (subject, at) = (subject?, at?);
    let text = format!("{} holds still at {at}", subject.name());
    let still = |credential: String| Expectation::Always(Always::HoldsStill { credential, at });
    Some((text, subject.each(|held| still(held.credential.name.clone()))))
}
