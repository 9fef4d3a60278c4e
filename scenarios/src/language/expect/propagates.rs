//! `propagates: { credential, to, within }`: every rotation ordered of it is seen at the hop in time.

use handover_harness::plan::{Expectation, Orders};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{ByWord, CredentialName, DurationExpression, HopWord};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "propagates",
    read,
    shape: shape::of::<Shape>,
    example: "- propagates: { credential: fleet, to: secret, within: refresh_interval + 2s }",
};

shape! {
    /// Every rotation, whether a step ordered it or it came by itself, is seen at this hop in time.
    struct Shape {
        /// Which credential, or `"*"`.
        credential: CredentialName,
        /// Where.
        to: HopWord,
        /// From the rotation at the origin on.
        within: DurationExpression,
        /// Of several replicas.
        by: Option<ByWord>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let mut subject = subject::credentials(draft, &form, "credential");
    let at = subject::at(draft, &form, "to", subject.as_mut());
    let within = draft.duration(&form, "within", subject.as_ref().and_then(|subject| subject.first()));
    let who = subject::who(draft, &form);
    let (subject, at, within, who) = (subject?, at?, within?, who?);
    let text = format!("{} reaches {at} within {}", subject.name(), spoken(within));
    let (within, orders) = (within.into(), Orders::All);
    let arrives = |credential: String| Expectation::Arrival { credential, at, within, who, orders };
    Some((text, subject.each(|held| arrives(held.credential.name.clone()))))
}
