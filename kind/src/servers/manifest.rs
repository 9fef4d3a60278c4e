//! The objects that servers are in a cluster, as data.

use std::path::PathBuf;

use handover_fixtures::kubernetes::reviewer::NAMESPACE;
use handover_fixtures::process::Spec;
use serde_json::{Value, json};

use super::site::Share;

/// The label that says which component a pod is.
pub const COMPONENT: &str = "handover.dev/component";
/// How long a server may take to end by itself, in seconds.
pub const GRACE: i64 = 15;

/// A server that is to run as a pod.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The component.
    pub name: String,
    /// Its image.
    pub image: String,
    /// How it is started.
    pub spec: Spec,
    /// The directories of this host that it needs, each where it is here.
    pub dirs: Vec<PathBuf>,
    /// What it is told in files.
    pub files: Option<Files>,
    /// As whom it runs.
    pub user: u32,
    /// The port that it serves.
    pub port: u16,
}

/// A Secret of which a pod has each key as a file.
#[derive(Clone, Debug)]
pub struct Files {
    /// The Secret.
    pub secret: String,
    /// Where the files are.
    pub at: PathBuf,
}

/// The namespace of the harness's own objects.
pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The Service of a component: an address within the cluster, and a port of the node, by which the harness comes. Local
/// traffic keeps its source, so that a server's log says who it was.
pub fn service(component: &str, namespace: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": component, "namespace": namespace, "labels": {COMPONENT: component}},
        "spec": {
            "type": "NodePort", "externalTrafficPolicy": "Local",
            "selector": {COMPONENT: component},
            "ports": [{"name": "main", "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    })
}

/// The Service of a link: an address within the cluster at which a relay pod listens.
pub fn link(name: &str, component: &str, namespace: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {COMPONENT: component}},
        "spec": {
            "selector": {COMPONENT: component},
            "ports": [{"name": "main", "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    })
}

/// The StatefulSet of a server, with so many replicas. Its directories are the node's, so it finds them again after a
/// restart; it is ready when the harness says so, which asks it as its clients do.
pub fn stateful_set(seat: &Seat, share: &Share, replicas: u32) -> Value {
    let Seat { name, image, spec, dirs, files, user, port } = seat;
    let words: Vec<String> = spec.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let env: Vec<Value> = spec
        .env
        .iter()
        .map(|(name, value)| json!({"name": name.to_string_lossy(), "value": value.to_string_lossy()}))
        .collect();
    let seen = dirs.iter().enumerate().filter_map(|(index, dir)| {
        let mount = json!({"name": format!("dir-{index}"), "mountPath": dir});
        let place = share.in_node(dir)?;
        let volume =
            json!({"name": format!("dir-{index}"), "hostPath": {"path": place, "type": "Directory"}});
        Some((mount, volume))
    });
    let told = files.iter().map(|Files { secret, at }| {
        let mount = json!({"name": "files", "mountPath": at, "readOnly": true});
        let volume = json!({"name": "files", "secret": {"secretName": secret, "defaultMode": 0o440}});
        (mount, volume)
    });
    let (mounts, volumes): (Vec<Value>, Vec<Value>) = seen.chain(told).unzip();
    // Whose files of a Secret are, and of nothing else here.
    let group = files.as_ref().map(|_| user);
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {COMPONENT: name}},
        "spec": {
            "replicas": replicas, "serviceName": name, "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {COMPONENT: name}},
            "template": {
                "metadata": {"labels": {COMPONENT: name}},
                "spec": {
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": GRACE,
                    "securityContext": {"runAsUser": user, "runAsGroup": user, "fsGroup": group},
                    "containers": [{
                        "name": name, "image": image, "imagePullPolicy": "Never",
                        "command": words, "workingDir": spec.cwd, "env": env,
                        "ports": [{"name": "main", "containerPort": port}],
                        "volumeMounts": mounts,
                    }],
                    "volumes": volumes,
                },
            },
        },
    })
}

/// A Deployment of a chart with an image of ours, whose program is started with the chart's own arguments.
pub fn deployment(rendered: &Value, component: &str, image: &str, argv: &[String], args: &[String]) -> Value {
    let mut object = rendered.clone();
    object["metadata"]["labels"][COMPONENT] = json!(component);
    object["spec"]["template"]["metadata"]["labels"][COMPONENT] = json!(component);
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    container["image"] = json!(image);
    container["imagePullPolicy"] = json!("Never");
    container["command"] = json!(argv);
    container["args"] = json!(args);
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_runs_in_its_own_directory_where_it_is_on_this_host() {
        let share = Share { host: "/c/runs".into(), node: "/handover".into() };
        let mut spec =
            Spec::new("openbao", "/c/bao", "/c/runs/r/openbao", "/c/runs/r/logs/openbao.log").arg("server");
        spec = spec.env("TZ", "GMT");
        let seat = Seat {
            name: "openbao".into(),
            image: "images.handover.dev/openbao:1".into(),
            spec,
            dirs: vec!["/c/runs/r/openbao".into(), "/elsewhere".into()],
            files: None,
            user: 0,
            port: 8200,
        };
        let object = stateful_set(&seat, &share, 1);
        let pod = &object["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["command"], json!(["/c/bao", "server"]));
        assert_eq!(container["workingDir"], "/c/runs/r/openbao");
        assert_eq!(container["env"], json!([{"name": "TZ", "value": "GMT"}]));
        assert_eq!(container["volumeMounts"], json!([{"name": "dir-0", "mountPath": "/c/runs/r/openbao"}]));
        assert_eq!(pod["volumes"][0]["hostPath"]["path"], "/handover/r/openbao");
        assert_eq!(
            pod["volumes"].as_array().map(Vec::len),
            Some(1),
            "what the node does not see is not mounted"
        );
    }

    #[test]
    fn what_is_secret_comes_as_files() {
        let share = Share { host: "/c/runs".into(), node: "/handover".into() };
        let seat = Seat {
            name: "relay-eso".into(),
            image: "images.handover.dev/handover:1".into(),
            spec: Spec::new("relay-eso", "/h/handover", "/", "/l/relay.log")
                .arg("relay")
                .arg("/etc/handover"),
            dirs: Vec::new(),
            files: Some(Files { secret: "relay-eso".into(), at: "/etc/handover".into() }),
            user: 65534,
            port: 9000,
        };
        let pod = &stateful_set(&seat, &share, 1)["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["command"], json!(["/h/handover", "relay", "/etc/handover"]));
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/handover");
        assert_eq!(pod["volumes"][0]["secret"], json!({"secretName": "relay-eso", "defaultMode": 0o440}));
        assert_eq!((&container["env"], &pod["securityContext"]["fsGroup"]), (&json!([]), &json!(65534)));
    }

    #[test]
    fn a_chart_keeps_its_own_words_beside_our_image() {
        let rendered = json!({"kind": "Deployment", "metadata": {"labels": {"a": "b"}},
            "spec": {"template": {"metadata": {"labels": {"a": "b"}},
                "spec": {"serviceAccountName": "eso", "containers": [{"image": "x", "args": ["--concurrent=1"]}]}}}});
        let object = deployment(&rendered, "eso", "ours", &["/eso".into()], &["--concurrent=1".into()]);
        let pod = &object["spec"]["template"];
        assert_eq!(pod["metadata"]["labels"], json!({"a": "b", COMPONENT: "eso"}));
        assert_eq!(pod["spec"]["serviceAccountName"], "eso");
        assert_eq!(pod["spec"]["containers"][0]["command"], json!(["/eso"]));
    }
}
