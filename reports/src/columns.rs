//! A table of plain text: laid out for a terminal, or as Markdown.

use crate::posted::{ALL, escaped, fill};
use crate::text::many;

/// Rows that say least are left out beyond so many.
const ROWS: usize = 200;

/// A table.
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of words; those behind them are figures, and stand to the right.
    words: usize,
    /// How many rows were left out.
    left_out: usize,
    /// The file that has all rows.
    whole: &'static str,
}

impl Table {
    /// None where there are no rows.
    pub(crate) fn of(
        headings: Vec<String>,
        words: usize,
        mut rows: Vec<Vec<String>>,
        whole: &'static str,
    ) -> Option<Self> {
        let left_out = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        (!rows.is_empty()).then_some(Self { headings, rows, words, left_out, whole })
    }

    /// For a terminal: the headings, then the rows.
    pub(crate) fn lines(&self) -> Vec<String> {
        let rows = || std::iter::once(&self.headings).chain(&self.rows);
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let cell = |(column, text): (usize, &String)| match column < self.words {
            true => format!("{text:<0$}", widths[column]),
            false => format!("{text:>0$}", widths[column]),
        };
        let laid_out = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            cells.join("  ").trim_end().to_owned()
        };
        let note = (self.left_out > 0).then(|| self.more_rows(self.left_out));
        rows().map(laid_out).chain(note).collect()
    }

    /// As Markdown, as many rows as there is room for.
    pub(crate) fn post(&self, text: &mut String) {
        let row = |cells: &mut dyn Iterator<Item = String>| {
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        text.push('\n');
        text.push_str(&row(&mut self.headings.iter().cloned()));
        let rule = |column| if column < self.words { "---" } else { "---:" }.to_owned();
        text.push_str(&row(&mut (0..self.headings.len()).map(rule)));
        let rows = self.rows.iter().map(|cells| row(&mut cells.iter().map(|cell| escaped(cell))));
        let shown = fill(text, ALL, rows);
        let left_out = self.left_out + self.rows.len() - shown;
        if left_out > 0 {
            text.push_str(&format!("\n{}\n", self.more_rows(left_out)));
        }
    }

    /// `… 12 rows more, in comparison.json`.
    fn more_rows(&self, left_out: usize) -> String {
        format!("… {} more, in {}", many(left_out, "row", "rows"), self.whole)
    }
}
