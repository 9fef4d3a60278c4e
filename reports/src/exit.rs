//! The exit codes of `handover`, and which of them wins.

use std::process::ExitCode;

use handover_harness::compare::{Comparison, Outcome};
use handover_harness::verdict::{RunVerdict, Verdict};
use serde::{Serialize, Serializer};

/// How the program ends. Declared in order of precedence: of several that apply, the first is the exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Ended by SIGTERM.
    Terminated,
    /// Ended by Ctrl-C.
    Interrupted,
    /// Wrong usage, or a file that does not load.
    Usage,
    /// Something was left behind, or a secret was found in an artifact.
    LeftBehind,
    /// An expectation failed.
    Failed,
    /// The environment could not be made, or broke.
    Environment,
    /// The evidence does not decide.
    Inconclusive,
    /// Nothing matched, or nothing ran.
    NothingRan,
    /// All passed.
    Passed,
}

impl Exit {
    /// Every exit, in order of precedence.
    pub const ALL: [Self; 9] = [
        Self::Terminated,
        Self::Interrupted,
        Self::Usage,
        Self::LeftBehind,
        Self::Failed,
        Self::Environment,
        Self::Inconclusive,
        Self::NothingRan,
        Self::Passed,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::NothingRan => 4,
            Self::Environment => 5,
            Self::LeftBehind => 6,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it says, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "all passed",
            Self::Failed => "an expectation failed",
            Self::Usage => "wrong usage, or a file that does not load",
            Self::Inconclusive => "the evidence does not decide",
            Self::NothingRan => "nothing matched, or nothing ran",
            Self::Environment => "the environment could not be made, or broke",
            Self::LeftBehind => "something was left behind, or a secret was found in an artifact",
            Self::Interrupted => "interrupted by Ctrl-C",
            Self::Terminated => "ended by SIGTERM",
        }
    }

    /// The exit of what a signal ended: `SIGINT`, …
    pub fn of_signal(signal: &str) -> Self {
        match signal {
            "SIGTERM" => Self::Terminated,
            _ => Self::Interrupted,
        }
    }
}

/// As the number that the shell sees.
impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.code().serialize(serializer)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The exit of a judged run: an interruption wins; else the first of 2, 6, 1, 5, 3, 4 that applies,
/// because a broken environment must not hide a lock-out. (2 is decided before there is a run.)
///
/// `leftovers`: something that the run started or broke is still there. `leak`: a secret was found in
/// an artifact. A torn file is inconclusive at best: nobody knows what its missing end would have said.
pub fn exit_of(run: &RunVerdict, leftovers: bool, leak: bool) -> Exit {
    let any = |verdict| run.scenarios.iter().any(|scenario| scenario.verdict == verdict);
    [
        (leftovers || leak).then_some(Exit::LeftBehind),
        any(Verdict::Fail).then_some(Exit::Failed),
        (any(Verdict::Error) || run.broke.is_some()).then_some(Exit::Environment),
        (any(Verdict::Inconclusive) || run.torn).then_some(Exit::Inconclusive),
        run.scenarios.iter().all(|scenario| scenario.verdict == Verdict::Skipped).then_some(Exit::NothingRan),
        run.interrupted.as_deref().map(Exit::of_signal),
    ]
    .into_iter()
    .flatten()
    .min()
    .unwrap_or(Exit::Passed)
}

/// The exit of a comparison: 1 where something got worse, 3 where nobody can tell, else 0, also where things
/// changed. What befalls the program itself (2, 6, an interruption) is the caller's to add, and with an upgrade
/// [`exit_of_upgrade`] adds 5.
pub fn exit_of_comparison(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Nothing | Outcome::Changed => Exit::Passed,
        Outcome::Worse => Exit::Failed,
        Outcome::CannotTell => Exit::Inconclusive,
    }
}

/// The exit of an upgrade: the first of its comparison's, 6, and 5 where a run that it is made of broke, or the hop was
/// not played to its end. What got worse is told whatever broke beside it.
///
/// `broke`: one of the runs did. `leftovers` and `leak` as in [`exit_of`].
pub fn exit_of_upgrade(comparison: &Comparison, broke: bool, leftovers: bool, leak: bool) -> Exit {
    let hop = comparison.crossing.as_ref().is_some_and(|crossing| crossing.verdict == Verdict::Error);
    [
        (leftovers || leak).then_some(Exit::LeftBehind),
        (broke || hop).then_some(Exit::Environment),
        Some(exit_of_comparison(comparison.outcome())),
    ]
    .into_iter()
    .flatten()
    .min()
    .unwrap_or(Exit::Passed)
}
