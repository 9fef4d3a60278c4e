//! The scenario's OpenBao namespace, and in it every kubernetes login that the manifests ask for.

use std::collections::{BTreeMap, BTreeSet};

use handover_fixtures::kubernetes::rewrite::{KubernetesLogin, login_of};
use handover_fixtures::openbao;

use super::super::PlayError;
use super::super::stage::{AUDIENCE, DATABASE_MOUNT, Stage};
use crate::language::scenario::{Door, Reads, Workload};

/// Where a login is of which only the file speaks.
const MOUNT: &str = "kubernetes";
/// The policy that every login of a scenario gets, unless the file says which it has.
const POLICY: &str = "scenario";

pub(super) async fn make(stage: &Stage<'_>) -> Result<(), PlayError> {
    // OpenBao refuses a policy without rules; who is given nothing needs none.
    let policy = policy(stage);
    if !policy.is_empty() {
        stage.openbao.put_policy(POLICY, &policy).await?;
    }
    for policy in &stage.scenario.policies {
        stage.openbao.put_policy(&policy.name, &policy.rules).await?;
    }
    let mut roles: BTreeMap<(String, String), Vec<KubernetesLogin>> = BTreeMap::new();
    for login in wanted(stage) {
        roles.entry((login.mount.clone(), login.role.clone())).or_default().push(login);
    }
    let (api_server, ca) = stage.house.plane.api_server()?;
    let auth = openbao::KubernetesAuth {
        host: format!("https://{api_server}"),
        ca_pem: ca.to_owned(),
        reviewer: stage.house.reviewer.clone(),
    };
    let mounts: BTreeSet<&str> = roles.keys().map(|(mount, _)| mount.as_str()).collect();
    for mount in mounts {
        stage.openbao.enable_kubernetes(mount, &auth).await?;
    }
    for ((mount, name), logins) in &roles {
        role(stage, mount, name, logins).await?;
    }
    Ok(())
}

/// Those of stores and generators, and those of workloads that read OpenBao themselves or log in to it.
fn wanted(stage: &Stage<'_>) -> BTreeSet<KubernetesLogin> {
    let manifests = stage.scenario.manifests.iter().filter_map(|manifest| login_of(&manifest.object));
    let workloads = stage.scenario.workloads.iter().filter_map(|workload| {
        let (mount, role) = own_login(workload)?;
        Some(KubernetesLogin {
            mount: mount.to_owned(),
            role: role.to_owned(),
            service_account: stage.service_account(workload),
            namespace: workload.deployment.namespace.clone(),
        })
    });
    let said = stage.scenario.logins.iter().filter_map(|login| {
        Some(KubernetesLogin {
            mount: MOUNT.to_owned(),
            role: login.name.clone(),
            service_account: login.service_account.clone()?,
            namespace: None,
        })
    });
    manifests.chain(workloads).chain(said).collect()
}

/// Mount and role of a workload's own login.
fn own_login(workload: &Workload) -> Option<(&str, &str)> {
    match (&workload.reads, &workload.door) {
        (Reads::Openbao { mount, role, .. }, _) | (_, Door::Openbao { mount, role }) => Some((mount, role)),
        (Reads::Env(_) | Reads::File(_) | Reads::FileWatch(_) | Reads::FileOnce(_), Door::Database(_)) => {
            None
        }
    }
}

async fn role(
    stage: &Stage<'_>,
    mount: &str,
    name: &str,
    logins: &[KubernetesLogin],
) -> Result<(), PlayError> {
    let namespaces = logins.iter().map(|login| login.namespace.as_deref().unwrap_or(&stage.namespace));
    let accounts: BTreeSet<String> = logins.iter().map(|login| login.service_account.clone()).collect();
    let said = stage.scenario.logins.iter().find(|login| login.name == name);
    let policies = said.and_then(|said| said.policies.clone()).unwrap_or_else(|| vec![POLICY.to_owned()]);
    let role = openbao::KubernetesRole {
        service_accounts: accounts.into_iter().collect(),
        namespaces: namespaces.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect(),
        audience: Some(AUDIENCE.to_owned()),
        policies,
        ttl: said.and_then(|said| said.token_ttl),
        max_ttl: said.and_then(|said| said.token_max_ttl),
    };
    stage.openbao.put_kubernetes_role(mount, name, &role).await?;
    stage.scribe.note(&format!(
        "auth/{mount}/role/{name} is bound to ServiceAccount {} and has the policies {}",
        role.service_accounts.join(", "),
        role.policies.join(", "),
    ));
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
    for role in &stage.scenario.dynamic_roles {
        allow(format!("{DATABASE_MOUNT}/creds/{}", role.name), "\"read\"");
    }
    rules
}
