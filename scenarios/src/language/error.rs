//! What is wrong with a file: where, what, and what to do. All of it at once.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::source::{Source, Span};

/// One mistake in one file.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The file, as people call it.
    pub file: String,
    /// Where in the file; none where it is about the file as a whole.
    pub place: Option<Place>,
    /// What is wrong: `unknown verb `rotat`, did you mean `rotate`?`
    pub message: String,
    /// What could stand there.
    pub hint: Option<String>,
    /// Whether it can be played all the same.
    pub severity: Severity,
    #[serde(skip)]
    source: Option<Arc<Source>>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file does not load.
    Error,
    /// It loads, and may be refused by the servers or mean something else than meant.
    Warning,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// The bytes that are meant.
    pub span: Range<usize>,
}

impl Problem {
    fn at(span: &Span, message: String, hint: Option<String>, severity: Severity) -> Self {
        let (line, column) = span.source.place(span.range.start);
        Self {
            file: span.source.name().to_owned(),
            place: Some(Place { line, column, span: span.range.clone() }),
            message,
            hint,
            severity,
            source: Some(span.source.clone()),
        }
    }

    /// With its excerpt, unless that could show a secret.
    fn render(&self, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let shown = self.source.as_deref().filter(|source| !source.is_hidden());
        let group = match (&self.place, shown) {
            (Some(place), Some(source)) => title.element(
                Snippet::source(source.text())
                    .path(self.file.as_str())
                    .annotation(AnnotationKind::Primary.span(place.span.clone())),
            ),
            (Some(place), None) => {
                let (line, column) = (place.line as usize, place.column as usize);
                title.element(Origin::path(self.file.as_str()).line(line).char_column(column))
            }
            (None, _) => title.element(Origin::path(self.file.as_str())),
        };
        let group = match &self.hint {
            Some(hint) => group.element(Level::HELP.message(hint.as_str())),
            None => group,
        };
        renderer.render(&[group])
    }
}

/// On one line: `kv/refresh.yaml:9:5: unknown verb `rotat`, did you mean `rotate`?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}:{}:{}: {}", self.file, place.line, place.column, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// At least one problem, ordered by file and place.
#[derive(Clone, Debug)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of them, with excerpts.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let rendered: Vec<_> = self.0.iter().map(|problem| problem.render(&renderer)).collect();
        rendered.join("\n\n")
    }

    /// One after the other.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

/// With excerpts, without colour.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// Where problems are dropped while reading goes on.
#[derive(Default)]
pub(crate) struct Sink(RefCell<Vec<Problem>>);

impl Sink {
    pub(crate) fn report(&self, at: &Span, message: impl Into<String>) {
        self.push(Problem::at(at, message.into(), None, Severity::Error));
    }

    pub(crate) fn report_with(&self, at: &Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::at(at, message.into(), Some(hint.into()), Severity::Error));
    }

    /// What may be wrong, and may not.
    pub(crate) fn warn_with(&self, at: &Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::at(at, message.into(), Some(hint.into()), Severity::Warning));
    }

    fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// About a file as a whole.
    pub(crate) fn report_file(&self, file: impl Into<String>, message: impl Into<String>) {
        let (file, message) = (file.into(), message.into());
        let severity = Severity::Error;
        self.push(Problem { file, place: None, message, hint: None, severity, source: None });
    }

    /// What was wrong with what was read elsewhere.
    pub(crate) fn take_over(&self, problems: Problems) {
        self.0.borrow_mut().extend(problems.0);
    }

    /// How many errors so far.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// The value, if nothing was wrong, and what may be. Several scenarios may share a broken manifest: it is
    /// told of once.
    pub(crate) fn finish<T>(self, value: T) -> Result<(T, Option<Problems>), Problems> {
        let sound = self.count() == 0;
        let mut problems = self.0.into_inner();
        if problems.is_empty() {
            return Ok((value, None));
        }
        let start = |problem: &Problem| problem.place.as_ref().map(|place| place.span.start);
        problems.sort_by(|a, b| (&a.file, start(a)).cmp(&(&b.file, start(b))));
        problems.dedup_by(|a, b| a.file == b.file && a.place == b.place && a.message == b.message);
        if sound { Ok((value, Some(Problems(problems)))) } else { Err(Problems(problems)) }
    }
}
