//! Timelines for tests, sketched event by event. Times are milliseconds; a value is any word.

use std::collections::BTreeMap;

use super::{Story, Timeline};
use crate::clock::Micros;
use crate::event::{
    Calibration, Ending, Event, FORMAT, Header, Hop, Observation, Order, OrderKind, Outcome, Phase,
    Quantiles, Step, What,
};
use crate::fingerprint::{Fingerprint, Sighting};
use crate::mask::Masked;
use crate::plan::{CredentialPlan, Expectation, Expected, MovesBy, Plan, ProbePlan};

/// When every sketch begins: a machine that has been up for a while.
const UP: u64 = 5_000_000_000;

/// Milliseconds into the sketch.
pub(crate) fn ms(ms: u64) -> Micros {
    Micros(UP + ms * 1_000)
}

/// A span of milliseconds.
pub(crate) fn span(ms: u64) -> Micros {
    Micros(ms * 1_000)
}

/// What is seen of a value: a fixed username, and a password that stands for it.
pub(crate) fn value(word: &str) -> Sighting {
    let field = |name: &str, print: &str| (name.to_owned(), Fingerprint(print.to_owned()));
    Sighting(BTreeMap::from([field("username", "u"), field("password", word)]))
}

/// A timeline in the making, of one scenario called `s`.
#[derive(Clone)]
pub(crate) struct Sketch {
    pub(crate) header: Header,
    pub(crate) events: Vec<Event>,
    pub(crate) plan: Plan,
}

impl Sketch {
    /// A host whose watches tell within 10 ms, and a scenario of one step.
    pub(crate) fn new() -> Self {
        let header =
            Header { format: FORMAT, run: "run".into(), wall: "2026-11-23T17:00:00Z".into(), at: ms(0) };
        let plan = Plan { about: "about".into(), file: "s.yaml".into(), steps: 1, ..Plan::default() };
        let mut sketch = Self { header, events: Vec::new(), plan };
        let watch_delivery = Quantiles { n: 100, p50: span(1), p99: span(10), max: span(12) };
        let calibration = Calibration { watch_delivery, ..Calibration::default() };
        sketch.push(0, What::Calibrated(calibration));
        sketch.events[0].scenario = None;
        sketch
    }

    /// The sketch that most tests start from: `app`, checked by a server, logged in with by `web` and at
    /// the origin by `old`, asked for at the store, watched at the Secret.
    pub(crate) fn app() -> Self {
        Self::new()
            .credential("app", Some("mysql"), &[Hop::Store, Hop::Secret, Hop::Login])
            .probe("old", "app", Hop::Origin, Some(100))
            .probe("store", "app", Hop::Store, Some(200))
            .probe("secret", "app", Hop::Secret, None)
            .probe("web", "app", Hop::Login, Some(20))
    }

    /// The same, checked by nobody: a value in a store.
    pub(crate) fn kv() -> Self {
        Self::new()
            .credential("app", None, &[Hop::Store, Hop::Secret])
            .probe("store", "app", Hop::Store, Some(200))
            .probe("secret", "app", Hop::Secret, None)
    }

    pub(crate) fn credential(mut self, name: &str, checked_by: Option<&str>, hops: &[Hop]) -> Self {
        let fields = vec!["username".into(), "password".into()];
        let checked_by = checked_by.map(str::to_owned);
        self.plan.credentials.insert(
            name.into(),
            CredentialPlan {
                fields,
                checked_by,
                hops: hops.to_vec(),
                refresh: None,
                forced_by: Vec::new(),
                moves: MovesBy::Ordered,
            },
        );
        self
    }

    /// The credential `app` moves by itself, too, and at this hop first.
    pub(crate) fn moving_itself(mut self, at: Hop) -> Self {
        self.plan.credentials.get_mut("app").expect("app is planned").moves = MovesBy::Itself { at };
        self
    }

    pub(crate) fn probe(mut self, name: &str, credential: &str, hop: Hop, every: Option<u64>) -> Self {
        let every = every.map(span);
        self.plan.probes.insert(name.into(), ProbePlan { credential: credential.into(), hop, every });
        self
    }

    pub(crate) fn expect(mut self, expectation: Expectation) -> Self {
        let line = 10 + self.plan.expectations.len() as u64;
        let (verb, text) = ("verb".into(), format!("expectation {line}"));
        self.plan.expectations.push(Expected { verb, text, line, expectation });
        self
    }

    /// An event of the scenario.
    pub(crate) fn push(&mut self, at: u64, what: What) -> &mut Self {
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event { seq, at: ms(at), scenario: Some("s".into()), what });
        self
    }

    pub(crate) fn with(mut self, at: u64, what: What) -> Self {
        self.push(at, what);
        self
    }

    /// The plan as it is now, and the beginning of its first step.
    pub(crate) fn begin(self) -> Self {
        let plan = What::Plan(Box::new(self.plan.clone()));
        self.with(0, plan).step(0, Phase::Started)
    }

    pub(crate) fn step(self, at: u64, phase: Phase) -> Self {
        self.with(at, What::Step(Step { index: 0, text: "rotate app".into(), phase }))
    }

    /// The step of this position begins.
    pub(crate) fn begins(self, at: u64, index: usize) -> Self {
        self.with(at, What::Step(Step { index, text: "force a sync".into(), phase: Phase::Started }))
    }

    pub(crate) fn ordered(self, at: u64) -> Self {
        self.with(at, What::Ordered(Order { credential: "app".into(), kind: OrderKind::Forced }))
    }

    pub(crate) fn written(self, at: u64, word: &str) -> Self {
        self.with(at, What::Written { credential: "app".into(), sighting: value(word) })
    }

    /// A rotation that sets this value at once.
    pub(crate) fn rotate(self, at: u64, word: &str) -> Self {
        self.ordered(at).written(at, word)
    }

    /// What a probe learnt, asked and answered at these moments.
    pub(crate) fn saw(mut self, probe: &str, asked: u64, answered: u64, outcome: Outcome) -> Self {
        self.see(probe, asked, answered, outcome);
        self
    }

    pub(crate) fn see(&mut self, probe: &str, asked: u64, answered: u64, outcome: Outcome) {
        let ProbePlan { credential, hop, .. } = self.plan.probes[probe].clone();
        let (probe, due) = (probe.to_owned(), ms(asked));
        let (asked, late) = (ms(asked), answered);
        let seen =
            Observation { credential, hop, probe, by: None, due, asked, answered: ms(answered), outcome };
        self.push(late, What::Seen(seen));
    }

    /// What one of several replicas reported.
    pub(crate) fn by(mut self, name: &str, probe: &str, asked: u64, answered: u64, outcome: Outcome) -> Self {
        self.see(probe, asked, answered, outcome);
        if let Some(Event { what: What::Seen(seen), .. }) = self.events.last_mut() {
            seen.by = Some(name.to_owned());
        }
        self
    }

    /// A replica of `web` comes or goes.
    pub(crate) fn replica(self, at: u64, name: &str, there: bool) -> Self {
        self.with(at, What::Replica { of: "web".into(), name: name.into(), there })
    }

    /// Something has this state now.
    pub(crate) fn state(self, at: u64, state: &str, is: &str) -> Self {
        self.with(at, What::State { state: state.into(), is: Masked::own(is.to_owned()) })
    }

    pub(crate) fn counted(self, at: u64, counter: &str, value: u64) -> Self {
        self.with(at, What::Count { counter: counter.into(), value })
    }

    pub(crate) fn shows(self, probe: &str, asked: u64, answered: u64, word: &str) -> Self {
        self.saw(probe, asked, answered, Outcome::Shows(value(word)))
    }

    /// News that arrived by watch.
    pub(crate) fn news(self, at: u64, word: &str) -> Self {
        self.shows("secret", at, at, word)
    }

    pub(crate) fn accepted(self, probe: &str, asked: u64, answered: u64, word: &str) -> Self {
        self.saw(probe, asked, answered, Outcome::Accepted(value(word)))
    }

    pub(crate) fn refused(self, probe: &str, asked: u64, answered: u64, word: &str) -> Self {
        self.saw(probe, asked, answered, Outcome::Refused(value(word)))
    }

    pub(crate) fn unreachable(self, probe: &str, asked: u64, answered: u64) -> Self {
        self.saw(probe, asked, answered, Outcome::Unreachable(Masked::own("connection refused")))
    }

    pub(crate) fn gap(self, from: u64, until: u64) -> Self {
        let what =
            What::Gap { probe: "secret".into(), from: ms(from), why: Masked::own("the connection was lost") };
        self.with(until, what)
    }

    /// The step is done and the scenario is over.
    pub(crate) fn finish(self, at: u64) -> Self {
        self.step(at, Phase::Done).with(at, What::End(Ending::Finished))
    }

    pub(crate) fn timeline(&self) -> Timeline {
        let mut timeline = Timeline::new(self.header.clone());
        self.events.iter().for_each(|event| timeline.absorb(event));
        timeline
    }

    pub(crate) fn story(&self) -> Story {
        self.timeline().stories["s"].clone()
    }

    /// The file that a recorder would have written.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut file = serde_json::to_vec(&self.header).unwrap();
        for event in &self.events {
            file.push(b'\n');
            file.extend(serde_json::to_vec(event).unwrap());
        }
        file.push(b'\n');
        file
    }
}
