//! `whole: { credential, at }`: nobody ever sees the name of one generation with the password of another.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "whole",
    read,
    shape: shape::of::<Shape>,
    example: "- whole: { credential: fleet, at: secret }",
};

shape! {
    /// The fields seen at a hop always belong to one generation: no name of one with the password of another.
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
    let text = format!("{} is never torn at {at}", subject.name());
    let whole = |name: &str| Expectation::Always(Always::Whole { credential: name.to_owned(), at });
    Some((text, subject.each(|held| whole(&held.credential.name))))
}
