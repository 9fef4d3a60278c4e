//! One component of the plane: a pod that can be stopped and started again by whom its controller obeys.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use handover_fixtures::cause::chain;
use handover_fixtures::components::ResolvedSet;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::plane::{Control, ControlError, Order, Tell};
use handover_fixtures::process::{Progress, Ready, Signal};
use handover_harness::event::ComponentState;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ServersError;
use super::manifest::GRACE;
use super::meant::Meant;
use super::pods::{Known, ends, exit, of_component, runs, statuses, waits};
use super::site::Node;

/// How long a pod may take to be gone after it was told to.
const GONE_WITHIN: Duration = Duration::from_secs(GRACE as u64 + 15);

type Prepare = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What takes the place of what runs.
pub struct Successor {
    /// The object: a StatefulSet or a Deployment.
    pub object: Value,
    /// What is done in the time in which neither of the two runs.
    pub between: Option<BoxFuture<'static, Result<(), String>>>,
    /// What people should know of it.
    pub notes: Vec<String>,
}

/// Makes a successor out of a release.
pub type Succession =
    Box<dyn Fn(Arc<ResolvedSet>) -> BoxFuture<'static, Result<Successor, String>> + Send + Sync>;

/// What a member stands on.
#[derive(Clone)]
pub struct Base {
    /// Applies its object.
    pub applier: Arc<Applier>,
    /// Where its containers are.
    pub node: Node,
    /// All pods.
    pub known: watch::Receiver<Known>,
    /// What ended because somebody wanted that, without the member's doing.
    pub meant: Meant,
}

/// A component that runs as a pod.
pub struct Member {
    name: String,
    base: Base,
    ready: Ready,
    log: PathBuf,
    prepare: Option<Prepare>,
    /// The flag by which several replicas elect one that leads.
    electing: Option<&'static str>,
    succession: Succession,
    state: Mutex<State>,
    /// One order after the other.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    /// The object that it is, as it was applied last.
    object: Value,
    /// How many of it there are when it runs.
    replicas: u32,
    /// Whether it is not running because it should not.
    down: bool,
    /// Where its pod was before it was ended.
    was_at: Option<String>,
}

impl Member {
    /// Applies the object of a component, and waits until it is ready.
    ///
    /// # Errors
    /// What the cluster refused, or what was seen of it last.
    pub async fn start(
        name: &str,
        base: Base,
        object: Value,
        ready: Ready,
        log: PathBuf,
        succession: Succession,
    ) -> Result<Self, ServersError> {
        let state = State { object, replicas: 1, down: false, was_at: None };
        let member = Self {
            name: name.to_owned(),
            base,
            ready,
            log,
            prepare: None,
            electing: None,
            succession,
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::default(),
        };
        member.apply().await?;
        member.wait().await.map_err(|why| member.not_ready(why))?;
        Ok(member)
    }

    /// The same with something that is done before it is started again.
    #[must_use]
    pub fn prepared_by(
        self,
        prepare: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    ) -> Self {
        Self { prepare: Some(Box::new(prepare)), ..self }
    }

    /// The same with the flag of its program by which several replicas elect one that leads.
    #[must_use]
    pub fn electing_by(self, flag: &'static str) -> Self {
        Self { electing: Some(flag), ..self }
    }

    /// The component.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where what it says is kept.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// How it ended, if nobody wanted that.
    pub fn death(&self) -> Option<String> {
        if self.state().down || self.base.meant.all_is_away() {
            return None;
        }
        let known = self.base.known.borrow();
        let here =
            of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod)).flat_map(statuses);
        let ended = here.flat_map(ends).find(|ended| !self.base.meant.holds(ended))?;
        Some(format!("its container {}; log: {}", exit(ended), self.log.display()))
    }

    /// Where its pod is that is not on its way out: each new one has another address.
    fn address(&self) -> Option<String> {
        let known = self.base.known.borrow();
        let pods = of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod));
        pods.filter_map(|pod| pod.status.as_ref()?.pod_ip.clone()).next_back()
    }

    /// That its Service stands for another address now.
    fn moved(&self) -> Vec<String> {
        let was_at = self.state().was_at.take();
        let moved = was_at.zip(self.address());
        moved
            .map(|(was, is)| format!("the pod of {} was at {was} and is at {is} now", self.name))
            .into_iter()
            .collect()
    }

    fn not_ready(&self, why: String) -> ServersError {
        ServersError::NotReady { name: self.name.clone(), why, log: self.log.clone() }
    }

    async fn apply(&self) -> Result<DynamicObject, ServersError> {
        let (mut object, replicas) = {
            let state = self.state();
            (state.object.clone(), state.replicas)
        };
        object["spec"]["replicas"] = json!(replicas);
        let args = object.pointer_mut("/spec/template/spec/containers/0/args").and_then(Value::as_array_mut);
        if let (Some(args), Some(flag), 2..) = (args, self.electing, replicas) {
            args.push(json!(flag));
        }
        Ok(self.base.applier.apply(&object, "").await?)
    }

    /// Waits until it answers as it should, while its pod may yet come to that.
    async fn wait(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.ready.within();
        loop {
            let last = match self.ready.ask().await {
                Progress::There(()) if self.all_run() => return Ok(()),
                Progress::There(()) => "not all of its replicas run".to_owned(),
                Progress::NotYet(why) => why,
                Progress::Dead(why) => return Err(why),
            };
            if let Some(trouble) = self.trouble() {
                return Err(trouble);
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "out of time after {:?}; last: {last}{}",
                    self.ready.within(),
                    self.stands()
                ));
            }
            sleep(self.ready.every()).await;
        }
    }

    /// Whether as many of its pods run as there are to be.
    fn all_run(&self) -> bool {
        let replicas = self.state().replicas as usize;
        let known = self.base.known.borrow();
        let here = of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod));
        here.filter(|pod| runs(pod)).count() >= replicas
    }

    /// Waits until it is back after the whole node was away, with containers other than `before`, and answers as it
    /// should. What ended of it meanwhile was meant.
    ///
    /// # Errors
    /// What was seen of it last.
    pub(super) async fn returns(&self, before: &BTreeSet<String>, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        let mut prepared = self.prepare.is_none();
        loop {
            // One that was stopped before comes back when it is started.
            if self.state().down {
                return Ok(());
            }
            let last = match &self.prepare {
                Some(prepare) if !prepared => match prepare().await {
                    Ok(()) => {
                        prepared = true;
                        continue;
                    }
                    Err(why) => why,
                },
                _ => match self.ready.ask().await {
                    Progress::There(()) if self.all_run() && self.is_another(before) => return Ok(()),
                    Progress::There(()) => "its containers of before are still told of".to_owned(),
                    Progress::NotYet(why) | Progress::Dead(why) => why,
                },
            };
            if Instant::now() > deadline {
                let after = format!("it was not back {within:?} after the node was started");
                return Err(format!("{after}; last: {last}{}", self.stands()));
            }
            sleep(self.ready.every()).await;
        }
    }

    /// Whether none of its containers is one of these. If so, what ended of it is known to have been meant.
    fn is_another(&self, before: &BTreeSet<String>) -> bool {
        let known = self.base.known.borrow();
        let here =
            of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod)).flat_map(statuses);
        let here: Vec<_> = here.collect();
        let is_old = |id: &String| before.contains(id);
        if here.iter().any(|status| status.container_id.as_ref().is_none_or(is_old)) {
            return false;
        }
        self.base.meant.add(here.into_iter().flat_map(ends).filter_map(|ended| ended.container_id.clone()));
        true
    }

    /// The containers that it has, by their ids.
    pub(super) fn containers(&self) -> Vec<String> {
        let known = self.base.known.borrow();
        let here = of_component(&known, &self.name).into_iter().flat_map(statuses);
        here.filter_map(|status| status.container_id.clone()).collect()
    }

    /// What keeps its pod from ever running.
    fn trouble(&self) -> Option<String> {
        let known = self.base.known.borrow();
        let pods = of_component(&known, &self.name);
        let all = pods.into_iter().filter(|pod| is_there(pod)).flat_map(statuses);
        let mut troubles = all.filter_map(|status| {
            let ended = || Some(exit(status.last_state.as_ref()?.terminated.as_ref()?));
            match waits(status) {
                Some((reason, message)) => Some(format!("its pod waits: {reason}: {message}")),
                None if status.restart_count > 1 => {
                    Some(format!("its container {} again and again", ended()?))
                }
                None => None,
            }
        });
        troubles.next()
    }

    /// How far its pods are, for the last word of a wait.
    fn stands(&self) -> String {
        let known = self.base.known.borrow();
        let pods = of_component(&known, &self.name);
        let phase =
            |pod: &&Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        match pods.as_slice() {
            [] => "; it has no pod".to_owned(),
            pods => format!("; its pod is {}", pods.iter().map(phase).collect::<Vec<_>>().join(", ")),
        }
    }

    async fn scale(&self, replicas: u32) -> Result<(), String> {
        let object = self.state().object.clone();
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, kind) = (text("/apiVersion"), text("/kind"));
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        let api = self.base.applier.api(&version, &kind, &namespace).await.map_err(|error| chain(&error))?.0;
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let patched = api.patch(&name, &PatchParams::default(), &patch).await;
        patched.map(drop).map_err(|error| format!("{kind} {name} cannot be scaled: {}", chain(&error)))
    }

    fn failed(&self, why: String) -> ControlError {
        ControlError::Prepare { name: self.name.clone(), why }
    }

    async fn end(&self, kill: bool, tell: &Tell<'_>) -> Result<(), ControlError> {
        if std::mem::replace(&mut self.state().down, true) {
            return Ok(());
        }
        let refused = |why| ControlError::Cluster { name: self.name.clone(), why };
        let address = self.address();
        self.state().was_at = address;
        if kill {
            self.send(Signal::KILL).await?;
        }
        self.scale(0).await.map_err(refused)?;
        let mut known = self.base.known.clone();
        let gone = known.wait_for(|known| of_component(known, &self.name).is_empty());
        match tokio::time::timeout(GONE_WITHIN, gone).await {
            Ok(_) => {
                tell(ComponentState::Stopped);
                Ok(())
            }
            Err(_) => Err(refused(format!("its pod was not gone after {GONE_WITHIN:?}"))),
        }
    }

    async fn begin(&self, successor: Option<Successor>, tell: &Tell<'_>) -> Result<(), ControlError> {
        if !self.state().down {
            return Err(ControlError::Running { name: self.name.clone() });
        }
        if let Some(Successor { object, between, notes: _ }) = successor {
            if let Some(between) = between {
                between.await.map_err(|why| self.failed(why))?;
            }
            self.state().object = object;
        }
        if let Some(prepare) = &self.prepare {
            prepare().await.map_err(|why| self.failed(why))?;
        }
        self.apply().await.map_err(|error| self.failed(chain(&error)))?;
        self.state().down = false;
        tell(ComponentState::Started);
        self.wait().await.map_err(|why| self.failed(chain(&self.not_ready(why))))?;
        tell(ComponentState::Ready);
        Ok(())
    }

    async fn send(&self, signal: Signal) -> Result<(), ControlError> {
        let refused = |why| ControlError::Cluster { name: self.name.clone(), why };
        let ids: Vec<String> = {
            let known = self.base.known.borrow();
            let pods = of_component(&known, &self.name);
            pods.into_iter()
                .flat_map(statuses)
                .filter(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()))
                .filter_map(|status| status.container_id.clone())
                .collect()
        };
        if ids.is_empty() {
            return Err(refused("none of its containers runs".to_owned()));
        }
        for id in ids {
            let sent = self.base.node.signal(&id, signal.as_raw()).await;
            sent.map_err(|error| refused(chain(&error)))?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a pod is not on its way out.
fn is_there(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
}

impl Control for Member {
    fn order<'a>(
        &'a self,
        order: Order,
        tell: &'a Tell<'a>,
    ) -> BoxFuture<'a, Result<Vec<String>, ControlError>> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            match order {
                Order::Stop => self.end(false, tell).await?,
                Order::Kill => self.end(true, tell).await?,
                Order::Signal(signal) => self.send(signal).await?,
                Order::Start => {
                    self.begin(None, tell).await?;
                    return Ok(self.moved());
                }
                Order::Restart => {
                    self.end(false, tell).await?;
                    self.begin(None, tell).await?;
                    return Ok(self.moved());
                }
                Order::Replicas(count) => {
                    if self.electing.is_none() {
                        return Err(ControlError::Single { name: self.name.clone() });
                    }
                    self.end(false, tell).await?;
                    self.state().replicas = count;
                    self.begin(None, tell).await?;
                }
                Order::Replace(release) => {
                    // Whatever can be done while it runs makes the time shorter in which nobody does.
                    let mut successor = (self.succession)(release).await.map_err(|why| self.failed(why))?;
                    let notes = std::mem::take(&mut successor.notes);
                    self.end(false, tell).await?;
                    self.begin(Some(successor), tell).await?;
                    return Ok(notes);
                }
            }
            Ok(Vec::new())
        })
    }
}
