//! The plan of one scenario: what is watched and how it will be judged, every name resolved and every
//! duration computed. Recorded as an event, so that a run can be judged again from its file alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod expectation;

pub use expectation::{Always, Counted, Expectation, Orders, Since, Who, Window};

use crate::clock::Micros;
use crate::event::{CredentialName, Hop, ProbeName};
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
    /// `1/360`: the manifests' intervals and what is given have been shrunk by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// What of the catalogue's promises it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Where its evidence comes from.
    #[serde(default)]
    pub evidence: Evidence,
    /// Known defects that it must find.
    #[serde(default)]
    pub pinned: Vec<Pinned>,
}

/// Where the evidence of a scenario comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// From the real thing.
    #[default]
    Real,
    /// From our own model of it, such as the embedded plane's process kubelet.
    Model,
}

impl Evidence {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Model => "model",
        }
    }
}

/// A known defect of a named version, which is expected to fail exactly so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// What is wrong, in a sentence.
    pub defect: String,
    /// Where it is known from.
    pub source: String,
    /// `openbao 2.7.2`: on which version it is known; a bare component name: on any.
    pub on: String,
    /// What fails because of it.
    pub fails: Expected,
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
    /// How often it is refreshed, where the scenario's scale has changed that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// Steps by their position that have it refreshed at once, where the scenario's scale has changed how often that
    /// happens by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced_by: Vec<usize>,
    /// Whether its value moves only when that is ordered.
    #[serde(default)]
    pub moves: MovesBy,
}

/// What makes a credential move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovesBy {
    /// Only what is ordered.
    #[default]
    Ordered,
    /// Besides what is ordered, it moves by itself: on a static role's schedule, at each refresh of a dynamic one.
    Itself {
        /// Where each value that came by itself is seen first.
        at: Hop,
    },
}

/// A refresh interval that was shrunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refresh {
    /// What the manifests say.
    pub real: Micros,
    /// What was played.
    pub played: Micros,
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

/// A whole number of things or a span of time, with the evidence's two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bounds {
    /// It was certainly no shorter.
    pub at_least: Micros,
    /// It was certainly no longer; none: the evidence does not bound it.
    pub at_most: Option<Micros>,
}
