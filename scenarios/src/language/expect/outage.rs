//! `outage: { of, at_most }`: no time in which the reader was refused is longer.

use handover_harness::plan::{Expectation, Who};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{DurationExpression, ReaderName};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "outage",
    read,
    shape: shape::of::<Shape>,
    example: "- outage: { of: web, at_most: refresh_interval + 2s }",
};

shape! {
    /// No time in which the reader is refused is longer. An outage has two bounds, because a server decides at some
    /// moment between a login's start and its end: between them the answer is inconclusive.
    struct Shape {
        /// The reader.
        of: ReaderName,
        /// The longest that it may last.
        at_most: DurationExpression,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let reader = form.need("of").and_then(|node| draft.readers.find(draft.sink, node));
    let held = reader.and_then(|reader| draft.credentials.get(&reader.credential));
    let at_most = draft.duration(&form, "at_most", held);
    let (of, at_most) = (reader?.name.clone(), at_most?);
    let text = format!("{of} is refused no longer than {}", spoken(at_most));
    Some((text, Expectation::Outage { of, at_most: at_most.into(), who: Who::Every }))
}
