//! `leases: { role, issued | live | left | leaked, … }`: how many leases of a dynamic role there are.

use handover_harness::plan::{Counted, Expectation};

use super::super::draft::{Draft, GivenStore};
use super::super::form::{Form, text};
use super::super::names::{did_you_mean, listed};
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::StoreName;
use super::{Said, bounds};

pub(super) const VERB: Verb<Said> = Verb {
    word: "leases",
    read,
    shape: shape::of::<Shape>,
    example: "- leases: { role: report, count: live, at_most: 4 }",
};

shape! {
    /// How many leases of a dynamic role there are.
    struct Shape {
        /// The dynamic role.
        role: StoreName,
        /// Which are counted.
        count: Which,
        #[schemars(flatten)]
        bounds: bounds::Shape,
    }

    /// Which leases are counted.
    #[schemars(rename_all = "lowercase")]
    enum Which {
        /// All that were ever made.
        Issued,
        /// The most that lived at a time.
        Live,
        /// Those that live at the end.
        Left,
        /// The most database users at a time for which no lease stands any more.
        Leaked,
    }
}

const WHICH: [&str; 4] = ["issued", "live", "left", "leaked"];

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let role = form.need("role").and_then(|node| match draft.stores.find(draft.sink, node)? {
        GivenStore::DynamicRole(role) => Some(role.name.clone()),
        GivenStore::Kv(_) | GivenStore::StaticRole(_) | GivenStore::Secret(_) => {
            draft.sink.report(&node.span, "only a dynamic_role has leases");
            None
        }
    });
    let which = form.need("count").and_then(|node| text(draft.sink, node).map(|word| (word, node)));
    let bounds = bounds::read(draft, &form);
    let (role, (word, node), bounds) = (role?, which?, bounds?);
    let counter = draft.count_leases(&role);
    let (of, said) = match word {
        "issued" => (Counted::Most { counter: format!("{counter}:issued") }, "leases were ever made"),
        "live" => (Counted::Most { counter: format!("{counter}:live") }, "leases live at a time"),
        "left" => (Counted::Last { counter: format!("{counter}:live") }, "leases live at the end"),
        "leaked" => {
            (Counted::Most { counter: format!("{counter}:leaked") }, "users are left without a lease")
        }
        _ => {
            let message = format!("no leases `{word}`{}", did_you_mean(word, WHICH));
            draft.sink.report_with(&node.span, message, format!("`count` is {}", listed(WHICH)));
            return None;
        }
    };
    let text = format!("of {role} {} {said}", bounds.numbers());
    Some((text, Expectation::Count { of, at_least: bounds.at_least, at_most: bounds.at_most }))
}
