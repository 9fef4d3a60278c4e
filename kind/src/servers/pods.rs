//! All pods of a cluster, watched: how each stands, what happened to it, and what its containers say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use handover_fixtures::consumer::Line;
use handover_fixtures::process::ExitReport;
use handover_fixtures::workloads::Listeners;
use handover_fixtures::workloads::{PodEvent, PodNews};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use kube::api::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::manifest::COMPONENT;
use super::meant::Meant;
use super::steady::Steady;
use super::voice::{self, Voice};

/// How long the last words of a container may take after its end is known; after that they count as not heard.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Where nobody of the harness runs anything.
const OTHERS: &str = "kube-system";

/// Every pod by namespace and name.
pub type Known = BTreeMap<(String, String), Arc<Pod>>;

/// Hears of all pods until it is dropped.
pub struct Pods {
    known: watch::Receiver<Known>,
    told: Arc<Told>,
    _following: AbortOnDropHandle<()>,
}

/// What is shared by those who attend to one pod each.
struct Told {
    kube: kube::Client,
    listeners: Listeners,
    logs: PathBuf,
    written: Mutex<BTreeMap<String, PathBuf>>,
}

impl Pods {
    /// Watches; logs go into files of `logs`. Must be called inside a Tokio runtime.
    pub fn watch(kube: &kube::Client, logs: &Path) -> Self {
        let told = Arc::new(Told {
            kube: kube.clone(),
            listeners: Listeners::default(),
            logs: logs.to_owned(),
            written: Mutex::default(),
        });
        let (tell, known) = watch::channel(Known::new());
        let following = tokio::spawn(follow(Arc::clone(&told), tell));
        Self { known, told, _following: AbortOnDropHandle::new(following) }
    }

    /// How all pods stand, and that this changed.
    pub fn known(&self) -> watch::Receiver<Known> {
        self.known.clone()
    }

    /// Everything that happens to pods in `namespace` from now on; dropping the receiver ends it.
    pub fn subscribe(&self, namespace: &str) -> UnboundedReceiver<PodNews> {
        self.told.listeners.subscribe(namespace)
    }

    /// The logs of all containers so far.
    pub fn logs(&self) -> BTreeMap<String, PathBuf> {
        self.told.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The pods of a component.
pub fn of_component<'k>(known: &'k Known, component: &str) -> Vec<&'k Pod> {
    known.values().map(Arc::as_ref).filter(|pod| is_of(pod, component)).collect()
}

/// Whether a pod is one of a component's.
pub fn is_of(pod: &Pod, component: &str) -> bool {
    component_of(pod) == Some(component)
}

/// Which component a pod is, if it is one.
pub fn component_of(pod: &Pod) -> Option<&str> {
    pod.metadata.labels.as_ref()?.get(COMPONENT).map(String::as_str)
}

/// How all containers of a pod stand, those that run first among them.
pub fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let inits = status.and_then(|status| status.init_container_statuses.as_ref()).into_iter().flatten();
    inits.chain(lasting(pod))
}

/// How those containers of a pod stand that run as long as it does: the end of one that runs first is its success.
pub fn lasting(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()).into_iter().flatten()
}

/// The ends that a container's status tells of: its own, and that of the one before it.
pub fn ends(status: &ContainerStatus) -> impl Iterator<Item = &ContainerStateTerminated> {
    let states = [status.state.as_ref(), status.last_state.as_ref()].into_iter().flatten();
    states.filter_map(|state| state.terminated.as_ref())
}

/// Whether all containers of a pod run.
pub fn runs(pod: &Pod) -> bool {
    lasting(pod).next().is_some() && lasting(pod).all(is_running)
}

/// Whether a container runs.
pub fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

/// The first end of a pod's containers that `meant` does not hold: how it died, if it did.
pub fn death<'p>(pod: &'p Pod, meant: &Meant) -> Option<&'p ContainerStateTerminated> {
    lasting(pod).flat_map(ends).find(|ended| !meant.holds(ended))
}

/// How a container ended.
pub fn exit(ended: &ContainerStateTerminated) -> ExitReport {
    match (ended.signal, ended.exit_code) {
        (Some(signal), _) if signal > 0 => ExitReport::Signal(signal),
        // As a runtime says it that knows no signals.
        (_, code @ 129..160) => ExitReport::Signal(code - 128),
        (_, code) => ExitReport::Status(code),
    }
}

/// What keeps a container from running, if anything does: reason and message.
pub fn waits(status: &ContainerStatus) -> Option<(String, String)> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone().unwrap_or_default();
    let ordinary =
        matches!(reason.as_str(), "" | "ContainerCreating" | "PodInitializing" | "CrashLoopBackOff");
    (!ordinary).then(|| (reason, waiting.message.clone().unwrap_or_default()))
}

async fn follow(told: Arc<Told>, tell: watch::Sender<Known>) {
    let pods: Api<Pod> = Api::all(told.kube.clone());
    let mut events = watcher(pods, watcher::Config::default()).backoff(Steady).boxed();
    let mut attended: HashMap<(String, String), UnboundedSender<Option<Arc<Pod>>>> = HashMap::new();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        let name = |pod: &Pod| {
            let of = |name: &Option<String>| name.clone().unwrap_or_default();
            (of(&pod.metadata.namespace), of(&pod.metadata.name))
        };
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(pod) | Event::Apply(pod)) => {
                let (name, pod) = (name(&pod), Arc::new(pod));
                listed.insert(name.clone());
                if name.0 != OTHERS {
                    let attendant = attended.entry(name.clone()).or_insert_with(|| attend(&told, &name));
                    let _ = attendant.send(Some(Arc::clone(&pod)));
                }
                tell.send_modify(|known| {
                    known.insert(name, pod);
                });
            }
            Ok(Event::Delete(pod)) => gone(&name(&pod), &mut attended, &tell),
            Ok(Event::InitDone) => {
                let missed: Vec<_> =
                    tell.borrow().keys().filter(|name| !listed.contains(*name)).cloned().collect();
                for name in missed {
                    gone(&name, &mut attended, &tell);
                }
            }
            // It is asked again; what it missed it lists.
            Err(_) => {}
        }
    }
}

fn gone(
    name: &(String, String),
    attended: &mut HashMap<(String, String), UnboundedSender<Option<Arc<Pod>>>>,
    tell: &watch::Sender<Known>,
) {
    if let Some(attendant) = attended.remove(name) {
        let _ = attendant.send(None);
    }
    tell.send_modify(|known| {
        known.remove(name);
    });
}

/// Attends to one pod in a task of its own: the end of a container is told after its last words.
fn attend(told: &Arc<Told>, name: &(String, String)) -> UnboundedSender<Option<Arc<Pod>>> {
    let (tell, mut hear) = unbounded_channel::<Option<Arc<Pod>>>();
    let mut attendant = Attendant::of(told, name);
    tokio::spawn(async move {
        while let Some(pod) = hear.recv().await {
            match pod {
                Some(pod) => attendant.see(&pod).await,
                None => {
                    attendant.last_words().await;
                    attendant.tell(None, PodEvent::Gone);
                    return;
                }
            }
        }
    });
    tell
}

/// A log that is followed.
struct Followed {
    /// To be cancelled when the container has ended.
    ended: CancellationToken,
    /// Says whether all was heard.
    whole: AbortOnDropHandle<bool>,
}

struct Attendant {
    told: Arc<Told>,
    namespace: String,
    pod: String,
    /// The containers, by their ids, whose start and end were told.
    started: HashSet<String>,
    ended: HashSet<String>,
    ready: HashMap<String, bool>,
    waits: HashMap<String, (String, String)>,
    /// By container, who follows its log.
    voices: HashMap<String, Followed>,
    last: HashMap<String, voice::Told>,
    /// How long last words are waited for.
    patience: Duration,
}

impl Attendant {
    fn of(told: &Arc<Told>, name: &(String, String)) -> Self {
        Self {
            told: Arc::clone(told),
            namespace: name.0.clone(),
            pod: name.1.clone(),
            started: HashSet::new(),
            ended: HashSet::new(),
            ready: HashMap::new(),
            waits: HashMap::new(),
            voices: HashMap::new(),
            last: HashMap::new(),
            patience: LAST_WORDS,
        }
    }

    fn tell(&self, container: Option<&str>, what: PodEvent) {
        self.told.listeners.tell(&self.namespace, &self.pod, container, what);
    }

    async fn see(&mut self, pod: &Pod) {
        for status in statuses(pod) {
            let restarts = u32::try_from(status.restart_count).unwrap_or_default();
            let before = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
            if let Some(ended) = before {
                // It may have started and ended since the pod was looked at last.
                self.start(pod, &status.name, &ended.container_id, restarts.saturating_sub(1));
                self.end(&status.name, ended).await;
            }
            let Some(state) = &status.state else { continue };
            if state.running.is_some() || state.terminated.is_some() {
                self.start(pod, &status.name, &status.container_id, restarts);
            }
            if let Some(ended) = &state.terminated {
                self.end(&status.name, ended).await;
            }
            if self.ready.insert(status.name.clone(), status.ready).unwrap_or(false) != status.ready {
                self.tell(Some(&status.name), PodEvent::Ready(status.ready));
            }
            if let Some(waits) = waits(status)
                && self.waits.insert(status.name.clone(), waits.clone()).as_ref() != Some(&waits)
            {
                let (reason, message) = waits;
                self.tell(Some(&status.name), PodEvent::Pending { reason, message });
            }
        }
    }

    fn start(&mut self, pod: &Pod, container: &str, id: &Option<String>, restarts: u32) {
        if self.started.insert(id.clone().unwrap_or_default()) {
            self.waits.remove(container);
            // The one before has ended, and its successor as well, while nobody looked.
            if self.voices.remove(container).is_some() {
                self.tell(Some(container), PodEvent::Unheard);
            }
            self.tell(Some(container), PodEvent::Started { restarts });
            self.listen(pod, container);
        }
    }

    async fn end(&mut self, container: &str, ended: &ContainerStateTerminated) {
        let id = ended.container_id.clone().unwrap_or_default();
        if !self.started.contains(&id) || !self.ended.insert(id) {
            return;
        }
        if let Some(voice) = self.voices.remove(container) {
            self.hear_out(container, voice).await;
        }
        self.tell(
            Some(container),
            PodEvent::Ended { how: exit(ended), why: ended.message.clone().unwrap_or_default() },
        );
    }

    async fn last_words(&mut self) {
        let voices = std::mem::take(&mut self.voices);
        let all = voices.into_iter().map(async |(container, voice)| self.hear_out(&container, voice).await);
        futures::future::join_all(all).await;
    }

    /// Waits for the last words of a container that has ended, and tells if they were not all heard.
    async fn hear_out(&self, container: &str, voice: Followed) {
        voice.ended.cancel();
        let heard = tokio::time::timeout(self.patience, voice.whole).await;
        if !matches!(heard, Ok(Ok(true))) {
            self.tell(Some(container), PodEvent::Unheard);
        }
    }

    fn listen(&mut self, pod: &Pod, container: &str) {
        let name = match component_of(pod) {
            Some(component) => component.to_owned(),
            None => format!("pod-{}-{}-{container}", self.namespace, self.pod),
        };
        let path = self.told.logs.join(format!("{name}.log"));
        let file = voice::open(&path).ok();
        self.told.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name, path);
        let pods = Api::namespaced(self.told.kube.clone(), &self.namespace);
        let (told, namespace, name) = (Arc::clone(&self.told), self.namespace.clone(), self.pod.clone());
        let inside = container.to_owned();
        let tell = move |line: &str| {
            let what = match Line::parse(line) {
                Some(line) => PodEvent::Consumer(line),
                None => PodEvent::Line(line.to_owned()),
            };
            told.listeners.tell(&namespace, &name, Some(&inside), what);
        };
        let voice = Voice {
            pods,
            pod: self.pod.clone(),
            uid: pod.metadata.uid.clone(),
            container: container.to_owned(),
            file,
            told: Arc::clone(self.last.entry(container.to_owned()).or_default()),
        };
        let ended = CancellationToken::new();
        let whole = AbortOnDropHandle::new(tokio::spawn(voice.follow(ended.clone(), tell)));
        self.voices.insert(container.to_owned(), Followed { ended, whole });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: Value) -> Pod {
        let pod = json!({"metadata": {"name": "a", "namespace": "n", "labels": {COMPONENT: "mysql"}},
            "status": {"containerStatuses": [status]}});
        serde_json::from_value(pod).expect("a pod")
    }

    fn status(state: Value) -> ContainerStatus {
        let whole = json!({"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        serde_json::from_value(whole).expect("a status")
    }

    #[test]
    fn an_end_says_by_which_signal() {
        let ended = |code: i32| {
            let ended = json!({"exitCode": code});
            exit(&serde_json::from_value(ended).expect("an end"))
        };
        assert_eq!(ended(137), ExitReport::Signal(9));
        assert_eq!(ended(0), ExitReport::Status(0));
        assert_eq!(ended(1), ExitReport::Status(1));
    }

    #[test]
    fn a_container_that_runs_first_and_ends_is_no_death() {
        let ended = json!({"terminated": {"exitCode": 0, "containerID": "containerd://a"}});
        let whole = |state| serde_json::to_value(status(state)).expect("plain data");
        let mut pod = pod(whole(json!({"running": {}})));
        let inits = serde_json::from_value(json!([whole(ended.clone())])).expect("statuses");
        pod.status.as_mut().expect("a status").init_container_statuses = Some(inits);
        assert_eq!(death(&pod, &Meant::default()), None);
        pod = self::pod(whole(ended));
        assert_eq!(death(&pod, &Meant::default()).map(|ended| ended.exit_code), Some(0));
        let meant = Meant::default();
        meant.add(["containerd://a".to_owned()]);
        assert_eq!(death(&pod, &meant), None);
    }

    #[test]
    fn what_is_ordinary_on_the_way_is_no_trouble() {
        let waiting = |reason: &str| waits(&status(json!({"waiting": {"reason": reason, "message": "m"}})));
        assert_eq!(waiting("ContainerCreating"), None);
        let expected = ("CreateContainerConfigError".to_owned(), "m".to_owned());
        assert_eq!(waiting("CreateContainerConfigError"), Some(expected));
        assert_eq!(waits(&status(json!({"running": {}}))), None);
    }

    #[tokio::test]
    async fn what_started_and_ended_between_two_looks_is_told_before_what_runs() {
        let dir = tempfile::tempdir().expect("a directory");
        let url = "http://127.0.0.1:9".parse().expect("an address");
        let kube = kube::Client::try_from(kube::Config::new(url)).expect("a client");
        let (logs, written) = (dir.path().to_owned(), Mutex::default());
        let told = Arc::new(Told { kube, listeners: Listeners::default(), logs, written });
        let mut news = told.listeners.subscribe("n");
        let mut attendant = Attendant::of(&told, &("n".to_owned(), "a".to_owned()));
        attendant.patience = Duration::from_millis(20);
        let ended = json!({"terminated": {"exitCode": 3, "containerID": "containerd://b"}});
        let status = json!({"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 2,
            "containerID": "containerd://c", "state": {"running": {}}, "lastState": ended});
        attendant.see(&pod(status.clone())).await;
        attendant.see(&pod(status)).await;
        let mut heard = Vec::new();
        while let Ok(PodNews { what, .. }) = news.try_recv() {
            heard.push(what);
        }
        let how = ExitReport::Status(3);
        let all = [
            PodEvent::Started { restarts: 1 },
            // Nobody answers for its log.
            PodEvent::Unheard,
            PodEvent::Ended { how, why: String::new() },
            PodEvent::Started { restarts: 2 },
        ];
        assert_eq!(format!("{heard:?}"), format!("{all:?}"));
    }

    #[test]
    fn pods_are_found_by_the_component_that_they_are() {
        let known = Known::from([(
            ("n".into(), "a".into()),
            Arc::new(pod(json!({"name": "c", "image": "i",
            "imageID": "", "ready": true, "restartCount": 0}))),
        )]);
        assert_eq!(of_component(&known, "mysql").len(), 1);
        assert_eq!(of_component(&known, "valkey").len(), 0);
    }
}
