//! A platform's tree, and what is said about it.

use std::fs;
use std::path::PathBuf;

use super::explain;

fn told(files: &[(&str, &str)]) -> (String, usize) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let root = format!("{}/", dir.path().display());
    match explain(&[dir.path().to_path_buf()]) {
        Ok(explained) => (explained.text.replace(&root, ""), explained.findings),
        Err(problems) => (problems.to_string().replace(&root, ""), usize::MAX),
    }
}

const APP: &str = include_str!("../../catalogue/kv/app.yaml");
const FLEET: &str = include_str!("../../catalogue/mysql/fleet.yaml");
const REREADS: &str = include_str!("../../catalogue/generators/rereads.yaml");
const PUSHED: &str = include_str!("../../catalogue/generators/pushsecret-password.yaml");

/// One that reads by environment, by volume and by subPath, one that is reloaded, one that starts anew.
const WORKLOADS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  template:
    spec:
      containers:
        - name: web
          env:
            - name: DB_PASSWORD
              valueFrom: { secretKeyRef: { name: fleet-mysql, key: password } }
          volumeMounts:
            - { name: db, mountPath: /etc/db }
            - { name: db, mountPath: /etc/one, subPath: password }
      volumes:
        - { name: db, secret: { secretName: fleet-mysql } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: reloaded
  annotations: { reloader.stakater.com/auto: \"true\" }
spec:
  template:
    spec:
      containers: [{ name: main, envFrom: [{ secretRef: { name: fleet-mysql } }] }]
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{ name: main, envFrom: [{ secretRef: { name: fleet-mysql } }] }]
";

/// Pushed from a Secret into OpenBao, and fetched from there elsewhere.
const CHAIN: &str = "\
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: { name: share, namespace: owner }
spec:
  refreshInterval: 10m
  secretStoreRefs: [{ name: bao, kind: ClusterSecretStore }]
  selector: { secret: { name: api } }
  data: [{ match: { secretKey: token, remoteRef: { remoteKey: shared/api } } }]
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: { name: bao }
spec: { provider: { vault: { server: https://bao:8200, path: secret, version: v2 } } }
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: api, namespace: reader }
spec:
  refreshInterval: 1h
  secretStoreRef: { name: bao, kind: ClusterSecretStore }
  target: { deletionPolicy: Delete }
  data: [{ secretKey: token, remoteRef: { key: shared/api } }]
";

/// Leases that end before the next refresh, and tokens that end before the lease.
const LEASES: &str = "\
apiVersion: generators.external-secrets.io/v1alpha1
kind: VaultDynamicSecret
metadata: { name: short }
spec:
  path: database/creds/app
  # ttl: 30m
  # token_ttl: 15m
  provider: { server: https://bao:8200 }
---
apiVersion: generators.external-secrets.io/v1alpha1
kind: VaultDynamicSecret
metadata: { name: unsaid }
spec: { path: database/creds/other, provider: { server: https://bao:8200 } }
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: short }
spec:
  dataFrom: [{ sourceRef: { generatorRef: { kind: VaultDynamicSecret, name: short } } }]
---
apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata: { name: unsaid }
spec:
  refreshInterval: \"0\"
  dataFrom: [{ sourceRef: { generatorRef: { kind: VaultDynamicSecret, name: unsaid } } }]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: again }
spec:
  refreshInterval: 1d
  target: { name: unsaid }
  secretStoreRef: { name: elsewhere }
  data: [{ secretKey: a, remoteRef: { key: a } }]
";

#[test]
fn a_tree_in_order() {
    let (text, findings) = told(&[("app.yaml", APP)]);
    insta::assert_snapshot!(text);
    assert_eq!(findings, 0);
}

#[test]
fn workloads_and_what_a_rotation_means_to_them() {
    let (text, findings) = told(&[("fleet.yaml", FLEET), ("workloads.yaml", WORKLOADS)]);
    insta::assert_snapshot!(text);
    assert_eq!(findings, 2);
}

#[test]
fn generators_that_make_more_than_was_asked_for() {
    let (text, _) = told(&[("pushed.yaml", PUSHED), ("rereads.yaml", REREADS)]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_chain_is_as_long_as_its_intervals() {
    let (text, findings) = told(&[("chain.yaml", CHAIN)]);
    insta::assert_snapshot!(text);
    assert_eq!(findings, 1);
}

#[test]
fn leases_tokens_and_versions() {
    let (text, _) = told(&[("leases.yaml", LEASES)]);
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_read_is_all_told() {
    let (text, findings) = told(&[("a.yaml", "kind: [\n"), ("b.yaml", "kind: Pod\n"), ("c.yaml", APP)]);
    assert_eq!(findings, usize::MAX);
    assert!(text.contains("a.yaml:") && text.contains("b.yaml:1:1"), "{text}");
    assert!(explain(&[PathBuf::from("nowhere")]).unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn a_template_that_takes_what_moves_by_itself_is_found() {
    let fleet = FLEET.replace(
        "password: \"{{ .password }}\"",
        "password: \"{{ .password }}\"\n        ttl: \"{{ .ttl }}\"",
    );
    assert_ne!(fleet, FLEET);
    let (text, findings) = told(&[("fleet.yaml", &fleet)]);
    assert_eq!(findings, 1, "{text}");
    assert!(
        text.contains("the template of ExternalSecret fleet-mysql takes ttl: the Secret moves"),
        "{text}"
    );
}
