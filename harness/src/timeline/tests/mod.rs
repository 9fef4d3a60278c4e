//! Tests of the timeline.

mod arrival;
mod fold;
mod numbering;
mod query;
