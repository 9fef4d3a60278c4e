//! What a scenario is given, made real: namespaces, logins, databases, roles, first values, manifests.

pub(super) mod databases;
mod kv;
mod logins;
pub mod manifests;

use std::collections::BTreeSet;

use handover_fixtures::kubernetes::belongings;

use super::PlayError;
use super::stage::Stage;
use super::steps;
use crate::language::scenario::Request;

/// Makes everything that the scenario is given, in the order in which one thing needs another.
pub async fn make(stage: &Stage<'_>) -> Result<(), PlayError> {
    for inference in &stage.scenario.inferences {
        stage.scribe.note(&format!("{} ({}:{})", inference.text, inference.file, inference.line));
    }
    let openbao = async {
        stage.house.plane.openbao().create_namespace(&stage.namespace).await?;
        // Long before the first role: right after its mount OpenBao 2.7.2 goes through the roles that there are, and
        // one that is being made just then ends the whole server (nil pointer in `populateQueue`).
        databases::mount(stage).await?;
        logins::make(stage).await?;
        // First the databases: a KV path or a Secret may hold what a user was made with.
        databases::users(stage).await?;
        // A role's statements may want what SQL has prepared.
        prepare(stage, |request| matches!(request, Request::Sql { .. })).await?;
        let (roles, kv) = tokio::join!(databases::roles(stage), kv::make(stage));
        roles.and(kv)
    };
    let (openbao, namespaces) = tokio::join!(openbao, kubernetes_namespaces(stage));
    openbao.and(namespaces)?;
    kv::secrets(stage).await?;
    prepare(stage, |request| matches!(request, Request::Bao(_))).await?;
    manifests::apply(stage, &stage.scenario.manifests).await
}

async fn prepare(stage: &Stage<'_>, which: impl Fn(&Request) -> bool) -> Result<(), PlayError> {
    for request in stage.scenario.preparations.iter().filter(|request| which(request)) {
        steps::prepare(stage, request).await?;
    }
    Ok(())
}

async fn kubernetes_namespaces(stage: &Stage<'_>) -> Result<(), PlayError> {
    let named = stage.scenario.manifests.iter().filter_map(|manifest| manifest.namespace.as_deref());
    let secrets = stage.scenario.secrets.iter().filter_map(|secret| secret.namespace.as_deref());
    let all: BTreeSet<&str> = named.chain(secrets).chain([stage.namespace.as_str()]).collect();
    for name in all {
        let object = belongings::namespace(name, &stage.namespace);
        stage.house.applier.apply(&object, "").await?;
    }
    Ok(())
}
