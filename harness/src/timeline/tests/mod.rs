//! Tests of the timeline.

mod arrival;
mod drift;
mod fold;
mod numbering;
mod query;
