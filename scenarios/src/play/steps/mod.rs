//! The verbs of `steps`, one file each.

mod hold;
mod rotate;
mod wait;

use handover_fixtures::cause::chain;
use handover_harness::event::Phase;
use handover_harness::mask::Masked;

use super::stage::Stage;
use super::watching::Watching;
use crate::language::scenario::{Action, Step};

/// Plays one step, from its first event to its last. Answers whether the next one may follow.
pub async fn play(stage: &Stage<'_>, watching: &Watching, index: usize, step: &Step) -> bool {
    stage.scribe.step(index, step.text.clone(), Phase::Started);
    let phase = match &step.action {
        Action::Rotate { credential, to } => rotate::play(stage, watching, credential, *to).await,
        Action::Wait { credential, at, within } => wait::play(stage, credential, *at, *within).await,
        Action::Hold { credential, at, time } => hold::play(stage, credential, *at, *time).await,
    };
    let goes_on = phase == Phase::Done;
    stage.scribe.step(index, step.text.clone(), phase);
    goes_on
}

/// A step that the environment refused.
fn failed(stage: &Stage<'_>, why: &dyn std::error::Error) -> Phase {
    Phase::Failed(stage.scribe.mask(&chain(why)))
}

/// What a hop shows now, for a wait's last word.
fn last_seen(
    story: &handover_harness::timeline::Story,
    credential: &str,
    at: handover_harness::event::Hop,
) -> String {
    let complaint = story.latest(credential, at).and_then(|sample| sample.complaint());
    match (story.standing(credential, at), complaint) {
        (Some(generation), None) => format!("{at} shows {generation}"),
        (Some(generation), Some(why)) => format!("{at} showed {generation}, then: {why}"),
        (None, Some(why)) => format!("{at}: {why}"),
        (None, None) => format!("nothing was seen at {at}"),
    }
}

/// Text that holds nothing foreign but what was masked already.
fn own(text: impl Into<String>) -> Masked {
    Masked::own(text)
}
