//! `wait`: until a hop shows what the latest rotate step set, or later.

use std::time::Duration;

use handover_harness::event::{Hop, Phase};
use handover_harness::plan::Who;
use handover_harness::wait::{Progress, WaitError};

use super::{last_seen, own};
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, credential: &str, at: Hop, who: Who, within: Duration) -> Phase {
    let what = format!("{credential} was not seen at {at}");
    let reached = stage.scribe.recorder().wait_for(what, within, |timeline| {
        let Some(story) = timeline.stories.get(&stage.scenario.id) else {
            return Progress::NotYet("the scenario has not begun".into());
        };
        let latest = story.rotations(credential).len().checked_sub(1);
        if latest.is_some_and(|latest| story.reach(credential, at, latest, who).arrival.seen.is_some()) {
            Progress::There(())
        } else {
            Progress::NotYet(last_seen(story, credential, at))
        }
    });
    ended(reached.await)
}

/// Until the value at a hop has moved so often since the scenario began.
pub(super) async fn moves(
    stage: &Stage<'_>,
    credential: &str,
    at: Hop,
    moves: usize,
    within: Duration,
) -> Phase {
    let what = format!("{credential} did not move {moves} times at {at}");
    let moved = stage.scribe.recorder().wait_for(what, within, |timeline| {
        let Some(story) = timeline.stories.get(&stage.scenario.id) else {
            return Progress::NotYet("the scenario has not begun".into());
        };
        match story.moves(credential, at).len() {
            seen if seen >= moves => Progress::There(()),
            seen => Progress::NotYet(format!("{seen} moves; {}", last_seen(story, credential, at))),
        }
    });
    ended(moved.await)
}

fn ended(wait: Result<(), WaitError>) -> Phase {
    match wait {
        Ok(()) => Phase::Done,
        Err(error @ (WaitError::OutOfTime { .. } | WaitError::Dead { .. })) => {
            Phase::OutOfTime(own(error.to_string()))
        }
    }
}
