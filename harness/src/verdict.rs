//! What a run comes to: verdicts, findings, hop rows, claims. All of it derived from the timeline.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::event::{Calibration, Hop, OrderKind, RunInfo, ScenarioId};
use crate::plan::{Bounds, Evidence, Refresh};

/// Version of `verdict.json`.
pub const FORMAT: u32 = 1;

/// What an expectation or a scenario comes to. Ordered by severity: the worst finding of a scenario is
/// its verdict, and a failure outweighs a broken environment, which must not hide a lock-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The evidence shows that it is so.
    Pass,
    /// It was not played.
    Skipped,
    /// The evidence does not decide.
    Inconclusive,
    /// The environment broke.
    Error,
    /// The evidence shows that it is not so.
    Fail,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One expectation, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The expectation's verb, or `evidence`, `step`, `environment` for what the harness itself found.
    pub verb: String,
    /// What was expected, as a person would say it.
    pub expected: String,
    /// Line in the scenario file, from 1; none for what the harness itself found.
    pub line: Option<u64>,
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen, with both bounds where it is a time.
    pub seen: String,
    /// The measured time, where it is one.
    pub measured_us: Option<Bounds>,
    /// The limit it was held against, where it is a time.
    pub limit_us: Option<Micros>,
    /// For a failed arrival: the last hop that was reached, and the first that was not.
    pub stopped: Option<Stopped>,
    /// The known defect that it is pinned to: on the version where that is known, it passes because what
    /// is expected fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// How that defect stands here; none where nothing is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<Defect>,
    /// Events that show it, by `seq` in `events.jsonl`.
    pub evidence: Vec<u64>,
}

impl Finding {
    /// What the harness itself found: it stands on no line of the file, and has no figures.
    pub fn own(verb: &str, verdict: Verdict, expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            verb: verb.to_owned(),
            expected: expected.into(),
            line: None,
            verdict,
            seen: seen.into(),
            measured_us: None,
            limit_us: None,
            stopped: None,
            pinned: None,
            defect: None,
            evidence: Vec::new(),
        }
    }
}

/// How a pinned defect stands on the version that was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// Nobody can tell.
    Unclear,
    /// Not pinned on this version, and not there.
    Absent,
    /// Pinned on this version, and no longer there.
    Gone,
    /// Pinned on this version, and there.
    Known,
    /// Not pinned on this version, and there all the same.
    Spread,
}

impl Defect {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unclear => "cannot tell",
            Self::Absent => "not there",
            Self::Gone => "pinned, but gone",
            Self::Known => "there, as pinned",
            Self::Spread => "there, and not pinned",
        }
    }

    /// Whether what is wrong shows; none where nobody can tell.
    pub fn shows(self) -> Option<bool> {
        match self {
            Self::Unclear => None,
            Self::Absent | Self::Gone => Some(false),
            Self::Known | Self::Spread => Some(true),
        }
    }
}

/// Where a rotation stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// Last hop where the new generation was seen; none: nowhere.
    pub after: Option<Hop>,
    /// First hop where it was not seen (in time).
    pub at: Hop,
    /// The last thing that the hop's owner complained of, if it did.
    pub last_error: Option<String>,
}

/// One row of the hop table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HopRow {
    /// Which credential.
    pub credential: String,
    /// Which rotation, from 1.
    pub rotation: usize,
    /// How it was ordered, or that nobody did.
    pub kind: OrderKind,
    /// From which generation to which: `g0 → g1`; `?` where it was never learnt.
    pub moves: String,
    /// Where.
    pub hop: Hop,
    /// How many of the hop's replicas it is about, and how many of those showed it; none where there is only
    /// one, which has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicaCount>,
    /// When it was seen (by the last replica), since the scenario's plan was recorded; none: never.
    pub at_us: Option<Micros>,
    /// Since the rotation was ordered, with both bounds.
    pub since_rotation_us: Option<Bounds>,
    /// Since the previous hop that was seen; negative where the order on the wire was another.
    pub since_previous_us: Option<i64>,
    /// The event that shows it.
    pub evidence: Option<u64>,
}

/// How many replicas showed a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaCount {
    /// So many showed it.
    pub reached: usize,
    /// Of so many.
    pub of: usize,
}

/// How a claim stands on the versions that were played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is so.
    Holds,
    /// It is not so.
    Refuted,
    /// The evidence does not decide.
    Unsettled,
}

impl Standing {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Refuted => "refuted",
            Self::Unsettled => "unsettled",
        }
    }
}

/// A claim, settled or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimFinding {
    /// The statement.
    pub claim: String,
    /// Who made it, where.
    pub source: String,
    /// How it stands.
    pub standing: Standing,
    /// `refuted on eso v0.20.4; not played on eso v2.5.0`.
    pub summary: String,
    /// What was seen.
    pub seen: String,
    /// Events that show it.
    pub evidence: Vec<u64>,
}

/// How one probe did its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeHealth {
    /// Which.
    pub probe: String,
    /// Where it looks.
    pub hop: Hop,
    /// How often it asks; none for a watch.
    pub every_us: Option<Micros>,
    /// How often it had an answer.
    pub answered: u64,
    /// How often it was due and could not be asked.
    pub missed: u64,
    /// Watch gaps.
    pub gaps: u64,
    /// The longest lateness of an asking.
    pub latest_us: Micros,
}

/// One scenario, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioVerdict {
    /// Which.
    pub scenario: ScenarioId,
    /// What it proves.
    pub about: String,
    /// Its file.
    pub file: String,
    /// Where its evidence comes from.
    #[serde(default)]
    pub evidence: Evidence,
    /// What of the catalogue's promises it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// What it comes to.
    pub verdict: Verdict,
    /// In one line; for a pass too.
    pub summary: String,
    /// From plan to end.
    pub took_us: Micros,
    /// Its expectations, and what the harness itself found.
    pub findings: Vec<Finding>,
    /// Its hop table.
    pub hops: Vec<HopRow>,
    /// Its claims.
    pub claims: Vec<ClaimFinding>,
    /// Its probes.
    pub probes: Vec<ProbeHealth>,
    /// What a shrunk scenario says of the intervals as the manifests have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<Projection>,
}

/// What was measured under a scale, and what that comes to without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Projection {
    /// Which credential.
    pub credential: String,
    /// Where.
    pub hop: Hop,
    /// The interval as it is, and as it was played.
    pub refresh: Refresh,
    /// Whether a step had it refreshed at once, so that the interval did not count.
    #[serde(default)]
    pub forced: bool,
    /// The longest that a rotation took to get there; it was certainly no longer.
    pub measured_us: Micros,
    /// What of that went beyond the played interval; nothing where a sync was forced.
    pub excess_us: Micros,
    /// The real interval and that excess; where a sync was forced, what was measured.
    pub projected_us: Micros,
    /// `fleet reaches secret in 10.4 s at most, 400 ms beyond its 10 s (scale 1/360); with your 1 h: up to 1 h 400 ms`
    pub text: String,
}

/// What one server used while scenarios were played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerUsage {
    /// Which.
    pub name: String,
    /// CPU time between the first and the last reading.
    pub cpu_us: Micros,
    /// Time between the two.
    pub over_us: Micros,
    /// The highest resident memory read, in bytes.
    pub rss_bytes: u64,
}

/// A whole run, judged: the content of `verdict.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunVerdict {
    /// [`FORMAT`].
    pub format: u32,
    /// The run's id.
    pub run: String,
    /// When it began, RFC 3339 in UTC.
    pub wall: String,
    /// On what it played; none where it broke before that was known.
    pub on: Option<RunInfo>,
    /// What this host can resolve; none where it broke before that was measured.
    pub calibration: Option<Calibration>,
    /// From the first event to the last.
    pub took_us: Micros,
    /// The signal that interrupted it.
    pub interrupted: Option<String>,
    /// How the environment broke, where it did.
    pub broke: Option<String>,
    /// Whether the file stops without the run's end: a killed run.
    pub torn: bool,
    /// The scenarios, by name.
    pub scenarios: Vec<ScenarioVerdict>,
    /// The servers.
    pub servers: Vec<ServerUsage>,
}
