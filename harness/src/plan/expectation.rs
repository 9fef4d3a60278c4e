//! What can be expected: five kernels and their parameters.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::event::{CounterName, CredentialName, Hop, ProbeName, StateName};

/// What is expected: five kernels and their parameters, and several of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Every rotation of the credential is seen at the hop within this time of being ordered.
    Arrival {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// How soon.
        within: Micros,
        /// By which of the hop's replicas.
        #[serde(default)]
        who: Who,
        /// Which of its rotations.
        #[serde(default)]
        orders: Orders,
    },
    /// No time in which the probe's logins were refused was longer than this.
    Outage {
        /// Whose logins.
        of: ProbeName,
        /// How long at most.
        at_most: Micros,
        /// Which of its replicas.
        #[serde(default)]
        who: Who,
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
    /// All of these; the worst decides.
    Every(Vec<Expectation>),
}

impl Expectation {
    /// How long after the last step was done it has to be seen for it to come to anything: no step can wait for
    /// what is counted from there.
    pub fn after_the_last_step(&self) -> Micros {
        match self {
            Self::Always(Always::Agrees { within, .. }) => *within,
            Self::Every(all) => all.iter().map(Self::after_the_last_step).max().unwrap_or_default(),
            Self::Always(
                Always::Retired { .. }
                | Always::StillAccepted { .. }
                | Always::HoldsStill { .. }
                | Always::Whole { .. }
                | Always::State { .. }
                | Always::Age { .. },
            )
            | Self::Arrival { .. }
            | Self::Outage { .. }
            | Self::Count { .. }
            | Self::Order { .. } => Micros(0),
        }
    }
}

/// Which of several replicas an expectation speaks of. Where there is only one, both mean that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Every one: the slowest, or the one that was worst off, decides.
    #[default]
    Every,
    /// Any of them: the first, or whoever gets in, decides.
    Any,
}

/// Which rotations an expectation speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orders {
    /// All of them.
    #[default]
    All,
    /// Those that put an earlier value back.
    RolledBack,
}

/// A moment of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// Its first step began.
    #[default]
    Began,
    /// This step began; counted from 0.
    Step(usize),
}

/// A part of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From this moment on; none: from the first thing that was seen.
    pub since: Option<Since>,
    /// Before this moment; none: to the end.
    pub until: Option<Since>,
}

impl Window {
    /// Whether it is the whole of it.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
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
    /// After each rotation the generation before it is accepted for at least this long.
    StillAccepted {
        /// Which credential.
        credential: CredentialName,
        /// For how long after the rotation was ordered.
        time: Micros,
    },
    /// The value at the hop never moves.
    HoldsStill {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// In which part of the scenario.
        #[serde(default, skip_serializing_if = "Window::is_all")]
        during: Window,
    },
    /// No torn pair: what is seen at the hop has no fields that belong to different generations.
    Whole {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
    },
    /// From `within` after the last step was done on, every watched hop shows one and the same generation
    /// (the store's or the origin's, where there is one), to the end.
    Agrees {
        /// Which credential.
        credential: CredentialName,
        /// How soon after the last step was done.
        within: Micros,
    },
    /// From `within` after a moment on, something has this state, to the end.
    State {
        /// What.
        state: StateName,
        /// The state that it must have.
        is: String,
        /// Since when.
        #[serde(default)]
        since: Since,
        /// How soon after that.
        within: Micros,
    },
    /// How long each value lives at the hop between two moves.
    Age {
        /// Which credential.
        credential: CredentialName,
        /// Where.
        at: Hop,
        /// None is replaced sooner.
        at_least: Option<Micros>,
        /// None gets older; the last one, until the end, included.
        at_most: Option<Micros>,
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
    /// The value that a counter had at the end.
    Last {
        /// Which counter.
        counter: CounterName,
    },
    /// How much a counter rose from its first value to its last.
    Rise {
        /// Which counter.
        counter: CounterName,
    },
    /// Writes of the Secret that showed the generation that stood there already.
    Churn {
        /// Of which credential.
        credential: CredentialName,
    },
    /// Refused logins of a probe, whichever of its replicas.
    Refused {
        /// Which probe.
        probe: ProbeName,
    },
    /// Refusals in the servers' own logs of users of this credential, later than `after` after the latest
    /// rotation before them was ordered.
    Stragglers {
        /// Which credential.
        credential: CredentialName,
        /// How much time everybody has.
        after: Micros,
    },
}
