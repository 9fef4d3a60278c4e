//! How long a scenario takes by its own steps: what it holds still, and what its waits wait for.

use std::time::Duration;

use super::scenario::{Action, Scenario};

/// What comes on top of a scenario's own intervals: making and removing what it is given.
const AROUND: Duration = Duration::from_millis(4_500);

/// About how long it plays where everything goes well: a wait is for one refresh, or for its limit where that
/// is shorter.
pub fn expected(scenario: &Scenario) -> Duration {
    let refresh = |name: &String| {
        let credential = scenario.credentials.iter().find(|credential| credential.name == *name);
        credential.and_then(|credential| credential.refresh_interval)
    };
    let took = |action: &Action| {
        if let Action::Hold { time, .. } = action {
            return *time;
        }
        if let Action::Wait { credential, within, .. } = action {
            return refresh(credential).map_or(Duration::ZERO, |interval| interval.min(*within));
        }
        Duration::ZERO
    };
    AROUND + scenario.steps.iter().map(|step| took(&step.action)).sum::<Duration>()
}
