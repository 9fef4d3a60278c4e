//! `retired: { credential, generation: previous, within }`: the value before is refused, and stays refused.

use handover_harness::event::Hop;
use handover_harness::plan::{Always, Expectation};

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::form::Form;
use super::super::names::listed;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{CredentialName, DurationExpression};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "retired",
    read,
    shape: shape::of::<Shape>,
    example: "- retired: { credential: fleet, generation: previous, within: 1s }",
};

shape! {
    /// The value before each rotation is refused from then on, and stays refused.
    struct Shape {
        /// Which credential.
        credential: CredentialName,
        /// From when on, after the rotation.
        within: DurationExpression,
        /// Which value; there is one word only.
        generation: Option<Generation>,
    }

    /// Which value.
    #[schemars(inline, rename_all = "lowercase")]
    enum Generation {
        Previous,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
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
