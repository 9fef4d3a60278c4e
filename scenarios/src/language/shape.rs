//! Shapes: what may stand behind a word, said once.
//!
//! A shape is a struct that nobody makes. Its doc comment describes the word, that of a field the key; a key
//! that may be absent is an `Option`. The reader takes the keys that it knows from here, and so do the JSON
//! Schema and the page of the language.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// Declares shapes: `shape! { /// … struct Shape { /// … name: NewName } }`.
macro_rules! shape {
    ($($item:item)*) => {
        $(
            #[derive(schemars::JsonSchema)]
            #[schemars(deny_unknown_fields)]
            #[allow(dead_code, reason = "it describes; nobody makes one")]
            $item
        )*
    };
}
pub(crate) use shape;

/// How a shape comes into a schema: what a verb's `shape` is.
pub(crate) type Shaped = fn(&mut SchemaGenerator) -> Schema;

/// A shape's schema, not as a reference.
pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// The keys of a shape: those that must be there in the order of the struct, then the others by name.
pub(crate) fn keys<T: JsonSchema + 'static>() -> &'static [&'static str] {
    type Known = HashMap<TypeId, &'static [&'static str]>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(TypeId::of::<T>()).or_insert_with(|| {
        let names = ordered(of::<T>(&mut SchemaGenerator::default()).as_value());
        let names = names.into_iter().map(|name| &*name.leak());
        names.collect::<Vec<_>>().leak()
    })
}

/// The names of an object schema's properties, as [`keys`] orders them.
pub(crate) fn ordered(schema: &Value) -> Vec<String> {
    let must = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<_> = must.filter_map(Value::as_str).map(str::to_owned).collect();
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
