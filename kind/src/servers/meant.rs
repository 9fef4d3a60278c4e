//! The ends of containers that somebody wanted, though not by an order to the component whose they are: those of a replica
//! that was killed, and those of a whole node.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::ContainerStateTerminated;

/// What was meant to end. Clones know of each other.
#[derive(Clone, Debug, Default)]
pub struct Meant(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    /// The node is away: whatever ends now does so because of that.
    all: bool,
    /// Containers, by their ids.
    containers: BTreeSet<String>,
}

impl Meant {
    /// Whether an end was meant.
    pub(super) fn holds(&self, ended: &ContainerStateTerminated) -> bool {
        ended.container_id.as_ref().is_some_and(|id| self.ends().containers.contains(id))
    }

    /// These may end, or have ended.
    pub(super) fn add(&self, containers: impl IntoIterator<Item = String>) {
        self.ends().containers.extend(containers);
    }

    /// Whether the node is away.
    pub(super) fn all_is_away(&self) -> bool {
        self.ends().all
    }

    /// The node goes away, or is back with everything on it.
    pub(super) fn set_all_away(&self, away: bool) {
        self.ends().all = away;
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_that_was_meant_is_none() {
        let ended = |id: &str| ContainerStateTerminated {
            container_id: Some(id.to_owned()),
            ..ContainerStateTerminated::default()
        };
        let meant = Meant::default();
        meant.clone().add(["containerd://a".to_owned()]);
        assert!(meant.holds(&ended("containerd://a")));
        assert!(!meant.holds(&ended("containerd://b")), "the next container of the same pod dies by itself");
        assert!(!meant.holds(&ContainerStateTerminated::default()), "without an id nobody knows which it is");
    }
}
