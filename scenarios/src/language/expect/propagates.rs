//! `propagates: { credential, to, within }`: every rotation ordered of it is seen at the hop in time.

use handover_harness::plan::{Expectation, Orders, Who};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb { word: "propagates", read };

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open(draft.sink, entry.verb, entry.node, &["credential", "to", "within"])?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "to", held.as_ref());
    let within = draft.duration(&form, "within", held.as_ref());
    let (credential, at, within) = (held?.credential.name, at?, within?);
    let text = format!("{credential} reaches {at} within {}", spoken(within));
    Some((
        text,
        Expectation::Arrival { credential, at, within: within.into(), who: Who::Every, orders: Orders::All },
    ))
}
