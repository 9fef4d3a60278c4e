//! `objects: { kind, exactly | at_least, at_most }`: how many objects of a kind there ever are at once.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::watch;
use super::super::words::KindName;
use super::bounds::Bounds;
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "objects",
    read,
    shape: shape::of::<Shape>,
    example: "- objects: { kind: GeneratorState, exactly: 0 }",
};

shape! {
    /// How many objects of a kind there are at once in the scenario's namespace, at the most.
    struct Shape {
        /// Which kind.
        kind: KindName,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let kind = form.need("kind").and_then(|node| watch::kind(draft.sink, node));
    let bounds = bounds::read(draft, &form);
    let (kind, bounds) = (kind?, bounds?);
    let text = said(kind, bounds);
    let of = Counted::Most { counter: draft.count_objects(kind) };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}

fn said(kind: &str, bounds: Bounds) -> String {
    match (bounds.at_least, bounds.at_most) {
        (_, Some(0)) => format!("there is never a {kind}"),
        (None, Some(most)) => format!("there are never more than {most} {kind} objects"),
        (Some(least), None) => format!("at some time there are {least} {kind} objects or more"),
        (Some(least), Some(most)) if least == most => {
            format!("the most {kind} objects at a time are {least}")
        }
        (Some(least), Some(most)) => format!("the most {kind} objects at a time are {least} to {most}"),
        (None, None) => format!("there is any number of {kind} objects"),
    }
}
