//! What a scenario needs and a plane has not: there it is skipped, with this as the reason.

use std::collections::BTreeSet;

use handover_fixtures::plane::{Lacks, Plane, Server};

use crate::language::scenario::{KUBELET, Scenario};

/// What is needed and not there, as people call it.
pub fn lacking(needs: &BTreeSet<String>, servers: &[Server], has_kubelet: bool) -> Vec<String> {
    let has = |need: &str| match need {
        "eso" => true,
        KUBELET => has_kubelet,
        server => servers.iter().any(|offered| offered.word() == server),
    };
    let called = |need: &str| match need {
        // Pods are run on every plane, but for the embedded one a process of ours does so.
        KUBELET => "real kubelet".to_owned(),
        other => other.to_owned(),
    };
    needs.iter().filter(|need| !has(need)).map(|need| called(need)).collect()
}

/// Whether the plane has everything, and can do to its components what the scenario's steps want.
///
/// # Errors
/// What it lacks.
pub fn meets(plane: &dyn Plane, scenario: &Scenario) -> Result<(), Lacks> {
    let lacking = lacking(&scenario.needs, &plane.offers(), !plane.models_pods());
    if !lacking.is_empty() {
        return Err(plane.lacks(lacking.join(", ")));
    }
    scenario.wanted_components().try_for_each(|component| plane.control(component).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named() {
        let needs = |needs: &[&str]| needs.iter().map(|&need| need.to_owned()).collect::<BTreeSet<_>>();
        let (servers, none) = ([Server::Openbao, Server::Mysql], Vec::<String>::new());
        assert_eq!(lacking(&needs(&["eso", "mysql", "openbao"]), &servers, false), none);
        assert_eq!(lacking(&needs(&["eso", "kubelet"]), &servers, true), none);
        let many = needs(&["kubelet", "mysql", "proxy", "valkey"]);
        assert_eq!(lacking(&many, &servers, false), ["real kubelet", "proxy", "valkey"]);
    }
}
