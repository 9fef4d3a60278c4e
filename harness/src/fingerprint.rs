//! Keyed fingerprints: how a value is known without being kept.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The name of one field of a credential: `username`, `password`, …
pub type FieldName = String;

/// Whether a field of this name holds a secret. A name that somebody logs in with is said in many places
/// that are not about it, and who knows it is not in: masking it would hide evidence and find leaks where
/// there are none.
pub fn is_secret(field: &str) -> bool {
    !matches!(field.to_ascii_lowercase().as_str(), "username" | "user" | "ttl" | "host" | "port" | "database")
}

/// Twelve hex digits that stand for one value within one run. Means nothing in another run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

/// What was seen of a credential at one place: a fingerprint per field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sighting(pub BTreeMap<FieldName, Fingerprint>);

impl Sighting {
    /// Whether both could be the same generation: at least one field in common, and all of those equal.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let mut shared = 0;
        for (field, fingerprint) in &self.0 {
            match other.0.get(field) {
                Some(theirs) if theirs != fingerprint => return false,
                Some(_) => shared += 1,
                None => {}
            }
        }
        shared > 0
    }
}

/// Makes fingerprints under a key that lives as long as this value, in memory only.
pub struct Fingerprinter(Hmac<Sha256>);

impl Fingerprinter {
    /// Draws a new key.
    pub fn new() -> Self {
        let key: [u8; 32] = rand::random();
        Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
    }

    /// The fingerprint of one value.
    pub fn fingerprint(&self, value: &[u8]) -> Fingerprint {
        let mut mac = self.0.clone();
        mac.update(value);
        let digest = mac.finalize().into_bytes();
        Fingerprint(digest[..6].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The sighting of several named values.
    pub fn sighting<'a>(&self, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Sighting {
        Sighting(fields.into_iter().map(|(name, value)| (name.to_owned(), self.fingerprint(value))).collect())
    }
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_value_same_run_only() {
        let (one, two) = (Fingerprinter::new(), Fingerprinter::new());
        assert_eq!(one.fingerprint(b"v"), one.fingerprint(b"v"));
        assert_ne!(one.fingerprint(b"v"), one.fingerprint(b"w"));
        assert_ne!(one.fingerprint(b"v"), two.fingerprint(b"v"));
    }

    #[test]
    fn names_are_no_secrets_and_what_is_not_known_is_one() {
        assert!(!is_secret("username") && !is_secret("USER"));
        assert!(is_secret("password") && is_secret("DATABASE_URL"));
    }

    #[test]
    fn agreement_needs_a_shared_field() {
        let prints = Fingerprinter::new();
        let whole = prints.sighting([("username", b"u".as_slice()), ("password", b"p".as_slice())]);
        let part = prints.sighting([("password", b"p".as_slice())]);
        let torn = prints.sighting([("username", b"u".as_slice()), ("password", b"q".as_slice())]);
        assert!(part.agrees_with(&whole) && whole.agrees_with(&part));
        assert!(!torn.agrees_with(&whole));
        assert!(!Sighting::default().agrees_with(&whole));
    }
}
