//! `age: { credential, at, at_least?, at_most? }`: how long each value lives at a hop.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "age",
    read,
    shape: shape::of::<Shape>,
    example: "- age: { credential: fleet, at: store, at_least: 9s, at_most: 11s }",
};

shape! {
    /// How long each value lives at a hop: none is replaced too soon, none gets too old.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: HopWord,
        /// None is replaced sooner.
        at_least: Option<DurationExpression>,
        /// None gets older.
        at_most: Option<DurationExpression>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let time = |key| match form.has(key) {
        true => draft.duration(&form, key, held.as_ref()).map(Some),
        false => Some(None),
    };
    let (at_least, at_most) = (time("at_least"), time("at_most"));
    let (at, at_least, at_most) = (at?, at_least?, at_most?);
    let credential = held?.credential.name;
    let limits = match (at_least, at_most) {
        (Some(least), Some(most)) => format!("{} to {}", spoken(least), spoken(most)),
        (Some(least), None) => format!("{} at least", spoken(least)),
        (None, Some(most)) => format!("{} at most", spoken(most)),
        (None, None) => {
            draft.sink.report_with(&form.head.span, "`age` has no limit", "add `at_least` or `at_most`");
            return None;
        }
    };
    let text = format!("each value of {credential} lives at {at} for {limits}");
    let (at_least, at_most) = (at_least.map(Into::into), at_most.map(Into::into));
    Some((text, Expectation::Always(Always::Age { credential, at, at_least, at_most })))
}
