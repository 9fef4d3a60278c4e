//! How long a scenario takes by its own steps: what it holds still, and what its waits wait for.

use std::time::Duration;

use super::scenario::{Action, Scenario};

/// What comes on top of a scenario's own intervals: making and removing what it is given.
const AROUND: Duration = Duration::from_millis(4_500);

/// A rollout of one workload.
const ROLLOUT: Duration = Duration::from_secs(3);

/// About how long it plays where everything goes well: a wait is for one refresh, or for its limit where that
/// is shorter.
pub fn expected(scenario: &Scenario) -> Duration {
    let refresh = |name: &String| {
        let credential = scenario.credentials.iter().find(|credential| credential.name == *name);
        credential.and_then(|credential| credential.refresh_interval)
    };
    let longest = scenario.credentials.iter().filter_map(|credential| credential.refresh_interval).max();
    let took = |action: &Action| match action {
        Action::Hold { time, .. } | Action::HoldCondition { time, .. } | Action::Watch { time } => *time,
        Action::Wait { credential, within, .. } => {
            refresh(credential).map_or(Duration::ZERO, |interval| interval.min(*within))
        }
        // Of a value that moves by itself the limit says best how long that takes.
        Action::WaitMoves { within, .. } => *within / 2,
        Action::WaitSynced { within, .. } => longest.map_or(Duration::ZERO, |interval| interval.min(*within)),
        Action::WaitCondition { .. }
        | Action::Rotate { .. }
        | Action::Apply(_)
        | Action::Patch { .. }
        | Action::Delete(_)
        | Action::Gate { .. }
        | Action::ForceSync(_)
        | Action::Mark
        | Action::Server { .. }
        | Action::Replace { .. }
        | Action::Request(_)
        | Action::StaticRole(_) => Duration::ZERO,
        Action::Restart { .. } => ROLLOUT,
    };
    AROUND + scenario.steps.iter().map(|step| took(&step.action)).sum::<Duration>()
}
