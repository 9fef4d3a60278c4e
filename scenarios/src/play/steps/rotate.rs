//! `rotate`: orders a rotation, and learns what it set where it was ordered.

use std::cell::RefCell;
use std::time::Duration;

use handover_harness::event::{Order, OrderKind, Phase, What};
use handover_harness::secret::Secret;
use handover_harness::wait::{Progress, wait_until};

use super::{failed, own};
use crate::language::scenario::{Credential, Store, Target};
use crate::play::PlayError;
use crate::play::stage::{DATABASE_MOUNT, Stage, Values};
use crate::play::watching::Watching;

/// How long a new value of the harness's own is.
const LENGTH: usize = 24;
/// How long what was set may take to be readable where it was ordered. OpenBao answers a forced rotation
/// after the fact; when the database was slow it repairs itself within 16 s or not at all.
const READ_BACK_WITHIN: Duration = Duration::from_secs(16);

pub(super) async fn play(stage: &Stage<'_>, watching: &Watching, name: &str, to: Target) -> Phase {
    match order(stage, watching, stage.credential(name), to).await {
        Ok(phase) => phase,
        Err(error) => failed(stage, &error),
    }
}

async fn order(
    stage: &Stage<'_>,
    watching: &Watching,
    credential: &Credential,
    to: Target,
) -> Result<Phase, PlayError> {
    let before = stage.stored(credential).await?;
    let order = |kind| {
        stage.scribe.record(What::Ordered(Order { credential: credential.name.clone(), kind }));
    };
    match (&credential.store, to) {
        (Some(Store::Kv(name)), Target::Next) => {
            let kv = stage.kv(name);
            let values: Values =
                kv.fields.iter().map(|field| (field.clone(), Secret::random(LENGTH))).collect();
            let sighting = stage.sighting(&values);
            order(OrderKind::Written);
            watching.left(&credential.name, stage.openbao.kv_write(&kv.mount, &kv.path, &values).await?);
            stage.scribe.record(What::Written { credential: credential.name.clone(), sighting });
            Ok(Phase::Done)
        }
        (Some(Store::Kv(name)), Target::Previous) => {
            let kv = stage.kv(name);
            let Some(version) = watching.version_before(&credential.name) else {
                return Ok(Phase::Failed(own(
                    "no rotate step has set a value yet, so there is no previous one",
                )));
            };
            let Some(earlier) = stage.openbao.kv_read(&kv.mount, &kv.path, Some(version)).await? else {
                return Ok(Phase::Failed(own(format!("version {version} cannot be read any more"))));
            };
            let sighting = stage.sighting(&earlier.fields);
            order(OrderKind::RolledBack);
            let written = stage.openbao.kv_write(&kv.mount, &kv.path, &earlier.fields).await?;
            watching.left(&credential.name, written);
            stage.scribe.record(What::Written { credential: credential.name.clone(), sighting });
            Ok(Phase::Done)
        }
        (Some(Store::StaticRole(role)), Target::Next) => {
            if let Some(before) = &before {
                watching.about_to_leave(stage, credential, before);
            }
            order(OrderKind::Forced);
            stage.openbao.rotate_role(DATABASE_MOUNT, role).await?;
            read_back(stage, credential, before.as_ref()).await
        }
        (Some(Store::StaticRole(_)), Target::Previous) => {
            Ok(Phase::Failed(own("a static role cannot be given an earlier value; OpenBao draws each one")))
        }
        (None, _) => Ok(Phase::Failed(own("the credential has no store to rotate it in"))),
    }
}

/// What the rotation set, as the store has it; without that nobody could say whether it arrived.
async fn read_back(
    stage: &Stage<'_>,
    credential: &Credential,
    before: Option<&Values>,
) -> Result<Phase, PlayError> {
    let before = before.map(|values| stage.sighting(values));
    let broke = RefCell::new(None);
    let set = wait_until(
        "the store still has the value from before the rotation",
        READ_BACK_WITHIN,
        Duration::from_millis(100),
        async || match stage.stored(credential).await {
            Ok(Some(values)) => {
                let sighting = stage.sighting(&values);
                if before.as_ref() == Some(&sighting) {
                    Progress::NotYet("unchanged".into())
                } else {
                    Progress::There(sighting)
                }
            }
            Ok(None) => Progress::NotYet("the store has no value".into()),
            Err(error) => {
                let why = error.to_string();
                broke.replace(Some(error));
                Progress::Dead(why)
            }
        },
    )
    .await;
    match (set, broke.into_inner()) {
        (Ok(sighting), _) => {
            stage.scribe.record(What::Written { credential: credential.name.clone(), sighting });
            Ok(Phase::Done)
        }
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => Ok(Phase::OutOfTime(own(error.to_string()))),
    }
}
