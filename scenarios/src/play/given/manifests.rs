//! The manifests: rewritten so that they reach this plane, and applied in the order in which one needs another.

use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::apply::ready_condition;
use handover_fixtures::kubernetes::belongings;
use handover_fixtures::kubernetes::rewrite::{OpenbaoAddress, rewrite};
use handover_fixtures::plane::{Peer, Server};
use handover_harness::fingerprint::is_secret;
use handover_harness::secret::Secret;
use serde_json::Value;

use super::super::PlayError;
use super::super::stage::{AUDIENCE, Stage};
use crate::language::scenario::Manifest;

/// How long a store may take to be ready: its first failed attempt is retried after 1, 2, 4 s.
const STORE_READY_WITHIN: Duration = Duration::from_secs(20);

/// Applies the manifests in two waves: whatever reads through a store comes after the store is ready,
/// else ESO's retry steps of 1, 2, 4 s would be part of every scenario. What was applied is kept for the way back.
pub async fn apply(stage: &Stage<'_>, manifests: &[Manifest]) -> Result<(), PlayError> {
    let eso = stage.house.plane.address(Peer::Eso, Peer::Server(Server::Openbao))?;
    let to = OpenbaoAddress {
        server: format!("https://{eso}"),
        ca_pem: stage.house.plane.ca_pem().to_owned(),
        namespace: stage.namespace.clone(),
        audience: AUDIENCE.to_owned(),
    };
    let mut objects = Vec::new();
    for manifest in manifests {
        let mut object = manifest.object.clone();
        learn_secrets(stage, &object);
        for change in rewrite(&mut object, &to) {
            stage.scribe.note(&format!("{change} ({}:{})", manifest.file, manifest.line));
        }
        if let Ok(workloads) = stage.house.plane.workloads() {
            let namespace = manifest.namespace.as_deref().unwrap_or(&stage.namespace);
            for change in workloads.fit(namespace, &mut object).await? {
                stage.scribe.note(&format!("{change} ({}:{})", manifest.file, manifest.line));
            }
        }
        belongings::mark(&stage.house.applier, &mut object, &stage.namespace).await;
        objects.push((object, format!("{}:{}", manifest.file, manifest.line)));
    }
    let (later, first): (Vec<_>, Vec<_>) = objects.into_iter().partition(|(object, _)| reads(object));
    let applier = &stage.house.applier;
    let apply = async |object: &Value, at: &str| {
        applier.apply(object, &stage.namespace).await.map_err(|error| {
            // A refused manifest is the user's to mend: say where it stands.
            PlayError::Baseline(format!("{at}: {}", chain(&error)))
        })?;
        stage.applied().push(object.clone());
        Ok::<(), PlayError>(())
    };
    for (object, at) in &first {
        apply(object, at).await?;
    }
    for (store, _) in first.iter().filter(|(object, _)| is_store(object)) {
        applier.wait_for(store, &stage.namespace, "ready", STORE_READY_WITHIN, ready_condition).await?;
    }
    for (object, at) in &later {
        apply(object, at).await?;
    }
    Ok(())
}

/// What a Secret among the manifests holds: the API server quotes what it refuses, in its answer and in its
/// log.
fn learn_secrets(stage: &Stage<'_>, object: &Value) {
    if object["kind"] != "Secret" {
        return;
    }
    let learn = |text: String| stage.scribe.masker().learn(&Secret::new(text));
    let maps = ["data", "stringData"].into_iter().filter_map(|key| object[key].as_object());
    for (_, value) in maps.flatten().filter(|(field, _)| is_secret(field)) {
        learn(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let decoded = serde_json::from_value::<k8s_openapi::ByteString>(value.clone());
        decoded.ok().and_then(|bytes| String::from_utf8(bytes.0).ok()).map(learn);
    }
}

fn is_store(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("SecretStore" | "ClusterSecretStore"))
}

fn reads(object: &Value) -> bool {
    matches!(
        object["kind"].as_str(),
        Some("ExternalSecret" | "ClusterExternalSecret" | "PushSecret" | "ClusterPushSecret")
    )
}
