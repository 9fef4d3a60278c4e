//! How a daemon of our own is configured: what it may not touch of the machine, so that it disturbs neither
//! the user's Docker nor anybody's network.

use std::path::Path;

use serde_json::{Value, json};

use super::place::Place;
use super::programs::Programs;
use super::room::CONTAINERD;

/// The name of our OCI runtime.
const RUNTIME: &str = "handover";

/// The daemon's configuration, which is all that it reads: the user's own is not.
///
/// Its networks are bridges without rules: containers reach each other and the machine, the machine reaches
/// them by address, and published ports go through a proxy process. What needs rules is left out (`docker0`,
/// masquerading, names of other containers), so that no iptables is needed and no sysctl is touched.
pub(super) fn config(place: &Place, programs: &Programs, cgroup: &str, runtime: Option<&Path>) -> Value {
    let mut config = json!({
        "data-root": place.data(),
        // In the `/run` of its room.
        "exec-root": "/run/docker",
        "containerd": CONTAINERD,
        "pidfile": place.pid(),
        "hosts": [format!("unix://{}", place.socket().display())],
        "bridge": "none",
        "iptables": false,
        "ip6tables": false,
        "ip-forward": false,
        "userland-proxy-path": programs.proxy,
        "cgroup-parent": format!("/{cgroup}"),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "log-driver": "json-file",
        "log-opts": { "max-size": "20m" },
        "shutdown-timeout": 5,
    });
    if programs.writes_key {
        config["deprecated-key-path"] = json!(place.key());
    }
    if let Some(runtime) = runtime {
        config["runtimes"] = json!({ RUNTIME: { "path": runtime } });
        config["default-runtime"] = json!(RUNTIME);
    }
    config
}

/// The configuration of containerd: as dockerd would write it, but for the places.
pub(super) fn containerd(place: &Place) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    format!(
        "version = 2\nroot = {}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\n[grpc]\naddress = {}\n",
        quoted(&place.data().join("containerd").display().to_string()),
        quoted(CONTAINERD)
    )
}

/// A script that is our OCI runtime: `handover` as it was when the daemon was started, and the real one.
pub(super) fn runtime_script(handover: &Path, runc: &Path) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    format!("#!/bin/sh\nexec {} oci-runtime {} \"$@\"\n", quoted(handover), quoted(runc))
}

#[cfg(test)]
mod tests {
    use handover_fixtures::components::Cache;

    use super::*;

    fn made(runtime: Option<&Path>) -> Value {
        let programs = Programs { proxy: "/p/docker-proxy".into(), writes_key: true, ..Programs::default() };
        config(&Place::of(&Cache::at("/c")), &programs, "handover-ab", runtime)
    }

    #[test]
    fn it_keeps_its_hands_off_the_machine() {
        let config = made(None);
        for (key, value) in [
            ("bridge", json!("none")),
            ("iptables", json!(false)),
            ("ip6tables", json!(false)),
            ("ip-forward", json!(false)),
            ("data-root", json!("/c/docker/data")),
            ("hosts", json!(["unix:///c/docker/docker.sock"])),
            ("cgroup-parent", json!("/handover-ab")),
        ] {
            assert_eq!(config[key], value, "{key}");
        }
        assert!(config.get("default-runtime").is_none() && config.get("runtimes").is_none());
        // Nothing of it is Docker's own place.
        assert!(!config.to_string().contains("/var/") && !config.to_string().contains("/etc/"), "{config}");
        assert_eq!(config["deprecated-key-path"], "/c/docker/key.json");
    }

    #[test]
    fn our_runtime_is_the_default_where_it_is_needed() {
        let config = made(Some(Path::new("/c/docker/runtime")));
        assert_eq!(config["default-runtime"], "handover");
        assert_eq!(config["runtimes"]["handover"]["path"], "/c/docker/runtime");
    }

    #[test]
    fn containerd_keeps_to_the_cache() {
        assert_eq!(
            containerd(&Place::of(&Cache::at("/c \"d\""))),
            "version = 2\nroot = \"/c \\\"d\\\"/docker/data/containerd\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\n[grpc]\n\
             address = \"/run/containerd/containerd.sock\"\n"
        );
    }

    #[test]
    fn a_script_survives_odd_paths() {
        let script = runtime_script(Path::new("/a b/it's"), Path::new("/r/runc"));
        assert_eq!(script, "#!/bin/sh\nexec '/a b/it'\\''s' oci-runtime '/r/runc' \"$@\"\n");
    }
}
