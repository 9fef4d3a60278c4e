//! `hold`: a hop does not move for a time.

use std::time::Duration;

use handover_harness::clock::Micros;
use handover_harness::event::{Hop, Phase};
use handover_harness::wait::Progress;

use super::own;
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, credential: &str, at: Hop, time: Duration) -> Phase {
    let began = Micros::now();
    let moved =
        stage.scribe.recorder().wait_for(format!("{credential} stood still at {at}"), time, |timeline| {
            let moves = timeline.stories.get(&stage.scenario.id).map(|story| story.moves(credential, at));
            match moves.into_iter().flatten().find(|movement| movement.at > began) {
                Some(movement) => Progress::There(movement),
                None => Progress::NotYet("it stands".into()),
            }
        });
    match moved.await {
        // Time ran out without a movement: that is what was hoped for.
        Err(_) => Phase::Done,
        Ok(movement) => Phase::Moved(own(format!(
            "{credential} moved at {at} from {} to {} after {}",
            movement.from,
            movement.to,
            movement.at - began
        ))),
    }
}
