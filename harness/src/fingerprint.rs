//! Keyed fingerprints: how a value is known without being kept.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::secret::Secret;

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
pub struct Fingerprinter {
    mac: Hmac<Sha256>,
    key: Secret,
}

/// Text that is no key of a run. What it is instead is not said: it may be somebody's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint key has to be 64 hexadecimal digits")]
pub struct BadKey;

impl Fingerprinter {
    /// Draws a new key.
    pub fn new() -> Self {
        Self::from_key(rand::random())
    }

    /// With the key of a run.
    pub fn from_key(key: [u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { mac, key: Secret::new(hex) }
    }

    /// With the key of a run, as [`Self::key_hex`] says it.
    ///
    /// # Errors
    /// [`BadKey`] if that is no key.
    pub fn from_key_hex(hex: &str) -> Result<Self, BadKey> {
        let digits: Option<Vec<u8>> =
            hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
        let bytes: Vec<u8> =
            digits.ok_or(BadKey)?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(key) if hex.len() == 64 => Ok(Self::from_key(key)),
            _ => Err(BadKey),
        }
    }

    /// The key, for a process that must make the same fingerprints. A secret: who has it can try values
    /// against the fingerprints of a report.
    pub fn key_hex(&self) -> &Secret {
        &self.key
    }

    /// The fingerprint of one value.
    pub fn fingerprint(&self, value: &[u8]) -> Fingerprint {
        let mut mac = self.mac.clone();
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
    fn who_has_the_key_makes_the_same_fingerprints() {
        let ours = Fingerprinter::new();
        let theirs = Fingerprinter::from_key_hex(ours.key_hex().expose()).expect("a key");
        assert_eq!(ours.fingerprint(b"v"), theirs.fingerprint(b"v"));
        for bad in ["", "0", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Fingerprinter::from_key_hex(bad).err(), Some(BadKey), "{bad}");
        }
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
