//! The timeline: all events of a run, put where questions can be asked of them.
//!
//! There is one way in, [`Timeline::absorb`]. A player that is still playing feeds it event by event and
//! waits on levels; [`fold`] feeds it the lines of a finished (or killed) run's file. So what a wait saw
//! and what the judge sees cannot differ.

mod arrival;
mod drift;
mod fold;
mod query;
mod replicas;
#[cfg(test)]
pub(crate) mod sketch;
mod story;
#[cfg(test)]
mod tests;
mod track;

use std::collections::BTreeMap;

pub use arrival::{Arrival, Seen};
pub use fold::{Damaged, fold};
pub use query::Move;
pub(crate) use query::moves_among;
pub use replicas::{Life, Reach};
pub use story::{Blind, Counting, Placed, Played, Presence, Remark, Story, TurnedAway};
pub use track::{Answer, Generation, Rotation, Sample, Track};

use crate::clock::Micros;
use crate::event::{Calibration, ComponentState, Ending, Event, Header, RunInfo, ScenarioId, What};

/// A whole run as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The file's first line.
    pub header: Header,
    /// On what it plays.
    pub run: Option<RunInfo>,
    /// What the host can resolve.
    pub calibration: Option<Calibration>,
    /// The scenarios that were heard of.
    pub stories: BTreeMap<ScenarioId, Story>,
    /// What each server used, in order.
    pub usage: BTreeMap<String, Vec<Reading>>,
    /// How the servers changed their states, in order.
    pub components: Vec<Change>,
    /// Free text about the run itself.
    pub notes: Vec<Remark>,
    /// When and how the run ended; none: it is still running, or was killed.
    pub ending: Option<(Micros, Ending)>,
    /// Whether the file ends in the middle of a line.
    pub torn: bool,
    /// When the latest event was recorded.
    pub last_at: Micros,
}

/// One reading of what a server has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When it was read.
    pub at: Micros,
    /// CPU time since the server's start.
    pub cpu: Micros,
    /// Resident memory in bytes.
    pub rss: u64,
}

/// A server's change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// Which server.
    pub name: String,
    /// To what.
    pub state: ComponentState,
}

impl Timeline {
    /// A run of which nothing but the header is known.
    pub fn new(header: Header) -> Self {
        Self {
            last_at: header.at,
            header,
            run: None,
            calibration: None,
            stories: BTreeMap::new(),
            usage: BTreeMap::new(),
            components: Vec::new(),
            notes: Vec::new(),
            ending: None,
            torn: false,
        }
    }

    /// Puts one event in its place. Events must come in the order of their `seq`.
    pub fn absorb(&mut self, event: &Event) {
        self.last_at = self.last_at.max(event.at);
        if let Some(scenario) = &event.scenario {
            let bar = self.error_bar();
            let story = self.stories.entry(scenario.clone()).or_insert_with(|| Story::new(event.at, bar));
            return story.absorb(event);
        }
        match &event.what {
            What::Run(run) => self.run = Some(run.clone()),
            What::Calibrated(calibration) => {
                self.calibration = Some(calibration.clone());
                let bar = self.error_bar();
                self.stories.values_mut().for_each(|story| story.error_bar = bar);
            }
            What::Component { name, state } => self.components.push(Change {
                seq: event.seq,
                at: event.at,
                name: name.clone(),
                state: state.clone(),
            }),
            What::Usage { name, cpu, rss } => self.usage.entry(name.clone()).or_default().push(Reading {
                at: event.at,
                cpu: *cpu,
                rss: *rss,
            }),
            What::Note(text) => {
                self.notes.push(Remark { seq: event.seq, at: event.at, text: text.clone() });
            }
            What::End(ending) => self.ending = Some((event.at, ending.clone())),
            // These speak of a scenario; without one they speak of nothing.
            What::Plan(_)
            | What::Step(_)
            | What::Ordered(_)
            | What::Written { .. }
            | What::Seen(_)
            | What::Count { .. }
            | What::Replica { .. }
            | What::Refusal(_)
            | What::State { .. }
            | What::Replaced(_)
            | What::Gap { .. } => {}
        }
    }

    /// How much earlier than its news a watched change may have happened; none before the calibration.
    fn error_bar(&self) -> Option<Micros> {
        self.calibration.as_ref().map(|calibration| calibration.watch_delivery.p99)
    }
}
