//! The verbs of `steps`, one file each.

mod bao;
mod hold;
mod objects;
mod owed;
mod rotate;
pub(super) mod server;
mod sql;
mod wait;

use handover_fixtures::cause::chain;
use handover_harness::event::Phase;
use handover_harness::mask::Masked;

use super::PlayError;
use super::stage::Stage;
use super::watching::Watching;
use crate::language::scenario::{Action, Request, Step};

/// Plays one step, from its first event to its last. Answers whether the next one may follow.
pub async fn play(stage: &Stage<'_>, watching: &Watching, index: usize, step: &Step) -> bool {
    stage.scribe.step(index, step.text.clone(), Phase::Started);
    let phase = act(stage, watching, &step.action).await;
    let goes_on = phase == Phase::Done;
    stage.scribe.step(index, step.text.clone(), phase);
    goes_on
}

async fn act(stage: &Stage<'_>, watching: &Watching, action: &Action) -> Phase {
    match action {
        Action::Rotate { credential, to, how } => rotate::play(stage, watching, credential, *to, *how).await,
        Action::Wait { credential, at, who, within } => {
            wait::play(stage, credential, *at, *who, *within).await
        }
        Action::WaitMoves { credential, at, moves, within } => {
            wait::moves(stage, credential, *at, *moves, *within).await
        }
        Action::WaitSynced { objects, within } => objects::wait_synced(stage, objects, *within).await,
        Action::WaitCondition { object, condition, is, within } => {
            objects::wait_condition(stage, object, condition, is, *within).await
        }
        Action::Hold { credential, at, time } => hold::play(stage, credential, *at, *time).await,
        Action::HoldCondition { object, condition, is, time } => {
            objects::hold_condition(stage, object, condition, is, *time).await
        }
        Action::Watch { time } => {
            // The time itself is what the scenario asks for: there is no condition to wait for.
            tokio::time::sleep(*time).await;
            Phase::Done
        }
        Action::Apply(manifests) => objects::apply(stage, manifests).await,
        Action::Patch { object, patch } => objects::patch(stage, object, patch).await,
        Action::Delete(objects) => objects::delete(stage, objects).await,
        Action::Restart { deployment, within } => objects::restart(stage, deployment, *within).await,
        Action::Gate { deployment, condition, is } => objects::gate(stage, deployment, condition, is).await,
        Action::ForceSync(object) => objects::force_sync(stage, object).await,
        Action::Mark => Phase::Done,
        Action::Server { name, what } => server::play(stage, name, *what).await,
        Action::Replace(release) => server::replace(stage, release).await,
        Action::Request(Request::Sql { database, statements }) => {
            sql::play(stage, database, statements).await
        }
        Action::Request(Request::Bao(call)) => bao::play(stage, call).await,
        Action::StaticRole(role) => rotate::make_role(stage, watching, role).await,
    }
}

/// Does before the first step what a step could do as well.
pub async fn prepare(stage: &Stage<'_>, request: &Request) -> Result<(), PlayError> {
    match request {
        Request::Sql { database, statements } => sql::run(stage, database, statements).await,
        Request::Bao(call) => bao::prepare(stage, call).await,
    }
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
