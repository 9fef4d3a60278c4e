//! A comparison for people, at a terminal: the answer, what changed, and then everything.

use handover_harness::compare::{Comparison, Outcome};

use super::sections::{Item, Mark, sections, sides, unchanged};
use super::{headline, tables};
use crate::exit::{Exit, exit_of_comparison};
use crate::page::Page;
use crate::style::{Ink, Style};
use crate::text::{line, wrap};

/// The whole report. `exit` is what the program will end with.
pub fn terminal(comparison: &Comparison, exit: Exit, style: &Style) -> String {
    let outcome = comparison.outcome();
    let mut page = Page::new(style);
    for row in wrap(&headline(comparison), style.width) {
        page.push(&style.paint(ink_of(outcome), &row));
    }
    let mut above = "";
    for (label, text) in sides(comparison) {
        page.labelled(0, if label == above { "" } else { label }, &text, None);
        above = label;
    }
    for section in sections(comparison) {
        page.push("");
        page.push(&style.paint(Ink::Strong, section.title));
        for item in &section.items {
            page.item(item);
        }
    }
    let unchanged = unchanged(comparison);
    if !unchanged.is_empty() {
        page.push("");
        for (index, text) in unchanged.iter().enumerate() {
            page.labelled(0, if index == 0 { "unchanged" } else { "" }, text, None);
        }
    }
    for table in tables::tables(comparison) {
        page.push("");
        for (index, row) in table.lines().iter().enumerate() {
            let row = if index == 0 { style.paint(Ink::Faint, row) } else { row.clone() };
            page.push(&row);
        }
    }
    page.push("");
    let meaning = if exit == exit_of_comparison(outcome) { meaning(outcome) } else { exit.meaning() };
    let ink = if exit == Exit::Passed { Ink::Good } else { Ink::Bad };
    page.push(&style.paint(ink, &format!("exit {}: {meaning}", exit.code())));
    page.text
}

impl Page<'_> {
    fn item(&mut self, item: &Item) {
        let rows = wrap(&item.head, self.style.width.saturating_sub(4));
        let sign = item.mark.sign();
        let mut sign = ink(item.mark).map_or(sign.to_owned(), |ink| self.style.paint(ink, sign));
        for row in rows {
            self.push(&format!("  {sign} {row}"));
            sign = " ".to_owned();
        }
        for (label, text) in &item.more {
            self.labelled(4, label, &line(text), None);
        }
    }
}

fn ink(mark: Mark) -> Option<Ink> {
    match mark {
        Mark::Better => Some(Ink::Good),
        Mark::Worse => Some(Ink::Bad),
        Mark::Other | Mark::Doubt => Some(Ink::Unsure),
        Mark::Plain => None,
    }
}

fn ink_of(outcome: Outcome) -> Ink {
    match outcome {
        Outcome::Nothing | Outcome::Changed => Ink::Good,
        Outcome::Worse => Ink::Bad,
        Outcome::CannotTell => Ink::Unsure,
    }
}

/// What the exit says of a comparison.
fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing => "nothing changed",
        Outcome::Changed => "changed, and nothing for the worse",
        Outcome::Worse => "something got worse",
        Outcome::CannotTell => "cannot tell",
    }
}
