//! A text with a name, and places in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file's text under the name that people know it by.
pub struct Source {
    name: String,
    text: String,
    hidden: AtomicBool,
}

impl Source {
    /// Of this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), hidden: AtomicBool::new(false) })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// From now on nothing of its text is shown, in problems reported before as well.
    pub(crate) fn hide(&self) {
        self.hidden.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Relaxed)
    }

    /// Line and column, both from 1; columns count characters.
    pub(crate) fn place(&self, offset: usize) -> (u64, u64) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before[start..].chars().count() + 1;
        (line as u64, column as u64)
    }
}

/// Never the text: it may hold what must not be printed.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

/// A piece of a source.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) source: Arc<Source>,
    pub(crate) range: Range<usize>,
}

impl Span {
    /// Cut to the text, at character boundaries.
    pub(crate) fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let text = source.text();
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
        Self { source: source.clone(), range: start..end }
    }

    pub(crate) fn text(&self) -> &str {
        &self.source.text()[self.range.clone()]
    }

    pub(crate) fn line(&self) -> u64 {
        self.source.place(self.range.start).0
    }

    /// `kv/app.yaml:12`
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.source.name(), self.line())
    }

    /// A part of it, counted from its start.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        Self::new(&self.source, self.range.start + range.start..self.range.start + range.end)
    }
}
