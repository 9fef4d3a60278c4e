//! A run with a daemon, in the cache that people have, and a pod that asks questions.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, Environment, Overrides, Request, resolve};
use handover_fixtures::process::{RunDir, Spawner};
use handover_kind::cluster::{Cluster, ClusterError, Kind, Made, Order};
use handover_kind::docker::own::Place;
use handover_kind::docker::{Census, Daemon, Docker, Owner, Wish};
use handover_kind::image::archive::Image;
use handover_kind::image::layer::Layer;
use handover_kind::image::{Choice, ImageError, NodeImage, archive};
use handover_kind::provision::Provisioner;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

const HANDOVER: &str = env!("CARGO_BIN_EXE_handover-hidden");
const IMAGE: &str = "localhost/handover/probe:1";

/// What a pod does to see that a cluster is one.
pub(crate) const QUESTIONS: &str = "\
    until address=$(getent hosts kubernetes.default.svc); do sleep 0.1; done
    if exec 3<>/dev/tcp/kubernetes.default/443; then way=connected; else way=cut; fi
    if getent hosts elsewhere.example; then other=found; else other=refused; fi
    echo from a pod > /handover/answer
    echo ${address%% *} $way $other $(< /handover/question)";

pub(crate) fn ok<T, E: Error>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// A run, its directory, and the daemon for it.
pub(crate) struct House {
    pub(crate) run: String,
    pub(crate) request: Request,
    dir: RunDir,
    daemon: Daemon,
    kind: Kind,
    _alone: MutexGuard<'static, ()>,
}

/// Clusters of several tests at once would say more about this machine than about clusters.
static ALONE: Mutex<()> = Mutex::const_new(());

fn provisioner(request: Request, wish: Wish) -> Provisioner<'static> {
    let handover = Path::new(HANDOVER);
    let tell = &|text: &str| eprintln!("  {text}");
    Provisioner { request, wish, handover, progress: Arc::from(on_stderr()), tell, note: tell }
}

impl House {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let _alone = ALONE.lock().await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let run = format!("t{}-{count}", std::process::id());
        let request = ok(Request::new(Environment::of_process(), Overrides::default()));
        let daemon = ok(provisioner(request.clone(), ok(Wish::of_process().await)).daemon().await);
        let dir = ok(RunDir::create(&request.cache.root().join("runs"), &run));
        let set = ok(resolve(request.clone().only([Component::Kind]), Arc::from(on_stderr())).await);
        let program = ok(set.require(Component::Kind)).path();
        let spawner = ok(Spawner::start(dir.ledger()));
        let kind = ok(Kind::new(program, daemon.docker.clone(), spawner, &dir.path().join("logs")));
        Self { run, request, dir, daemon, kind, _alone }
    }

    pub(crate) fn provisioner(&self) -> Provisioner<'static> {
        provisioner(self.request.clone(), Wish::default())
    }

    pub(crate) fn docker(&self) -> &Docker {
        &self.daemon.docker
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub(crate) fn owner(&self) -> Owner {
        ok(Owner::of(&self.request.cache, &self.run))
    }

    /// What a thing of this run is called: tests are beside each other.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    pub(crate) async fn image(&self, choice: &Choice) -> Result<NodeImage, ImageError> {
        self.provisioner().image(&self.daemon, &self.dir, choice).await
    }

    pub(crate) async fn create(
        &self,
        name: &str,
        image: &NodeImage,
    ) -> Result<(Cluster, Made), ClusterError> {
        self.create_telling(name, image, &|text| eprintln!("  {name}: {text}")).await
    }

    /// The same with somebody who hears what is done.
    pub(crate) async fn create_telling(
        &self,
        name: &str,
        image: &NodeImage,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(Cluster, Made), ClusterError> {
        let dir = self.dir().join(name);
        std::fs::create_dir_all(&dir).expect("a directory");
        let name = self.named(name);
        let order = Order { name: &name, owner: &self.owner(), image, dir: &dir };
        Cluster::create(&self.kind, &order, tell, tell).await
    }

    /// What of this run is there, and what of the machine it could change.
    pub(crate) async fn census(&self) -> Census {
        let place = Place::of(&self.request.cache);
        let mut census = ok(Census::take(&place, Some(&self.daemon.docker)).await);
        // What tests beside this one, or anybody else, have is none of its business.
        census.docker.retain(|line| line.contains(&self.run));
        census.processes.clear();
        census.bridges.clear();
        census.cgroups.clear();
        census.sysctls = Default::default();
        census
    }

    pub(crate) async fn close(self) {
        let Self { dir, daemon, _alone, .. } = self;
        ok(dir.finish());
        ok(daemon.leave().await);
    }
}

/// Waits until a cluster answers for the names of its Services.
pub(crate) async fn answers_for_names(client: &kube::Client) {
    let api = Api::<Deployment>::namespaced(client.clone(), "kube-system");
    let there = await_condition(api, "coredns", |found: Option<&Deployment>| {
        found.and_then(|found| found.status.as_ref()?.available_replicas).unwrap_or(0) > 0
    });
    ok(tokio::time::timeout(Duration::from_secs(120), there).await)
        .map(drop)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Bytes of memory that are free.
pub(crate) fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Whether a file of this name lies somewhere below.
pub(crate) fn file_of(dir: &Path, name: &str) -> bool {
    let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
    items.into_iter().any(|item| {
        let path = item.path();
        path.file_name().is_some_and(|file| file == name) || path.is_dir() && file_of(&path, name)
    })
}

/// An image with a shell that asks for names, out of a node's own packages; none where these cannot be had.
pub(crate) async fn archive(path: &Path, request: &Request) -> bool {
    let set = match resolve(request.clone().only([Component::NodeRoot]), Arc::from(on_stderr())).await {
        Ok(set) => set,
        Err(error) => {
            eprintln!("skipped: a pod that asks questions: {}", chain(&error));
            return false;
        }
    };
    let root = ok(set.require(Component::NodeRoot)).path();
    const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
    let wanted = ["ld-linux", "libc.so.6", "libtinfo.so", "libnss_", "libresolv.so"];
    let left_out = |place: &str| match place.strip_prefix(LIBRARIES) {
        Some(rest) if rest.len() > 1 => !wanted.iter().any(|name| rest[1..].starts_with(name)),
        Some(_) => false,
        None => {
            let kept = ["lib64", "usr", "usr/lib", "usr/lib64", "usr/bin", "usr/bin/bash", "usr/bin/getent"];
            let more = ["usr/bin/sleep", "usr/lib64/ld-linux-x86-64.so.2"];
            !kept.iter().chain(&more).any(|name| *name == place)
        }
    };
    let layer = Layer::default().tree(root, &left_out).expect("the packages' files");
    archive::write(path, &[Image::new(IMAGE, layer)]).expect("an archive");
    true
}

/// What a pod of that image says when it runs these words, to its end.
pub(crate) async fn said_by(pods: &Api<Pod>, name: &str, words: &str) -> String {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "probe",
                "image": IMAGE,
                "imagePullPolicy": "Never",
                "command": ["/usr/bin/bash", "-c", words],
                "volumeMounts": [{ "name": "shared", "mountPath": "/handover" }],
            }],
            "volumes": [{ "name": "shared", "hostPath": { "path": handover_kind::cluster::SHARED } }],
        },
    });
    let pod = serde_json::from_value(pod).expect("a pod");
    ok(pods.create(&PostParams::default(), &pod).await);
    let ended = await_condition(pods.clone(), name, |pod: Option<&Pod>| {
        let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    });
    let ended = tokio::time::timeout(Duration::from_secs(120), ended).await;
    let said = pods.logs(name, &LogParams::default()).await;
    assert!(ended.is_ok(), "the pod did not end; it said {said:?}");
    ok(said).trim().to_owned()
}
