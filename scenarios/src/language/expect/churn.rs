//! `churn: { credential, … }`: how often the Secret is written without a new value.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::CredentialName;
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "churn",
    read,
    shape: shape::of::<Shape>,
    example: "- churn: { credential: fleet, exactly: 0 }",
};

shape! {
    /// How often the Secret is written without a new value of the credential: each write may restart somebody.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let bounds = bounds::read(draft, &form);
    let (held, bounds) = (held?, bounds?);
    let credential = held.credential.name;
    if held.credential.secret.is_none() {
        draft.sink.report(&form.need("credential")?.span, format!("`{credential}` is in no Secret"));
        return None;
    }
    let text = format!("the Secret of {credential} is written without a new value {}", bounds.times());
    let of = Counted::Churn { credential };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
