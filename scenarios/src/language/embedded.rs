//! The repository's catalogue, compiled into the program.

/// Path and text of each file: adding one is one line here.
macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../catalogue/", $path))),)*]
    };
}

/// Every file under `scenarios/catalogue`.
pub(super) const FILES: &[(&str, &str)] = files![
    "agent/app.yaml",
    "agent/forced.yaml",
    "agent/template.yaml",
    "auth/app.yaml",
    "auth/bootstrap-bump.yaml",
    "auth/bootstrap-order.yaml",
    "auth/offboarding-safe.yaml",
    "auth/offboarding.yaml",
    "auth/tenants.yaml",
    "eso/generated.yaml",
    "eso/leader-change.yaml",
    "eso/leader.yaml",
    "eso/upgrade-keeps-generated.yaml",
    "fight/bootstrap-secret.yaml",
    "fight/bootstrap.yaml",
    "fight/fleet.yaml",
    "fight/operator-reapplies.yaml",
    "generators/pushsecret-password-interval.yaml",
    "generators/pushsecret-password.yaml",
    "generators/rereads.yaml",
    "generators/vault-dynamic-secret-rereads.yaml",
    "handover/after.yaml",
    "handover/before.yaml",
    "handover/empty.yaml",
    "handover/existing.yaml",
    "handover/fresh.yaml",
    "handover/naive.yaml",
    "kubelet/annotation.yaml",
    "kubelet/applications.yaml",
    "kubelet/endpoints.yaml",
    "kubelet/gated.yaml",
    "kubelet/node-restart.yaml",
    "kubelet/node.yaml",
    "kubelet/projected-token.yaml",
    "kubelet/readiness-gate.yaml",
    "kubelet/tokens.yaml",
    "kubelet/volume.yaml",
    "kv/app.yaml",
    "kv/applications.yaml",
    "kv/refresh.yaml",
    "kv/rolling.yaml",
    "kv/static-force-restart.yaml",
    "kv/static-refresh.yaml",
    "kv/static-restart-without-overlap.yaml",
    "lockout/fleet.yaml",
    "lockout/openbao-login.yaml",
    "lockout/stale-consumer.yaml",
    "mysql/alternating-users.yaml",
    "mysql/alternating.yaml",
    "mysql/consumers.yaml",
    "mysql/dual-password.yaml",
    "mysql/dual-retried.yaml",
    "mysql/dual-two-in-one.yaml",
    "mysql/fleet.yaml",
    "mysql/hourly.yaml",
    "mysql/runbook.yaml",
    "mysql/scheduled.yaml",
    "mysql/single-user-window.yaml",
    "mysql/static-role-forced.yaml",
    "mysql/static-role-scheduled.yaml",
    "postgres/dynamic-lease.yaml",
    "postgres/late.yaml",
    "postgres/lease-outlives-token.yaml",
    "postgres/refresh-beyond-lease.yaml",
    "postgres/report.yaml",
    "postgres/token.yaml",
    "push/app.yaml",
    "push/secret-to-openbao.yaml",
    "rollback/app.yaml",
    "rollback/kv-version.yaml",
    "servers/openbao-sealed.yaml",
    "servers/restarts.yaml",
    "store/dead.yaml",
    "store/plain-external-secret.yaml",
    "store/plain.yaml",
    "store/ready-but-dead.yaml",
    "valkey/fleet.yaml",
    "valkey/static-role-forced.yaml",
];

/// The text of a file.
pub(super) fn text(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::FILES;

    fn collect(root: &Path, dir: &Path, into: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, into);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                into.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_on_disk_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
        let mut on_disk = Vec::new();
        collect(&root, &root, &mut on_disk);
        on_disk.sort();
        let embedded: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, on_disk, "scenarios/src/language/embedded.rs lists what is on disk, sorted");
    }
}
