//! A grid for people, at a terminal: the answer, the cells, every scenario, and what did not pass.

use super::words::{cells, not_run, scenarios, told};
use super::{Mark, Matrix, headline};
use crate::columns::Table;
use crate::exit::Exit;
use crate::page::Page;
use crate::style::{Ink, Style};
use crate::text::{line, wrap};

/// Columns of a verdict, with the space before it.
const COLUMN: usize = "pass (pinned)".len() + 2;

/// The whole report. `exit` is what the program will end with.
pub fn terminal(matrix: &Matrix, exit: Exit, style: &Style) -> String {
    let mut page = Page::new(style);
    page.push(&style.paint(Ink::Strong, &line(&matrix.title)));
    let ink = if exit == Exit::Passed { Ink::Good } else { Ink::Bad };
    for row in wrap(&headline(matrix), style.width) {
        page.push(&style.paint(ink, &row));
    }
    page.table(cells(matrix));
    let not_run = not_run(matrix);
    if !not_run.is_empty() {
        page.push("");
        page.push(&style.paint(Ink::Strong, "not run"));
        for (cell, why) in not_run {
            page.labelled(2, &cell, &why, None);
        }
    }
    // Cells that do not stand beside each other stand below each other.
    let names =
        matrix.rows.iter().map(|row| line(&row.scenario).chars().count() + 2).max().unwrap_or_default();
    let beside = (style.width.saturating_sub(names) / COLUMN).max(1);
    for first in (0..matrix.cells.len()).step_by(beside) {
        let these = first..(first + beside).min(matrix.cells.len());
        page.table(scenarios(matrix.rows.iter(), these));
    }
    let told = told(matrix);
    if !told.is_empty() {
        page.push("");
        page.push(&style.paint(Ink::Strong, "did not pass"));
    }
    for (head, mark, said) in told {
        page.push(&format!("  {} {head}", style.paint(mark.ink(), mark.sign())));
        for row in wrap(&said, style.width.saturating_sub(4)) {
            page.push(&format!("    {row}"));
        }
    }
    page.push("");
    page.push(&style.paint(ink, &format!("exit {}: {}", exit.code(), meaning(matrix, exit))));
    page.text
}

impl Page<'_> {
    fn table(&mut self, table: Option<Table>) {
        self.push("");
        for (index, row) in table.iter().flat_map(Table::lines).enumerate() {
            let row = if index == 0 { self.style.paint(Ink::Faint, &row) } else { row };
            self.push(&row);
        }
    }
}

impl Mark {
    /// Tells them apart without colour, too.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Pass | Self::Pinned => "✓",
            Self::NotRun | Self::Skipped => "–",
            Self::Inconclusive => "?",
            Self::Error => "!",
            Self::Fail => "✗",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Pass | Self::Pinned => Ink::Good,
            Self::NotRun | Self::Skipped => Ink::Faint,
            Self::Inconclusive => Ink::Unsure,
            Self::Error | Self::Fail => Ink::Bad,
        }
    }
}

/// What the exit says of a grid.
fn meaning(matrix: &Matrix, exit: Exit) -> &'static str {
    let undecided = |cell: &super::Cell| matches!(cell.outcome, super::Outcome::NotRun(_));
    match exit {
        Exit::Inconclusive if matrix.cells.iter().any(undecided) => "a part of the grid is not decided",
        Exit::Passed => "every cell passed",
        exit => exit.meaning(),
    }
}
