//! Steps on a server of the plane: stop, start, kill, seal, unseal.

use std::path::Path;

use handover_fixtures::cause::chain;
use handover_fixtures::plane::Order;
use handover_harness::event::{Phase, What};

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

/// `replace`: the same server as another program.
pub(super) async fn replace(stage: &Stage<'_>, name: &str, program: &Path) -> Phase {
    let program = Some(vec![program.as_os_str().to_owned()]);
    let replaced = async {
        order(stage, name, Order::Stop).await?;
        order(stage, name, Order::Start { program }).await
    };
    match replaced.await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

async fn act(stage: &Stage<'_>, name: &str, what: ServerAction) -> Result<(), PlayError> {
    match what {
        ServerAction::Stop => order(stage, name, Order::Stop).await,
        ServerAction::Kill => order(stage, name, Order::Kill).await,
        ServerAction::Start => order(stage, name, Order::Start { program: None }).await,
        // With a static seal nothing else unseals.
        ServerAction::Unseal => order(stage, name, Order::Restart).await,
        ServerAction::Seal => Ok(stage.house.plane.openbao().seal().await?),
    }
}

async fn order(stage: &Stage<'_>, name: &str, order: Order) -> Result<(), PlayError> {
    let tell = |state| {
        stage.scribe.recorder().record(None, What::Component { name: name.to_owned(), state });
    };
    let done = stage.house.plane.control(name)?.order(order, &tell).await;
    done.map_err(|error| PlayError::Server { name: name.to_owned(), why: chain(&error) })
}
