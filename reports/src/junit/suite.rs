//! What a JUnit report is made of, before it is XML. What cannot be said here cannot be written: a case
//! has exactly one outcome, a suite holds no suite.

use handover_harness::clock::Micros;

/// The cases of the run, or of one scenario.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) time: Micros,
    /// When the run began, RFC 3339; left out of the XML where it is not that.
    pub(super) wall: String,
    pub(super) properties: Vec<(String, String)>,
    /// Never empty: Jenkins drops a suite without cases.
    pub(super) cases: Vec<Case>,
}

/// One case.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) time: Micros,
    pub(super) outcome: Outcome,
    /// Written as `[[PROPERTY|key=value]]`: the strict profile has no properties of a case.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Lines for people.
    pub(super) notes: Vec<String>,
    /// Files beside the report.
    pub(super) attachments: Vec<String>,
}

/// What came of a case.
pub(super) enum Outcome {
    Passed,
    NotPassed { kind: Kind, message: String, details: Vec<(&'static str, String)> },
    Skipped { reason: String },
}

/// Why a case did not pass. GitLab's reader takes `type` for one of its own in lower case: CamelCase.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is tested broke an expectation: the only `failure`; all others are `error`.
    ExpectationFailed,
    /// The evidence does not decide.
    Inconclusive,
    /// The environment broke.
    EnvironmentError,
    /// Somebody ended it.
    Aborted,
}

impl Kind {
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::ExpectationFailed => "failure",
            Self::Inconclusive | Self::EnvironmentError | Self::Aborted => "error",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ExpectationFailed => "ExpectationFailed",
            Self::Inconclusive => "Inconclusive",
            Self::EnvironmentError => "EnvironmentError",
            Self::Aborted => "Aborted",
        }
    }
}

/// How many cases came to what.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) tests: usize,
    pub(super) failures: usize,
    pub(super) errors: usize,
    pub(super) skipped: usize,
}

impl Counts {
    pub(super) fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            counts.tests += 1;
            match &case.outcome {
                Outcome::Passed => {}
                Outcome::Skipped { .. } => counts.skipped += 1,
                Outcome::NotPassed { kind: Kind::ExpectationFailed, .. } => counts.failures += 1,
                Outcome::NotPassed {
                    kind: Kind::Inconclusive | Kind::EnvironmentError | Kind::Aborted,
                    ..
                } => counts.errors += 1,
            }
        }
        counts
    }
}
