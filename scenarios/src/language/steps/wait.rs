//! `wait: { credential, at, reaches: next, within }`: until a hop shows what the latest rotate step set, or later.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression, HopWord};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "wait",
    read,
    shape: shape::of::<Shape>,
    example: "- wait: { credential: fleet, at: secret, within: 30s }",
};

shape! {
    /// Waits until a hop shows what the latest `rotate` set, or later.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: HopWord,
        /// How long at most; after that the scenario is an error, not a failure.
        within: DurationExpression,
        /// What it waits for; there is one word only.
        reaches: Option<Reaches>,
    }

    /// What a hop reaches.
    #[schemars(inline, rename_all = "lowercase")]
    enum Reaches {
        Next,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "at", held.as_ref());
    let reaches = form.only("reaches", "next");
    let within = draft.duration(&form, "within", held.as_ref());
    reaches?;
    let (credential, at, within) = (held?.credential.name, at?, within?);
    let text = format!("wait until {credential} reaches {at}, for {} at most", spoken(within));
    Some((text, Action::Wait { credential, at, within }))
}
