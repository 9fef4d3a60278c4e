//! `hold: { credential, at, for }`: sees that a hop does not move for a time.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::Said;

pub(super) const VERB: Verb<Said> = Verb { word: "hold", read };

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open(draft.sink, entry.verb, entry.node, &["credential", "at", "for"])?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let time = draft.duration(&form, "for", held.as_ref());
    let (credential, at, time) = (held?.credential.name, at?, time?);
    let text = format!("see that {credential} holds still at {at} for {}", spoken(time));
    Some((text, Action::Hold { credential, at, time }))
}
