//! `hold: { credential, at, for }`: sees that a hop does not move for a time.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "hold",
    read,
    shape: shape::of::<Shape>,
    example: "- hold: { credential: fleet, at: secret, for: 2 * refresh_interval }",
};

shape! {
    /// Sees that a hop does not move for a time.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: HopWord,
        /// How long.
        r#for: DurationExpression,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let time = draft.duration(&form, "for", held.as_ref());
    let (credential, at, time) = (held?.credential.name, at?, time?);
    let text = format!("see that {credential} holds still at {at} for {}", spoken(time));
    Some((text, Action::Hold { credential, at, time }))
}
