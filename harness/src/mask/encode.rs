//! The ways in which one value may be written down.

use std::collections::HashSet;
use std::fmt;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    Raw,
    /// Inside a JSON string, or inside a JSON string that is itself inside one; also as Go writes `<`, `>`, `&`.
    Json,
    /// Percent-encoded, as some part of a URL or as a form.
    Percent,
    /// Base64 of any of the above, in either alphabet, beginning anywhere.
    Base64,
    /// Two hex digits a byte, all lower or all upper case.
    Hex,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Raw => "raw",
            Self::Json => "JSON",
            Self::Percent => "percent-encoded",
            Self::Base64 => "base64",
            Self::Hex => "hex",
        })
    }
}

/// What different encoders leave as it is, beside letters, digits and `-_.~`: RFC 3986 and Go's `QueryEscape`,
/// Go's user information and path segments, and JavaScript's `encodeURIComponent`.
const LEFT_ALONE: [&str; 4] = ["", "$&+,;=", "$&+:=@", "!'()*"];

/// Every text that stands for the value, each once, under the simplest encoding that gives it.
pub(super) fn patterns(secret: &Secret) -> Vec<(Vec<u8>, Encoding)> {
    let value = secret.expose();
    let (plain, html) = (json(value, false), json(value, true));
    let mut texts = vec![(value.to_owned(), Encoding::Raw)];
    texts.extend([json(&plain, false), json(&html, true), plain, html].map(|text| (text, Encoding::Json)));
    for upper in [true, false] {
        texts.extend(LEFT_ALONE.map(|kept| (percent(value, kept, upper), Encoding::Percent)));
        texts.push((percent(value, "* ", upper).replace(' ', "+"), Encoding::Percent));
        texts.push((percent(value, " ", upper).replace(' ', "+"), Encoding::Percent));
    }
    let mut known = HashSet::new();
    texts.retain(|(text, _)| known.insert(text.clone()));

    let mut patterns: Vec<(Vec<u8>, Encoding)> = Vec::new();
    for (text, encoding) in texts {
        patterns.extend(base64_inside(text.as_bytes()).map(|text| (text.into(), Encoding::Base64)));
        patterns.push((text.into(), encoding));
    }
    patterns.extend(hex(value).map(|text| (text.into(), Encoding::Hex)));
    patterns.sort_by_key(|(_, encoding)| *encoding);
    let mut known = HashSet::new();
    patterns.retain(|(text, _)| known.insert(text.clone()));
    patterns
}

/// What the value certainly looks like somewhere inside base64: at each of the three places where it may
/// begin, in both alphabets, the digits whose six bits are all its own.
fn base64_inside(value: &[u8]) -> impl Iterator<Item = String> {
    (0..3).flat_map(move |before| {
        let mut padded = vec![0; before];
        padded.extend_from_slice(value);
        let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| engine.encode(&padded)[first..end].to_owned())
    })
}

fn hex(value: &str) -> [String; 2] {
    let lower: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let upper = lower.to_uppercase();
    [lower, upper]
}

/// Percent-encodes all bytes but letters, digits, `-_.~` and those in `kept`.
fn percent(value: &str, kept: &str, upper: bool) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.as_bytes().contains(&byte) {
            text.push(byte.into());
        } else if upper {
            write!(text, "%{byte:02X}").expect("a string takes everything");
        } else {
            write!(text, "%{byte:02x}").expect("a string takes everything");
        }
    }
    text
}

/// The inside of a JSON string; with `html` as Go's encoder writes it unless told otherwise.
fn json(value: &str, html: bool) -> String {
    let quoted = serde_json::to_string(value).expect("a string is JSON");
    let mut text = String::new();
    for char in quoted[1..quoted.len() - 1].chars() {
        match char {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => {
                write!(text, "\\u{:04x}", u32::from(char)).expect("a string takes everything");
            }
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str, wanted: Encoding) -> Vec<String> {
        patterns(&Secret::new(value))
            .into_iter()
            .filter(|(_, encoding)| *encoding == wanted)
            .map(|(text, _)| String::from_utf8(text).expect("patterns are text"))
            .collect()
    }

    #[test]
    fn a_plain_value_is_the_same_in_json_and_in_a_url() {
        assert_eq!(texts("abcdef-123", Encoding::Raw), ["abcdef-123"]);
        assert!(texts("abcdef-123", Encoding::Json).is_empty());
        assert!(texts("abcdef-123", Encoding::Percent).is_empty());
    }

    #[test]
    fn special_characters_are_known_as_each_encoder_writes_them() {
        let json = texts("p<q\"r&s", Encoding::Json);
        for text in [r#"p<q\"r&s"#, r#"p\u003cq\"r\u0026s"#, r#"p<q\\\"r&s"#, r#"p\\u003cq\\\"r\\u0026s"#] {
            assert!(json.iter().any(|known| known == text), "{text} is not in {json:?}");
        }
        let percent = texts("a b/c+d@e*", Encoding::Percent);
        for text in ["a%20b%2Fc%2Bd%40e%2A", "a%20b%2fc%2bd%40e%2a", "a+b%2Fc%2Bd%40e%2A", "a%20b%2Fc+d@e%2A"]
        {
            assert!(percent.iter().any(|known| known == text), "{text} is not in {percent:?}");
        }
    }

    #[test]
    fn base64_leaves_out_the_digits_it_shares_with_its_neighbours() {
        // `..` stand for whatever comes before; STANDARD.encode("..secret") is "Li5zZWNyZXQ=".
        let known = texts("secret", Encoding::Base64);
        assert!(known.contains(&"c2VjcmV0".to_owned()), "{known:?}");
        assert!(known.contains(&"zZWNyZX".to_owned()), "{known:?}");
        assert!(known.iter().all(|text| text.len() >= 7), "{known:?}");
    }
}
