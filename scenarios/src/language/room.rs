//! A room of a scenario file: a list whose entries are verbs.

use super::draft::Draft;
use super::error::Sink;
use super::names::{did_you_mean, listed};
use super::node::{Key, Node};

/// A word of the language and how it is read.
pub(crate) struct Verb<T> {
    pub(crate) word: &'static str,
    pub(crate) read: fn(&mut Draft<'_>, &Entry<'_>) -> T,
}

/// One use of a verb.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'n> {
    pub(crate) verb: &'n Key,
    pub(crate) node: &'n Node,
}

impl Entry<'_> {
    pub(crate) fn line(&self) -> u64 {
        self.verb.span.line()
    }
}

/// The entries of a room, each with its verb. Whatever is no entry is reported.
pub(crate) fn entries<'v, 'n, T>(
    sink: &Sink,
    room: &str,
    node: Option<&'n Node>,
    verbs: &'v [Verb<T>],
) -> Vec<(&'v Verb<T>, Entry<'n>)> {
    let Some(node) = node else { return Vec::new() };
    if node.map().is_some() {
        sink.report_with(&node.span, format!("`{room}` needs a list"), "begin each entry with `- `");
        return Vec::new();
    }
    node.items().iter().flat_map(|item| entry(sink, room, item, verbs)).collect()
}

/// One item; several where entries have run together, which is reported.
pub(crate) fn entry<'v, 'n, T>(
    sink: &Sink,
    room: &str,
    item: &'n Node,
    verbs: &'v [Verb<T>],
) -> Vec<(&'v Verb<T>, Entry<'n>)> {
    let words = || verbs.iter().map(|verb| verb.word);
    let knows = || format!("`{room}` knows {}", listed(words()));
    let Some(keys) = item.map() else {
        sink.report_with(&item.span, format!("expected a verb, found {}", item.what()), knows());
        return Vec::new();
    };
    if keys.is_empty() {
        sink.report_with(&item.span, "expected a verb, found an empty mapping", knows());
    }
    if let [(first, value), (second, _), ..] = keys {
        let (first, known) = (&first.text, words().any(|word| word == second.text));
        if value.is_null() && !known {
            let message = format!("`{}` is not below `{first}`", second.text);
            sink.report_with(&second.span, message, "indent it further than its verb");
            return Vec::new();
        }
        let message = format!("`{first}` and `{}` stand in one entry", second.text);
        sink.report_with(&second.span, message, "one entry holds one verb; begin the next with `- `");
    }
    let mut found = Vec::new();
    for (index, (key, node)) in keys.iter().enumerate() {
        match verbs.iter().find(|verb| verb.word == key.text) {
            Some(verb) => found.push((verb, Entry { verb: key, node })),
            // Further keys were reported above: most often they are a verb's own, indented too little.
            None if index > 0 => {}
            None => {
                let guess = did_you_mean(&key.text, words());
                sink.report_with(&key.span, format!("unknown verb `{}`{guess}", key.text), knows());
            }
        }
    }
    found
}
