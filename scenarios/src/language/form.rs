//! Reading a mapping whose keys are known.

use schemars::JsonSchema;

use super::error::Sink;
use super::names::{self, Name, closest, did_you_mean, listed};
use super::node::{Key, Node, Value};
use super::shape;

/// A mapping behind a word. A key that nobody knows is reported when it is opened, one that is missing
/// when it is asked for.
pub(crate) struct Form<'a, 'n> {
    pub(crate) sink: &'a Sink,
    pub(crate) head: &'n Key,
    entries: &'n [(Key, Node)],
    /// Keys that a misspelt one was probably meant to be: they are not missed again.
    misspelt: Vec<String>,
}

impl<'a, 'n> Form<'a, 'n> {
    /// `S` is the shape that says which keys there are.
    pub(crate) fn open<S: JsonSchema + 'static>(
        sink: &'a Sink,
        head: &'n Key,
        node: &'n Node,
    ) -> Option<Self> {
        let known = shape::keys::<S>();
        let takes = || format!("`{}` takes {}", head.text, listed(known.iter().copied()));
        let Some(entries) = node.map() else {
            let at = if node.is_null() { &head.span } else { &node.span };
            let message = format!("`{}` needs a mapping, found {}", head.text, node.what());
            sink.report_with(at, message, takes());
            return None;
        };
        let mut misspelt = Vec::new();
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let guess = did_you_mean(&key.text, known.iter().copied());
            sink.report_with(&key.span, format!("unknown key `{}`{guess}", key.text), takes());
            misspelt.extend(closest(&key.text, known.iter().copied()).map(str::to_owned));
        }
        Some(Self { sink, head, entries, misspelt })
    }

    /// The value of a key that may be absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        let (key, node) = self.entries.iter().find(|(known, _)| known.text == key)?;
        if node.is_null() {
            self.sink.report(&key.span, format!("`{}` has no value", key.text));
            return None;
        }
        Some(node)
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &str) -> Option<&'n Node> {
        if !self.has(key) {
            self.sink.report(&self.head.span, format!("`{}` lacks `{key}`", self.head.text));
        }
        self.get(key)
    }

    /// Whether the file says it, or tried to.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known.text == key)
            || self.misspelt.iter().any(|meant| meant == key)
    }

    /// What a key that may be absent means. The outer none: it is said, and wrong.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&'n Node) -> Option<T>,
    ) -> Option<Option<T>> {
        if !self.has(key) {
            return Some(None);
        }
        read(self.get(key)?).map(Some)
    }

    /// Text that must be there.
    pub(crate) fn text(&self, key: &str) -> Option<&'n str> {
        text(self.sink, self.need(key)?)
    }

    /// A new name that must be there.
    pub(crate) fn name(&self, key: &str) -> Option<Name> {
        name(self.sink, self.need(key)?)
    }

    /// A boolean that may be absent.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Option<bool> {
        let flag = self.optional(key, |node| match node.value {
            Value::Bool(value) => Some(value),
            Value::Null
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => {
                self.sink.report(&node.span, format!("`{key}` is true or false, found {}", node.what()));
                None
            }
        });
        Some(flag?.unwrap_or(default))
    }

    /// A list of new names that must be there; at least one.
    pub(crate) fn names(&self, key: &str) -> Option<Vec<Name>> {
        names(self.sink, self.need(key)?)
    }

    /// A word that may be absent and can only be this one.
    pub(crate) fn only(&self, key: &str, word: &str) -> Option<()> {
        self.optional(key, |node| {
            if node.text() != Some(word) {
                self.sink.report(&node.span, format!("`{key}` can only be `{word}`"));
                return None;
            }
            Some(())
        })?;
        Some(())
    }
}

/// A node's text.
pub(crate) fn text<'n>(sink: &Sink, node: &'n Node) -> Option<&'n str> {
    let text = node.text();
    if text.is_none() {
        let message = format!("expected text, found {}", node.what());
        match node.value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                sink.report_with(&node.span, message, format!("put it in quotes: \"{}\"", node.span.text()));
            }
            Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => sink.report(&node.span, message),
        }
    }
    text
}

/// A node's text as a new name.
pub(crate) fn name(sink: &Sink, node: &Node) -> Option<Name> {
    // A boolean is told of as what it looks like: quotes would not make a name of it.
    let text = match node.value {
        Value::Bool(_) => node.span.text(),
        Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            text(sink, node)?
        }
    };
    names::check(sink, text, &node.span).then(|| Name { text: text.to_owned(), span: node.span.clone() })
}

/// A list of different names; at least one.
pub(crate) fn names(sink: &Sink, node: &Node) -> Option<Vec<Name>> {
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of names, found {}", node.what());
        sink.report_with(&node.span, message, format!("write [{}]", node.span.text()));
        return None;
    };
    if items.is_empty() {
        sink.report(&node.span, "expected at least one name");
        return None;
    }
    let mut names: Vec<Name> = Vec::new();
    let mut sound = true;
    for item in items {
        match name(sink, item) {
            Some(name) if names.iter().any(|known| known.text == name.text) => {
                sink.report(&name.span, format!("`{}` stands here twice", name.text));
                sound = false;
            }
            Some(name) => names.push(name),
            None => sound = false,
        }
    }
    sound.then_some(names)
}
