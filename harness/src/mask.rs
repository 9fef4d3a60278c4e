//! Keeps known secrets out of everything that is written, and finds those that got in all the same.
//!
//! A value is known in every [encoding](Encoding) that a server or a log is likely to give it. Where
//! known values overlap (a password and the URL that holds it), the whole stretch is masked: no tail of
//! one is left standing beside the mask of the other. A value that a log breaks over lines is not found.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

mod encode;
mod files;

pub use encode::Encoding;
pub use files::{Leak, MaskError};

/// What stands where a secret stood. Says nothing about its length, and has no word in it that may itself be
/// somebody's password: else masking twice would mask the mask, and a scan would call it a leak.
pub const MASK: &str = "‹•••›";

/// Values shorter than this many bytes are not masked. They are words and numbers that occur anywhere (`root`,
/// `3306`): masking them would make logs unreadable, and finding them would call every file a leak.
pub const SHORTEST: usize = 6;

/// Text that was masked before it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// Text that the harness itself wrote and that holds nothing foreign.
    pub fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Knows the values of a run. Clones share what they know; use one from any thread.
#[derive(Clone, Default)]
pub struct Masker(Arc<Mutex<Known>>);

/// The values, and the automaton that looks for all of them at once.
#[derive(Default)]
struct Known {
    secrets: Vec<Secret>,
    /// Built when it is first needed after a value was learnt.
    automaton: Option<Arc<Automaton>>,
}

/// Where a known value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Of its first byte, from 0.
    pub offset: u64,
    /// How the value is written there.
    pub encoding: Encoding,
}

impl Masker {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this value is masked. Returns whether it is: values shorter than [`SHORTEST`] are not.
    pub fn learn(&self, secret: &Secret) -> bool {
        if secret.expose().len() < SHORTEST {
            return false;
        }
        let mut known = self.known();
        if !known.secrets.contains(secret) {
            known.secrets.push(secret.clone());
            known.automaton = None;
        }
        true
    }

    /// The text with every known value replaced by [`MASK`]. Masking twice changes nothing more.
    pub fn mask(&self, text: &str) -> Masked {
        let masked = self.mask_bytes(text.as_bytes());
        Masked(String::from_utf8(masked).expect("values are UTF-8, so text is cut between characters"))
    }

    /// The bytes with every known value replaced by [`MASK`].
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(automaton) = self.automaton() else { return bytes.to_vec() };
        let mut masked = Vec::with_capacity(bytes.len());
        let mut cover = Cover::default();
        cover.write(bytes, bytes.len(), &automaton.stretches(bytes), &mut masked);
        masked
    }

    /// Where the bytes hold known values; never says which. The same value twice is two hits.
    pub fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        let Some(automaton) = self.automaton() else { return Vec::new() };
        let mut hits: Vec<Hit> = automaton.stretches(bytes).iter().map(|found| found.hit(0)).collect();
        hits.sort_unstable();
        hits
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing below leaves `Known` half changed: after a panic elsewhere it is as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None while nothing is known.
    fn automaton(&self) -> Option<Arc<Automaton>> {
        let mut known = self.known();
        if known.secrets.is_empty() {
            return None;
        }
        if known.automaton.is_none() {
            known.automaton = Some(Arc::new(Automaton::new(&known.secrets)));
        }
        known.automaton.clone()
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} values)", self.known().secrets.len())
    }
}

/// Looks for all known values in all encodings at once.
struct Automaton {
    patterns: AhoCorasick,
    /// Of each pattern.
    encodings: Vec<Encoding>,
    /// Length of the longest pattern, in bytes.
    longest: usize,
}

/// One place where a pattern matches.
struct Stretch {
    start: usize,
    end: usize,
    encoding: Encoding,
}

impl Stretch {
    /// As seen by somebody who counts from `base`.
    fn hit(&self, base: u64) -> Hit {
        Hit { offset: base + self.start as u64, encoding: self.encoding }
    }
}

impl Automaton {
    fn new(secrets: &[Secret]) -> Self {
        let (texts, encodings): (Vec<_>, Vec<_>) = secrets.iter().flat_map(encode::patterns).unzip();
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        let patterns = AhoCorasick::new(&texts).expect("a run's secrets fit into an automaton of 2³¹ states");
        Self { patterns, encodings, longest }
    }

    /// Every match, overlapping ones too, by where it begins.
    fn stretches(&self, bytes: &[u8]) -> Vec<Stretch> {
        let mut found: Vec<Stretch> = self
            .patterns
            .find_overlapping_iter(bytes)
            .map(|found| Stretch {
                start: found.start(),
                end: found.end(),
                encoding: self.encodings[found.pattern().as_usize()],
            })
            .collect();
        found.sort_unstable_by_key(|stretch| stretch.start);
        found
    }
}

/// Writes bytes with the matches in them masked, one window after the other.
#[derive(Default)]
struct Cover {
    /// How much of the coming window belongs to what is already masked, in bytes.
    covered: usize,
}

impl Cover {
    /// Appends `window[..to]` to `masked`. `stretches` are all matches that begin there, by where they begin;
    /// what one of them covers beyond `to` is left out at the beginning of the next window.
    fn write(&mut self, window: &[u8], to: usize, stretches: &[Stretch], masked: &mut Vec<u8>) {
        let mut done = self.covered;
        for stretch in stretches {
            if stretch.start >= done {
                masked.extend_from_slice(&window[done..stretch.start]);
                masked.extend_from_slice(MASK.as_bytes());
            }
            done = done.max(stretch.end);
        }
        if done < to {
            masked.extend_from_slice(&window[done..to]);
        }
        self.covered = done.saturating_sub(to);
    }
}

#[cfg(test)]
mod tests;
