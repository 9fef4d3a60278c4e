//! One scenario's story: its plan, the steps that were played, and everything seen meanwhile.

use std::collections::BTreeMap;

use super::track::Track;
use crate::clock::Micros;
use crate::event::{
    ComponentInfo, CounterName, CredentialName, Ending, Event, Phase, ProbeName, Refusal, ReplicaName,
    StateName, What,
};
use crate::mask::Masked;
use crate::plan::{MovesBy, Plan};

/// Everything known of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it is going to do; empty where that was never recorded.
    pub plan: Plan,
    /// When its plan (or, without one, its first event) was recorded.
    pub began: Micros,
    /// When and how it ended; none: it still plays, or the run was killed.
    pub ended: Option<(Micros, Ending)>,
    /// Its steps, by their position.
    pub steps: BTreeMap<usize, Played>,
    /// Its credentials.
    pub tracks: BTreeMap<CredentialName, Track>,
    /// Its counters, in order.
    pub counts: BTreeMap<CounterName, Vec<Counting>>,
    /// How the replicas of its workloads came and went, in order.
    pub replicas: BTreeMap<ProbeName, Vec<Presence>>,
    /// Who was turned away, as the servers' logs tell it, in order.
    pub refusals: Vec<TurnedAway>,
    /// The states that named things had, in order.
    pub states: BTreeMap<StateName, Vec<Remark>>,
    /// The releases that it put in place of others, in order.
    pub releases: Vec<Placed>,
    /// When its watches were blind, in order.
    pub gaps: Vec<Blind>,
    /// Free text, in order.
    pub notes: Vec<Remark>,
    /// When its latest event was recorded.
    pub last_at: Micros,
    /// How much earlier than its news a watched change may have happened; none where that was not measured.
    pub error_bar: Option<Micros>,
}

/// A step as far as it was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// What it does.
    pub text: String,
    /// When it began.
    pub began: Micros,
    /// When it ended.
    pub ended: Option<Micros>,
    /// Where it stands.
    pub phase: Phase,
    /// The event that says so.
    pub seq: u64,
}

/// A reading of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// How many there were.
    pub value: u64,
}

/// A replica comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// Which.
    pub name: ReplicaName,
    /// Whether it is there from now on.
    pub there: bool,
}

/// Somebody was turned away, as a server's log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// Who, where.
    pub refusal: Refusal,
}

/// Another release of a component takes the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The event.
    pub seq: u64,
    /// When: the one before still runs, and is stopped next.
    pub at: Micros,
    /// The one that comes.
    pub release: ComponentInfo,
}

/// A time in which a watch was blind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    /// The event.
    pub seq: u64,
    /// Which watch.
    pub probe: ProbeName,
    /// Since when.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
    /// Why.
    pub why: Masked,
}

/// Free text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// The text.
    pub text: Masked,
}

impl Story {
    /// A story of which nothing is known but when it began and what a watch can resolve.
    pub(super) fn new(began: Micros, error_bar: Option<Micros>) -> Self {
        Self {
            plan: Plan::default(),
            began,
            ended: None,
            steps: BTreeMap::new(),
            tracks: BTreeMap::new(),
            counts: BTreeMap::new(),
            replicas: BTreeMap::new(),
            refusals: Vec::new(),
            states: BTreeMap::new(),
            releases: Vec::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
            last_at: began,
            error_bar,
        }
    }

    /// Puts one event in its place.
    pub(super) fn absorb(&mut self, event: &Event) {
        let (seq, at) = (event.seq, event.at);
        self.last_at = self.last_at.max(at);
        match &event.what {
            What::Plan(plan) => {
                self.plan = Plan::clone(plan);
                self.began = at;
            }
            What::Step(step) => {
                let played = self.steps.entry(step.index).or_insert_with(|| Played {
                    text: step.text.clone(),
                    began: at,
                    ended: None,
                    phase: Phase::Started,
                    seq,
                });
                played.ended = (step.phase != Phase::Started).then_some(at);
                played.phase = step.phase.clone();
                played.seq = seq;
            }
            What::Ordered(order) => self.track(&order.credential).order(seq, at, order),
            What::Written { credential, sighting } => self.track(credential).write(at, sighting),
            What::Seen(seen) => {
                let told = self.told(&seen.probe, seen.asked);
                self.track(&seen.credential).see(seq, seen, told);
            }
            What::Count { counter, value } => {
                self.counts.entry(counter.clone()).or_default().push(Counting { seq, at, value: *value });
            }
            What::Replica { of, name, there } => {
                let presence = Presence { seq, at, name: name.clone(), there: *there };
                self.replicas.entry(of.clone()).or_default().push(presence);
            }
            What::Refusal(refusal) => {
                self.refusals.push(TurnedAway { seq, at, refusal: refusal.clone() });
            }
            What::State { state, is } => {
                let remark = Remark { seq, at, text: is.clone() };
                self.states.entry(state.clone()).or_default().push(remark);
            }
            What::Replaced(release) => self.releases.push(Placed { seq, at, release: release.clone() }),
            What::Gap { probe, from, why } => {
                let (probe, why) = (probe.clone(), why.clone());
                self.gaps.push(Blind { seq, probe, from: *from, until: at, why });
            }
            What::Note(text) => self.notes.push(Remark { seq, at, text: text.clone() }),
            What::End(ending) => self.ended = Some((at, ending.clone())),
            // These speak of the run as a whole, whoever recorded them.
            What::Run(_) | What::Calibrated(_) | What::Component { .. } | What::Usage { .. } => {}
        }
    }

    /// A credential's track, begun with the plan's fields when it is first heard of.
    fn track(&mut self, credential: &str) -> &mut Track {
        let plan = &self.plan;
        self.tracks.entry(credential.to_owned()).or_insert_with(|| {
            let planned = plan.credentials.get(credential);
            let moves_at = planned.and_then(|planned| match planned.moves {
                MovesBy::Ordered => None,
                MovesBy::Itself { at } => Some(at),
            });
            Track::of(planned.map(|planned| planned.fields.clone()).unwrap_or_default(), moves_at)
        })
    }
}
