//! `hold: { credential, at, for }` or `hold: { object, condition, is, for }`: sees that a level stays for a time.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::{Form, text};
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::words::{ConditionStatus, CredentialName, DurationExpression, HopWord, ObjectPlace};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "hold",
    read,
    shape: shape::of::<Shape>,
    example: "- hold: { credential: fleet, at: secret, for: 2 * refresh_interval }",
};

shape! {
    /// Sees that a level stays for a time: that the value at a hop does not move, or (with `object`) that a condition
    /// stays as it is.
    #[schemars(extend("oneOf" = [
        { "required": ["credential", "at"] }, { "required": ["object"] }
    ]))]
    struct Shape {
        /// How long.
        r#for: DurationExpression,
        /// Which credential.
        credential: Option<CredentialName>,
        /// Where.
        at: Option<HopWord>,
        /// Which object.
        object: Option<ObjectPlace>,
        /// A condition of the object.
        condition: Option<String>,
        /// The condition's status, in quotes; `"True"` unless said otherwise.
        is: Option<ConditionStatus>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    if form.has("object") {
        return condition(draft, &form);
    }
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let time = draft.duration(&form, "for", held.as_ref());
    let (credential, at, time) = (held?.credential.name, at?, time?);
    let text = format!("see that {credential} holds still at {at} for {}", spoken(time));
    Some((text, Action::Hold { credential, at, time }))
}

fn condition(draft: &Draft<'_>, form: &Form<'_, '_>) -> Said {
    let object = form.need("object").and_then(|node| draft.object(node));
    let condition = form.text("condition");
    let is = form.optional("is", |node| text(draft.sink, node));
    let time = draft.plain_duration(form, "for");
    let (object, condition, is, time) = (object?, condition?, is?.unwrap_or("True"), time?);
    let text = format!("see that {object} stays {condition} {is} for {}", spoken(time));
    let (condition, is) = (condition.to_owned(), is.to_owned());
    Some((text, Action::HoldCondition { object, condition, is, time }))
}
