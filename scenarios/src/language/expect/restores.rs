//! `restores: { credential, to, within }`: the way back works.

use handover_harness::plan::{Expectation, Orders};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{ByWord, CredentialName, DurationExpression, HopWord};
use super::{Said, subject};

pub(super) const VERB: Verb<Said> = Verb {
    word: "restores",
    read,
    shape: shape::of::<Shape>,
    example: "- restores: { credential: app, to: secret, within: refresh_interval + 2s }",
};

shape! {
    /// Every value that a step put back (`rotate: { to: previous }`) is seen at this hop in time.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        to: HopWord,
        /// From the step on.
        within: DurationExpression,
        /// Of several replicas.
        by: Option<ByWord>,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let held = draft.credential(&form, "credential");
    let at = draft.hop(&form, "to", held.as_ref());
    let within = draft.duration(&form, "within", held.as_ref());
    let who = subject::who(draft, &form);
    let (credential, at, within, who) = (held?.credential.name, at?, within?, who?);
    let text = format!("{credential}, put back, reaches {at} within {}", spoken(within));
    let orders = Orders::RolledBack;
    Some((text, Expectation::Arrival { credential, at, within: within.into(), who, orders }))
}
