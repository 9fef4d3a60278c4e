//! What `kind` is told about a cluster: pure, from what is known about the machine and the image.

use std::path::Path;

use serde_json::{Value, json};

use super::host::Host;
use crate::image::{Maker, REPOSITORY};

/// Where a node has the run's shared directory.
pub const SHARED: &str = "/handover";

/// The configuration of a cluster of one node, in which `shared` lies at [`SHARED`].
pub fn config(host: Host, maker: &Maker, shared: &Path) -> Value {
    let mut config = json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{
            "role": "control-plane",
            "extraMounts": [{ "hostPath": shared, "containerPath": SHARED }],
        }],
        "kubeadmConfigPatches": patches(host, maker).iter().map(Value::to_string).collect::<Vec<_>>(),
    });
    if let Maker::Ours(_) = maker {
        // kube-proxy's image has no iptables in it.
        config["networking"] = json!({ "kubeProxyMode": "nftables" });
    }
    if host.bounded {
        // A container that is to be preferred when memory is short could not start.
        let containerd = "[plugins.\"io.containerd.grpc.v1.cri\"]\n  restrict_oom_score_adj = true\n";
        config["containerdConfigPatches"] = json!([containerd]);
    }
    config
}

/// There is nobody to elect from, and the first election is lost to an API server that is not yet whole.
const ALONE: (&str, &str) = ("leader-elect", "false");
/// The first is kind's own, because a list is replaced. The limits on requests are for clusters that have work
/// to do besides: some eighty are made before any controller starts.
const CONTROLLERS: [(&str, &str); 4] =
    [("enable-hostpath-provisioner", "true"), ALONE, ("kube-api-qps", "200"), ("kube-api-burst", "400")];

/// Arguments as kubeadm takes them.
fn words(all: &[(&str, &str)]) -> Vec<Value> {
    all.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn patches(host: Host, maker: &Maker) -> Vec<Value> {
    let mut all = Vec::new();
    let mut kubelet = json!({ "kind": "KubeletConfiguration" });
    if host.cgroup_v1 {
        kubelet["failCgroupV1"] = json!(false);
    }
    if let Maker::Ours(versions) = maker {
        // kind's own `/kubelet` would have to be made before the kubelet starts.
        kubelet["cgroupRoot"] = json!("/");
        // Names are answered for by what lies in the image. A list is replaced, so `preflight` is said again.
        all.push(json!({ "kind": "InitConfiguration", "skipPhases": ["preflight", "addon/coredns"] }));
        // What is in etcd goes with the cluster, so it need not be safe from a loss of power.
        let etcd = json!({ "imageTag": versions.etcd, "extraArgs": words(&[("unsafe-no-fsync", "true")]) });
        all.push(json!({
            "kind": "ClusterConfiguration",
            "imageRepository": REPOSITORY,
            "etcd": { "local": etcd },
            "controllerManager": { "extraArgs": words(&CONTROLLERS) },
            "scheduler": { "extraArgs": words(&[ALONE]) },
        }));
    }
    if host.cgroup_v1 || matches!(maker, Maker::Ours(_)) {
        all.push(kubelet);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Versions;

    fn ours() -> Maker {
        let version = |text: &str| text.to_owned();
        Maker::Ours(Versions {
            kubernetes: version("v1.36.3"),
            etcd: version("3.6.8-0"),
            coredns: version("v1.14.7"),
        })
    }

    fn of(host: Host, maker: &Maker) -> (Value, Vec<Value>) {
        let config = config(host, maker, Path::new("/runs/r1/shared"));
        let patches = config["kubeadmConfigPatches"].as_array().unwrap();
        let patches = patches.iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap());
        let patches = patches.collect();
        (config, patches)
    }

    #[test]
    fn a_good_machine_and_an_official_image_need_next_to_nothing() {
        let (config, patches) = of(Host { cgroup_v1: false, bounded: false }, &Maker::Kind);
        assert_eq!(config.get("networking"), None);
        assert_eq!(config.get("containerdConfigPatches"), None);
        let mounts = json!([{ "hostPath": "/runs/r1/shared", "containerPath": "/handover" }]);
        assert_eq!(config["nodes"][0]["extraMounts"], mounts);
        assert_eq!(patches, [json!(null); 0]);
    }

    #[test]
    fn what_a_machine_lacks_is_made_up_for() {
        let (config, patches) = of(Host { cgroup_v1: true, bounded: true }, &Maker::Kind);
        assert!(
            config["containerdConfigPatches"][0].as_str().unwrap().contains("restrict_oom_score_adj = true")
        );
        assert_eq!(patches, [json!({ "kind": "KubeletConfiguration", "failCgroupV1": false })]);
    }

    #[test]
    fn an_image_of_our_own_is_used_by_its_own_names() {
        let (config, patches) = of(Host { cgroup_v1: true, bounded: false }, &ours());
        assert_eq!(config["networking"]["kubeProxyMode"], "nftables");
        assert_eq!(patches[0]["skipPhases"], json!(["preflight", "addon/coredns"]));
        assert_eq!(patches[1]["imageRepository"], "localhost/handover");
        assert_eq!(patches[1]["etcd"]["local"]["imageTag"], "3.6.8-0");
        assert_eq!(patches[2]["cgroupRoot"], "/");
    }
}
