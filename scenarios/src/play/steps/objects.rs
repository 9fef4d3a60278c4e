//! Steps on Kubernetes objects: apply, patch, delete, restart, open a readiness gate, force a sync, wait for a condition.

use std::time::Duration;

use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::{MANAGER, condition};
use handover_fixtures::kubernetes::hops::{SyncStatus, sync_status};
use handover_harness::event::Phase;
use handover_harness::wait::Progress;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::Selector;
use serde_json::{Value, json};

use super::failed;
use crate::language::scenario::{Manifest, ObjectRef};
use crate::play::PlayError;
use crate::play::given::manifests;
use crate::play::stage::Stage;

/// ESO refreshes an object whose annotations changed, whatever the annotation is called.
const FORCE_SYNC: &str = "force-sync";
/// What `kubectl rollout restart` writes into a pod template.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// `apply`: more manifests, rewritten like those that were given.
pub(super) async fn apply(stage: &Stage<'_>, more: &[Manifest]) -> Phase {
    match manifests::apply(stage, more).await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

/// `patch`: a JSON merge patch.
pub(super) async fn patch(stage: &Stage<'_>, object: &ObjectRef, change: &Value) -> Phase {
    done(stage, merge(stage, object, change).await)
}

/// `delete`: asks for it, and does not wait for finalizers.
pub(super) async fn delete(stage: &Stage<'_>, objects: &[ObjectRef]) -> Phase {
    for object in objects {
        let named = json!({"apiVersion": object.api_version, "kind": object.kind,
            "metadata": {"name": object.name, "namespace": object.namespace}});
        if let Err(error) = stage.house.applier.delete(&named, &stage.namespace).await {
            return failed(stage, &error);
        }
    }
    Phase::Done
}

/// `force_sync`: any change of an annotation makes ESO refresh at once.
pub(super) async fn force_sync(stage: &Stage<'_>, object: &ObjectRef) -> Phase {
    let change = json!({"metadata": {"annotations": {FORCE_SYNC: stamp()}}});
    done(stage, merge(stage, object, &change).await)
}

/// `restart`: a new pod template, and then the Deployment as it should be, made of new pods only.
pub(super) async fn restart(stage: &Stage<'_>, deployment: &ObjectRef, within: Duration) -> Phase {
    let change = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp()}}}}});
    if let Err(error) = merge(stage, deployment, &change).await {
        return failed(stage, &error);
    }
    wait(stage, deployment, "rolled out", within, rolled_out).await
}

/// `gate`: a condition on every pod that a Deployment has now, as the controller sets it to which a readiness gate
/// belongs. The kubelet keeps conditions that are not its own, and looks at once whether the pod is ready now.
pub(super) async fn gate(stage: &Stage<'_>, deployment: &ObjectRef, kind: &str, is: &str) -> Phase {
    done(stage, set(stage, deployment, kind, is).await)
}

async fn set(stage: &Stage<'_>, deployment: &ObjectRef, kind: &str, is: &str) -> Result<(), PlayError> {
    let client = stage.house.applier.client().clone();
    let namespace = stage.namespace_of(deployment);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let refused = |error| KubeError::request(format!("get {deployment}"), error);
    let found = deployments.get(&deployment.name).await.map_err(refused)?;
    let selector = found.spec.unwrap_or_default().selector;
    let of_it = Selector::try_from(selector).map_err(|error| KubeError::Shape {
        what: deployment.to_string(),
        why: format!("its selector cannot be read: {error}"),
    })?;
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let refused = |error| KubeError::request(format!("list the pods of {deployment}"), error);
    let all = pods.list(&ListParams::default().labels_from(&of_it)).await.map_err(refused)?;
    for name in all.items.into_iter().filter_map(|pod| pod.metadata.name) {
        let condition = json!({"type": kind, "status": is, "lastTransitionTime": stamp()});
        // Applied, because a merge patch would replace all conditions by this one.
        let status = json!({"apiVersion": "v1", "kind": "Pod", "status": {"conditions": [condition]}});
        match pods.patch_status(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(status)).await {
            Ok(_) => {}
            // It was on its way out.
            Err(kube::Error::Api(answer)) if answer.code == 404 => {}
            Err(error) => return Err(KubeError::request(format!("set {kind} of pod {name}"), error).into()),
        }
    }
    Ok(())
}

/// `wait: { condition }`
pub(super) async fn wait_condition(
    stage: &Stage<'_>,
    object: &ObjectRef,
    kind: &str,
    is: &str,
    within: Duration,
) -> Phase {
    wait(stage, object, &format!("{kind} {is}"), within, |object| met(object, kind, is)).await
}

/// `wait: { synced }`: each has synced since this step began. An ESO status has a resolution of 1 s, so two
/// syncs within one second may look like one: then it is the next refresh that is seen.
pub(super) async fn wait_synced(stage: &Stage<'_>, objects: &[ObjectRef], within: Duration) -> Phase {
    let waits = objects.iter().map(|object| {
        let mut first: Option<SyncStatus> = None;
        wait(stage, object, "synced again", within, move |object| {
            let now = sync_status(object);
            match (&first, &now) {
                (None, _) => {
                    first = Some(now);
                    Progress::NotYet("it has not synced since".into())
                }
                (Some(before), SyncStatus::Synced(_)) if *before != now => Progress::There(()),
                (Some(_), SyncStatus::Failing(why)) => Progress::NotYet(why.clone()),
                (Some(_), SyncStatus::Synced(_) | SyncStatus::Silent) => {
                    Progress::NotYet("it has not synced since".into())
                }
            }
        })
    });
    let phases = futures::future::join_all(waits).await;
    phases.into_iter().find(|phase| *phase != Phase::Done).unwrap_or(Phase::Done)
}

/// `hold: { condition }`
pub(super) async fn hold_condition(
    stage: &Stage<'_>,
    object: &ObjectRef,
    kind: &str,
    is: &str,
    time: Duration,
) -> Phase {
    let left = |object: Option<&DynamicObject>| match met(object, kind, is) {
        Progress::There(()) => Progress::NotYet(String::new()),
        Progress::NotYet(why) | Progress::Dead(why) => Progress::There(why),
    };
    let value = named(stage, object);
    match stage.house.applier.wait_for(&value, &stage.namespace, "moved", time, left).await {
        Err(KubeError::OutOfTime { .. }) => Phase::Done,
        Ok(why) => Phase::Moved(stage.scribe.mask(&format!("{object} is not {kind} {is} any more: {why}"))),
        Err(error) => failed(stage, &error),
    }
}

async fn wait(
    stage: &Stage<'_>,
    object: &ObjectRef,
    wanted: &str,
    within: Duration,
    level: impl FnMut(Option<&DynamicObject>) -> Progress<()>,
) -> Phase {
    let value = named(stage, object);
    match stage.house.applier.wait_for(&value, &stage.namespace, wanted, within, level).await {
        Ok(()) => Phase::Done,
        Err(error @ KubeError::OutOfTime { .. }) => Phase::OutOfTime(stage.scribe.mask(&error.to_string())),
        Err(error) => failed(stage, &error),
    }
}

fn met(object: Option<&DynamicObject>, kind: &str, is: &str) -> Progress<()> {
    match condition(object, kind) {
        Some((status, _)) if status == is => Progress::There(()),
        Some((status, why)) => Progress::NotYet(format!("{kind} is {status}: {why}")),
        None if object.is_some() => Progress::NotYet(format!("it has no condition {kind}")),
        None => Progress::NotYet("it is not there".into()),
    }
}

/// Whether a Deployment consists of new pods only, all of them ready.
fn rolled_out(object: Option<&DynamicObject>) -> Progress<()> {
    let Some(object) = object else { return Progress::NotYet("it is not there".into()) };
    let number = |path: &str| object.data.pointer(path).and_then(Value::as_i64).unwrap_or_default();
    let (wanted, all) = (number("/spec/replicas"), number("/status/replicas"));
    let (new, ready) = (number("/status/updatedReplicas"), number("/status/availableReplicas"));
    let observed = number("/status/observedGeneration") >= object.metadata.generation.unwrap_or_default();
    match observed && [all, new, ready].into_iter().all(|count| count == wanted) {
        true => Progress::There(()),
        false => Progress::NotYet(format!("of {wanted} pods {new} are new and {ready} ready; {all} in all")),
    }
}

async fn merge(stage: &Stage<'_>, object: &ObjectRef, change: &Value) -> Result<(), PlayError> {
    let namespace = object.namespace.as_deref().unwrap_or(&stage.namespace);
    let (api, _) = stage.house.applier.api(&object.api_version, &object.kind, namespace).await?;
    api.patch(&object.name, &PatchParams::default(), &Patch::Merge(change))
        .await
        .map(drop)
        .map_err(|error| KubeError::request(format!("patch {object}"), error).into())
}

/// The object as [`Applier::wait_for`](handover_fixtures::kubernetes::apply::Applier::wait_for) wants it named.
fn named(stage: &Stage<'_>, object: &ObjectRef) -> Value {
    let namespace = object.namespace.as_deref().unwrap_or(&stage.namespace);
    json!({"apiVersion": object.api_version, "kind": object.kind,
        "metadata": {"name": object.name, "namespace": namespace}})
}

fn done(stage: &Stage<'_>, result: Result<(), PlayError>) -> Phase {
    result.map_or_else(|error| failed(stage, &error), |()| Phase::Done)
}

/// Different at each call.
fn stamp() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolled_out_means_new_pods_only() {
        let deployment = |status: Value| -> DynamicObject {
            serde_json::from_value(json!({"metadata": {"name": "d", "generation": 2},
                "spec": {"replicas": 2}, "status": status}))
            .expect("an object")
        };
        let there = |status| rolled_out(Some(&deployment(status))) == Progress::There(());
        let status = |observed: i64, all: i64, new: i64, ready: i64| {
            json!({"observedGeneration": observed, "replicas": all,
                "updatedReplicas": new, "availableReplicas": ready})
        };
        assert!(there(status(2, 2, 2, 2)));
        assert!(!there(status(1, 2, 2, 2)), "the controller has not seen the new template");
        assert!(!there(status(2, 3, 2, 2)), "an old pod is still there");
        assert!(!there(status(2, 2, 1, 2)) && !there(status(2, 2, 2, 1)));
    }
}
