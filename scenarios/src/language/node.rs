//! YAML as nodes that know where they stand, so that reading can go on after a mistake.

use std::ops::Range;
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::error::Sink;
use super::source::{Source, Span};
use super::yaml::{self, Raw};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// What YAML can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => None,
        }
    }

    pub(crate) fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_) => None,
        }
    }

    /// The items of a list; of nothing, none; of anything else, the thing itself.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Null => &[],
            Value::List(items) => items,
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Map(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value behind a key of a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.iter().find(|(name, _)| name.text == key).map(|(_, node)| node)
    }

    /// The value behind keys of nested mappings; explicit nothing counts as absent.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key)).filter(|node| !node.is_null())
    }

    /// The same in JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => i64::try_from(*value)
                .map(serde_json::Value::from)
                .or_else(|_| u64::try_from(*value).map(serde_json::Value::from))
                .unwrap_or_else(|_| (*value as f64).into()),
            Value::Float(value) => (*value).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::json).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, node)| (key.text.clone(), node.json())).collect()
            }
        }
    }
}

/// The documents of a source that hold anything, and whether all could be read.
pub(crate) struct Documents {
    pub(crate) nodes: Vec<Node>,
    pub(crate) whole: bool,
}

/// Reads every document for itself: one that is broken does not hide the next.
pub(crate) fn documents(source: &Arc<Source>, sink: &Sink) -> Documents {
    let mut documents = Documents { nodes: Vec::new(), whole: true };
    for range in split(source.text()) {
        match parse(source, range, sink) {
            Some(Node { value: Value::Null, .. }) => {}
            Some(node) => documents.nodes.push(node),
            None => documents.whole = false,
        }
    }
    documents
}

/// Cuts at the lines that begin with `---`, as kubectl does. What stands before the first of them belongs to
/// it where that is only comments and directives.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut offset, mut begun) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let marker = bare == "---" || bare.starts_with("--- ") || bare.starts_with("---\t");
        if marker && begun {
            ranges.push(start..offset);
            start = offset;
        }
        let hollow = bare.is_empty() || bare.trim_start().starts_with('#') || bare.starts_with('%');
        begun |= marker || !hollow;
        offset += line.len();
    }
    ranges.push(start..text.len());
    ranges
}

fn parse(source: &Arc<Source>, range: Range<usize>, sink: &Sink) -> Option<Node> {
    let text = &source.text()[range.clone()];
    match yaml::parse(text) {
        Ok(raw) => Some(Reader { source, base: range.start, sink }.node(raw)),
        Err(error) => {
            let start = range.start + offset(text, error.line, error.column);
            let why = match source.is_hidden() {
                true => "see this place of the file, which may hold a secret and is not shown",
                false => error.message.as_str(),
            };
            sink.report(&Span::new(source, start..start + 1), format!("not YAML: {why}"));
            None
        }
    }
}

/// The byte at a line and column, both from 1, columns in characters.
fn offset(text: &str, line: u64, column: u64) -> usize {
    let skipped: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let rest = &text[skipped..];
    let inside = rest.char_indices().nth(column.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at);
    skipped + inside
}

/// Turns what the parser yields into nodes with places in the whole source.
struct Reader<'a> {
    source: &'a Arc<Source>,
    base: usize,
    sink: &'a Sink,
}

impl Reader<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let span = self.span(&raw);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Int(value) => Value::Int(value),
            Raw::Float(value) => Value::Float(value),
            Raw::Text(text) => Value::Text(text),
            Raw::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => Value::Map(self.entries(entries)),
        };
        Node { value, span }
    }

    fn entries(&self, raw: Vec<(Spanned<Raw>, Spanned<Raw>)>) -> Vec<(Key, Node)> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        for (key, value) in raw {
            let key = self.key(key);
            let value = self.node(value);
            match entries.iter().find(|(known, _)| known.text == key.text) {
                Some((first, _)) => {
                    let message = format!("key `{}` stands here twice", key.text);
                    self.sink.report_with(&key.span, message, format!("first on line {}", first.span.line()));
                }
                None => entries.push((key, value)),
            }
        }
        entries
    }

    /// A key's text is what was written: YAML 1.1 would make booleans of `on`, `no` and `y`.
    fn key(&self, raw: Spanned<Raw>) -> Key {
        let span = self.span(&raw);
        let text = match raw.value {
            Raw::Text(text) => text,
            Raw::Null | Raw::Bool(_) | Raw::Int(_) | Raw::Float(_) => span.text().to_owned(),
            Raw::List(_) | Raw::Map(_) => {
                self.sink.report(&span, "a key must be text");
                span.text().to_owned()
            }
        };
        Key { text, span }
    }

    fn span(&self, raw: &Spanned<Raw>) -> Span {
        let at = raw.referenced.span();
        let start = self.base + at.byte_offset().unwrap_or(0) as usize;
        let span = Span::new(self.source, start..start + at.byte_len().unwrap_or(0) as usize);
        // A block scalar's span takes the line breaks after it along.
        let kept = span.text().trim_end().len();
        span.part(0..kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Node>, Vec<String>) {
        let sink = Sink::default();
        let nodes = documents(&Source::new("f", text), &sink).nodes;
        let problems = match sink.finish(()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.as_slice().iter().map(ToString::to_string).collect(),
        };
        (nodes, problems)
    }

    #[test]
    fn documents_know_their_lines() {
        let (nodes, problems) =
            read("%YAML 1.2\n# one\n---\na: 1\n---\n# empty\n---\nb: { c: é, d: 2 }\n--- {e: 3}\n");
        assert_eq!(problems, Vec::<String>::new());
        let lines: Vec<_> = nodes.iter().map(|node| node.span.line()).collect();
        assert_eq!(lines, [4, 8, 9]);
        let span = &nodes[1].at(&["b", "d"]).unwrap().span;
        assert_eq!((span.text(), span.source.place(span.range.start)), ("2", (8, 15)));
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let (nodes, problems) = read("a: 1\n---\nb: [1\nc: 2\n---\nd: \"x\n---\ne: 5\n");
        assert_eq!(nodes.len(), 2);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("f:4:"), "{problems:?}");
        assert!(problems[1].starts_with("f:6:4: not YAML"), "{problems:?}");
    }

    #[test]
    fn numbers_and_keys_are_read_as_kubectl_does() {
        let (nodes, _) = read("mode: 0400\non: yes\nbig: 18446744073709551615\nhalf: 0.5\ntext: '5'\nn: ~\n");
        let expected = serde_json::json!(
            { "mode": 256, "on": true, "big": 18446744073709551615u64, "half": 0.5, "text": "5", "n": null }
        );
        assert_eq!(nodes[0].json(), expected);
    }

    #[test]
    fn duplicate_keys_are_reported_and_reading_goes_on() {
        let (nodes, problems) = read("a: 1\nb: { c: 1, c: 2 }\na: 3\n");
        assert_eq!(problems, ["f:2:12: key `c` stands here twice", "f:3:1: key `a` stands here twice"]);
        assert_eq!(nodes[0].json(), serde_json::json!({ "a": 1, "b": { "c": 1 } }));
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        let (nodes, problems) = read("base: &b { x: 1 }\nm: { <<: *b, z: 2 }\nl: *b\n");
        assert_eq!(problems, Vec::<String>::new());
        let base = serde_json::json!({ "x": 1 });
        assert_eq!(nodes[0].json()["l"], base);
        assert_eq!(nodes[0].json()["m"], serde_json::json!({ "x": 1, "z": 2 }));
    }

    #[test]
    fn hostile_texts_are_errors() {
        for text in [&"[".repeat(10_000), "a: *nope", "\0", "a: \"x", "- 1\n\t- 2", "a: &x [*x]"] {
            assert_eq!(read(text).1.len(), 1, "{text:.20}");
        }
        for text in ["", "\n", "# only", "---", "---\n---\n"] {
            let (nodes, problems) = read(text);
            assert!(nodes.is_empty() && problems.is_empty(), "{text:?} {problems:?}");
        }
    }
}
