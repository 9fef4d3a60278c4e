//! What a scenario is given, made real: namespaces, logins, databases, roles, first values, manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::apply::ready_condition;
use handover_fixtures::kubernetes::rewrite::{KubernetesLogin, OpenbaoAddress, login_of, rewrite};
use handover_fixtures::plane::{Peer, Server};
use handover_fixtures::{mysql, openbao, postgres, valkey};
use handover_harness::fingerprint::is_secret;
use handover_harness::secret::Secret;
use serde_json::{Value, json};

use super::PlayError;
use super::stage::{AUDIENCE, DATABASE_MOUNT, Stage, Values, server};
use crate::language::scenario::{Database, DatabaseKind};

/// How long a store may take to be ready: its first failed attempt is retried after 1, 2, 4 s.
const STORE_READY_WITHIN: Duration = Duration::from_secs(20);
/// The policy that every login of a scenario gets.
const POLICY: &str = "scenario";

/// Makes everything that the scenario is given, in the order in which one thing needs another. Answers
/// with the objects that were applied, for the way back.
pub async fn make(stage: &Stage<'_>) -> Result<Vec<Value>, PlayError> {
    for inference in &stage.scenario.inferences {
        stage.scribe.note(&format!("{} ({}:{})", inference.text, inference.file, inference.line));
    }
    let openbao = async {
        openbao_namespace(stage).await?;
        let (databases, kv) = tokio::join!(databases(stage), kv(stage));
        databases.and(kv)
    };
    let (openbao, namespaces) = tokio::join!(openbao, kubernetes_namespaces(stage));
    openbao.and(namespaces)?;
    manifests(stage).await
}

async fn kubernetes_namespaces(stage: &Stage<'_>) -> Result<(), PlayError> {
    let named = stage.scenario.manifests.iter().filter_map(|manifest| manifest.namespace.as_deref());
    let all: BTreeSet<&str> = named.chain([stage.namespace.as_str()]).collect();
    for name in all {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
            "labels": {"handover.dev/scenario": stage.namespace}}});
        stage.house.applier.apply(&object, "").await?;
    }
    Ok(())
}

/// The scenario's OpenBao namespace, and in it every kubernetes login that the manifests ask for.
async fn openbao_namespace(stage: &Stage<'_>) -> Result<(), PlayError> {
    stage.house.plane.openbao().create_namespace(&stage.namespace).await?;
    // OpenBao refuses a policy without rules; who is given nothing needs none.
    let policy = policy(stage);
    if !policy.is_empty() {
        stage.openbao.put_policy(POLICY, &policy).await?;
    }
    let logins: BTreeSet<KubernetesLogin> =
        stage.scenario.manifests.iter().filter_map(|manifest| login_of(&manifest.object)).collect();
    let (api_server, ca) = stage.house.plane.api_server()?;
    let auth = openbao::KubernetesAuth {
        host: format!("https://{api_server}"),
        ca_pem: ca.to_owned(),
        reviewer: stage.house.reviewer.clone(),
    };
    let mut roles: BTreeMap<(&str, &str), Vec<&KubernetesLogin>> = BTreeMap::new();
    for login in &logins {
        roles.entry((&login.mount, &login.role)).or_default().push(login);
    }
    let mounts: BTreeSet<&str> = logins.iter().map(|login| login.mount.as_str()).collect();
    for mount in mounts {
        stage.openbao.enable_kubernetes(mount, &auth).await?;
    }
    for ((mount, name), logins) in roles {
        let namespaces = logins.iter().map(|login| login.namespace.as_deref().unwrap_or(&stage.namespace));
        let role = openbao::KubernetesRole {
            service_accounts: logins.iter().map(|login| login.service_account.clone()).collect(),
            namespaces: namespaces.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect(),
            audience: Some(AUDIENCE.to_owned()),
            policies: vec![POLICY.to_owned()],
            ttl: None,
        };
        stage.openbao.put_kubernetes_role(mount, name, &role).await?;
        stage.scribe.note(&format!(
            "auth/{mount}/role/{name} is bound to ServiceAccount {} and may use what the scenario is given",
            role.service_accounts.join(", ")
        ));
    }
    Ok(())
}

/// What the logins of a scenario may do: use what it is given, and nothing else.
fn policy(stage: &Stage<'_>) -> String {
    let mut rules = String::new();
    let mut allow = |path: String, capabilities: &str| {
        rules.push_str(&format!("path \"{path}\" {{ capabilities = [{capabilities}] }}\n"));
    };
    for kv in &stage.scenario.kv {
        for part in ["data", "metadata"] {
            let all = "\"create\", \"read\", \"update\", \"delete\", \"list\"";
            allow(format!("{}/{part}/{}", kv.mount, kv.path), all);
        }
    }
    for role in &stage.scenario.static_roles {
        allow(format!("{DATABASE_MOUNT}/static-creds/{}", role.name), "\"read\"");
    }
    rules
}

async fn databases(stage: &Stage<'_>) -> Result<(), PlayError> {
    if stage.scenario.databases.is_empty() {
        return Ok(());
    }
    stage.openbao.mount(DATABASE_MOUNT, openbao::Mount::Database { tick: None }).await?;
    for database in &stage.scenario.databases {
        for user in &database.users {
            make_user(stage, database.kind, &stage.user(user), false).await?;
        }
        let connection = connection(stage, database).await?;
        stage.openbao.configure_database(DATABASE_MOUNT, &database.name, &connection).await?;
    }
    for role in &stage.scenario.static_roles {
        let definition = openbao::StaticRole {
            database: role.database.clone(),
            username: stage.user(&role.user),
            rotation_period: role.rotation_period,
        };
        stage.openbao.create_static_role(DATABASE_MOUNT, &role.name, &definition).await?;
    }
    Ok(())
}

/// A user as a team finds it before OpenBao manages it, or OpenBao's own.
async fn make_user(
    stage: &Stage<'_>,
    kind: DatabaseKind,
    user: &str,
    rotates: bool,
) -> Result<Secret, PlayError> {
    let password = Secret::random(20);
    stage.scribe.masker().learn(&password);
    let plane = &stage.house.plane;
    let made = match kind {
        DatabaseKind::Mysql => {
            let rights = if rotates { mysql::Rights::Rotate } else { mysql::Rights::LogIn };
            plane.mysql()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
        DatabaseKind::Valkey => {
            let rights = if rotates { valkey::Rights::Rotate } else { valkey::Rights::Use };
            plane.valkey()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
        DatabaseKind::Postgres => {
            let rights = if rotates { postgres::Rights::Rotate } else { postgres::Rights::LogIn };
            plane.postgres()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
    };
    made.map_err(|why| PlayError::Database { server: kind.word(), why })?;
    Ok(password)
}

/// How OpenBao gets into a database: as a user of its own that may rotate others.
async fn connection(stage: &Stage<'_>, database: &Database) -> Result<openbao::Database, PlayError> {
    let plane = &stage.house.plane;
    let kind = Peer::Server(server(database.kind));
    let address = plane.address(Peer::Server(Server::Openbao), kind)?;
    let (host, port) = (address.ip().to_string(), address.port());
    let username = stage.user("openbao");
    let password = make_user(stage, database.kind, &username, true).await?;
    Ok(match database.kind {
        DatabaseKind::Mysql => {
            let ca_pem = plane.ca_pem().to_owned();
            openbao::Database::Mysql { host, port, username, password, ca_pem }
        }
        DatabaseKind::Valkey => openbao::Database::Valkey { host, port, username, password, ca_pem: None },
        DatabaseKind::Postgres => openbao::Database::Postgres { host, port, username, password },
    })
}

async fn kv(stage: &Stage<'_>) -> Result<(), PlayError> {
    let mounts: BTreeSet<&str> = stage.scenario.kv.iter().map(|kv| kv.mount.as_str()).collect();
    for mount in mounts {
        stage.openbao.mount(mount, openbao::Mount::KvV2).await?;
    }
    for kv in stage.scenario.kv.iter().filter(|kv| kv.seeded) {
        let values: Values = kv.fields.iter().map(|field| (field.clone(), Secret::random(24))).collect();
        for value in values.values() {
            stage.scribe.masker().learn(value);
        }
        stage.openbao.kv_write(&kv.mount, &kv.path, &values).await?;
    }
    Ok(())
}

/// Applies the manifests in two waves: whatever reads through a store comes after the store is ready,
/// else ESO's retry steps of 1, 2, 4 s would be part of every scenario.
async fn manifests(stage: &Stage<'_>) -> Result<Vec<Value>, PlayError> {
    let eso = stage.house.plane.address(Peer::Eso, Peer::Server(Server::Openbao))?;
    let to = OpenbaoAddress {
        server: format!("https://{eso}"),
        ca_pem: stage.house.plane.ca_pem().to_owned(),
        namespace: stage.namespace.clone(),
        audience: AUDIENCE.to_owned(),
    };
    let mut objects = Vec::new();
    for manifest in &stage.scenario.manifests {
        let mut object = manifest.object.clone();
        learn_secrets(stage, &object);
        for change in rewrite(&mut object, &to) {
            stage.scribe.note(&format!("{change} ({}:{})", manifest.file, manifest.line));
        }
        objects.push((object, format!("{}:{}", manifest.file, manifest.line)));
    }
    let (later, first): (Vec<_>, Vec<_>) = objects.into_iter().partition(|(object, _)| reads(object));
    let applier = &stage.house.applier;
    let apply = async |object: &Value, at: &str| {
        applier.apply(object, &stage.namespace).await.map_err(|error| {
            // A refused manifest is the user's to mend: say where it stands.
            PlayError::Baseline(format!("{at}: {}", chain(&error)))
        })
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
    Ok(first.into_iter().chain(later).map(|(object, _)| object).collect())
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
