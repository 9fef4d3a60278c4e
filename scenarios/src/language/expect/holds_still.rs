//! `holds_still: { credential, at }`: the value never moves.

use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb { word: "holds_still", read };

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open(draft.sink, entry.verb, entry.node, &["credential", "at"])?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let (credential, at) = (held?.credential.name, at?);
    let text = format!("{credential} holds still at {at}");
    Some((text, Expectation::Always(Always::HoldsStill { credential, at })))
}
