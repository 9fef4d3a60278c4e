//! Which scenario may begin beside those that are playing. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::language::scenario::{DatabaseKind, Scenario};

/// At most this many credentials of servers whose logins are dear may be probed faster than [`FAST`] at
/// once: such a login costs both sides milliseconds of CPU, and a probe must not make the outage it looks for.
const FAST_CREDENTIALS: usize = 2;
const FAST: Duration = Duration::from_millis(100);

/// What a scenario needs to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The whole plane.
    pub alone: bool,
    /// Kubernetes namespaces that its manifests name, and cluster-scoped objects: they keep their names.
    pub names: BTreeSet<String>,
    /// Credentials that it probes fast where a login is dear.
    pub fast_logins: usize,
}

impl Claims {
    /// Of one scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let named = scenario.manifests.iter().filter_map(|manifest| match &manifest.namespace {
            Some(namespace) => Some(format!("Namespace {namespace}")),
            None => is_cluster_scoped(&manifest.kind).then(|| format!("{} {}", manifest.kind, manifest.name)),
        });
        let fast_logins = scenario.readers.iter().filter(|reader| {
            reader.every < FAST
                && scenario
                    .databases
                    .iter()
                    .any(|database| database.name == reader.database && is_dear(database.kind))
        });
        Self { alone: scenario.exclusive, fast_logins: fast_logins.count(), names: named.collect() }
    }

    fn fits_beside(&self, playing: &[&Self]) -> bool {
        let fast: usize = playing.iter().map(|claims| claims.fast_logins).sum();
        if playing.is_empty() {
            return true;
        }
        !self.alone
            && playing.iter().all(|claims| !claims.alone && claims.names.is_disjoint(&self.names))
            && (self.fast_logins == 0 || fast + self.fast_logins <= FAST_CREDENTIALS)
    }
}

/// Whether a login is by TLS and a password hash that is meant to be slow.
fn is_dear(kind: DatabaseKind) -> bool {
    match kind {
        DatabaseKind::Mysql | DatabaseKind::Postgres => true,
        DatabaseKind::Valkey => false,
    }
}

/// Whether objects of this kind have no namespace. By name, because nothing here asks a cluster: what is
/// missed is refused by the API server, or shared without harm.
fn is_cluster_scoped(kind: &str) -> bool {
    kind.starts_with("Cluster")
        || matches!(kind, "Namespace" | "CustomResourceDefinition" | "PersistentVolume" | "StorageClass")
}

/// Whether an object keeps its name on the plane, and so is held by one scenario at a time.
pub fn keeps_its_name(object: &Value) -> bool {
    object["metadata"]["namespace"].is_string() || object["kind"].as_str().is_some_and(is_cluster_scoped)
}

/// The first of `waiting` that may begin now, with `jobs` places in all.
pub fn next(waiting: &[&Claims], playing: &[&Claims], jobs: usize) -> Option<usize> {
    if playing.len() >= jobs {
        return None;
    }
    waiting.iter().position(|claims| claims.fits_beside(playing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(alone: bool, name: &str, fast_logins: usize) -> Claims {
        let names = if name.is_empty() { BTreeSet::new() } else { BTreeSet::from([name.to_owned()]) };
        Claims { alone, names, fast_logins }
    }

    #[test]
    fn exclusive_means_alone_on_both_sides() {
        let (alone, plain) = (claims(true, "", 0), claims(false, "", 0));
        assert_eq!(next(&[&alone], &[&plain], 4), None);
        assert_eq!(next(&[&plain], &[&alone], 4), None);
        assert_eq!(next(&[&alone, &plain], &[&plain], 4), Some(1), "another may overtake it");
        assert_eq!(next(&[&alone], &[], 4), Some(0));
    }

    #[test]
    fn names_are_held_exclusively() {
        let (fleet, other) = (claims(false, "Namespace fleet", 0), claims(false, "Namespace web", 0));
        assert_eq!(next(&[&fleet, &other], &[&fleet], 4), Some(1));
    }

    #[test]
    fn what_has_no_namespace_is_held_by_its_name() {
        assert!(is_cluster_scoped("ClusterSecretStore") && is_cluster_scoped("Namespace"));
        assert!(!is_cluster_scoped("SecretStore") && !is_cluster_scoped("ExternalSecret"));
    }

    #[test]
    fn fast_logins_and_places_are_limited() {
        let fast = claims(false, "", 1);
        assert_eq!(next(&[&fast], &[&fast], 4), Some(0));
        assert_eq!(next(&[&fast], &[&fast, &fast], 4), None);
        assert_eq!(next(&[&claims(false, "", 3)], &[], 4), Some(0), "alone it may ask for more");
        assert_eq!(next(&[&fast], &[&fast], 1), None);
    }
}
