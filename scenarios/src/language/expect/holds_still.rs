//! `holds_still: { credential, at, after?, until? }`: the value never moves.

use handover_harness::plan::{Always, Expectation, Since, Window};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, HopWord, MarkName};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "holds_still",
    read,
    shape: shape::of::<Shape>,
    example: "- holds_still: { credential: fleet, at: secret }",
};

shape! {
    /// The value never moves at this hop.
    struct Shape {
        /// Which credential, or `"*"`.
        credential: CredentialName,
        /// Where.
        at: HopWord,
        /// From this mark on; from the first look unless said otherwise.
        after: Option<MarkName>,
        /// Before this mark; to the end unless said otherwise.
        until: Option<MarkName>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let mut subject = subject::credentials(draft, &form, "credential");
    let at = subject::at(draft, &form, "at", subject.as_mut());
    let (since, until) = (mark(draft, &form, "after"), mark(draft, &form, "until"));
    let (subject, at, since, until) = (subject?, at?, since?, until?);
    let named = |key: &str| form.get(key).and_then(|node| Some(format!(" {key} {}", node.text()?)));
    let when = [named("after"), named("until")].into_iter().flatten().collect::<String>();
    let text = format!("{} holds still at {at}{when}", subject.name());
    let during = Window { since, until };
    let still = |credential: String| Expectation::Always(Always::HoldsStill { credential, at, during });
    Some((text, subject.each(|held| still(held.credential.name.clone()))))
}

/// The mark that a key names; the inner none where it is not said.
fn mark(draft: &Draft<'_>, form: &Form<'_, '_>, key: &str) -> Option<Option<Since>> {
    match form.get(key) {
        Some(node) => draft.marks.find(draft.sink, node).map(|step| Some(Since::Step(*step))),
        None if form.has(key) => None,
        None => Some(None),
    }
}
