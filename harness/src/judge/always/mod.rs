//! Kernel: a state that must hold all the time, one file for each.

mod age;
mod agrees;
mod holds_still;
mod retired;
mod state;
mod still_accepted;
mod whole;

use super::Judgement;
use crate::plan::Always;
use crate::timeline::Story;

/// The state holds all the time.
pub(super) fn judge(story: &Story, always: &Always) -> Judgement {
    match always {
        Always::Retired { credential, within } => retired::judge(story, credential, *within),
        Always::StillAccepted { credential, time } => still_accepted::judge(story, credential, *time),
        Always::HoldsStill { credential, at, during } => holds_still::judge(story, credential, *at, *during),
        Always::Whole { credential, at } => whole::judge(story, credential, *at),
        Always::Agrees { credential, within } => agrees::judge(story, credential, *within),
        Always::State { state, is, since, within } => state::judge(story, state, is, *since, *within),
        Always::Age { credential, at, at_least, at_most } => {
            age::judge(story, credential, *at, *at_least, *at_most)
        }
    }
}
