//! A report for a terminal, as far as it is written.

use crate::style::{Ink, Style};
use crate::text::{fill, line, wrap};

/// Columns that the labels take.
const LABELS: usize = 12;

/// What is written, and how it may look.
pub(crate) struct Page<'a> {
    pub(crate) text: String,
    pub(crate) style: &'a Style,
}

impl<'a> Page<'a> {
    /// Nothing yet.
    pub(crate) fn new(style: &'a Style) -> Self {
        Self { text: String::new(), style }
    }

    pub(crate) fn push(&mut self, row: &str) {
        self.text.push_str(row);
        self.text.push('\n');
    }

    /// `label  text`, the text wrapped beside its label.
    pub(crate) fn labelled(&mut self, indent: usize, label: &str, text: &str, ink: Option<Ink>) {
        self.beside(indent, label, wrap(text, self.room(indent)), ink);
    }

    /// `label  one; another`, broken between the items only; nothing where there are none.
    pub(crate) fn listed(&mut self, indent: usize, label: &str, items: Vec<String>, ink: Option<Ink>) {
        let last = items.len().saturating_sub(1);
        let comma = |(index, item): (usize, &String)| line(item) + if index == last { "" } else { ";" };
        let items: Vec<String> = items.iter().enumerate().map(comma).collect();
        if !items.is_empty() {
            self.beside(indent, label, fill(items.iter().map(String::as_str), self.room(indent)), ink);
        }
    }

    /// `label  one; another`, broken anywhere: for sentences; nothing where there are none.
    pub(crate) fn joined(&mut self, indent: usize, label: &str, items: &[String]) {
        if !items.is_empty() {
            self.labelled(indent, label, &items.join("; "), None);
        }
    }

    fn room(&self, indent: usize) -> usize {
        self.style.width.saturating_sub(indent + LABELS)
    }

    fn beside(&mut self, indent: usize, label: &str, rows: Vec<String>, ink: Option<Ink>) {
        let mut label = self.style.paint(Ink::Faint, &format!("{label:<LABELS$}"));
        for row in rows {
            let row = ink.map_or(row.clone(), |ink| self.style.paint(ink, &row));
            self.push(&format!("{:indent$}{label}{row}", ""));
            label = " ".repeat(LABELS);
        }
    }
}
