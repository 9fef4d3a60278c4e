//! How each step reads its text. What is said about a text is its kind, never a piece of it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::{DockerPart, Step, UrlPart, dsn};
use crate::secret::Secret;

/// The value, or why there is none.
pub(super) type Taken = Result<Secret, String>;

impl Step {
    pub(super) fn take(&self, text: &str) -> Taken {
        match self {
            Self::Url(part) => url(text, part),
            Self::Dsn(part) => dsn::take(text, *part),
            Self::Json(keys) => json(text, keys),
            Self::Base64 => decoded(text),
            Self::DockerConfig(part) => docker_config(text, *part),
            Self::Env(name) => env(text, name),
        }
    }
}

/// What a text looks like, for people who must not see it.
pub(super) fn kind(text: &str) -> &'static str {
    let bare = text.trim();
    let assigns = |line: &str| line.split_once('=').is_some_and(|(key, _)| is_name(key.trim()));
    if bare.is_empty() {
        "an empty text"
    } else if serde_json::from_str::<Value>(bare).is_ok_and(|value| value.is_object() || value.is_array()) {
        "JSON"
    } else if Url::parse(bare).is_ok_and(|url| url.has_host()) {
        "a URL"
    } else if bare.contains("-----BEGIN ") {
        "PEM"
    } else if bare.lines().any(assigns) {
        "KEY=VALUE"
    } else if bare.lines().count() > 1 {
        "a text of several lines"
    } else if bare.contains(char::is_whitespace) {
        "a text of several words"
    } else {
        "a single word"
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Nothing counts as something where nobody put anything.
pub(super) fn some(value: String, what: &str) -> Taken {
    if value.is_empty() { Err(format!("{what} is empty")) } else { Ok(Secret::new(value)) }
}

fn url(text: &str, part: &UrlPart) -> Taken {
    let bare = text.trim();
    let url = Url::parse(bare.strip_prefix("jdbc:").unwrap_or(bare))
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| format!("this is no URL but {}", kind(text)))?;
    let plain = |text: &str, what: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        some(decoded.map_err(|_| format!("{what} is not text"))?.into_owned(), what)
    };
    let lacks = |what: &str| format!("the URL has no {what}");
    match part {
        UrlPart::Username if url.username().is_empty() => Err(lacks("username")),
        UrlPart::Username => plain(url.username(), "the username"),
        UrlPart::Password => plain(url.password().ok_or_else(|| lacks("password"))?, "the password"),
        UrlPart::Host => plain(url.host_str().unwrap_or_default(), "the host"),
        UrlPart::Port => Ok(Secret::new(url.port().ok_or_else(|| lacks("port"))?.to_string())),
        UrlPart::Path => match url.path().strip_prefix('/').unwrap_or(url.path()) {
            "" => Err(lacks("path")),
            path => plain(path, "the path"),
        },
        UrlPart::Query(name) => {
            let found = url.query_pairs().find(|(key, _)| key == name);
            let (_, value) = found.ok_or_else(|| format!("the URL's query has no `{name}`"))?;
            some(value.into_owned(), "that part of the query")
        }
    }
}

fn json(text: &str, keys: &[String]) -> Taken {
    let value: Value =
        serde_json::from_str(text).map_err(|_| format!("this is no JSON but {}", kind(text)))?;
    let mut found = vec![&value];
    for key in keys {
        found = found.into_iter().flat_map(|value| below(value, key)).collect();
    }
    let scalars: Result<BTreeSet<String>, String> = found.into_iter().map(scalar).collect();
    let mut scalars = scalars?;
    match (scalars.pop_first(), scalars.len()) {
        (Some(one), 0) => some(one, "what stands there"),
        (Some(_), more) => Err(format!("{} different values stand there", more + 1)),
        (None, _) => Err("the JSON has nothing there".to_owned()),
    }
}

fn below<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(map) if key == "*" => map.values().collect(),
        Value::Array(items) if key == "*" => items.iter().collect(),
        Value::Object(map) => map.get(key).into_iter().collect(),
        Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Err("null stands there".to_owned()),
        Value::Array(_) => Err("a list stands there, not a value".to_owned()),
        Value::Object(_) => Err("an object stands there, not a value".to_owned()),
    }
}

/// In either alphabet, padded or not, folded or not.
fn decoded(text: &str) -> Taken {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = GeneralPurpose::new(alphabet, config)
        .decode(bare)
        .map_err(|_| format!("this is not base64 but {}", kind(text)))?;
    let text = String::from_utf8(bytes).map_err(|_| "what is encoded is not text".to_owned())?;
    some(text, "what is encoded")
}

/// A registry's login: named fields, or both in `auth`.
fn docker_config(text: &str, part: DockerPart) -> Taken {
    let (field, what) = match part {
        DockerPart::Username => ("username", "user"),
        DockerPart::Password => ("password", "password"),
    };
    let at = |field: &str| json(text, &["auths", "*", field].map(str::to_owned));
    let missing = "the JSON has nothing there";
    match at(field) {
        Err(why) if why == missing => match at("auth") {
            Ok(auth) => {
                let login = decoded(auth.expose()).map_err(|_| "its `auth` is not base64".to_owned())?;
                let (user, password) =
                    login.expose().split_once(':').ok_or("its `auth` is no USER:PASSWORD")?;
                let value = match part {
                    DockerPart::Username => user,
                    DockerPart::Password => password,
                };
                some(value.to_owned(), what)
            }
            Err(why) if why == missing => Err(format!("no registry in it has a {what}")),
            Err(why) => Err(why),
        },
        found => found,
    }
}

/// A file as `export NAME='value'`, `NAME="value"` or `NAME=value` lines, as shells and dotenv read it.
fn env(text: &str, name: &str) -> Taken {
    let value = text.lines().rev().find_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    });
    let value = value.ok_or_else(|| match kind(text) {
        "KEY=VALUE" => format!("no line sets `{name}`"),
        other => format!("no line sets `{name}`; this is {other}"),
    })?;
    some(unquoted(value), "its value")
}

fn unquoted(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(kept) => out.push(kept),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}
