//! `matrix.json`: the grid for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT, Matrix, headline};
use crate::exit::Exit;
use crate::formatted::pretty;

/// What stands in the file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MatrixFile")]
struct Document<'a> {
    /// The file format's version.
    format: u32,
    /// What `handover matrix` ends with.
    #[schemars(with = "u8")]
    exit: Exit,
    /// The same in one line, for people.
    headline: String,
    /// What that rests on.
    #[serde(flatten)]
    matrix: &'a Matrix,
}

/// The grid as JSON with a final newline. Equal grids give equal bytes.
pub fn to_json(matrix: &Matrix) -> String {
    pretty(&Document { format: FORMAT, exit: matrix.exit(), headline: headline(matrix), matrix })
}

/// The JSON Schema of `matrix.json`, as it is committed in `reports/matrix.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(Document<'_>))
}
