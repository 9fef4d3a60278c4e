//! Two sides compared: what changed, the answer first.
//!
//! The terminal and the pull request get the same words (`sections`, `tables`); they only lay them out
//! differently.

mod headline;
mod json;
mod markdown;
mod sections;
mod tables;
mod terminal;

pub use headline::headline;
pub use json::{from_json, schema, to_json};
pub use markdown::markdown;
pub use terminal::terminal;
