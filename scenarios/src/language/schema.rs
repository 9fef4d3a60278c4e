//! The JSON Schema of a scenario file, for editors: made of the shapes, so that it cannot lag behind.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Value, json};

use super::load::File;

#[cfg(test)]
mod tests;

/// The schema as it is printed and committed: draft 7, which is what editors know.
pub fn schema() -> String {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "A scenario of Handover".into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// A key without a value is a mistake, so nothing may be null but a room; descriptions are one line each.
fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    // Of an `Option` the null is the last; a room writes it first, to keep it.
    if let Some(Value::Array(types)) = object.get_mut("type")
        && types.last() == Some(&json!("null"))
    {
        types.pop();
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(options)) = object.get_mut("anyOf") {
        options.retain(|option| *option != json!({ "type": "null" }));
        if let [Value::Object(one)] = options.as_mut_slice() {
            let one = std::mem::take(one);
            object.remove("anyOf");
            // Draft 7 sees nothing beside a reference.
            if one.contains_key("$ref") {
                object.insert("allOf".to_owned(), json!([one]));
            } else {
                one.into_iter().for_each(|(key, value)| {
                    object.entry(key).or_insert(value);
                });
            }
        }
    }
    // What draft 7 calls it; a shape that takes in another asks for the later word.
    if object.remove("unevaluatedProperties").is_some() {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
}
