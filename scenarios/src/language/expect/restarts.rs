//! `restarts: { of, … }`: how often containers of a workload ended and were started again.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::ProbeName;
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "restarts",
    read,
    shape: shape::of::<Shape>,
    example: "- restarts: { of: app, exactly: 0 }",
};

shape! {
    /// How often containers of a workload ended and were started again; a rollout makes new ones and is no restart.
    struct Shape {
        /// The workload.
        of: ProbeName,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let of = form.need("of").and_then(|node| draft.workloads.find(draft.sink, node));
    let bounds = bounds::read(draft, &form);
    let (name, bounds) = (of?.name.clone(), bounds?);
    let text = format!("containers of {name} are restarted {}", bounds.times());
    let of = Counted::Most { counter: format!("restarts:{name}") };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
