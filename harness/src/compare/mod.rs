//! What changed between two judged runs, or several rounds of each.
//!
//! Side A is what there was, side B what is to come. Everything here is derived from judged runs, purely: the
//! verdicts, the pinned defects, the claims, the times of the hops, and (where a scenario was played across an
//! upgrade) what that [`Crossing`] found. One [`Outcome`] answers the question that was asked: does it get worse?

mod family;
mod ranks;
mod shift;

pub use family::{correct, holm};
pub use shift::{Shift, ShiftVerdict};

/// So often at most may a comparison call noise a change: one in twenty.
pub const ALPHA: f64 = 0.05;
