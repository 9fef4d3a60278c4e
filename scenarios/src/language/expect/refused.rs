//! `refused: { of, … }`: how many logins of a reader or workload are refused.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::ProbeName;
use super::{Said, bounds, subject};

pub(super) const VERB: Verb<Said> =
    Verb { word: "refused", read, shape: shape::of::<Shape>, example: "- refused: { of: web, exactly: 0 }" };

shape! {
    /// How many logins of a reader or workload are refused; of several replicas all together.
    struct Shape {
        /// The reader or workload, or `"*"`.
        of: ProbeName,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let probes = subject::probes(draft, &form, "of");
    let bounds = bounds::read(draft, &form);
    let (mut probes, bounds) = (probes?, bounds?);
    let name = if probes.len() == 1 { probes[0].clone() } else { "every reader and workload".to_owned() };
    let text = format!("{} logins of {name} are refused", bounds.numbers());
    let one = |probe| {
        let of = Counted::Refused { probe };
        Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }
    };
    let last = one(probes.pop()?);
    Some((
        text,
        match probes.is_empty() {
            true => last,
            false => Expectation::Every(probes.into_iter().map(one).chain([last]).collect()),
        },
    ))
}
