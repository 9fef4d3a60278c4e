//! `comparison.json`: the comparison for programs.

use handover_harness::compare::{Comparison, FORMAT, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use super::headline;
use crate::formatted::{Unreadable, pretty, read};

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

/// The comparison as JSON with a final newline. Equal comparisons give equal bytes.
pub fn to_json(comparison: &Comparison) -> String {
    let (outcome, headline) = (comparison.outcome(), headline(comparison));
    pretty(&Document { format: FORMAT, outcome, headline, doubts: comparison.doubts(), comparison })
}

/// The comparison back from its JSON; what it comes to is weighed anew.
pub fn from_json(json: &str) -> Result<Comparison, Unreadable> {
    read("comparison.json", FORMAT, json)
}

/// The JSON Schema of `comparison.json`, as it is committed in `reports/comparison.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(Document<'_>))
}
