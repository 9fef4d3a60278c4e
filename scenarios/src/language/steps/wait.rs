//! `wait: { credential, at, reaches: next, within }`: until a hop shows what the latest rotate step set, or later.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::Said;

pub(super) const VERB: Verb<Said> = Verb { word: "wait", read };

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let known = ["credential", "at", "reaches", "within"];
    let form = Form::open(draft.sink, entry.verb, entry.node, &known)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let reaches = form.only("reaches", "next");
    let within = draft.duration(&form, "within", held.as_ref());
    reaches?;
    let (credential, at, within) = (held?.credential.name, at?, within?);
    let text = format!("wait until {credential} reaches {at}, for {} at most", spoken(within));
    Some((text, Action::Wait { credential, at, within }))
}
