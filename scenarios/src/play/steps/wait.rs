//! `wait`: until a hop shows what the latest rotate step set, or later.

use std::time::Duration;

use handover_harness::event::{Hop, Phase};
use handover_harness::wait::{Progress, WaitError};

use super::{last_seen, own};
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, credential: &str, at: Hop, within: Duration) -> Phase {
    let what = format!("{credential} was not seen at {at}");
    let reached = stage.scribe.recorder().wait_for(what, within, |timeline| {
        let Some(story) = timeline.stories.get(&stage.scenario.id) else {
            return Progress::NotYet("the scenario has not begun".into());
        };
        if story.reached(credential, at) {
            Progress::There(())
        } else {
            Progress::NotYet(last_seen(story, credential, at))
        }
    });
    match reached.await {
        Ok(()) => Phase::Done,
        Err(error @ (WaitError::OutOfTime { .. } | WaitError::Dead { .. })) => {
            Phase::OutOfTime(own(error.to_string()))
        }
    }
}
