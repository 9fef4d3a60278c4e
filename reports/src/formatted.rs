//! Reports for programs: JSON files whose first word is the version of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A report that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON, or not of this shape.
    #[error("not a {file}: {source}")]
    Damaged {
        /// What it should be: `verdict.json`, …
        file: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another version of this program wrote it.
    #[error(
        "{file} has format {found}, and this handover reads format {reads}: use the version that wrote it"
    )]
    Format {
        /// What it is.
        file: &'static str,
        /// The format that it says it has.
        found: u32,
        /// The one that this program knows.
        reads: u32,
    },
}

/// Reads a report of this format.
pub(crate) fn read<T: DeserializeOwned>(file: &'static str, reads: u32, json: &str) -> Result<T, Unreadable> {
    /// Looked at first: in another format, any other error would only mislead.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let damaged = |source| Unreadable::Damaged { file, source };
    match serde_json::from_str(json).map_err(damaged)? {
        Version { format } if format != reads => Err(Unreadable::Format { file, found: format, reads }),
        Version { .. } => serde_json::from_str(json).map_err(damaged),
    }
}

/// As it stands in a file: with a final newline. Equal values give equal bytes.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(value).expect("plain data with text keys always serialises");
    json.push('\n');
    json
}
