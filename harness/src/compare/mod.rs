//! What changed between two judged runs, or several rounds of each.
//!
//! Side A is what there was, side B what is to come. Everything here is derived from judged runs, purely: the
//! verdicts, the pinned defects, the claims, the times of the hops, and (where a scenario was played across an
//! upgrade) what that [`Crossing`] found. One [`Outcome`] answers the question that was asked: does it get worse?

mod comparison;
mod crossed;
mod crossing;
mod family;
mod outcome;
mod ranks;
mod runs;
mod said;
mod shift;
mod sides;
#[cfg(test)]
mod tests;
mod times;

pub use comparison::{
    ClaimRow, Comparison, Differs, Direction, FORMAT, PinRow, Side, Sides, TimeRow, Told, VerdictRow,
};
pub use crossed::{Asked, AskedCalls, Known, STEADY, crossed};
pub use crossing::{CallRate, Crossing, CrossingPhase, Lag, Moved, PhaseCalls, Unwatched, Watched};
pub use family::{correct, holm};
pub use outcome::Outcome;
pub use runs::compare;
pub use said::{Said, Which};
pub use shift::{Shift, ShiftVerdict};

/// So often at most may a comparison call noise a change: one in twenty.
pub const ALPHA: f64 = 0.05;
