//! `rotate`: orders a rotation, and learns what it set where it was ordered.

use std::cell::RefCell;
use std::time::Duration;

use handover_fixtures::openbao::ClientError;
use handover_harness::clock::Micros;
use handover_harness::event::{Hop, Order, OrderKind, Phase, What};
use handover_harness::fingerprint::{FieldName, is_secret};
use handover_harness::secret::Secret;
use handover_harness::wait::{Progress, wait_until};

use super::{failed, own};
use crate::language::scenario::{Credential, FirstPassword, How, Seed, Store, Target};
use crate::play::PlayError;
use crate::play::stage::{DATABASE_MOUNT, Stage, Values};
use crate::play::watching::Watching;

/// How long a new value of the harness's own is.
const LENGTH: usize = 24;
/// How long what was set may take to be readable where it was ordered. OpenBao answers a forced rotation
/// after the fact; when the database was slow it repairs itself within 16 s or not at all.
const READ_BACK_WITHIN: Duration = Duration::from_secs(16);

pub(super) async fn play(stage: &Stage<'_>, watching: &Watching, name: &str, to: Target, how: How) -> Phase {
    let credential = stage.credential(name);
    if let Some(phase) = how.phase {
        wait_for_phase(stage, credential, phase).await;
    }
    match order(stage, watching, credential, to, how).await {
        Ok(phase) => phase,
        Err(error) => failed(stage, &error),
    }
}

/// Makes a static role that was given for later: for whoever uses its user that is a rotation.
pub(super) async fn make_role(stage: &Stage<'_>, watching: &Watching, name: &str) -> Phase {
    let role = stage.static_role(name);
    let first = stage.first(&FirstPassword { database: role.database.clone(), user: role.user.clone() });
    let of_it = |credential: &&Credential| credential.store == Some(Store::StaticRole(name.to_owned()));
    let credentials: Vec<_> = stage.scenario.credentials.iter().filter(of_it).collect();
    for credential in &credentials {
        watching.about_to_leave(stage, credential, &first);
        let (credential, kind) = (credential.name.clone(), OrderKind::Forced);
        stage.scribe.record(What::Ordered(Order { credential, kind }));
    }
    let made = async {
        stage.make_static_role(role).await?;
        for credential in credentials {
            let phase = read_back(stage, credential, Some(&first)).await?;
            if phase != Phase::Done {
                return Ok(phase);
            }
        }
        Ok::<_, PlayError>(Phase::Done)
    };
    made.await.unwrap_or_else(|error| failed(stage, &error))
}

/// Waits until so much of the time between two refreshes has passed. ESO counts its interval from the
/// beginning of a refresh, and the sync hop tells when that was.
async fn wait_for_phase(stage: &Stage<'_>, credential: &Credential, phase: f64) {
    let Some(interval) = credential.refresh_interval else { return };
    let synced = stage.scribe.recorder().with_timeline(|timeline| {
        let story = timeline.stories.get(&stage.scenario.id)?;
        Some(story.latest(&credential.name, Hop::Sync)?.asked)
    });
    let Some(synced) = synced else { return };
    let interval = Micros::from(interval);
    let mut due = synced + Micros((interval.0 as f64 * phase) as u64);
    let now = Micros::now();
    while due < now && interval > Micros(0) {
        due = due + interval;
    }
    tokio::time::sleep((due - now).duration()).await;
}

async fn order(
    stage: &Stage<'_>,
    watching: &Watching,
    credential: &Credential,
    to: Target,
    how: How,
) -> Result<Phase, PlayError> {
    let order = |kind| {
        stage.scribe.record(What::Ordered(Order { credential: credential.name.clone(), kind }));
    };
    let written = |sighting| {
        stage.scribe.record(What::Written { credential: credential.name.clone(), sighting });
    };
    // Where it comes from is where it is written, whatever keeps it afterwards.
    if let Some(secret) = &credential.from {
        let secret = stage.secret(secret);
        let values = next(&secret.fields, &Values::new());
        let sighting = stage.sighting(&values);
        order(OrderKind::Written);
        stage.write_secret(secret, &values).await?;
        written(sighting);
        return Ok(Phase::Done);
    }
    match (&credential.store, to) {
        (Some(Store::Kv(name)), Target::Next) => {
            let kv = stage.kv(name);
            let before = stage.stored(credential).await?.unwrap_or_default();
            let values = next(&kv.fields, &before);
            let sighting = stage.sighting(&values);
            if let Seed::Holds(user) = &kv.seed {
                watching.about_to_leave(stage, credential, &before);
                order(OrderKind::Written);
                stage.set_password(user, &values, how.keeps).await?;
            } else {
                order(OrderKind::Written);
            }
            watching.left(&credential.name, stage.openbao.kv_write(&kv.mount, &kv.path, &values).await?);
            written(sighting);
            Ok(Phase::Done)
        }
        (Some(Store::Kv(name)), Target::Same) => {
            let kv = stage.kv(name);
            let Some(standing) = stage.openbao.kv_read(&kv.mount, &kv.path, None).await? else {
                return Ok(Phase::Failed(own("nothing stands there that could be written again")));
            };
            // No order: nothing rotates.
            stage.openbao.kv_write(&kv.mount, &kv.path, &standing.fields).await?;
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
            let version = stage.openbao.kv_write(&kv.mount, &kv.path, &earlier.fields).await?;
            watching.left(&credential.name, version);
            written(sighting);
            Ok(Phase::Done)
        }
        (Some(Store::StaticRole(role)), Target::Next) => {
            let before = stage.stored(credential).await?;
            if let Some(before) = &before {
                watching.about_to_leave(stage, credential, before);
            }
            order(OrderKind::Forced);
            let answer = stage.openbao.rotate_role(DATABASE_MOUNT, role).await;
            match (answer, how.fails) {
                (Ok(()), false) | (Err(ClientError::Refused { .. }), true) => {
                    read_back(stage, credential, before.as_ref()).await
                }
                (Ok(()), true) => {
                    Ok(Phase::Failed(own("OpenBao took the rotation; it should have answered with an error")))
                }
                (Err(error), _) => Err(error.into()),
            }
        }
        (Some(Store::StaticRole(_)), Target::Previous | Target::Same) => {
            Ok(Phase::Failed(own("a static role cannot be given a value; OpenBao draws each one")))
        }
        (Some(Store::DynamicRole(_)), _) => {
            Ok(Phase::Failed(own("a dynamic role has nothing to rotate; force a sync instead")))
        }
        (Some(Store::Secret(_)) | None, _) => {
            Ok(Phase::Failed(own("the credential has no store to rotate it in")))
        }
    }
}

/// A new value for each field that is secret; who somebody is stays.
fn next(fields: &[FieldName], before: &Values) -> Values {
    let value = |field: &FieldName| match before.get(field).filter(|_| !is_secret(field)) {
        Some(standing) => standing.clone(),
        None => Secret::random(LENGTH),
    };
    fields.iter().map(|field| (field.clone(), value(field))).collect()
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
