//! Input that is wrong where only a plane can tell: each told in one clear message, side by side in one run, and
//! who is sound among them is not disturbed.

mod support;

use std::fs;
use std::path::Path;

use support::{Cache, Done, Run, Scratch};

/// A KV value in an application's environment: sound.
const SCENARIO: &str = "\
scenario: bad/good
about: A new value reaches the Secret.
given:
  - mysql:      { name: db, users: [app] }
  - kv:         { name: app, path: app, holds: { server: db, user: app } }
  - apply:      app.yaml
  - credential: { name: app, store: app, in: secret/app }
  - workload:   { name: web, deployment: deployment/web, reads: app, logs_in_to: db }
steps:
  - rotate: { credential: app, keeps: previous }
  - wait:   { credential: app, at: secret, within: 30s }
expect:
  - rotations: { credential: app, at: secret, exactly: 1 }
";

/// The sound scenario and its manifests, each edited.
fn write(scratch: &Scratch, name: &str, scenario: &[(&str, &str)], manifests: &[(&str, &str)]) {
    let edited = |text: &str, edits: &[(&str, &str)]| {
        edits.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{name}: {from}");
            text.replacen(from, to, 1)
        })
    };
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/kv/rolling.yaml");
    let app = fs::read_to_string(catalogue).expect("a file of the catalogue");
    let text = edited(&SCENARIO.replace("bad/good", &format!("bad/{name}")), scenario);
    scratch.write(format!("all/{name}/s.yaml"), text);
    scratch.write(format!("all/{name}/app.yaml"), edited(&app, manifests));
}

/// Why a scenario could not be played.
fn why(done: &Done, name: &str) -> String {
    let scenario = done.scenario(&format!("bad/{name}"));
    assert_eq!(scenario["verdict"], "error", "{scenario:#}");
    scenario["summary"].as_str().expect("text").to_owned()
}

#[test]
fn each_is_told_in_one_clear_message() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    write(&scratch, "good", &[], &[]);
    // A variable wants a key that nobody writes: the pod never starts.
    let token = "          env:\n            - name: TOKEN\n              valueFrom: { secretKeyRef: { name: app, key: token } }\n";
    write(&scratch, "key", &[], &[("          env:\n", token)]);
    // What is in the Secret is no URL.
    let extract = "in: secret/app, fields: { username: username, password: { key: password, extract: url.password } } }";
    write(&scratch, "extract", &[("in: secret/app }", extract)], &[]);
    // OpenBao gives this role nothing, and a program that reads it at its start ends with that.
    let login = "  - login:      { role: web, service_account: default, policies: [nothing] }\n  - workload:";
    write(
        &scratch,
        "crash",
        &[("  - workload:", login), ("logs_in_to: db }", "logs_in_to: db, by: openbao, role: web }")],
        &[],
    );
    let probe = "          livenessProbe: { exec: { command: [\"true\"] } }\n          ports:\n";
    write(&scratch, "field", &[], &[("          ports:\n", probe)]);
    let beta =
        ("external-secrets.io/v1\nkind: ExternalSecret", "external-secrets.io/v1beta1\nkind: ExternalSecret");
    write(&scratch, "beta", &[], &[beta]);

    let files = scratch.at("all");
    let done =
        Run::start(&cache, &scratch.at("out"), ["--jobs".as_ref(), "8".as_ref(), files.as_os_str()]).end();
    done.exits(5).says_once("6 scenarios: 1 pass, 5 error exit 5").leaves_nothing(&cache);

    let key = why(&done, "key");
    assert!(
        key.contains("before the first step: ") && key.contains("app at workload: nothing was seen"),
        "{key}"
    );
    assert!(key.contains("; pod web-") && key.contains("CreateContainerConfigError: "), "{key}");
    assert!(key.contains("token"), "{key}");

    let extract = why(&done, "extract");
    assert!(
        extract.contains("app at sync: the Secret's key `password`: `url.password` finds nothing"),
        "{extract}"
    );

    let crash = why(&done, "crash");
    assert!(
        crash.contains("; pod web-") && crash.contains(" (and 1 more) crashes again and again: "),
        "{crash}"
    );
    assert!(crash.contains("its process exited with status 1, saying `handover consumer: "), "{crash}");
    assert!(crash.contains("OpenBao did not give it: it answered 403"), "{crash}");

    let field = why(&done, "field");
    assert!(
        field.contains("Unsupported: ") && field.contains("spec.containers[app].livenessProbe.exec"),
        "{field}"
    );

    let beta = why(&done, "beta");
    let place = format!("{}:24: ", files.join("beta/app.yaml").display());
    assert!(beta.contains(&place) && beta.contains("external-secrets.io/v1beta1"), "{beta}");
    done.says_once("is not served since ESO v0.17.0")
        .says("write `external-secrets.io/v1`, which v0.16.0 and later serve");

    // The sound one, whether its pods wanted the Secret before it was there or not; and nothing of the caller's
    // environment (see `support::program`) reached a server.
    assert_eq!(done.scenario("bad/good")["verdict"], "pass");
    // Who waits for good has said so, too, and not only in the end.
    let notes: Vec<String> = done.notes("bad/key");
    assert!(notes.iter().any(|note| note.contains("waits: CreateContainerConfigError")), "{notes:#?}");
    for file in support::files(&done.out) {
        let text = fs::read(&file).expect("a report or a log");
        let stray = b"127.0.0.1:9\"";
        assert!(!text.windows(stray.len()).any(|window| window == stray), "{}", file.display());
    }
}
