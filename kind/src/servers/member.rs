//! One component of the plane: a pod that can be stopped and started again by whom its controller obeys.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use handover_fixtures::cause::chain;
use handover_fixtures::components::ResolvedSet;
use handover_fixtures::control::{self, End, Orders, Prepare, Runs};
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::plane::ControlError;
use handover_fixtures::process::{Progress, Ready, Signal};
use handover_harness::wait::wait_until;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::ServersError;
use super::manifest::GRACE;
use super::meant::Meant;
use super::pods::{Known, death, ends, exit, is_running, lasting, of_component, runs, statuses, waits};
use super::site::Node;

/// How long a kubelet may take on a busy machine until it has begun what a pod runs, beside what that takes itself.
const BEGINS: Duration = Duration::from_secs(45);
/// How long a pod may take to be gone after it was told to.
const GONE_WITHIN: Duration = Duration::from_secs(GRACE as u64 + 15);

/// What takes the place of what runs: a StatefulSet or a Deployment.
pub type Successor = control::Successor<Value>;

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
    orders: Orders,
}

struct State {
    /// The object that it is, as it was applied last.
    object: Value,
    /// How many of it there are when it runs.
    replicas: u32,
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
        let state = State { object, replicas: 1, was_at: None };
        let member = Self {
            name: name.to_owned(),
            base,
            ready: ready.after(BEGINS),
            log,
            prepare: None,
            electing: None,
            succession,
            state: Mutex::new(state),
            orders: Orders::default(),
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

    /// How many of it there are when it runs.
    pub fn replicas(&self) -> u32 {
        self.state().replicas
    }

    /// Where what it says is kept.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// How it ended, if nobody wanted that.
    pub fn death(&self) -> Option<String> {
        if !self.orders.want_it_up() || self.base.meant.all_is_away() {
            return None;
        }
        let known = self.base.known.borrow();
        let mut here = of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod));
        let ended = here.find_map(|pod| death(pod, &self.base.meant))?;
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
        let ask = || async {
            match self.ready.ask().await {
                Progress::There(()) if !self.all_run() => {
                    Progress::NotYet("not all of its replicas run".to_owned())
                }
                asked => asked,
            }
        };
        let what = "it did not answer as it should";
        tokio::select! {
            end = wait_until(what, self.ready.within(), self.ready.every(), ask) => {
                end.map_err(|error| format!("{error}{}", self.stands()))
            }
            trouble = self.in_trouble() => Err(trouble),
        }
    }

    /// Waits for what keeps its pod from ever running.
    async fn in_trouble(&self) -> String {
        let mut known = self.base.known.clone();
        loop {
            known.mark_unchanged();
            if let Some(trouble) = self.trouble() {
                return trouble;
            }
            if known.changed().await.is_err() {
                // Nobody hears of pods any more: the plane ends.
                return std::future::pending().await;
            }
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
        // One that was stopped before comes back when it is started.
        if !self.orders.want_it_up() {
            return Ok(());
        }
        let prepared = AtomicBool::new(false);
        let ask = || async {
            if let Some(prepare) = self.prepare.as_ref().filter(|_| !prepared.load(Relaxed)) {
                if let Err(why) = prepare().await {
                    return Progress::NotYet(why);
                }
                prepared.store(true, Relaxed);
            }
            match self.ready.ask().await {
                Progress::There(()) if self.all_run() && self.is_another(before) => Progress::There(()),
                Progress::There(()) => {
                    Progress::NotYet("its containers of before are still told of".to_owned())
                }
                Progress::NotYet(why) | Progress::Dead(why) => Progress::NotYet(why),
            }
        };
        let what = "it was not back after the node was started";
        let end = wait_until(what, within, self.ready.every(), ask).await;
        end.map_err(|error| format!("{error}{}", self.stands()))
    }

    /// Whether none of its containers is one of these. If so, what ended of it is known to have been meant.
    fn is_another(&self, before: &BTreeSet<String>) -> bool {
        let known = self.base.known.borrow();
        let here = of_component(&known, &self.name).into_iter().filter(|pod| is_there(pod));
        let here: Vec<_> = here.flat_map(lasting).collect();
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

    fn refused(&self, why: String) -> ControlError {
        ControlError::Cluster { name: self.name.clone(), why }
    }

    /// The containers of it that run, by their ids.
    fn running(&self) -> Vec<String> {
        let known = self.base.known.borrow();
        let here = of_component(&known, &self.name).into_iter().flat_map(lasting);
        here.filter(|status| is_running(status)).filter_map(|status| status.container_id.clone()).collect()
    }

    async fn send(&self, id: &str, signal: Signal) -> Result<(), String> {
        self.base.node.signal(id, signal.as_raw()).await.map_err(|error| chain(&error))
    }

    /// Has nothing of it run any more, and waits until nothing of it is there.
    async fn clear(&self, how: End) -> Result<(), String> {
        let mut killed = BTreeSet::new();
        if how == End::Killed {
            self.kill(&mut killed).await?;
        }
        self.scale(0).await?;
        let mut known = self.base.known.clone();
        while !of_component(&known.borrow_and_update(), &self.name).is_empty() {
            if how == End::Killed {
                // A kubelet starts at once what ends for the first time, and would end that gently. It may be faster.
                let _ = self.kill(&mut killed).await;
            }
            if known.changed().await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Kills what of it runs and was not killed yet.
    async fn kill(&self, killed: &mut BTreeSet<String>) -> Result<(), String> {
        for id in self.running() {
            if killed.insert(id.clone()) {
                // Should what follows fail, its pod stays, and tells of this end for as long as it is there.
                self.base.meant.add([id.clone()]);
                self.send(&id, Signal::KILL).await?;
            }
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

impl Runs for Member {
    type What = Value;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn orders(&self) -> &Orders {
        &self.orders
    }

    fn prepare(&self) -> Option<&Prepare> {
        self.prepare.as_ref()
    }

    /// Its kubelet starts again what has ended.
    fn has_died(&self) -> bool {
        false
    }

    async fn successor(&self, release: Arc<ResolvedSet>) -> Result<Successor, String> {
        (self.succession)(release).await
    }

    async fn end(&self, how: End) -> Result<(), ControlError> {
        let address = self.address();
        self.state().was_at = address;
        let late = |_| format!("its pod was not gone after {GONE_WITHIN:?}");
        let cleared = timeout(GONE_WITHIN, self.clear(how)).await.map_err(late).flatten();
        cleared.map_err(|why| self.refused(why))
    }

    async fn launch(&self, object: Option<Value>) -> Result<(), ControlError> {
        if let Some(object) = object {
            self.state().object = object;
        }
        self.apply().await.map(drop).map_err(|error| self.failed(chain(&error)))
    }

    async fn ready(&self) -> Result<Vec<String>, ControlError> {
        self.wait().await.map_err(|why| self.failed(chain(&self.not_ready(why))))?;
        Ok(self.moved())
    }

    async fn signal(&self, signal: Signal) -> Result<(), ControlError> {
        let running = self.running();
        if running.is_empty() {
            return Err(self.refused("none of its containers runs".to_owned()));
        }
        for id in running {
            self.send(&id, signal).await.map_err(|why| self.refused(why))?;
        }
        Ok(())
    }

    fn replicate(&self, count: u32) -> Result<(), ControlError> {
        if self.electing.is_none() {
            return Err(ControlError::Single { name: self.name.clone() });
        }
        self.state().replicas = count;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
