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
    CallCounter, Credential, Database, Inference, Kv, ObjectCounter, Reader, StaticRole, Step, Store,
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
    pub(crate) databases: Bound<Database>,
    pub(crate) stores: Bound<GivenStore>,
    pub(crate) objects: Vec<Object>,
    /// A manifest could not be read: what is missing may stand there.
    pub(crate) blind: bool,
    pub(crate) credentials: Bound<Held>,
    pub(crate) readers: Bound<Reader>,
    /// What `watch` says about credentials.
    pub(crate) periods: BTreeMap<CredentialName, Duration>,
    pub(crate) counted: Vec<ObjectCounter>,
    pub(crate) calls: Vec<CallCounter>,
    pub(crate) steps: Vec<Step>,
    pub(crate) inferences: Vec<Inference>,
}

/// Where OpenBao keeps a credential.
#[derive(Clone)]
pub(crate) enum GivenStore {
    Kv(Kv),
    StaticRole(StaticRole),
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
            databases: Bound::new("database"),
            stores: Bound::new("store"),
            objects: Vec::new(),
            blind: false,
            credentials: Bound::new("credential"),
            readers: Bound::new("reader"),
            periods: BTreeMap::new(),
            counted: Vec::new(),
            calls: Vec::new(),
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

    /// The hops at which a credential is seen.
    pub(crate) fn hops(&self, credential: &Credential) -> Vec<Hop> {
        let has = |hop: &Hop| match hop {
            Hop::Origin => matches!(credential.store, Some(Store::StaticRole(_))),
            Hop::Store => credential.store.is_some(),
            Hop::Sync => credential.secret.as_ref().is_some_and(|secret| secret.external_secret.is_some()),
            Hop::Secret => credential.secret.is_some(),
            Hop::Workload => false,
            Hop::Login => self.readers.iter().any(|reader| reader.credential == credential.name),
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
        let reader_unknown = hop == Hop::Login && self.readers.any_broken();
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

    /// Counts the requests to a path; the counter's name.
    pub(crate) fn count_calls(&mut self, path: &str) -> String {
        let counter = format!("calls:{path}");
        if !self.calls.iter().any(|known| known.counter == counter) {
            self.calls.push(CallCounter { path: path.to_owned(), counter: counter.clone() });
        }
        counter
    }
}
