//! The plan of one scenario: what is watched and how it will be judged, every name resolved and every
//! duration computed. Recorded as an event, so that a run can be judged again from its file alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::event::{CounterName, CredentialName, Hop, ProbeName};
use crate::fingerprint::FieldName;

/// What a scenario is going to do and how it will be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it proves, in a sentence.
    pub about: String,
    /// The scenario's file, relative to the catalogue or as the user gave it.
    pub file: String,
    /// Its credentials.
    pub credentials: BTreeMap<CredentialName, CredentialPlan>,
    /// Its probes.
    pub probes: BTreeMap<ProbeName, ProbePlan>,
    /// Its expectations, in the order of the file.
    pub expectations: Vec<Expected>,
    /// Claims that it settles.
    pub claims: Vec<Claim>,
    /// How many steps it has.
    pub steps: usize,
}

/// One credential of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialPlan {
    /// The fields that make a generation.
    pub fields: Vec<FieldName>,
    /// Whether a server checks it. Then a rotation counts as done only when that server was seen refusing
    /// the previous value or accepting the new one; else the write to the store is the rotation.
    pub checked_by: Option<String>,
    /// Hops that are watched.
    pub hops: Vec<Hop>,
}

/// One probe of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbePlan {
    /// Of which credential.
    pub credential: CredentialName,
    /// Where it looks.
    pub hop: Hop,
    /// How often it asks; none for a watch.
    pub every: Option<Micros>,
}

/// One expectation as the file states it, and its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The verb of the file: `propagates`, `outage`, …
    pub verb: String,
    /// The whole expectation as a person would say it: `fleet reaches secret within 7 s`.
    pub text: String,
    /// Its line in the scenario file, from 1.
    pub line: u64,
    /// Its meaning.
    pub expectation: Expectation,
}

/// A statement that somebody made, and what settles it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The statement.
    pub claim: String,
    /// Who made it, where.
    pub source: String,
    /// The version that it was made about: `eso v2.5.0`.
    pub about: Option<String>,
    /// Holds when this passes, is refuted when it fails.
    pub holds_if: Expected,
}

/// What is expected: five kernels and their parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Every rotation ordered of the credential is seen at the hop within this time of being ordered.
    Arrival {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// How soon.
        within: Micros,
    },
    /// No time in which the probe's logins were refused was longer than this.
    Outage {
        /// Whose logins.
        of: ProbeName,
        /// How long at most.
        at_most: Micros,
    },
    /// A state that must hold all the time.
    Always(Always),
    /// A number that must lie within bounds.
    Count {
        /// What is counted.
        of: Counted,
        /// Not fewer.
        at_least: Option<u64>,
        /// Not more.
        at_most: Option<u64>,
    },
    /// The generations seen at the hop appear in the order in which they were ordered, none left out and
    /// none coming back unordered.
    Order {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
    },
}

/// A state that must hold all the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Always {
    /// From `within` after each rotation on, the generation before it is refused, and stays refused.
    Retired {
        /// Which credential.
        credential: CredentialName,
        /// How soon after the rotation was ordered.
        within: Micros,
    },
    /// The value at the hop never moves.
    HoldsStill {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
    },
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// How often the value at the hop moved from one generation to another.
    Moves {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
    },
    /// The highest value that a counter had.
    Most {
        /// Which counter.
        counter: CounterName,
    },
}

/// A whole number of things or a span of time, with the evidence's two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bounds {
    /// It was certainly no shorter.
    pub at_least: Micros,
    /// It was certainly no longer; none: the evidence does not bound it.
    pub at_most: Option<Micros>,
}
