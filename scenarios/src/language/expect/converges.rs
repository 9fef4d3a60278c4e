//! `converges: { credential, within }`: after everything was done, all hops show one generation.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "converges",
    read,
    shape: shape::of::<Shape>,
    example: "- converges: { credential: fleet, within: refresh_interval + 2s }",
};

shape! {
    /// So long after the last step, and until the end, every hop shows one and the same generation.
    struct Shape {
        /// Which credential, or `"*"`.
        credential: CredentialName,
        /// From so long after the last step on.
        within: DurationExpression,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let subject = subject::credentials(draft, &form, "credential");
    let within = draft.duration(&form, "within", subject.as_ref().and_then(|subject| subject.first()));
    let (subject, within) = (subject?, within?);
    let text = format!("{} is the same everywhere {} after the last step", subject.name(), spoken(within));
    let agrees = |name: &str| {
        Expectation::Always(Always::Agrees { credential: name.to_owned(), within: within.into() })
    };
    Some((text, subject.each(|held| agrees(&held.credential.name))))
}
