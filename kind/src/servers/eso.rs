//! ESO in a cluster: its own Deployment as its chart renders it, with its own ServiceAccount.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, ResolvedSet};
use handover_fixtures::eso::bring::bring;
use handover_fixtures::eso::canary::Canary;
use handover_fixtures::eso::release::{Parts, Release, bring_crds, bring_permissions};
use handover_fixtures::eso::{chart, host};
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::process::Spawner;
use serde_json::{Value, json};

use super::images::Images;
use super::member::{Member, Succession, Successor};
use super::services::Place;
use super::start::Floor;
use super::{ServersError, manifest};

/// What its chart adds to its flags where the values say `leaderElect: true`. The permissions for it are always there.
const ELECTING: &str = "--enable-leader-election=true";
/// Where it serves its metrics, as its chart has it unless the values say otherwise.
pub const METRICS: u16 = 8080;

/// What every release of ESO has in common here.
#[derive(Clone)]
struct Seat {
    applier: Arc<Applier>,
    images: Images,
    spawner: Spawner,
    /// Its directory.
    dir: PathBuf,
    /// Values for its chart.
    values: Option<PathBuf>,
    canary: Canary,
}

/// Starts ESO; it is ready when it has reconciled the canary. Answers with where it serves its metrics, too.
///
/// # Errors
/// What could not be read, made or started.
pub async fn start(floor: &Floor<'_>) -> Result<(Member, Place), ServersError> {
    let ground = floor.ground;
    let place = ground.place("eso")?;
    let components = ground.request.components;
    let applier = Arc::clone(&floor.base.applier);
    let program = components.program(Component::Eso)?;
    let kinds = async { Ok::<_, ServersError>(bring(ground, &applier).await?) };
    let (release, image) = tokio::try_join!(kinds, floor.images.obtain("eso", program, Vec::new(), None))?;
    let canary = Canary::of(Arc::clone(&applier), &release).await?;
    canary.enter(&release).await?;
    let seat = Seat {
        applier,
        images: floor.images.clone(),
        spawner: ground.spawner.clone(),
        dir: place.dir,
        values: ground.request.eso_values.map(Path::to_owned),
        canary,
    };
    let (object, notes) = object(&release, components, &image)?;
    for note in notes {
        (ground.request.note)(&note);
    }
    let metrics =
        super::services::place(&seat.applier, &floor.base.node, "eso", chart::NAMESPACE, METRICS).await?;
    ground.started("eso");
    let (base, ready, canary) = (floor.base.clone(), seat.canary.ready(), seat.canary.clone());
    let member = Member::start("eso", base, object, ready, place.log, seat.succession()).await?;
    ground.ready("eso");
    let member = member.electing_by(ELECTING).prepared_by(move || {
        let canary = canary.clone();
        Box::pin(async move { canary.forget().await })
    });
    Ok((member, metrics))
}

/// Its Deployment, and what people should know of it.
fn object(
    release: &Release,
    components: &ResolvedSet,
    image: &str,
) -> Result<(Value, Vec<String>), ServersError> {
    let words = components.program(Component::Eso)?.argv0().iter();
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let (args, left_out) = host::flags_in_pod(&release.chart, &release.known);
    let mut object = manifest::deployment(&release.chart.deployment, "eso", image, &words, &args);
    object["metadata"]["namespace"] = json!(chart::NAMESPACE);
    Ok((object, host::told(&left_out)))
}

impl Seat {
    fn succession(self) -> Succession {
        Box::new(move |components| {
            let seat = self.clone();
            Box::pin(async move { seat.successor(&components).await.map_err(|error| chain(&error)) })
        })
    }

    /// Another release: all of it is read while the one before still runs, and applied when that has ended.
    async fn successor(self, components: &ResolvedSet) -> Result<Successor, ServersError> {
        let parts = Parts::of(components)?;
        let work = tempfile::Builder::new()
            .prefix("release-")
            .tempdir_in(&self.dir)
            .map_err(ServersError::file(&self.dir))?;
        let (release, crds) = parts.read(&self.spawner, self.values.as_deref(), work.path()).await?;
        let image = self.images.obtain("eso", components.program(Component::Eso)?, Vec::new(), None).await?;
        let (object, notes) = object(&release, components, &image)?;
        let between = async move {
            bring_crds(&self.applier, &crds).await?;
            bring_permissions(&self.applier, &release).await?;
            Ok::<_, ServersError>(self.canary.enter(&release).await?)
        };
        let between = async move { between.await.map_err(|error| chain(&error)) };
        Ok(Successor { what: object, between: Some(Box::pin(between)), notes })
    }
}
