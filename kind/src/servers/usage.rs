//! What components have used so far, as the node's kubelet counts it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use handover_fixtures::process::Usage;
use serde::Deserialize;

use super::pods::{Known, component_of, lasting};

/// How long the kubelet may take to answer: who asks waits for it.
const ANSWER: Duration = Duration::from_secs(3);
/// Where the cluster's own components run.
const OWN: &str = "kube-system";

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    pods: Vec<Pod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pod {
    pod_ref: Reference,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    namespace: String,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    cpu: Cpu,
    #[serde(default)]
    memory: Memory,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cpu {
    #[serde(default)]
    usage_core_nano_seconds: u64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    #[serde(default)]
    rss_bytes: u64,
}

/// Reads again and again what the components of a node have used. The kubelet counts by container, and a new one begins
/// at nothing: who has others than at the first reading is left out.
#[derive(Default)]
pub struct Meter(Mutex<BTreeMap<String, BTreeSet<String>>>);

impl Meter {
    /// Asks the kubelet of a node; nothing if it does not answer. It counts every some seconds, not when it is asked.
    pub async fn ask(&self, kube: &kube::Client, node: &str, known: &Known) -> BTreeMap<String, Usage> {
        let path = format!("/api/v1/nodes/{node}/proxy/stats/summary?only_cpu_and_memory=true");
        let Ok(request) = http::Request::get(path).body(Vec::new()) else { return BTreeMap::new() };
        match tokio::time::timeout(ANSWER, kube.request::<Summary>(request)).await {
            Ok(Ok(summary)) => self.read(summary, known),
            Ok(Err(_)) | Err(_) => BTreeMap::new(),
        }
    }

    fn read(&self, summary: Summary, known: &Known) -> BTreeMap<String, Usage> {
        let mut all = BTreeMap::new();
        for Pod { pod_ref: Reference { name, namespace }, containers } in summary.pods {
            let pod = known.get(&(namespace.clone(), name));
            let component = pod.and_then(|pod| component_of(pod)).map(str::to_owned);
            let ids = || pod.into_iter().flat_map(|pod| lasting(pod));
            for container in containers {
                let id = ids().find(|status| status.name == container.name);
                let id = id.and_then(|status| status.container_id.clone()).unwrap_or_default();
                let name = component.clone().or_else(|| (namespace == OWN).then_some(container.name));
                let Some(name) = name else { continue };
                let nothing = (Usage { cpu: Duration::ZERO, rss_bytes: 0 }, BTreeSet::new());
                let (used, counted) = all.entry(name).or_insert(nothing);
                used.cpu += Duration::from_nanos(container.cpu.usage_core_nano_seconds);
                used.rss_bytes += container.memory.rss_bytes;
                counted.insert(id);
            }
        }
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(name, (used, counted)): (String, (Usage, BTreeSet<String>))| {
            let before = first.entry(name.clone()).or_insert_with(|| counted.clone());
            (*before == counted).then_some((name, used))
        };
        all.into_iter().filter_map(same).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::manifest::COMPONENT;
    use serde_json::json;
    use std::sync::Arc;

    /// A database whose container is this one.
    fn known(id: &str) -> Known {
        let status = json!({"name": "mysql", "containerID": id, "image": "i", "imageID": "", "ready": true, "restartCount": 0});
        let pod = json!({"metadata": {"name": "mysql-0", "namespace": "n", "labels": {COMPONENT: "mysql"}},
            "status": {"containerStatuses": [status]}});
        let pod = serde_json::from_value(pod).expect("a pod");
        Known::from([(("n".into(), "mysql-0".into()), Arc::new(pod))])
    }

    fn summary() -> Summary {
        let pod = |namespace: &str, name: &str, container: &str| {
            json!({"podRef": {"name": name, "namespace": namespace}, "containers": [{"name": container,
                "cpu": {"usageCoreNanoSeconds": 2_000_000_000u64}, "memory": {"rssBytes": 7}}]})
        };
        let summary = json!({"pods": [pod("n", "mysql-0", "mysql"), pod("n", "web-1", "app"),
            pod("kube-system", "etcd-x", "etcd")]});
        serde_json::from_value(summary).expect("a summary")
    }

    #[test]
    fn a_component_has_used_what_its_pods_have() {
        let found = Meter::default().read(summary(), &known("a"));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["etcd", "mysql"]);
        assert_eq!(found["mysql"].cpu, Duration::from_secs(2));
        assert_eq!(found["mysql"].rss_bytes, 7);
    }

    #[test]
    fn what_another_container_has_used_is_not_compared() {
        let meter = Meter::default();
        meter.read(summary(), &known("a"));
        assert!(meter.read(summary(), &known("a")).contains_key("mysql"));
        let found = meter.read(summary(), &known("b"));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["etcd"]);
    }
}
