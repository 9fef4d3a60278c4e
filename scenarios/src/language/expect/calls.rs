//! `calls: { path, exactly | at_least, at_most }`: how often a path of OpenBao is asked for by others.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::watch;
use super::super::words::BaoPath;
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "calls",
    read,
    shape: shape::of::<Shape>,
    example: "- calls: { path: database/static-creds/fleet, at_least: 2 }",
};

shape! {
    /// How often others than the harness ask for a path of OpenBao, by its audit log.
    struct Shape {
        /// As OpenBao's audit log names it, without the OpenBao namespace: `database/static-creds/fleet`.
        path: BaoPath,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let path = form.need("path").and_then(|node| watch::audited(draft.sink, node));
    let bounds = bounds::read(draft, &form);
    let (path, bounds) = (path?, bounds?);
    let text = format!("{path} is called {}", bounds.times());
    let of = Counted::Most { counter: draft.count_calls(path) };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
