//! `mark: NAME`: names this moment, so that an expectation can speak of what comes after it.

use super::super::draft::Draft;
use super::super::form;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::words::NewName;
use super::Said;

pub(super) const VERB: Verb<Said> =
    Verb { word: "mark", read, shape: shape::of::<Mark>, example: "- mark: cut-over" };

shape! {
    /// Names this moment: expectations can say `after: NAME`.
    #[schemars(transparent)]
    struct Mark(NewName);
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let name = form::name(draft.sink, entry.node)?;
    let (text, step) = (format!("mark {}", name.text), draft.steps.len());
    draft.marks.bind(draft.sink, name, Some(step));
    Some((text, Action::Mark))
}
