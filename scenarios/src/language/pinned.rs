//! `pinned`: known defects of named versions. `covers` and `evidence`: where the story is told, and who says what
//! is seen.

use handover_harness::plan::{Evidence, Pinned};

use super::draft::Draft;
use super::error::Sink;
use super::expect;
use super::form::{Form, text};
use super::names::did_you_mean;
use super::node::{Key, Node};
use super::shape::shape;

shape! {
    /// A known defect of a named version. The expectation must fail on that version, which counts as a pass; that it
    /// does not fail any more is an alarm. On another version it is an expectation like any other.
    pub(super) struct Shape {
        /// What is wrong, in a sentence.
        defect: String,
        /// Where that is described, or how it was found.
        source: String,
        /// The version that has it: `openbao 2.7.2`; a component alone means every version.
        on: String,
        /// What must fail there.
        fails: expect::One,
    }

    /// Who says what is seen.
    #[schemars(rename_all = "lowercase")]
    pub(super) enum EvidenceWord {
        /// Servers that nobody here wrote.
        Real,
        /// A stand-in of ours: it settles no claim.
        Model,
    }
}

/// Reads the room.
pub(super) fn read(draft: &mut Draft<'_>, node: &Node) -> Vec<Pinned> {
    if node.map().is_some() {
        draft.sink.report_with(&node.span, "`pinned` needs a list", "begin each entry with `- `");
        return Vec::new();
    }
    node.items().iter().filter_map(|item| one(draft, item)).collect()
}

fn one(draft: &mut Draft<'_>, item: &Node) -> Option<Pinned> {
    let head = Key { text: "pinned".to_owned(), span: item.span.clone() };
    let form = Form::open::<Shape>(draft.sink, &head, item)?;
    let (defect, source, on) = (form.text("defect"), form.text("source"), form.text("on"));
    let fails = form.need("fails").and_then(|node| expect::read_one(draft, "fails", node));
    let owned = str::to_owned;
    Some(Pinned { defect: owned(defect?), source: owned(source?), on: owned(on?), fails: fails? })
}

/// `evidence: real | model`
pub(super) fn evidence(sink: &Sink, node: &Node) -> Option<Evidence> {
    match text(sink, node)? {
        "real" => Some(Evidence::Real),
        "model" => Some(Evidence::Model),
        word => {
            let message = format!("no evidence `{word}`{}", did_you_mean(word, ["real", "model"]));
            sink.report_with(&node.span, message, "evidence is `real` or `model`");
            None
        }
    }
}

/// `covers: [TEXT, …]`
pub(super) fn covers(sink: &Sink, node: &Node) -> Option<Vec<String>> {
    let texts: Vec<_> = node.items().iter().map(|node| text(sink, node).map(str::to_owned)).collect();
    texts.into_iter().collect()
}
