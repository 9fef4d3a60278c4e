//! What runs leave in a cluster that stays. It goes when a run ends, and again before the next one begins: the one before
//! may have been killed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use handover_fixtures::cause::chain;
use handover_fixtures::eso::chart;
use handover_fixtures::files::copy_tree;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::kubernetes::belongings::{self, Pods};
use handover_fixtures::kubernetes::reviewer::NAMESPACE;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams};
use kube::runtime::wait::{await_condition, conditions::is_deleted};

use super::manifest::{COMPONENT, GRACE};
use super::site::Share;

/// How long a pod may take to be gone after it was told to.
const GONE_WITHIN: Duration = Duration::from_secs(GRACE as u64 + 15);
/// The data of a server goes with it, so it need not be careful: how long it may take, in seconds.
const HURRIED: u32 = 1;

/// Removes what scenarios made; then the servers, then their data, of which a copy goes to `keep` where that is given.
/// Answers with what could not be removed or kept, and why.
pub async fn remove(client: &kube::Client, share: &Share, keep: Option<&Path>) -> Vec<String> {
    let mut left = Vec::new();
    let mut told = |done: Result<(), String>| left.extend(done.err());
    let applier = Applier::new(client.clone());
    told(belongings::remove_all(&applier, Pods::Kubelet).await.map_err(|error| chain(&error)));
    let servers = [NAMESPACE, chart::NAMESPACE].map(|namespace| remove_servers(client, namespace));
    for removed in join_all(servers).await {
        told(removed);
    }
    // Nobody writes any more.
    if let Some(to) = keep
        && let Err(error) = copy_tree(&share.host, to)
    {
        told(Err(format!("the servers' data could not be kept: {error}")));
        return left;
    }
    for removed in remove_data(share) {
        told(removed);
    }
    left
}

/// Removes the servers of a namespace with what they were told, and waits until their pods are gone.
async fn remove_servers(client: &kube::Client, namespace: &str) -> Result<(), String> {
    let stateful: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(COMPONENT);
    let (gently, hurried) = (DeleteParams::default(), DeleteParams::default().grace_period(HURRIED));
    let refused = |what: &str, error| chain(&KubeError::request(format!("{what} in {namespace}"), error));
    // Whoever would make new pods goes first.
    let owners = async {
        stateful.delete_collection(&gently, &ours).await?;
        deployments.delete_collection(&gently, &ours).await?;
        secrets.delete_collection(&gently, &ours).await?;
        pods.list(&ours).await
    };
    let there = owners.await.map_err(|error| refused("remove the servers", error))?;
    pods.delete_collection(&hurried, &ours).await.map_err(|error| refused("remove the pods", error))?;
    let gone = there.items.into_iter().filter_map(|pod| {
        let (name, uid) = (pod.metadata.name?, pod.metadata.uid?);
        let pods = pods.clone();
        Some(async move {
            let gone = await_condition(pods, &name, is_deleted(&uid));
            match tokio::time::timeout(GONE_WITHIN, gone).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(format!("nobody says whether pod {name} is gone: {}", chain(&error))),
                Err(_) => Err(format!("pod {name} was not gone after {GONE_WITHIN:?}")),
            }
        })
    });
    try_join_all(gone).await.map(drop)
}

/// Removes what the servers kept on this host.
fn remove_data(share: &Share) -> Vec<Result<(), String>> {
    let said = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
    let items = match fs::read_dir(&share.host) {
        Ok(items) => items,
        Err(error) => return vec![Err(said(&share.host, error))],
    };
    let dirs = items.flatten().map(|item| item.path());
    dirs.map(|dir| fs::remove_dir_all(&dir).map_err(|error| said(&dir, error))).collect()
}
