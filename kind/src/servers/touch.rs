//! Volumes that change sooner than a kubelet would change them by itself: whoever mounts what has changed is touched.
//!
//! A kubelet looks at a pod again once in a minute or so, and only then renders a changed Secret or ConfigMap. It looks
//! at once when the pod itself changes, so people write an annotation on it. Where a scenario says how long volumes may
//! take, that is what is done here; where it says nothing less than the kubelet takes, nobody is touched.

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use handover_fixtures::workloads::Settings;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Volume};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::pods::Known;
use super::steady::Steady;

/// What a kubelet takes at most by itself: a minute and half of one, and the time that it takes to render.
pub const BY_ITSELF: Duration = Duration::from_secs(90);
/// The kubelet hears of a change by a watch of its own; whoever is touched before that is touched in vain.
const HEARD: Duration = Duration::from_millis(100);
/// The annotation that is written.
const ANNOTATION: &str = "handover.dev/touched";

/// Touches the pods of a namespace until it is dropped; nothing where the kubelet may take its own time.
pub fn touch(
    kube: &kube::Client,
    known: watch::Receiver<Known>,
    namespace: &str,
    settings: Settings,
) -> Option<AbortOnDropHandle<()>> {
    if settings.volume_delay_max >= BY_ITSELF {
        return None;
    }
    let hand = Hand { kube: kube.clone(), known, namespace: namespace.to_owned(), settings };
    let both = async move {
        tokio::join!(hand.follow::<Secret>(mounts_secret), hand.follow::<ConfigMap>(mounts_map));
    };
    Some(AbortOnDropHandle::new(tokio::spawn(both)))
}

/// Who touches the pods of one namespace.
struct Hand {
    kube: kube::Client,
    known: watch::Receiver<Known>,
    namespace: String,
    settings: Settings,
}

impl Hand {
    /// Follows what volumes are made of: who mounts what has changed is touched after a delay that is drawn.
    async fn follow<Kind>(&self, mounts: fn(&Volume, &str) -> bool)
    where
        Kind: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        Kind: Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
    {
        let api: Api<Kind> = Api::namespaced(self.kube.clone(), &self.namespace);
        let mut news = watcher(api, watcher::Config::default()).backoff(Steady).boxed();
        let mut drawn_from = SmallRng::seed_from_u64(self.settings.seed);
        let mut there = HashSet::new();
        while let Some(event) = news.next().await {
            let (object, is_change) = match event {
                Ok(Event::Apply(object)) => (object, true),
                Ok(Event::InitApply(object)) => (object, false),
                Ok(Event::Init | Event::InitDone | Event::Delete(_)) | Err(_) => continue,
            };
            let Some(name) = object.meta().name.clone() else { continue };
            // What is new is mounted when a pod starts.
            let was_there = !there.insert(name.clone());
            if is_change && was_there {
                let most = self.settings.volume_delay_max.max(HEARD);
                let delay = drawn_from.random_range(HEARD..=most);
                let pods = self.pods(|volume| mounts(volume, &name));
                tokio::spawn(write(Api::namespaced(self.kube.clone(), &self.namespace), pods, delay));
            }
        }
    }

    /// The pods of the namespace that have such a volume.
    fn pods(&self, mounts: impl Fn(&Volume) -> bool) -> Vec<String> {
        let known = self.known.borrow();
        let here = known.iter().filter(|((namespace, _), _)| *namespace == self.namespace);
        let mounting = here.filter(|(_, pod)| {
            let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
            volumes.into_iter().flatten().any(&mounts)
        });
        mounting.map(|((_, name), _)| name.clone()).collect()
    }
}

async fn write(api: Api<Pod>, pods: Vec<String>, delay: Duration) {
    tokio::time::sleep(delay).await;
    for pod in pods {
        let now = format!("{:016x}", rand::random::<u64>());
        let patch = Patch::Merge(json!({"metadata": {"annotations": {ANNOTATION: now}}}));
        // One that is gone by now needs nothing.
        let _ = api.patch(&pod, &PatchParams::default(), &patch).await;
    }
}

fn mounts_secret(volume: &Volume, name: &str) -> bool {
    let own = volume.secret.as_ref().and_then(|secret| secret.secret_name.as_deref()) == Some(name);
    let projected = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    own || projected.filter_map(|source| source.secret.as_ref()).any(|secret| secret.name == name)
}

fn mounts_map(volume: &Volume, name: &str) -> bool {
    let own = volume.config_map.as_ref().is_some_and(|map| map.name == name);
    let projected = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    own || projected.filter_map(|source| source.config_map.as_ref()).any(|map| map.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_mounts_what_it_or_one_of_its_sources_names() {
        let volume = |volume| serde_json::from_value::<Volume>(volume).expect("a volume");
        let own = volume(json!({"name": "v", "secret": {"secretName": "db"}}));
        assert!(mounts_secret(&own, "db") && !mounts_secret(&own, "other") && !mounts_map(&own, "db"));
        let projected = volume(json!({"name": "v", "projected": {"sources": [{"secret": {"name": "db"}},
            {"configMap": {"name": "app"}}]}}));
        assert!(
            mounts_secret(&projected, "db") && mounts_map(&projected, "app") && !mounts_map(&projected, "db")
        );
    }
}
