//! First values: of KV paths, and of Secrets that are there before the manifests.

use std::collections::{BTreeMap, BTreeSet};

use handover_fixtures::openbao;
use handover_harness::fingerprint::{FieldName, is_secret};
use handover_harness::secret::Secret;

use super::super::PlayError;
use super::super::stage::{Stage, Values};
use crate::language::scenario::Seed;

/// How long a first value of the harness's own is.
const LENGTH: usize = 24;

pub(super) async fn make(stage: &Stage<'_>) -> Result<(), PlayError> {
    let mounts: BTreeSet<&str> = stage.scenario.kv.iter().map(|kv| kv.mount.as_str()).collect();
    for mount in mounts {
        stage.openbao.mount(mount, openbao::Mount::KvV2).await?;
    }
    for kv in &stage.scenario.kv {
        let values = match &kv.seed {
            Seed::Nothing => continue,
            Seed::Random => random(stage, &kv.fields),
            Seed::Holds(first) => stage.first(first),
        };
        stage.openbao.kv_write(&kv.mount, &kv.path, &values).await?;
    }
    Ok(())
}

/// Secrets of Kubernetes that somebody else would have made.
pub(super) async fn secrets(stage: &Stage<'_>) -> Result<(), PlayError> {
    for secret in &stage.scenario.secrets {
        let values = match &secret.holds {
            Some(first) => stage.first(first),
            None => random(stage, &secret.fields),
        };
        stage.write_secret(secret, &values).await?;
    }
    Ok(())
}

fn random(stage: &Stage<'_>, fields: &[FieldName]) -> Values {
    let values: BTreeMap<_, _> = fields.iter().map(|field| (field.clone(), Secret::random(LENGTH))).collect();
    for (_, value) in values.iter().filter(|(field, _)| is_secret(field)) {
        stage.scribe.masker().learn(value);
    }
    values
}
