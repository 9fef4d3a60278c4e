//! A scenario while it is being read: what has a name so far, and what follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use handover_harness::event::{CredentialName, Hop};

use super::catalogue::Siblings;
use super::duration::spoken;
use super::error::Sink;
use super::form::Form;
use super::manifest::Object;
use super::names::{Bound, did_you_mean, listed};
use super::node::Node;
use super::scale::{Grain, Scale};
use super::scenario::{
    CallCounter, Credential, Database, DynamicRole, GivenSecret, Inference, Kv, LeaseCounter, LoginRole,
    Manifest, MetricCounter, ObjectCounter, ObjectRef, Policy, Reader, ReleaseRef, Request, Seed, StaticRole,
    Step, Store, WatchedCondition, Workload,
};
use super::source::{Source, Span};
use super::vars::{Interval, Vars};

/// What the rooms read into and look up in.
pub(crate) struct Draft<'a> {
    pub(crate) sink: &'a Sink,
    pub(crate) siblings: &'a Siblings,
    pub(crate) vars: Vars,
    /// How much intervals, periods and lifetimes shrink.
    pub(crate) scale: Option<Scale>,
    /// On which releases it begins.
    pub(crate) releases: Vec<ReleaseRef>,
    /// How many replicas of ESO there are.
    pub(crate) replicas: Option<u32>,
    pub(crate) databases: Bound<Database>,
    pub(crate) stores: Bound<GivenStore>,
    pub(crate) objects: Vec<Object>,
    /// A manifest could not be read: what is missing may stand there.
    pub(crate) blind: bool,
    pub(crate) credentials: Bound<Held>,
    pub(crate) readers: Bound<Reader>,
    pub(crate) workloads: Bound<Workload>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) logins: Vec<LoginRole>,
    pub(crate) preparations: Vec<Request>,
    /// What steps apply: it can be named by later ones.
    pub(crate) later: Vec<Manifest>,
    /// Moments that have a name: which step each is.
    pub(crate) marks: Bound<usize>,
    /// Whether the scenario has the plane to itself.
    pub(crate) exclusive: bool,
    /// What `watch` says about credentials.
    pub(crate) periods: BTreeMap<CredentialName, Duration>,
    pub(crate) counted: Vec<ObjectCounter>,
    pub(crate) calls: Vec<CallCounter>,
    pub(crate) leases: Vec<LeaseCounter>,
    pub(crate) metrics: Vec<MetricCounter>,
    pub(crate) conditions: Vec<WatchedCondition>,
    pub(crate) steps: Vec<Step>,
    pub(crate) inferences: Vec<Inference>,
}

/// Where a credential is kept, or comes from.
#[derive(Clone)]
pub(crate) enum GivenStore {
    Kv(Kv),
    StaticRole(StaticRole),
    DynamicRole(DynamicRole),
    Secret(GivenSecret),
}

/// A credential and how often it is refreshed.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) credential: Credential,
    pub(crate) interval: Interval,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(sink: &'a Sink, siblings: &'a Siblings, vars: Vars) -> Self {
        Self {
            sink,
            siblings,
            vars,
            scale: None,
            releases: Vec::new(),
            replicas: None,
            databases: Bound::new("database"),
            stores: Bound::new("store"),
            objects: Vec::new(),
            blind: false,
            credentials: Bound::new("credential"),
            readers: Bound::new("reader"),
            workloads: Bound::new("workload"),
            policies: Vec::new(),
            logins: Vec::new(),
            preparations: Vec::new(),
            later: Vec::new(),
            marks: Bound::new("mark"),
            exclusive: false,
            periods: BTreeMap::new(),
            counted: Vec::new(),
            calls: Vec::new(),
            leases: Vec::new(),
            metrics: Vec::new(),
            conditions: Vec::new(),
            steps: Vec::new(),
            inferences: Vec::new(),
        }
    }

    /// The file beside the scenario that a node names.
    pub(crate) fn sibling(&self, node: &Node) -> Option<std::sync::Arc<Source>> {
        let name = super::form::text(self.sink, node)?;
        match self.siblings.read(name) {
            Ok(source) => Some(source),
            Err(why) => {
                self.sink.report_with(&node.span, why, "paths are relative to the scenario's file");
                None
            }
        }
    }

    /// An object of the manifests, shrunk where a scale is set.
    pub(crate) fn add(&mut self, mut object: Object) {
        if let Some(scale) = &self.scale {
            self.inferences.extend(object.shrink(self.sink, scale));
        }
        self.objects.push(object);
    }

    /// A period or lifetime that the scenario gives, shrunk where a scale is set; each change is noted. `what`
    /// is what it is called: `rotation_period of fleet`.
    pub(crate) fn scaled(&mut self, at: &Span, what: &str, real: Duration, grain: Grain) -> Option<Duration> {
        let Some(scale) = &self.scale else { return Some(real) };
        let short = scale.shrink(self.sink, at, what, real, grain)?;
        let text = format!("{what} is {} here, not {} ({scale})", spoken(short), spoken(real));
        self.inferences.push(Inference { text, file: at.source.name().to_owned(), line: at.line() });
        Some(short)
    }

    /// The credential that a key of the form names.
    pub(crate) fn credential(&self, form: &Form<'_, '_>, key: &str) -> Option<Held> {
        self.credentials.find(self.sink, form.need(key)?).cloned()
    }

    fn watched_workloads(&self, credential: &str) -> bool {
        self.workloads.iter().any(|workload| workload.credential == *credential && workload.watched)
    }

    /// Whether a database has a user for the credential, whose password can be tried.
    pub(crate) fn has_user(&self, credential: &Credential) -> bool {
        match &credential.store {
            Some(Store::StaticRole(_)) => true,
            Some(Store::Kv(name)) => self.kv(name).is_some_and(|kv| matches!(kv.seed, Seed::Holds(_))),
            Some(Store::Secret(name)) => self.secret(name).is_some_and(|secret| secret.holds.is_some()),
            Some(Store::DynamicRole(_)) | None => false,
        }
    }

    /// The credential that a reader or workload uses.
    pub(crate) fn credential_of(&self, probe: &str) -> Option<&Held> {
        let reader = self.readers.get(probe).map(|reader| &reader.credential);
        let name = reader.or_else(|| self.workloads.get(probe).map(|workload| &workload.credential))?;
        self.credentials.get(name)
    }

    /// The hops at which a credential is seen.
    pub(crate) fn hops(&self, credential: &Credential) -> Vec<Hop> {
        let has = |hop: &Hop| match hop {
            Hop::Origin => credential.tried && self.has_user(credential),
            Hop::Store => matches!(credential.store, Some(Store::StaticRole(_) | Store::Kv(_))),
            Hop::Sync => credential.secret.as_ref().is_some_and(|secret| secret.external_secret.is_some()),
            Hop::Secret => credential.secret.is_some(),
            Hop::Workload => self.watched_workloads(&credential.name),
            Hop::Login => {
                self.readers.iter().any(|reader| reader.credential == credential.name)
                    || self.watched_workloads(&credential.name)
            }
        };
        Hop::ALL.into_iter().filter(has).collect()
    }

    /// The hop that a key of the form names; it must be one that the credential has.
    pub(crate) fn hop(&self, form: &Form<'_, '_>, key: &str, of: Option<&Held>) -> Option<Hop> {
        let node = form.need(key)?;
        let word = super::form::text(self.sink, node)?;
        let words = || Hop::ALL.into_iter().map(Hop::word);
        let Some(hop) = Hop::ALL.into_iter().find(|hop| hop.word() == word) else {
            let message = format!("no hop `{word}`{}", did_you_mean(word, words()));
            self.sink.report_with(&node.span, message, format!("hops: {}", listed(words())));
            return None;
        };
        let credential = &of?.credential;
        let hops = self.hops(credential);
        if hops.contains(&hop) {
            return Some(hop);
        }
        let reader_unknown = hop == Hop::Login && self.readers.any_broken()
            || matches!(hop, Hop::Login | Hop::Workload) && self.workloads.any_broken();
        if !reader_unknown {
            let message = format!("`{}` is not seen at `{word}`", credential.name);
            let has = listed(hops.into_iter().map(Hop::word));
            self.sink.report_with(&node.span, message, format!("it is seen at {has}"));
        }
        None
    }

    /// A duration that must be there; `refresh_interval` is that of the credential.
    pub(crate) fn duration(&self, form: &Form<'_, '_>, key: &str, of: Option<&Held>) -> Option<Duration> {
        let interval = of.map_or(&Interval::Unknown, |held| &held.interval);
        self.vars.duration(self.sink, form.need(key)?, interval)
    }

    /// A duration that must be there and speaks of no credential.
    pub(crate) fn plain_duration(&self, form: &Form<'_, '_>, key: &str) -> Option<Duration> {
        let interval = Interval::Never("no credential is spoken of".to_owned());
        self.vars.duration(self.sink, form.need(key)?, &interval)
    }

    /// Counts the objects of a kind; the counter's name.
    pub(crate) fn count_objects(&mut self, kind: &str) -> String {
        let counter = format!("objects:{kind}");
        if !self.counted.iter().any(|known| known.counter == counter) {
            self.counted.push(ObjectCounter { kind: kind.to_owned(), counter: counter.clone() });
        }
        counter
    }

    /// The object that a node names: `[NAMESPACE/]kind/NAME`, one of the manifests.
    pub(crate) fn object(&self, node: &Node) -> Option<ObjectRef> {
        let word = super::form::text(self.sink, node)?;
        let given = self.objects.iter().map(|object| &object.manifest).chain(&self.later);
        let all: Vec<ObjectRef> = given.map(object_ref).chain(self.secrets().map(secret_ref)).collect();
        let found: Vec<&ObjectRef> = all.iter().filter(|object| object.to_string() == word).collect();
        match found.as_slice() {
            [one, ..] => Some((*one).clone()),
            [] if self.blind => None,
            [] => {
                let names: Vec<String> = all.iter().map(ToString::to_string).collect();
                let names = || names.iter().map(String::as_str);
                let message = format!("the manifests hold no `{word}`{}", did_you_mean(word, names()));
                self.sink.report_with(&node.span, message, format!("they hold {}", listed(names())));
                None
            }
        }
    }

    /// Every object of a kind among the manifests that are given.
    pub(crate) fn all_of_kind(&self, kind: &str) -> Vec<ObjectRef> {
        let manifests = self.objects.iter().map(|object| &object.manifest);
        manifests.filter(|manifest| manifest.kind == kind).map(object_ref).collect()
    }

    /// The manifest behind an object; none where a step applies it.
    pub(crate) fn manifest(&self, object: &ObjectRef) -> Option<&Object> {
        self.objects.iter().find(|known| object_ref(&known.manifest) == *object)
    }

    /// A KV path by its name.
    pub(crate) fn kv(&self, name: &str) -> Option<&Kv> {
        match self.stores.get(name)? {
            GivenStore::Kv(kv) => Some(kv),
            GivenStore::StaticRole(_) | GivenStore::DynamicRole(_) | GivenStore::Secret(_) => None,
        }
    }

    /// A given Secret by its name.
    pub(crate) fn secret(&self, name: &str) -> Option<&GivenSecret> {
        self.secrets().find(|secret| secret.name == name)
    }

    fn secrets(&self) -> impl Iterator<Item = &GivenSecret> {
        self.stores.iter().filter_map(|store| match store {
            GivenStore::Secret(secret) => Some(secret),
            GivenStore::Kv(_) | GivenStore::StaticRole(_) | GivenStore::DynamicRole(_) => None,
        })
    }

    /// Counts the leases of a dynamic role; what the names of their counters begin with.
    pub(crate) fn count_leases(&mut self, role: &str) -> String {
        let counter = format!("leases:{role}");
        if !self.leases.iter().any(|known| known.counter == counter) {
            self.leases.push(LeaseCounter { role: role.to_owned(), counter: counter.clone() });
        }
        counter
    }

    /// Scrapes a figure; the counter's name.
    pub(crate) fn count_metric(
        &mut self,
        of: &str,
        metric: &str,
        labels: BTreeMap<String, String>,
    ) -> String {
        let told: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
        let counter = match told.as_slice() {
            [] => format!("metric:{of}:{metric}"),
            told => format!("metric:{of}:{metric}{{{}}}", told.join(",")),
        };
        if !self.metrics.iter().any(|known| known.counter == counter) {
            let (of, metric) = (of.to_owned(), metric.to_owned());
            self.metrics.push(MetricCounter { of, metric, labels, counter: counter.clone() });
        }
        counter
    }

    /// Watches a condition; the state's name.
    pub(crate) fn watch_condition(&mut self, object: &ObjectRef, condition: &str) -> String {
        let state = format!("condition:{object}:{condition}");
        if !self.conditions.iter().any(|known| known.state == state) {
            let (object, condition) = (object.clone(), condition.to_owned());
            self.conditions.push(WatchedCondition { object, condition, state: state.clone() });
        }
        state
    }

    /// Counts the requests to a path; the counter's name.
    pub(crate) fn count_calls(&mut self, path: &str) -> String {
        let counter = format!("calls:{path}");
        if !self.calls.iter().any(|known| known.counter == counter) {
            self.calls.push(CallCounter { path: path.to_owned(), counter: counter.clone() });
        }
        counter
    }
}

fn object_ref(manifest: &Manifest) -> ObjectRef {
    ObjectRef {
        api_version: manifest.object["apiVersion"].as_str().unwrap_or_default().to_owned(),
        kind: manifest.kind.clone(),
        namespace: manifest.namespace.clone(),
        name: manifest.name.clone(),
    }
}

fn secret_ref(secret: &GivenSecret) -> ObjectRef {
    ObjectRef {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: secret.namespace.clone(),
        name: secret.name.clone(),
    }
}
