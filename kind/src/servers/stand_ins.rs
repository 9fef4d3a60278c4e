//! Workloads in a cluster: what runs in place of an image is written into the object that names it, and a real kubelet
//! does the rest.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use handover_fixtures::cause::chain;
use handover_fixtures::components::{self, Component};
use handover_fixtures::consumer::LISTEN;
use handover_fixtures::embedded::kubelet::launch::ports;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::workloads::programs::{NoProgram, Programs, command_line};
use handover_fixtures::workloads::{PodNews, Program, Settings, StandsFor, Workloads};
use k8s_openapi::api::core::v1::Container;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::task::AbortOnDropHandle;

use super::images::Images;
use super::pods::Pods;
use super::touch::{BY_ITSELF, touch};

/// Where the containers of an object are, by its kind.
const PODS: [(&str, &str); 5] = [
    ("Deployment", "/spec/template/spec"),
    ("StatefulSet", "/spec/template/spec"),
    ("DaemonSet", "/spec/template/spec"),
    ("Job", "/spec/template/spec"),
    ("Pod", "/spec"),
];

/// Runs workloads by the cluster's own kubelet.
pub struct StandIns {
    programs: Programs,
    /// OpenBao's program, which has an image already.
    bao: components::Program,
    images: Images,
    applier: Arc<Applier>,
    pods: Arc<Pods>,
    /// By namespace, how soon volumes are to change, and who sees to that.
    touched: Mutex<HashMap<String, (Duration, AbortOnDropHandle<()>)>>,
}

impl StandIns {
    /// `handover` is this very program, of which the consumer is a command; `bao` is OpenBao's.
    pub fn new(
        handover: PathBuf,
        bao: &components::Program,
        images: Images,
        applier: Arc<Applier>,
        pods: Arc<Pods>,
    ) -> Self {
        Self {
            programs: Programs::new(handover, bao.argv0()),
            bao: bao.clone(),
            touched: Mutex::default(),
            images,
            applier,
            pods,
        }
    }

    /// The image of what stands in.
    async fn image(&self, program: &Program) -> Result<String, KubeError> {
        let path = PathBuf::from(&program.argv[0]);
        let made = match program.argv.starts_with(self.bao.argv0()) {
            true => self.images.obtain(Component::Openbao.name(), &self.bao, Vec::new(), None).await,
            false => self.images.stand_in(path.clone()).await,
        };
        made.map_err(|error| KubeError::Shape {
            what: format!("image of {}", path.display()),
            why: chain(&error),
        })
    }

    async fn fit(&self, namespace: &str, object: &mut Value) -> Result<Vec<String>, KubeError> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let Some((_, at)) = PODS.iter().find(|(known, _)| *known == kind) else { return Ok(Vec::new()) };
        let owner = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let mut changes = Vec::new();
        let Some(pod) = object.pointer_mut(at) else { return Ok(changes) };
        let mounts =
            |volume: &Value| ["secret", "configMap", "projected"].iter().any(|from| volume[from].is_object());
        let within =
            self.touched.lock().unwrap_or_else(PoisonError::into_inner).get(namespace).map(|of| of.0);
        if let Some(within) = within.filter(|_| pod["volumes"].as_array().into_iter().flatten().any(mounts)) {
            changes.push(format!(
                "{kind} {owner}: when what its pods mount has changed, they are touched within {within:?} (a kubelet \
                 takes up to {BY_ITSELF:?} by itself)"
            ));
        }
        for list in ["initContainers", "containers"] {
            for container in pod[list].as_array_mut().into_iter().flatten() {
                changes.extend(self.fit_container(namespace, &kind, &owner, container).await?);
            }
        }
        Ok(changes)
    }

    async fn fit_container(
        &self,
        namespace: &str,
        kind: &str,
        owner: &str,
        container: &mut Value,
    ) -> Result<Option<String>, KubeError> {
        let shape = |why: String| KubeError::Shape { what: format!("{kind} {owner}"), why };
        let read: Container =
            serde_json::from_value(container.clone()).map_err(|error| shape(error.to_string()))?;
        let (name, image) = (read.name.clone(), read.image.clone().unwrap_or_default());
        // As the pods of a Deployment are called.
        let pod = format!("{owner}-0-0");
        // Whatever has no program of ours may have an image that the node can pull.
        let Ok(program) = self.programs.find(namespace, &pod, &name, &image) else { return Ok(None) };
        let words = |words: &Option<Vec<String>>| words.clone().unwrap_or_default();
        let argv = command_line(&program, &words(&read.command), &words(&read.args))
            .map_err(|NoProgram(why)| shape(why))?;
        let own = self.image(&program).await?;
        rewrite(container, &own, &argv);
        let told = told(&program, &read);
        if !told.is_empty() {
            // There may be keys in it.
            let secret = secret(kind, owner, &name);
            let object = json!({"apiVersion": "v1", "kind": "Secret", "stringData": told,
                "metadata": {"name": secret, "namespace": namespace}});
            self.applier.apply(&object, namespace).await?;
            tell(container, &secret);
        }
        Ok(Some(format!("{kind} {owner}: container {name} runs {own} here")))
    }
}

/// What a program is told by its environment.
fn told(program: &Program, container: &Container) -> BTreeMap<String, String> {
    let text = |(name, value): (&OsString, &OsString)| {
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    };
    let mut told: BTreeMap<String, String> = program.env.iter().map(text).collect();
    if let Some(port) = ports(container).first() {
        told.insert(LISTEN.to_owned(), format!("0.0.0.0:{port}"));
    }
    told
}

/// The Secret that holds what a container is told: neither a kind nor a container has a dot in its name.
fn secret(kind: &str, owner: &str, container: &str) -> String {
    format!("handover-{}.{owner}.{container}", kind.to_lowercase())
}

/// Has a container run a program of an image.
fn rewrite(container: &mut Value, image: &str, argv: &[OsString]) {
    container["image"] = json!(image);
    container["imagePullPolicy"] = json!("Never");
    container["command"] = argv.iter().map(|word| json!(word.to_string_lossy())).collect();
    if let Some(container) = container.as_object_mut() {
        container.remove("args");
    }
}

/// Has a container know what a Secret holds. It comes first: whatever the manifest says itself goes before it.
fn tell(container: &mut Value, secret: &str) {
    let own = container["envFrom"].as_array().cloned().unwrap_or_default();
    let first = json!({"secretRef": {"name": secret}});
    container["envFrom"] = std::iter::once(first).chain(own).collect();
}

impl Workloads for StandIns {
    fn stand_in(&self, namespace: &str, stands_for: StandsFor, program: Program) {
        self.programs.stand_in(namespace, stands_for, program);
    }

    fn fit<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a mut Value,
    ) -> BoxFuture<'a, Result<Vec<String>, KubeError>> {
        Box::pin(self.fit(namespace, object))
    }

    fn agents(&self, namespace: &str, env: BTreeMap<OsString, OsString>) {
        self.programs.agents(namespace, env);
    }

    /// The kubelet is a real one, and behaves as it does; whom it would look at too late is touched.
    fn settings(&self, namespace: &str, settings: Settings) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        match touch(self.applier.client(), self.pods.known(), namespace, settings) {
            Some(hand) => touched.insert(namespace.to_owned(), (settings.volume_delay_max, hand)),
            None => touched.remove(namespace),
        };
    }

    fn subscribe(&self, namespace: &str) -> UnboundedReceiver<PodNews> {
        self.pods.subscribe(namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_runs_a_program_and_keeps_what_its_manifest_says() {
        let mut container = json!({"name": "app", "image": "registry.example/web:1", "args": ["serve"],
            "env": [{"name": "DB_USER", "value": "web"}], "envFrom": [{"secretRef": {"name": "own"}}],
            "ports": [{"containerPort": 8080}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]});
        let read: Container = serde_json::from_value(container.clone()).expect("a container");
        let program = Program { env: [("KEY".into(), "k".into())].into(), ..Program::new("/h/handover") };
        let told = told(&program, &read);
        assert_eq!(told.get(LISTEN).map(String::as_str), Some("0.0.0.0:8080"));
        assert_eq!(told.get("KEY").map(String::as_str), Some("k"));
        rewrite(&mut container, "ours:1", &["/h/handover".into(), "consumer".into()]);
        tell(&mut container, "s");
        assert_eq!(container["command"], json!(["/h/handover", "consumer"]));
        assert_eq!((&container["image"], container.get("args")), (&json!("ours:1"), None));
        // Of several the last one holds, and `env` before all of them.
        let from = json!([{"secretRef": {"name": "s"}}, {"secretRef": {"name": "own"}}]);
        assert_eq!(container["envFrom"], from);
        assert_eq!(container["env"], json!([{"name": "DB_USER", "value": "web"}]));
        assert_eq!(container["volumeMounts"], json!([{"name": "v", "mountPath": "/v"}]));
    }

    #[test]
    fn no_two_containers_are_told_by_one_secret() {
        assert_ne!(secret("Deployment", "a", "b-c"), secret("Deployment", "a-b", "c"));
        assert_ne!(secret("Deployment", "a", "b"), secret("StatefulSet", "a", "b"));
    }
}
