//! `blast_radius: { of }`: nothing but these credentials moves, and nobody else is refused.

use handover_harness::event::Hop;
use handover_harness::plan::{Always, Counted, Expectation, Window};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::names::listed;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, OneOrMore};
use super::Said;

pub(super) const VERB: Verb<Said> =
    Verb { word: "blast_radius", read, shape: shape::of::<Shape>, example: "- blast_radius: { of: fleet }" };

shape! {
    /// Nothing but these credentials moves at any hop, and no reader or workload of another is ever refused.
    struct Shape {
        /// What may move: one credential or several.
        of: OneOrMore<CredentialName>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let node = form.need("of")?;
    let moving: Vec<_> = node.items().iter().map(|node| draft.credentials.find(draft.sink, node)).collect();
    let moving: Vec<String> = moving
        .into_iter()
        .collect::<Option<Vec<_>>>()?
        .iter()
        .map(|held| held.credential.name.clone())
        .collect();
    let others = || draft.credentials.iter().filter(|held| !moving.contains(&held.credential.name));
    let mut all: Vec<Expectation> = Vec::new();
    for held in others() {
        let credential = &held.credential.name;
        // A login shows what its reader holds, which is seen at the Secret already.
        let hops =
            draft.hops(&held.credential).into_iter().filter(|hop| !matches!(hop, Hop::Login | Hop::Origin));
        all.extend(hops.map(|at| {
            Expectation::Always(Always::HoldsStill {
                credential: credential.clone(),
                at,
                during: Window::default(),
            })
        }));
        let readers = draft.readers.iter().filter(|reader| reader.credential == *credential);
        let workloads = draft.workloads.iter().filter(|workload| workload.credential == *credential);
        let probes = readers.map(|reader| &reader.name).chain(workloads.map(|workload| &workload.name));
        all.extend(probes.map(|probe| Expectation::Count {
            of: Counted::Refused { probe: probe.clone() },
            at_least: None,
            at_most: Some(0),
        }));
    }
    if all.is_empty() {
        draft.sink.report(&node.span, "there is no other credential that could stand still");
        return None;
    }
    let text = format!(
        "nothing but {} moves, and nobody else is refused",
        listed(moving.iter().map(String::as_str))
    );
    Some((text, Expectation::Every(all)))
}
