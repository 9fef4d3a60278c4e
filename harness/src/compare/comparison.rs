//! What a comparison says, row by row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Crossing, Said, Shift, Which, correct, sides};
use crate::event::{ComponentInfo, CredentialName, Hop, ScenarioId};
use crate::verdict::{Defect, Finding, Standing, Verdict};

/// Version of `comparison.json`.
pub const FORMAT: u32 = 1;

/// Two sides, and everything that can differ between them. Rows of which nothing changed are there, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What is compared.
    pub sides: Sides,
    /// Every scenario that either side knows.
    pub verdicts: Vec<VerdictRow>,
    /// Every pinned defect of a scenario that both sides played.
    pub pins: Vec<PinRow>,
    /// Every claim that both sides settled, or tried to.
    pub claims: Vec<ClaimRow>,
    /// The time from each ordered rotation to each hop after its first, where both sides saw it there.
    pub times: Vec<TimeRow>,
    /// What happened when B took A's place, where that was played.
    pub crossing: Option<Crossing>,
}

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// For the better.
    Better,
    /// Neither, or nobody can tell.
    Other,
    /// For the worse.
    Worse,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sides {
    /// What there was.
    pub a: Side,
    /// What is to come.
    pub b: Side,
    /// The servers that are not the same on both.
    pub differ: Vec<Differs>,
}

impl Sides {
    /// One of them.
    pub fn side(&self, which: Which) -> &Side {
        match which {
            Which::A => &self.a,
            Which::B => &self.b,
        }
    }

    /// A name for one of them within a sentence: what tells it from the other, or its letter.
    pub fn name(&self, which: Which) -> &str {
        if self.differ.is_empty() && !self.elsewhere() { which.word() } else { &self.side(which).label }
    }

    /// Whether they were played on different planes.
    pub fn elsewhere(&self) -> bool {
        self.a.plane.is_some() && self.b.plane.is_some() && self.a.plane != self.b.plane
    }
}

/// One side: all its rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// What tells it from the other: `eso v0.16.1`, `plane kind`; where neither differs, its runs.
    pub label: String,
    /// The ids of its runs, in order.
    pub runs: Vec<String>,
    /// `embedded`, …; none where nobody knows.
    pub plane: Option<String>,
    /// Version of the program that played it.
    pub handover: Option<String>,
    /// What befell its runs, so that they do not say all they should.
    pub troubles: Vec<String>,
}

/// A server that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differs {
    /// `eso`, `mysql`, …
    pub name: String,
    /// What it is on side A; none: it is not there.
    pub a: Option<ComponentInfo>,
    /// What it is on side B.
    pub b: Option<ComponentInfo>,
}

/// A scenario on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictRow {
    /// Which.
    pub scenario: ScenarioId,
    /// Its verdict on side A.
    pub a: Said<Verdict>,
    /// Its verdict on side B.
    pub b: Said<Verdict>,
    /// How it changed; none: not at all.
    pub direction: Option<Direction>,
    /// Whether it failed by nothing but a pin that names another version, or a defect that is gone: then the
    /// pins say how it changed, not the verdicts.
    pub by_pin: bool,
    /// What the worse side says of it, where it changed.
    pub told: Option<Told>,
}

/// What a run says of a scenario that did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The side.
    pub side: Which,
    /// The run.
    pub run: String,
    /// In one line.
    pub summary: String,
    /// The finding that decided.
    pub finding: Option<Finding>,
}

/// A pinned defect on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinRow {
    /// The scenario that pins it.
    pub scenario: ScenarioId,
    /// What is wrong.
    pub defect: String,
    /// How it stands on side A.
    pub a: Said<Defect>,
    /// How it stands on side B.
    pub b: Said<Defect>,
    /// How that changed; none: not at all.
    pub direction: Option<Direction>,
    /// What was seen of it on side B.
    pub seen: String,
}

/// A claim on both sides. A claim is somebody's statement: that it stands otherwise is neither better nor worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimRow {
    /// The scenario that settles it.
    pub scenario: ScenarioId,
    /// The statement.
    pub claim: String,
    /// Who made it, where.
    pub source: String,
    /// How it stands on side A.
    pub a: Said<Standing>,
    /// How it stands on side B.
    pub b: Said<Standing>,
    /// How that changed; none: not at all.
    pub direction: Option<Direction>,
    /// What was seen on side B.
    pub seen: String,
}

/// How long rotations took to a hop, on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeRow {
    /// The scenario.
    pub scenario: ScenarioId,
    /// The credential.
    pub credential: CredentialName,
    /// To where.
    pub hop: Hop,
    /// By how much it differs.
    pub shift: Shift,
}

impl Comparison {
    /// The same with what was found when B took A's place. Its times are corrected together with the others.
    pub fn crossed(mut self, crossing: Crossing) -> Self {
        sides::crossed(&mut self.sides, &crossing.changes);
        self.crossing = Some(crossing);
        let of_crossing = self.crossing.iter_mut().flat_map(|crossing| &mut crossing.lag);
        let shifts = self.times.iter_mut().map(|row| &mut row.shift);
        let mut shifts: Vec<&mut Shift> = shifts.chain(of_crossing.map(|lag| &mut lag.shift)).collect();
        correct(&mut shifts);
        self
    }

    /// Every shift that is asked about.
    pub fn shifts(&self) -> impl Iterator<Item = &Shift> {
        let of_crossing = self.crossing.iter().flat_map(|crossing| &crossing.lag);
        self.times.iter().map(|row| &row.shift).chain(of_crossing.map(|lag| &lag.shift))
    }

    /// How many more rounds of both sides bring a shift so many more times a side.
    pub fn rounds_for(&self, shift: &Shift, more: usize) -> usize {
        let each = |times: usize, side: &Side| times / side.runs.len().max(1);
        let each = each(shift.n_a, &self.sides.a).min(each(shift.n_b, &self.sides.b));
        more.div_ceil(each.max(1))
    }
}
