//! `condition: { object, type, is, within?, after? }`: a condition of an object is so, and stays so.

use std::time::Duration;

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::{Form, text};
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{ConditionStatus, DurationExpression, MarkName, ObjectPlace};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "condition",
    read,
    shape: shape::of::<Shape>,
    example: "- condition: { object: externalsecret/fleet-mysql, type: Ready, is: \"True\" }",
};

shape! {
    /// A condition of an object is so from a moment on, and stays so to the end.
    struct Shape {
        /// Which object.
        object: ObjectPlace,
        /// The condition's type.
        r#type: String,
        /// Its status, in quotes: YAML takes `True` for a boolean.
        is: ConditionStatus,
        /// From so long after that moment on; at once unless said otherwise.
        within: Option<DurationExpression>,
        /// The moment: a mark; the first step unless said otherwise.
        after: Option<MarkName>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let object = form.need("object").and_then(|node| draft.object(node));
    let kind = form.text("type");
    let is = form.need("is").and_then(|node| text(draft.sink, node));
    let within = match form.has("within") {
        true => draft.plain_duration(&form, "within"),
        false => Some(Duration::ZERO),
    };
    let since = subject::since(draft, &form);
    let (object, kind, is, within, since) = (object?, kind?, is?, within?, since?);
    if !["True", "False", "Unknown"].contains(&is) {
        draft.sink.report(&form.need("is")?.span, "a condition is \"True\", \"False\" or \"Unknown\"");
        return None;
    }
    let when = if within.is_zero() { String::new() } else { format!(" from {} on", spoken(within)) };
    let text = format!("{object} is {kind} {is}{when}, and stays so");
    let state = draft.watch_condition(&object, kind);
    let always = Always::State { state, is: is.to_owned(), since, within: within.into() };
    Some((text, Expectation::Always(always)))
}
