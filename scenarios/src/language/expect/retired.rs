//! `retired: { credential, generation: previous, within }`: the value before is refused, and stays refused.

use handover_harness::event::Hop;
use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::names::listed;
use super::super::room::{Entry, Verb};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb { word: "retired", read };

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open(draft.sink, entry.verb, entry.node, &["credential", "generation", "within"])?;
    let held = draft.credential(&form, "credential");
    let generation = form.only("generation", "previous");
    let within = draft.duration(&form, "within", held.as_ref());
    generation?;
    let (held, within) = (held?, within?);
    let credential = held.credential.name.clone();
    let hops = draft.hops(&held.credential);
    if !hops.contains(&Hop::Origin) {
        let message = format!("no server checks `{credential}`, so none can refuse it");
        let hint = format!("it is seen at {}", listed(hops.into_iter().map(Hop::word)));
        draft.sink.report_with(&form.need("credential")?.span, message, hint);
        return None;
    }
    let after = spoken(within);
    let text = format!(
        "{credential}: the previous value is refused from {after} after the rotation on, and stays refused"
    );
    Some((text, Expectation::Always(Always::Retired { credential, within: within.into() })))
}
