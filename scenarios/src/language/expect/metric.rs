//! `metric: { of, name, labels?, … }`: by how much a figure of a component's metrics rises.

use std::collections::BTreeMap;

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::Draft;
use super::super::form::{Form, text};
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "metric",
    read,
    shape: shape::of::<Shape>,
    example: "- metric: { of: eso, name: externalsecret_sync_calls_error, exactly: 0 }",
};

shape! {
    /// By how much a figure of a component's metrics rises while the scenario plays. Of several replicas each counts its
    /// own: a scenario that has them is skipped.
    struct Shape {
        /// The component; only `eso` has metrics here.
        of: Option<Of>,
        /// The metric.
        name: String,
        /// Labels that are counted; `namespace` is the scenario's own unless it says another.
        labels: Option<BTreeMap<String, String>>,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }

    /// Who has metrics.
    #[schemars(rename_all = "lowercase")]
    enum Of {
        /// External Secrets Operator.
        Eso,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    form.only("of", "eso")?;
    let name = form.text("name");
    let labels = form.optional("labels", |node| {
        let Some(entries) = node.map() else {
            draft.sink.report(&node.span, format!("labels are a mapping, found {}", node.what()));
            return None;
        };
        let pairs =
            entries.iter().map(|(key, node)| Some((key.text.clone(), text(draft.sink, node)?.to_owned())));
        pairs.collect::<Option<BTreeMap<_, _>>>()
    });
    let bounds = bounds::read(draft, &form);
    let (name, labels, bounds) = (name?, labels?.unwrap_or_default(), bounds?);
    let counter = draft.count_metric("eso", name, labels);
    let text = format!("{name} of eso rises by {}", bounds.numbers());
    let of = Counted::Rise { counter };
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
