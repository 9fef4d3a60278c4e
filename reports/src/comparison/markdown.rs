//! A comparison for a pull request: the answer and what changed in the open, everything else folded away.

use handover_harness::compare::Comparison;

use super::escape::escaped;
use super::sections::{Item, Section, sections, sides, unchanged};
use super::tables::{Table, more_rows, tables};
use super::{headline, headline::many};

/// A comment holds 65,536 characters. So many bytes are for what changed, and so many for that and the tables.
const SECTIONS: usize = 40_000;
const ALL: usize = 60_000;

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
        of_table(&mut text, &table);
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

/// Adds as many of these as there is room for, and says how many those were.
fn fill(text: &mut String, room: usize, pieces: impl Iterator<Item = String>) -> usize {
    let mut added = 0;
    for piece in pieces {
        if text.len() + piece.len() > room {
            break;
        }
        text.push_str(&piece);
        added += 1;
    }
    added
}

fn of_table(text: &mut String, table: &Table) {
    let row =
        |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    text.push('\n');
    text.push_str(&row(&mut table.headings.iter().map(|&heading| heading.to_owned())));
    let rule =
        (0..table.headings.len()).map(|column| if column < table.words { "---" } else { "---:" }.to_owned());
    text.push_str(&row(&mut { rule }));
    let rows = table.rows.iter().map(|cells| row(&mut cells.iter().map(|cell| escaped(cell))));
    let shown = fill(text, ALL, rows);
    let left_out = table.left_out + table.rows.len() - shown;
    if left_out > 0 {
        text.push_str(&format!("\n{}\n", more_rows(left_out)));
    }
}
