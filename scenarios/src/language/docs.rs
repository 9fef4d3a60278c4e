//! The page of the language, made of the shapes and the examples.

use std::fmt::Write;

use handover_harness::extract::WORDS;
use serde_json::Value;

use super::room::Described;
use super::shape::ordered;
use super::{expect, given, schema, steps};

const INTRO: &str = include_str!("docs/intro.md");
const MANIFESTS: &str = include_str!("docs/manifests.md");
/// Written by somebody who had only this page.
const WHOLE: &str = include_str!("../../../docs/examples/two-databases.yaml");

/// Where a value is a part of a text.
pub(super) const EXTRACTS: [&str; 2] = [
    "- credential: { name: url, in: secret/app, key: password, extract: url.password }",
    "- credential: { name: both, in: secret/fleet-mysql, fields: { username: username, password: { key: password, \
     extract: base64 | json:/auths/*/password } } }",
];

/// The page as it is committed in `docs/language.md`.
pub fn page() -> String {
    let schema: Value = serde_json::from_str(&schema()).expect("it is our own JSON");
    let mut page = Page { out: INTRO.to_owned(), definitions: &schema["definitions"] };
    page.code(WHOLE);
    page.heading(2, "Keys of a file");
    page.table(&schema);
    page.out.push_str(MANIFESTS);
    page.code(&EXTRACTS.join("\n"));
    page.line("");
    for word in WORDS {
        page.line(&format!("- `{word}`"));
    }
    page.line("");
    page.line(
        "Chain them with `|`: `base64 | json:/auths/*/password`. In a pointer `*` stands for any one key. What is taken \
         out of a URL is percent-decoded; DSNs are read as libpq and as Go's MySQL driver write them.",
    );
    for (room, about, verbs) in [
        ("given", "What is there before the first step; in any order.", given::described()),
        ("steps", "What is done, one after the other.", steps::described()),
        ("expect", "What the timeline must show; at least one.", expect::described()),
    ] {
        page.heading(2, &format!("`{room}`"));
        page.line(about);
        for verb in verbs {
            page.verb(&verb);
        }
    }
    page.heading(2, "`watch`");
    page.shape(&page.definitions["Watch"]);
    page.heading(2, "`settles`");
    page.shape(&page.definitions["Claim"]);
    page.heading(2, "What stands behind the keys");
    page.types();
    page.out
}

struct Page<'a> {
    out: String,
    definitions: &'a Value,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        writeln!(self.out, "{text}").expect("a string takes all");
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.line(&format!("\n{} {text}\n", "#".repeat(level)));
    }

    fn code(&mut self, yaml: &str) {
        self.line(&format!("```yaml\n{}\n```", yaml.trim_end()));
    }

    fn verb(&mut self, verb: &Described) {
        self.heading(3, &format!("`{}`", verb.word));
        let name = format!("{}.{}", verb.room, verb.word);
        let shape = &self.definitions[&name];
        self.line(&format!("{}\n", said(shape)));
        self.code(verb.example);
        self.line("");
        self.forms(shape);
    }

    /// A description and its forms.
    fn shape(&mut self, shape: &Value) {
        self.line(&format!("{}\n", said(shape)));
        self.forms(shape);
    }

    /// The one form, or each of several.
    fn forms(&mut self, shape: &Value) {
        if shape.get("properties").is_some() {
            return self.table(shape);
        }
        let Some(options) = shape["anyOf"].as_array() else {
            return self.line(&format!("- {}", self.kind(shape)));
        };
        for option in options {
            if option.get("properties").is_some() {
                self.line(&format!("{}\n", said(option)));
                self.table(option);
            } else {
                self.line(&format!("- {}: {}\n", self.kind(option), said(option)));
            }
        }
    }

    fn table(&mut self, shape: &Value) {
        self.line("| key | | what stands there | |\n| --- | --- | --- | --- |");
        let required =
            |key: &String| shape["required"].as_array().is_some_and(|all| all.contains(&key.as_str().into()));
        for key in ordered(shape) {
            let property = &shape["properties"][&key];
            let must = if required(&key) { "must" } else { "" };
            let kind = self.kind(property).replace('|', "\\|");
            self.line(&format!("| `{key}` | {must} | {kind} | {} |", said(property).replace('|', "\\|")));
        }
        for (rule, how) in [("anyOf", "At least one"), ("oneOf", "Exactly one")] {
            let Some(rules) = shape[rule].as_array() else { continue };
            let keys = |rule: &Value| {
                let keys = rule["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                keys.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" with ")
            };
            let keys: Vec<_> = rules.iter().map(keys).collect();
            self.line(&format!("\n{how} of {} must be there.", keys.join(", ")));
        }
    }

    /// What stands behind a key, in words.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
            return match name {
                "given" | "steps" | "expect" => format!("a list: [`{name}`](#{name})"),
                "Watch" => "[an entry](#watch)".to_owned(),
                "Claim" => "[a claim](#settles)".to_owned(),
                "Expectation" => "one entry of [`expect`](#expect)".to_owned(),
                name => format!("[{name}](#{})", name.to_lowercase()),
            };
        }
        if let Some([one]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.kind(one);
        }
        if let Some(options) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            let options: Vec<_> = options.iter().map(|option| self.kind(option)).collect();
            return options.join(" or ");
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<_> =
                words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
            return words.join(" or ");
        }
        if let Some(word) = schema["const"].as_str() {
            return format!("`{word}`");
        }
        match schema["type"].as_str() {
            Some("array") => format!("a list of: {}", self.kind(&schema["items"])),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("integer" | "number") => "a number".to_owned(),
            Some("string") => "text".to_owned(),
            Some("object") => self.object(schema),
            Some(_) | None => "anything".to_owned(),
        }
    }

    fn object(&self, schema: &Value) -> String {
        if schema.get("properties").is_some() {
            let keys: Vec<_> = ordered(schema).into_iter().map(|key| format!("`{key}`")).collect();
            return format!("a mapping of {}", keys.join(", "));
        }
        match &schema["additionalProperties"] {
            Value::Object(_) => {
                format!("a mapping; behind each name: {}", self.kind(&schema["additionalProperties"]))
            }
            _ => "a mapping".to_owned(),
        }
    }

    /// The small types, by name.
    fn types(&mut self) {
        let rooms = ["given", "steps", "expect", "Watch", "Claim", "Expectation"];
        for (name, definition) in self.definitions.as_object().into_iter().flatten() {
            if rooms.contains(&name.as_str()) || name.contains('.') {
                continue;
            }
            self.heading(3, name);
            self.line(&said(definition));
            if let Some(pattern) = definition["pattern"].as_str() {
                self.line(&format!("\nIt matches `{pattern}`."));
            }
            if definition.get("enum").is_some() {
                self.line(&format!("\nOne of {}.", self.kind(definition)));
            }
            if definition.get("properties").is_some() {
                self.line("");
                self.table(definition);
            }
        }
    }
}

fn said(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace("\n\n", " ")
}
