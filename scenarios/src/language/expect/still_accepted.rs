//! `still_accepted: { credential, generation: previous, for }`: the value before is not retired too early.

use handover_harness::event::Hop;
use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression};
use super::{Previous, Said};

pub(super) const VERB: Verb<Said> = Verb {
    word: "still_accepted",
    read,
    shape: shape::of::<Shape>,
    example: "- still_accepted: { credential: fleet, generation: previous, for: refresh_interval }",
};

shape! {
    /// After each rotation the value before it is still accepted for so long: whoever has not heard of the new one
    /// yet is not locked out.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Only `previous`: the value before the rotation.
        generation: Option<Previous>,
        /// For how long.
        r#for: DurationExpression,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    form.only("generation", "previous")?;
    let time = draft.duration(&form, "for", held.as_ref());
    let (held, time) = (held?, time?);
    let credential = held.credential.name.clone();
    if !draft.hops(&held.credential).contains(&Hop::Origin) {
        let message = format!("no server checks `{credential}`, so none can accept it");
        draft.sink.report(&form.need("credential")?.span, message);
        return None;
    }
    let text = format!("{credential}: the previous value is accepted for {} after a rotation", spoken(time));
    Some((text, Expectation::Always(Always::StillAccepted { credential, time: time.into() })))
}
