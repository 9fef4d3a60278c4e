//! `verdict.json`: the judged run for programs. What `--format json` prints, too.

use handover_harness::verdict::{FORMAT, RunVerdict};

use crate::formatted::{Unreadable, pretty, read};

/// The judged run as JSON with a final newline. Equal runs give equal bytes.
pub fn to_json(run: &RunVerdict) -> String {
    pretty(run)
}

/// The judged run back from its JSON.
pub fn from_json(json: &str) -> Result<RunVerdict, Unreadable> {
    read("verdict.json", FORMAT, json)
}

/// The JSON Schema of `verdict.json`, as it is committed in `reports/verdict.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(RunVerdict))
}
