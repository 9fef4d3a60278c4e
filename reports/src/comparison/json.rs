//! `comparison.json`: the comparison for programs.

use handover_harness::compare::{Comparison, FORMAT, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::headline;

/// What stands in the file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ComparisonFile")]
struct Document<'a> {
    /// The file format's version.
    format: u32,
    /// What it comes to.
    outcome: Outcome,
    /// The same in one line, for people.
    headline: String,
    /// Why it may not be known what changed.
    doubts: Vec<String>,
    /// What that rests on.
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// A `comparison.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON, or not of this shape.
    #[error("not a comparison.json: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Another version of this program wrote it.
    #[error("comparison.json has format {found}, and this handover reads format {FORMAT}")]
    Format {
        /// The format that it says it has.
        found: u32,
    },
}

/// The comparison as JSON with a final newline. Equal comparisons give equal bytes.
pub fn to_json(comparison: &Comparison) -> String {
    let (outcome, headline) = (comparison.outcome(), headline(comparison));
    pretty(&Document { format: FORMAT, outcome, headline, doubts: comparison.doubts(), comparison })
}

/// The comparison back from its JSON; what it comes to is weighed anew.
pub fn from_json(json: &str) -> Result<Comparison, Unreadable> {
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

/// The JSON Schema of `comparison.json`, as it is committed in `reports/comparison.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(Document<'_>))
}

fn pretty(value: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(value).expect("plain data with text keys always serialises");
    json.push('\n');
    json
}
