//! Steps on a server of the plane: stop, start, kill, seal, unseal.

use handover_fixtures::cause::chain;
use handover_harness::event::{ComponentState, Phase, What};

use super::failed;
use crate::language::scenario::ServerAction;
use crate::play::PlayError;
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, name: &str, what: ServerAction) -> Phase {
    match act(stage, name, what).await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

async fn act(stage: &Stage<'_>, name: &str, what: ServerAction) -> Result<(), PlayError> {
    let control = stage.house.plane.control();
    let broke = |error: &dyn std::error::Error| PlayError::Server { name: name.to_owned(), why: chain(error) };
    let is = |state| stage.scribe.record(What::Component { name: name.to_owned(), state });
    match what {
        ServerAction::Stop => {
            control.stop(name).await.map_err(|error| broke(&error))?;
            is(ComponentState::Stopped);
        }
        ServerAction::Kill => {
            control.kill(name).await.map_err(|error| broke(&error))?;
            is(ComponentState::Stopped);
        }
        ServerAction::Start => {
            is(ComponentState::Started);
            control.start(name).await.map_err(|error| broke(&error))?;
            is(ComponentState::Ready);
        }
        ServerAction::Seal => stage.house.plane.openbao().seal().await?,
        // With a static seal nothing else unseals.
        ServerAction::Unseal => {
            control.stop(name).await.map_err(|error| broke(&error))?;
            control.start(name).await.map_err(|error| broke(&error))?;
            is(ComponentState::Ready);
        }
    }
    Ok(())
}
