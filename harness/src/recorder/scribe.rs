//! Records in the name of one scenario, and masks what others said.

use super::Recorder;
use crate::event::{Observation, Phase, ScenarioId, Step, What};
use crate::mask::{Masked, Masker};

/// A [`Recorder`] and a [`Masker`], bound to one scenario or to the run itself. Cheap to clone.
#[derive(Clone)]
pub struct Scribe {
    recorder: Recorder,
    masker: Masker,
    scenario: Option<ScenarioId>,
}

impl Scribe {
    /// Records for `scenario`; without one for the run.
    pub fn new(recorder: Recorder, masker: Masker, scenario: Option<ScenarioId>) -> Self {
        Self { recorder, masker, scenario }
    }

    /// Records that this happens now, and returns its number.
    pub fn record(&self, what: What) -> u64 {
        self.recorder.record(self.scenario.as_deref(), what)
    }

    /// Records free text for people, masked.
    pub fn note(&self, text: &str) -> u64 {
        self.record(What::Note(self.mask(text)))
    }

    /// Records where a step stands: its position in the file from 0, and what it does in words.
    pub fn step(&self, index: usize, text: impl Into<String>, phase: Phase) -> u64 {
        self.record(What::Step(Step { index, text: text.into(), phase }))
    }

    /// Records what a probe learnt.
    pub fn seen(&self, observation: Observation) -> u64 {
        self.record(What::Seen(observation))
    }

    /// Text fit to be recorded.
    pub fn mask(&self, text: &str) -> Masked {
        self.masker.mask(text)
    }

    /// Where it records.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What it masks with.
    pub fn masker(&self) -> &Masker {
        &self.masker
    }

    /// For which scenario; none for the run.
    pub fn scenario(&self) -> Option<&str> {
        self.scenario.as_deref()
    }
}
