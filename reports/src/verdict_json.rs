//! `verdict.json`: the judged run for programs. What `--format json` prints, too.

use handover_harness::verdict::{FORMAT, RunVerdict};
use serde::Deserialize;

/// A `verdict.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON, or not of this shape.
    #[error("not a verdict.json: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Another version of this program wrote it.
    #[error(
        "verdict.json has format {found}, and this handover reads format {FORMAT}: use the version that wrote it"
    )]
    Format {
        /// The format that it says it has.
        found: u32,
    },
}

/// The judged run as JSON with a final newline. Equal runs give equal bytes.
pub fn to_json(run: &RunVerdict) -> String {
    pretty(run)
}

/// The judged run back from its JSON.
pub fn from_json(json: &str) -> Result<RunVerdict, Unreadable> {
    /// Looked at first: in another format, any other error would only mislead.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let Version { format } = serde_json::from_str(json)?;
    if format != FORMAT {
        return Err(Unreadable::Format { found: format });
    }
    Ok(serde_json::from_str(json)?)
}

/// The JSON Schema of `verdict.json`, as it is committed in `reports/verdict.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(RunVerdict))
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut json = serde_json::to_string_pretty(value).expect("plain data with text keys always serialises");
    json.push('\n');
    json
}
