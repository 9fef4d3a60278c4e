//! Steps on a server of the plane: stop, start, kill, replace, seal, unseal.

use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, ResolvedSet};
use handover_fixtures::plane::{ControlError, Lacks, Order};
use handover_harness::event::{Phase, What};

use super::{failed, owed};
use crate::language::scenario::{NODE, ReleaseRef, ServerAction};
use crate::play::PlayError;
use crate::play::run::component_info;
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, name: &str, what: ServerAction) -> Phase {
    match act(stage, name, what).await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

/// `replace`: another release of a component.
pub(super) async fn replace(stage: &Stage<'_>, release: &ReleaseRef) -> Phase {
    match put(stage, release).await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

/// Puts a release in place of the one that runs.
pub(in crate::play) async fn put(stage: &Stage<'_>, release: &ReleaseRef) -> Result<(), PlayError> {
    let found = stage.house.releases.find(release);
    let found = found.map_err(|why| PlayError::Release { release: release.to_string(), why })?;
    stage.replaced().insert(release.component.clone(), Arc::clone(found));
    place(stage, &release.component, found).await?;
    owed::is_up(&mut stage.owed(), &release.component);
    Ok(())
}

/// Has so many replicas of ESO, of which one leads.
pub(in crate::play) async fn replicate(stage: &Stage<'_>, replicas: u32) -> Result<(), PlayError> {
    let name = Component::Eso.name();
    stage.owed().insert(name.to_owned(), Order::Replicas(1));
    order(stage, name, Order::Replicas(replicas)).await
}

/// Gives the plane back what the scenario has ended and not started, and ESO alone.
pub(in crate::play) async fn make_good(stage: &Stage<'_>) -> Result<(), PlayError> {
    let mut owed = std::mem::take(&mut *stage.owed());
    // Without its node nothing else can be ordered.
    let node = owed.remove_entry(NODE);
    for (name, order) in node.into_iter().chain(owed) {
        match carry_out(stage, &name, order).await? {
            // An end that was refused has changed nothing.
            Ok(()) | Err(ControlError::Running { .. }) => {}
            Err(error) => return Err(refused(&name, &error)),
        }
    }
    Ok(())
}

/// Puts the run's own releases back where the scenario has put others.
pub(in crate::play) async fn put_back(stage: &Stage<'_>) -> Result<(), PlayError> {
    let replaced = std::mem::take(&mut *stage.replaced());
    let own = stage.house.releases.own();
    // With a release of ESO its CRDs come back, too.
    let with_eso = replaced.contains_key(Component::Eso.name());
    let alone = |name: &&String| !(with_eso && *name == Component::EsoCrds.name());
    for name in replaced.keys().filter(alone) {
        place(stage, name, own).await?;
    }
    Ok(())
}

async fn place(stage: &Stage<'_>, name: &str, release: &Arc<ResolvedSet>) -> Result<(), PlayError> {
    let failed = |why| PlayError::Server { name: name.to_owned(), why };
    let component: Component = name.parse().map_err(|unknown| failed(format!("{unknown}")))?;
    let resolved = release.require(component).map_err(|error| failed(chain(&error)))?;
    stage.scribe.record(What::Replaced(component_info(resolved)));
    order(stage, name, Order::Replace(Arc::clone(release))).await
}

async fn act(stage: &Stage<'_>, name: &str, what: ServerAction) -> Result<(), PlayError> {
    // Before it is ordered: what fails half-way has to be made good, too.
    owed::before(&mut stage.owed(), name, what);
    match what {
        ServerAction::Stop => order(stage, name, Order::Stop).await?,
        ServerAction::Kill => order(stage, name, Order::Kill).await?,
        ServerAction::Start => order(stage, name, Order::Start).await?,
        // With a static seal nothing else unseals.
        ServerAction::Unseal => order(stage, name, Order::Restart).await?,
        ServerAction::Seal => stage.house.plane.openbao().seal().await?,
    }
    match what {
        ServerAction::Start | ServerAction::Unseal => owed::is_up(&mut stage.owed(), name),
        ServerAction::Stop | ServerAction::Kill | ServerAction::Seal => {}
    }
    Ok(())
}

async fn order(stage: &Stage<'_>, name: &str, order: Order) -> Result<(), PlayError> {
    carry_out(stage, name, order).await?.map_err(|error| refused(name, &error))
}

fn refused(name: &str, why: &ControlError) -> PlayError {
    PlayError::Server { name: name.to_owned(), why: chain(why) }
}

async fn carry_out(stage: &Stage<'_>, name: &str, order: Order) -> Result<Result<(), ControlError>, Lacks> {
    let tell = |state| {
        stage.scribe.recorder().record(None, What::Component { name: name.to_owned(), state });
    };
    let carried = stage.house.plane.control(name)?.order(order, &tell).await;
    Ok(carried.map(|notes| {
        for note in notes {
            stage.scribe.note(&note);
        }
    }))
}
