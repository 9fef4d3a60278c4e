//! What one version's taking another's place did to values that nobody rotates.
//!
//! The caller fills it from the timeline of the scenario that was played across the upgrade; here it is only
//! weighed. A value that moves and should stand still is worse, also where that is a known defect: whoever is about
//! to upgrade has its consequences either way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Differs, Direction, Shift};
use crate::clock::Micros;
use crate::event::{CredentialName, Hop};
use crate::verdict::{Defect, Finding, Verdict};

/// Rates that are less than this many times apart are called the same.
const APART: f64 = 1.5;

/// What was found while one version took the other's place (and, where that was played, gave it back).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Crossing {
    /// What took the place of what.
    pub changes: Vec<Differs>,
    /// What ran when, in order.
    pub phases: Vec<CrossingPhase>,
    /// The values that were watched.
    pub watched: Vec<Watched>,
    /// Those that moved.
    pub moved: Vec<Moved>,
    /// How often the store was called.
    pub calls: Vec<CallRate>,
    /// How late things were on either version.
    pub lag: Vec<Lag>,
    /// What was not watched.
    pub unwatched: Vec<Unwatched>,
    /// What else did not pass in the scenario that was played.
    pub findings: Vec<Finding>,
    /// What that scenario comes to.
    pub verdict: Verdict,
    /// What the harness could not do for these versions, or did otherwise.
    pub limits: Vec<String>,
}

/// A part of the crossing in which the same things ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrossingPhase {
    /// What ran: `eso v0.16.1`; `CRDs of v0.20.4, eso v0.16.1`; `back on eso v0.16.1`.
    pub name: String,
    /// When it began, since the scenario's plan was recorded.
    pub began_us: Micros,
    /// When it ended, since the same.
    pub ended_us: Micros,
    /// For how long the server was away at its beginning; none: it was not.
    pub outage_us: Option<Micros>,
}

/// A value that was watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watched {
    /// Which credential.
    pub credential: CredentialName,
    /// Where.
    pub at: Hop,
    /// What makes it: `ExternalSecret app/db, key password`.
    pub what: String,
    /// Where that is written: file and line.
    pub source: String,
    /// Whether it must stand still.
    pub stands_still: bool,
}

/// A value that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Which credential.
    pub credential: CredentialName,
    /// Where.
    pub at: Hop,
    /// What makes it.
    pub what: String,
    /// From which generation to which, the first time: `g0 → g1`.
    pub moves: String,
    /// The phase in which it moved first.
    pub phase: String,
    /// How long after that phase began.
    pub since_phase_us: Micros,
    /// How long after the scenario's plan was recorded.
    pub since_start_us: Micros,
    /// How often it moved in that phase.
    pub times: usize,
    /// Events that show it.
    pub evidence: Vec<u64>,
    /// The pinned defect that says so.
    pub known: Option<String>,
}

/// How often something was called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallRate {
    /// What: `reads of secret/data/app`.
    pub what: String,
    /// The refresh interval that they follow; none: the rates are per minute.
    pub interval_us: Option<Micros>,
    /// In each phase, in order.
    pub per_phase: Vec<PhaseCalls>,
}

/// How often something was called in one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseCalls {
    /// The phase.
    pub phase: String,
    /// How often in all of it.
    pub calls: u64,
    /// How often per interval, or per minute where there is none.
    pub rate: f64,
}

/// How late something was on either version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lag {
    /// What.
    pub what: String,
    /// By how much it differs.
    pub shift: Shift,
}

/// Something that was not watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unwatched {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl Crossing {
    /// The moves of what should have stood still. Only what is watched as free to move may.
    pub fn astray(&self) -> impl Iterator<Item = &Moved> {
        self.moved.iter().filter(|moved| !self.free(moved))
    }

    /// How many values that should have stood still moved, whatever the places where that was seen, and how many of
    /// those by a known defect alone.
    pub fn values_astray(&self) -> (usize, usize) {
        let mut values: Vec<&str> = self.astray().map(|moved| moved.credential.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        let known = |value: &&&str| {
            self.astray().filter(|moved| moved.credential == ***value).all(|moved| moved.known.is_some())
        };
        (values.len(), values.iter().filter(known).count())
    }

    /// What failed, other than a pin whose defect is gone.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        let failed = self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        failed.filter(|finding| finding.defect != Some(Defect::Gone))
    }

    /// Which ways the crossing's changes go, one each.
    pub fn directions(&self) -> impl Iterator<Item = Direction> {
        let moves =
            self.moved.iter().map(|moved| if self.free(moved) { Direction::Other } else { Direction::Worse });
        let findings = self.failed().map(|_| Direction::Worse);
        let gone = self.findings.iter().filter(|finding| finding.defect == Some(Defect::Gone));
        let calls = self.calls.iter().filter(|calls| self.rate_changed(calls)).map(|_| Direction::Other);
        moves.chain(findings).chain(gone.map(|_| Direction::Better)).chain(calls).chain(self.unexplained())
    }

    /// Whether two phases call at rates that are apart, also where a call more or less fell on either side of their
    /// boundary. A rule of thumb, and neither better nor worse.
    pub fn rate_changed(&self, calls: &CallRate) -> bool {
        let each: Vec<(f64, f64)> = calls
            .per_phase
            .iter()
            .filter_map(|counted| {
                let phase = self.phases.iter().find(|phase| phase.name == counted.phase)?;
                Some((counted.calls as f64, (phase.ended_us - phase.began_us).0 as f64))
            })
            .collect();
        let apart =
            |high: &(f64, f64), low: &(f64, f64)| (high.0 - 1.0) * low.1 > APART * (low.0 + 1.0) * high.1;
        each.iter().any(|high| each.iter().any(|low| apart(high, low)))
    }

    fn free(&self, moved: &Moved) -> bool {
        let mut here =
            self.watched.iter().filter(|w| w.credential == moved.credential && w.at == moved.at).peekable();
        here.peek().is_some() && here.all(|watched| !watched.stands_still)
    }

    /// A failure that no row says anything of.
    fn unexplained(&self) -> Option<Direction> {
        let explained = !self.moved.is_empty() || self.findings.iter().any(|f| f.verdict == Verdict::Fail);
        (self.verdict == Verdict::Fail && !explained).then_some(Direction::Worse)
    }
}
