//! `settles`: claims that somebody made. The report says of each whether it holds; none changes a verdict.

use handover_harness::plan::Claim;

use super::draft::Draft;
use super::expect;
use super::form::{Form, text};
use super::node::{Key, Node};
use super::shape::shape;

shape! {
    /// A statement that somebody made, and the expectation that decides it. The report says whether it holds on the
    /// versions that ran; it never changes a verdict.
    #[schemars(rename = "Claim")]
    pub(super) struct Shape {
        /// The statement, as a sentence.
        claim: String,
        /// Who made it and where.
        source: String,
        /// The expectation with which it stands or falls.
        holds_if: expect::One,
        /// Of which version it speaks: `eso v2.5.0`.
        about: Option<String>,
    }
}

/// Reads the room.
pub(super) fn read(draft: &mut Draft<'_>, node: &Node) -> Vec<Claim> {
    if node.map().is_some() {
        draft.sink.report_with(&node.span, "`settles` needs a list", "begin each entry with `- `");
        return Vec::new();
    }
    node.items().iter().filter_map(|item| claim(draft, item)).collect()
}

fn claim(draft: &mut Draft<'_>, item: &Node) -> Option<Claim> {
    let head = Key { text: "settles".to_owned(), span: item.span.clone() };
    let form = Form::open::<Shape>(draft.sink, &head, item)?;
    let claim = form.text("claim");
    let source = form.text("source");
    let about = form.optional("about", |node| text(draft.sink, node).map(str::to_owned));
    let holds_if = form.need("holds_if").and_then(|node| expect::read_one(draft, "holds_if", node));
    let (claim, source) = (claim?.to_owned(), source?.to_owned());
    Some(Claim { claim, source, about: about?, holds_if: holds_if? })
}
