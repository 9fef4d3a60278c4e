//! `verdict.json`: there and back, and its schema.

use std::path::Path;

use handover_reports::verdict_json::{from_json, schema, to_json};
use handover_reports::{Unreadable, write_atomically};

use crate::samples;

/// Set it to write the schema anew: `UPDATE_SCHEMA=1 cargo test -p handover-reports schema`.
const UPDATE: &str = "UPDATE_SCHEMA";

#[test]
fn the_committed_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("verdict.schema.json");
    if std::env::var_os(UPDATE).is_some() {
        write_atomically(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "reports/verdict.schema.json is out of date: {UPDATE}=1 cargo test -p handover-reports schema"
    );
}

#[test]
fn a_run_comes_back_as_it_went() {
    let run = samples::mixed();
    let json = to_json(&run);
    assert!(json.ends_with("}\n"));
    assert_eq!(from_json(&json).unwrap(), run);
    assert_eq!(to_json(&from_json(&json).unwrap()), json, "the same bytes");
}

#[test]
fn another_format_is_named_before_anything_else() {
    let error = from_json(r#"{"format": 99, "new": true}"#).unwrap_err();
    assert!(matches!(error, Unreadable::Format { found: 99, .. }), "{error}");
    let error = from_json(&to_json(&samples::mixed())[..200]).unwrap_err();
    assert!(matches!(error, Unreadable::Damaged { .. }), "{error}");
}
