//! The judge: from a timeline to verdicts, purely.
//!
//! Five kernels, and one that combines them, say what an expectation comes to. A pass is earned: where the evidence
//! for it is missing the answer is inconclusive, and a failure needs evidence just as much.

mod always;
mod arrival;
mod claims;
mod count;
mod every;
mod evidence;
mod hops;
mod order;
mod outage;
mod pinned;
mod projection;
mod scenario;
#[cfg(test)]
mod tests;
mod words;

use crate::clock::Micros;
use crate::event::Ending;
use crate::plan::{Bounds, Expectation, Expected};
use crate::timeline::{Reading, Story, Timeline};
use crate::verdict::{self, Finding, RunVerdict, ServerUsage, Stopped, Verdict};

/// More events than this show nothing more.
const ENOUGH_EVIDENCE: usize = 20;

/// What a kernel found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen, as a sentence.
    pub seen: String,
    /// The same in a few words, for the summary of a pass.
    pub brief: String,
    /// The measured time, where it is one.
    pub measured: Option<Bounds>,
    /// The limit it was held against, where it is a time.
    pub limit: Option<Micros>,
    /// Where a rotation stopped, where one did.
    pub stopped: Option<Stopped>,
    /// The events that show it.
    pub evidence: Vec<u64>,
}

impl Judgement {
    /// A judgement without numbers or evidence.
    fn new(verdict: Verdict, seen: impl Into<String>) -> Self {
        Self {
            verdict,
            seen: seen.into(),
            brief: String::new(),
            measured: None,
            limit: None,
            stopped: None,
            evidence: Vec::new(),
        }
    }

    /// The evidence does not decide, and why.
    fn inconclusive(why: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, why)
    }

    /// Nothing was ordered, so nothing can be said of what an order leads to.
    fn no_rotation(credential: &str) -> Self {
        Self::inconclusive(format!("no rotation of {credential} was ordered, so nothing was shown"))
    }

    fn brief(self, brief: impl Into<String>) -> Self {
        Self { brief: brief.into(), ..self }
    }

    fn evidence(self, evidence: impl IntoIterator<Item = u64>) -> Self {
        let mut evidence: Vec<u64> = evidence.into_iter().collect();
        evidence.sort_unstable();
        evidence.dedup();
        evidence.truncate(ENOUGH_EVIDENCE);
        Self { evidence, ..self }
    }
}

impl Expectation {
    /// What this expectation comes to in a story.
    pub fn judge(&self, story: &Story) -> Judgement {
        match self {
            Self::Arrival { credential, at, within, who, orders } => {
                let asked = arrival::Asked { credential, at: *at, within: *within, who: *who };
                arrival::judge(story, &asked, *orders)
            }
            Self::Outage { of, at_most, who } => outage::judge(story, of, *at_most, *who),
            Self::Always(state) => always::judge(story, state),
            Self::Every(all) => every::judge(story, all),
            Self::Count { of, at_least, at_most } => count::judge(story, of, *at_least, *at_most),
            Self::Order { credential, at } => order::judge(story, credential, *at),
        }
    }
}

impl Expected {
    /// What this line of the scenario comes to in a story.
    pub fn judge(&self, story: &Story) -> Finding {
        self.found(&self.expectation.judge(story))
    }

    /// A judgement of this line, as a finding.
    fn found(&self, judgement: &Judgement) -> Finding {
        Finding {
            verb: self.verb.clone(),
            expected: self.text.clone(),
            line: Some(self.line),
            verdict: judgement.verdict,
            seen: judgement.seen.clone(),
            measured_us: judgement.measured,
            limit_us: judgement.limit,
            stopped: judgement.stopped.clone(),
            pinned: None,
            defect: None,
            evidence: judgement.evidence.clone(),
        }
    }
}

/// A measured time held against its limit.
fn against(measured: Bounds, limit: Micros) -> Verdict {
    if measured.at_least > limit {
        Verdict::Fail
    } else if measured.at_most.is_some_and(|at_most| at_most <= limit) {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    }
}

/// What a run comes to.
pub fn judge(timeline: &Timeline) -> RunVerdict {
    let (interrupted, broke) = match &timeline.ending {
        Some((_, Ending::Interrupted(signal))) => (Some(signal.clone()), None),
        Some((_, Ending::Broke(how))) => (None, Some(how.text().to_owned())),
        Some((_, Ending::Finished | Ending::Skipped(_))) | None => (None, None),
    };
    RunVerdict {
        format: verdict::FORMAT,
        run: timeline.header.run.clone(),
        wall: timeline.header.wall.clone(),
        on: timeline.run.clone(),
        calibration: timeline.calibration.clone(),
        took_us: timeline.last_at - timeline.header.at,
        interrupted,
        broke,
        torn: timeline.torn || timeline.ending.is_none(),
        scenarios: timeline.stories.iter().map(|(id, story)| scenario::judge(timeline, id, story)).collect(),
        servers: timeline.usage.iter().filter_map(|(name, readings)| server(name, readings)).collect(),
    }
}

/// What a server used between its first and its last reading; one alone tells nothing.
fn server(name: &str, readings: &[Reading]) -> Option<ServerUsage> {
    let [first, .., last] = readings else { return None };
    Some(ServerUsage {
        name: name.to_owned(),
        cpu_us: last.cpu - first.cpu,
        over_us: last.at - first.at,
        rss_bytes: readings.iter().map(|reading| reading.rss).max()?,
    })
}
