//! Who reads a Secret, and whether a new value ever reaches them.

use super::{items, namespace, text};
use crate::language::manifest::Object;
use crate::language::node::Node;
use crate::language::source::Span;

/// A workload that reads a Secret.
pub(super) struct Consumer<'o> {
    pub(super) object: &'o Object,
    pub(super) secret: String,
    pub(super) reads: Reads,
    /// As a person would say it: `env DATABASE_URL of container web`.
    pub(super) said: String,
    pub(super) span: Span,
}

/// In which way a workload reads a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Into its environment when it starts.
    Environment,
    /// From a volume, which the kubelet refreshes.
    Volume,
    /// From a file that was mounted by `subPath`, which the kubelet never refreshes.
    SubPath,
}

impl Consumer<'_> {
    /// Whether each run of it begins anew.
    pub(super) fn is_job(&self) -> bool {
        matches!(self.object.manifest.kind.as_str(), "CronJob" | "Job")
    }

    /// Whether something restarts it when the Secret moves, by the annotations that Stakater's Reloader reads.
    pub(super) fn is_reloaded(&self) -> bool {
        let template = template(self.object);
        let annotations = [
            self.object.node.at(&["metadata", "annotations"]),
            template.and_then(|template| template.at(&["metadata", "annotations"])),
        ];
        annotations.into_iter().flatten().any(|annotations| {
            let is = |key: &str| annotations.get(key).is_some_and(|node| node.span.text().contains("true"));
            let named = text(annotations, &["secret.reloader.stakater.com/reload"]).unwrap_or_default();
            is("reloader.stakater.com/auto")
                || is("secret.reloader.stakater.com/auto")
                || is("reloader.stakater.com/search")
                || named.split(',').any(|name| name.trim() == self.secret)
        })
    }

    /// What a rotation means to it.
    pub(super) fn meaning(&self) -> &'static str {
        match (self.is_job(), self.reads, self.is_reloaded()) {
            (true, _, _) => "each run starts with what the Secret says then",
            (false, Reads::Volume, _) => {
                "the kubelet rewrites the file; it moves if the program reads it again"
            }
            (false, Reads::Environment | Reads::SubPath, true) => {
                "restarted by Reloader when the Secret moves"
            }
            (false, Reads::Environment, false) => "never moves without a restart",
            (false, Reads::SubPath, false) => {
                "never moves without a restart: the kubelet leaves subPath alone"
            }
        }
    }
}

/// Where a workload's pods are described.
fn template(object: &Object) -> Option<&Node> {
    match object.manifest.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            object.node.at(&["spec", "template"])
        }
        "CronJob" => object.node.at(&["spec", "jobTemplate", "spec", "template"]),
        "Pod" => Some(&object.node),
        _ => None,
    }
}

/// All consumers of these objects.
pub(super) fn of(objects: &[Object]) -> Vec<Consumer<'_>> {
    let mut consumers = Vec::new();
    for object in objects {
        let Some(spec) = template(object).and_then(|template| template.at(&["spec"])) else { continue };
        let mut add = |secret: &Node, reads: Reads, said: String| {
            if let Some(name) = secret.text() {
                let (secret, span) = (name.to_owned(), secret.span.clone());
                consumers.push(Consumer { object, secret, reads, said, span });
            }
        };
        let containers = items(spec, &["containers"]).iter().chain(items(spec, &["initContainers"]));
        let containers: Vec<_> = containers.collect();
        for container in &containers {
            let of = text(container, &["name"]).unwrap_or("?");
            for variable in items(container, &["env"]) {
                if let Some(name) = variable.at(&["valueFrom", "secretKeyRef", "name"]) {
                    let variable = text(variable, &["name"]).unwrap_or("?");
                    add(name, Reads::Environment, format!("env {variable} of container {of}"));
                }
            }
            for all in items(container, &["envFrom"]) {
                if let Some(name) = all.at(&["secretRef", "name"]) {
                    add(name, Reads::Environment, format!("envFrom of container {of}"));
                }
            }
        }
        for volume in items(spec, &["volumes"]) {
            let projected = items(volume, &["projected", "sources"]);
            let secrets = projected.iter().filter_map(|source| source.at(&["secret", "name"]));
            let volume_name = text(volume, &["name"]).unwrap_or("?");
            let mounts: Vec<(&str, bool)> = containers
                .iter()
                .flat_map(|container| items(container, &["volumeMounts"]))
                .filter(|mount| text(mount, &["name"]) == Some(volume_name))
                .map(|mount| (text(mount, &["mountPath"]).unwrap_or("?"), mount.at(&["subPath"]).is_some()))
                .collect();
            for secret in volume.at(&["secret", "secretName"]).into_iter().chain(secrets) {
                for (path, sub) in &mounts {
                    let reads = if *sub { Reads::SubPath } else { Reads::Volume };
                    let way = if *sub { "subPath" } else { "volume" };
                    add(secret, reads, format!("{way} at {path}"));
                }
                if mounts.is_empty() {
                    add(secret, Reads::Volume, format!("volume {volume_name}, mounted nowhere"));
                }
            }
        }
    }
    consumers
}

/// Those that read a Secret of this name beside an object.
pub(super) fn reading<'c, 'o>(
    consumers: &'c [Consumer<'o>],
    beside: &Object,
    secret: &str,
) -> Vec<&'c Consumer<'o>> {
    let here = |consumer: &&Consumer<'_>| {
        consumer.secret == secret && namespace(consumer.object) == namespace(beside)
    };
    consumers.iter().filter(here).collect()
}
