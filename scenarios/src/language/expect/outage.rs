//! `outage: { of, at_most }`: no time in which the reader was refused is longer.

use handover_harness::plan::{Expectation, Who};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{ByWord, DurationExpression, ProbeName};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "outage",
    read,
    shape: shape::of::<Shape>,
    example: "- outage: { of: web, at_most: refresh_interval + 2s }",
};

shape! {
    /// No time in which a reader or workload is refused is longer. An outage has two bounds, because a server decides at some
    /// moment between a login's start and its end: between them the answer is inconclusive.
    struct Shape {
        /// The reader or workload, or `"*"`.
        of: ProbeName,
        /// The longest that it may last.
        at_most: DurationExpression,
        /// Of several replicas: `any` means that the service is out only while nobody gets in.
        by: Option<ByWord>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let probes = subject::probes(draft, &form, "of");
    let first =
        probes.as_ref().and_then(|probes| probes.first()).and_then(|probe| draft.credential_of(probe));
    let at_most = draft.duration(&form, "at_most", first);
    let who = subject::who(draft, &form);
    let (mut probes, at_most, who) = (probes?, at_most?, who?);
    let (name, verb) = match (probes.as_slice(), who) {
        ([one], Who::Every) => (one.clone(), "is"),
        ([one], Who::Any) => (format!("all of {one}"), "are"),
        (_, Who::Every | Who::Any) => ("every reader and workload".to_owned(), "is"),
    };
    let text = format!("{name} {verb} refused no longer than {}", spoken(at_most));
    let of_one = |of| Expectation::Outage { of, at_most: at_most.into(), who };
    let last = of_one(probes.pop()?);
    Some((
        text,
        match probes.is_empty() {
            true => last,
            false => Expectation::Every(probes.into_iter().map(of_one).chain([last]).collect()),
        },
    ))
}
