//! Steps on a server of the plane: stop, start, kill, seal, unseal.

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

async fn act(stage: &Stage<'_>, name: &str, what: ServerAction) -> Result<(), PlayError> {
    let order = match what {
        ServerAction::Stop => Order::Stop,
        ServerAction::Kill => Order::Kill,
        ServerAction::Start => Order::Start { program: None },
        // With a static seal nothing else unseals.
        ServerAction::Unseal => Order::Restart,
        ServerAction::Seal => return Ok(stage.house.plane.openbao().seal().await?),
    };
    let tell = |state| {
        stage.scribe.recorder().record(None, What::Component { name: name.to_owned(), state });
    };
    let done = stage.house.plane.control(name)?.order(order, &tell).await;
    done.map_err(|error| PlayError::Server { name: name.to_owned(), why: chain(&error) })
}
