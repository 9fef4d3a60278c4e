//! The example of a platform team's repository, and what somebody wrote who had only the README and the page of the
//! language: played for real, as they stand, in one run.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::{Cache, Run, Scratch, array};

const PLAYED: [&str; 4] =
    ["docs/two-databases", "platform/billing-volume", "platform/fleet-refresh", "platform/fleet-runbook"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the example, and what stands in it.
fn tree() -> BTreeMap<PathBuf, Vec<u8>> {
    let files = support::files(&root().join("scenarios/examples/platform"));
    files.into_iter().map(|file| (file.clone(), fs::read(&file).expect("it can be read"))).collect()
}

#[test]
fn a_platforms_tree_plays_as_it_is() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let before = tree();
    let mut command = support::handover(&cache, ["run", "scenarios/examples/platform", "docs/examples"]);
    command.current_dir(root()).args(["--jobs", "4", "--out"]).arg(scratch.at("out"));
    let done = Run::of(command, &cache, &scratch.at("out")).end();
    done.exits(0).says_once("4 scenarios: 4 pass exit 0: all passed").leaves_nothing(&cache);
    for id in PLAYED {
        assert_eq!(done.scenario(id)["verdict"], "pass");
    }
    assert_eq!(tree(), before, "nothing of the tree was touched");

    // Each change that was made on the way to the plane is told, at its line, and nothing else is one.
    let notes = done.notes("platform/fleet-refresh");
    let tree = "scenarios/examples/platform";
    let mut changes: Vec<&str> = notes
        .iter()
        .filter(|note| note.contains(" here (") || note.contains(" here, not ") || note.contains("left away"))
        .map(String::as_str)
        .collect();
    changes.sort_unstable();
    let expected = [
        ("ClusterSecretStore openbao: audiences is [vault] here", "infrastructure/openbao/store.yaml:1"),
        ("ClusterSecretStore openbao: caBundle is the run's CA here", "infrastructure/openbao/store.yaml:1"),
        ("ClusterSecretStore openbao: caProvider is left away", "infrastructure/openbao/store.yaml:1"),
        (
            "ClusterSecretStore openbao: namespace is platform-fleet-refresh",
            "infrastructure/openbao/store.yaml:1",
        ),
        ("ClusterSecretStore openbao: server is https://127.0.0.1:", "infrastructure/openbao/store.yaml:1"),
        ("VaultDynamicSecret fleet-database: audiences is", "infrastructure/openbao/generator.yaml:2"),
        ("VaultDynamicSecret fleet-database: caBundle is", "infrastructure/openbao/generator.yaml:2"),
        (
            "VaultDynamicSecret fleet-database: caProvider is left away",
            "infrastructure/openbao/generator.yaml:2",
        ),
        ("VaultDynamicSecret fleet-database: namespace is", "infrastructure/openbao/generator.yaml:2"),
        ("VaultDynamicSecret fleet-database: server is", "infrastructure/openbao/generator.yaml:2"),
        (
            "refreshInterval of ExternalSecret fleet-database is 10s here, not 1 h (scale 1/360)",
            "apps/fleet/base/externalsecret.yaml:7",
        ),
        (
            "rotation_period of fleet is 4 min here, not 24 h (scale 1/360)",
            "rotation-tests/fleet-refresh.yaml:6",
        ),
    ];
    assert_eq!(changes.len(), expected.len(), "{changes:#?}");
    for (change, (what, place)) in changes.into_iter().zip(expected) {
        assert!(change.starts_with(what), "{change}: {what}");
        assert!(change.ends_with(&format!("({tree}/{place})")), "{change}: {place}");
    }
    // What the page's own example says of itself: two rotations, within two seconds of each other.
    let two = done.scenario("docs/two-databases");
    let origins = array(&two["hops"]).iter().filter(|hop| hop["hop"] == "origin");
    let origins: Vec<u64> = origins.map(|hop| hop["at_us"].as_u64().expect("it was seen")).collect();
    let [shop, cart] = origins[..] else { panic!("each has one: {two:#}") };
    assert!(shop.abs_diff(cart) < 2_000_000, "{origins:?}");
    // The image is not pulled: what stands in for it is told as well.
    done.notes("platform/fleet-runbook")
        .iter()
        .find(|note| note.contains("handover's consumer in place of the image ghcr.io/acme/fleet-web:1.4.2"))
        .expect("who plays the application is told");
    done.says("(scale 1/360): with your 1 h, up to 1 h");
}
