//! `eso: { replicas }`: several replicas of ESO, of which one leads.

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};

pub(super) const VERB: Verb<()> =
    Verb { word: "eso", read, shape: shape::of::<Shape>, example: "- eso: { replicas: 2 }" };

/// More would show nothing more.
const MOST: u64 = 5;

shape! {
    /// Several replicas of External Secrets Operator, with leader election: one works, and the others wait until it does
    /// not. There is one again when the scenario is over. Only pods can be elected: where the plane has no real
    /// kubelet, the scenario is skipped. Needs `exclusive: true`.
    struct Shape {
        /// How many.
        #[schemars(range(min = 2, max = 5))]
        replicas: u64,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let Some(node) = form.need("replicas") else { return };
    let Some(replicas) = draft.vars.number(draft.sink, node) else { return };
    let count = u32::try_from(replicas).ok().filter(|_| (2..=MOST).contains(&replicas));
    let Some(count) = count else {
        let hint = format!("from 2 to {MOST}");
        draft.sink.report_with(&node.span, format!("ESO cannot have {replicas} replicas here"), hint);
        return;
    };
    if !draft.exclusive {
        let message = "`eso` changes it for every scenario that plays beside this one";
        draft.sink.report_with(&entry.verb.span, message, "add `exclusive: true` at the top");
        return;
    }
    if draft.replicas.replace(count).is_some() {
        draft.sink.report(&entry.verb.span, "`eso` is given twice");
    }
}
