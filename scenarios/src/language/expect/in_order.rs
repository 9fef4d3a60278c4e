//! `in_order: { credential, at }`: no generation is left out, and none comes back unordered.

use handover_harness::plan::Expectation;

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "in_order",
    read,
    shape: shape::of::<Shape>,
    example: "- in_order: { credential: fleet, at: secret }",
};

shape! {
    /// The generations pass this hop in the order in which they were ordered: none is left out, none comes back.
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
    let text =
        format!("the generations of {} pass {at} in the order in which they were ordered", subject.name());
    let ordered = |credential: String| Expectation::Order { credential, at };
    Some((text, subject.each(|held| ordered(held.credential.name.clone()))))
}
