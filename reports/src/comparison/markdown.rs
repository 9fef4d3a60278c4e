//! A comparison for a pull request: the answer and what changed in the open, everything else folded away.

use handover_harness::compare::Comparison;

use super::headline;
use super::sections::{Item, Section, sections, sides, unchanged};
use super::tables::tables;
use crate::posted::{ALL, escaped, fill};
use crate::text::many;

/// So many bytes are for what changed; the rest is for the tables.
const SECTIONS: usize = ALL / 3 * 2;

/// The whole report, safe to post whatever the texts within say.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = format!("### {}\n", escaped(&headline(comparison)));
    for section in sections(comparison) {
        of_section(&mut text, &section);
    }
    let unchanged = unchanged(comparison);
    if !unchanged.is_empty() {
        text.push_str(&format!("\nUnchanged: {}.\n", escaped(&unchanged.join("; "))));
    }
    text.push_str("\n<details>\n<summary>What was compared, in full</summary>\n\n");
    for (label, said) in sides(comparison) {
        text.push_str(&format!("- {label}: {}\n", escaped(&said)));
    }
    for table in tables(comparison) {
        table.post(&mut text);
    }
    text.push_str("\n</details>\n");
    text
}

fn of_section(text: &mut String, section: &Section) {
    text.push_str(&format!("\n**{}**\n\n", section.title));
    let shown = fill(text, SECTIONS, section.items.iter().map(said));
    let left_out = section.items.len() - shown;
    if left_out > 0 {
        text.push_str(&format!("- … {} in comparison.json\n", many(left_out, "more is", "more are")));
    }
}

fn said(item: &Item) -> String {
    let head = format!("- {} {}\n", item.mark.sign(), escaped(&item.head));
    let more = item.more.iter().map(|(label, said)| format!("  - {label}: {}\n", escaped(said)));
    std::iter::once(head).chain(more).collect()
}
