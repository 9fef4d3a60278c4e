//! `stragglers: { credential, after, … }`: who is still refused so long after a rotation, known or not.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression};
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "stragglers",
    read,
    shape: shape::of::<Shape>,
    example: "- stragglers: { credential: fleet, after: refresh_interval + 2s, exactly: 0 }",
};

shape! {
    /// How many logins the database refuses its user later than so long after a rotation, whoever sent them: read
    /// from the server's own log, so that a consumer nobody knew of is found too. The harness's own probes, which
    /// try dead values on purpose, do not count.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// From so long after each rotation on.
        after: DurationExpression,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let after = draft.duration(&form, "after", held.as_ref());
    let bounds = bounds::read(draft, &form);
    let (held, after, bounds) = (held?, after?, bounds?);
    if !draft.has_user(&held.credential) {
        let message = format!("no database has a user of its own for `{}`", held.credential.name);
        draft.sink.report(&form.need("credential")?.span, message);
        return None;
    }
    let credential = held.credential.name;
    let text = format!(
        "{} logins with {credential} are refused later than {} after a rotation",
        bounds.numbers(),
        spoken(after)
    );
    let of = Counted::Stragglers { credential, after: after.into() };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
