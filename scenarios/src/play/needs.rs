//! What a scenario needs and a plane has not: there it is skipped, with this as the reason.

use std::collections::BTreeSet;

use handover_fixtures::plane::{Lacks, Plane, Server};

use crate::language::scenario::KUBELET;

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

/// Whether the plane has everything.
///
/// # Errors
/// What it lacks.
pub fn meets(plane: &dyn Plane, needs: &BTreeSet<String>) -> Result<(), Lacks> {
    let lacking = lacking(needs, &plane.offers(), !plane.models_pods());
    match lacking.is_empty() {
        true => Ok(()),
        false => Err(plane.lacks(lacking.join(", "))),
    }
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
