//! A judged run in, reports out: terminal, JUnit, `verdict.json`, and the exit code.
//!
//! The input of every report is a [`RunVerdict`](handover_harness::verdict::RunVerdict), two sides of them [compared](mod@comparison), or a
//! [grid](mod@matrix) of them, and nothing else: nothing here judges, and a finished run's reports can be made again from its files alone.
//! Rendering is pure; the only thing that touches a disk is [`mod@file`].

mod columns;
mod explain;
mod figures;
mod formatted;
mod page;
mod posted;
mod table;
mod text;

pub mod comparison;
pub mod exit;
pub mod file;
pub mod junit;
pub mod live;
pub mod matrix;
pub mod style;
pub mod terminal;
pub mod verdict_json;

pub use exit::{Exit, exit_of, exit_of_comparison, exit_of_upgrade};
pub use file::{WriteError, write_atomically};
pub use formatted::Unreadable;
pub use style::Style;
