//! A room of a scenario file: a list whose entries are verbs.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::draft::Draft;
use super::error::Sink;
use super::names::{did_you_mean, listed};
use super::node::{Key, Node, documents};
use super::shape::Shaped;
use super::source::Source;

/// A word of the language and how it is read.
pub(crate) struct Verb<T> {
    pub(crate) word: &'static str,
    pub(crate) read: fn(&mut Draft<'_>, &Entry<'_>) -> T,
    /// What may stand behind it, described.
    pub(crate) shape: Shaped,
    /// An entry as it would stand in a file, for the language's page.
    pub(crate) example: &'static str,
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

/// A verb, whatever it means, for the language's page.
#[cfg(test)]
pub(crate) struct Described {
    pub(crate) room: &'static str,
    pub(crate) word: &'static str,
    pub(crate) example: &'static str,
}

/// The verbs of a room.
#[cfg(test)]
pub(crate) fn described<T>(room: &'static str, verbs: &[Verb<T>]) -> Vec<Described> {
    verbs.iter().map(|verb| Described { room, word: verb.word, example: verb.example }).collect()
}

/// The entries that an example shows.
fn example(text: &'static str) -> Value {
    let sink = Sink::default();
    documents(&Source::new("example", text), &sink).nodes.first().map(Node::json).unwrap_or_default()
}

/// The schema of one entry: a mapping with exactly one verb. The verbs' shapes become definitions.
pub(crate) fn entry_schema<T>(generator: &mut SchemaGenerator, room: &str, verbs: &[Verb<T>]) -> Schema {
    let mut entry = |verb: &Verb<T>| {
        let (word, name) = (verb.word, format!("{room}.{}", verb.word));
        let shape = (verb.shape)(generator);
        let about = shape.get("description").cloned().unwrap_or_default();
        generator.definitions_mut().insert(name.clone(), shape.into());
        let reference = format!("{}/{name}", generator.settings().definitions_path);
        json!({
            "type": "object",
            "description": about,
            "properties": { word: { "$ref": format!("#{reference}") } },
            "required": [word],
            "additionalProperties": false,
            "examples": example(verb.example),
        })
    };
    let entries: Vec<Value> = verbs.iter().map(&mut entry).collect();
    json_schema!({ "oneOf": entries })
}

/// The schema of a room: a list of such entries, or nothing.
pub(crate) fn schema<T>(generator: &mut SchemaGenerator, room: &str, verbs: &[Verb<T>]) -> Schema {
    let entry = entry_schema(generator, room, verbs);
    json_schema!({ "type": ["null", "array"], "items": entry })
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
