//! No secret in any file that a run leaves: values are planted where the run sees them, and looked for by
//! other means than the program's own.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{Cache, Run, Scratch, files, handover, quick};

/// Needs escapes in JSON, in a URL and in a shell, and has no form that is the same as another.
const FROM_A_STORE: &str = "pl4nted<\"s+o/re\\&%~é=>";
const FROM_A_MANIFEST: &str = "pl4nted in \"a manifest\"?#";
const IN_A_REFUSED_ONE: &str = "731500731500";

/// The ways in which a value may be written down, as other tools write it.
fn forms(value: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = value.as_bytes();
    let hex = |upper: bool| -> String {
        bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let url: String = bytes
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let json = Value::from(value).to_string();
    let mut forms = vec![
        ("raw".to_owned(), bytes.to_vec()),
        ("hex".to_owned(), hex(false).into_bytes()),
        ("HEX".to_owned(), hex(true).into_bytes()),
        ("url".to_owned(), url.into_bytes()),
        ("json".to_owned(), json[1..json.len() - 1].into()),
    ];
    for before in 0..3 {
        // In the middle of something longer: `user:password`, as basic authentication has it.
        let whole = [&b"user:"[..5 - before], bytes, b":rest"].concat();
        let (first, last) = ((5 - before) * 8, (5 - before + bytes.len()) * 8);
        let digits = base64(&whole);
        // The digits whose bits are all the value's own.
        forms.push((format!("base64+{}", (5 - before) % 3), digits[first.div_ceil(6)..last / 6].into()));
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let number = three.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => text.push(DIGITS[number >> (18 - 6 * digit) & 63].into()),
                false => text.push('='),
            }
        }
    }
    text
}

/// Where any of the forms stands, in the files below a folder: `FILE FORM`.
fn found(values: &[&str], dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let forms: Vec<_> = values.iter().flat_map(|value| forms(value)).collect();
    for file in files(dir) {
        let bytes = fs::read(&file).expect("readable");
        for (name, form) in &forms {
            if bytes.windows(form.len()).any(|window| window == form) {
                let file = file.strip_prefix(dir).expect("below it").display();
                found.insert(format!("{file} {name}"));
            }
        }
    }
    found
}

/// Two credentials: one that ESO brings from a store that holds a known value, one that the manifests state.
fn scenario(scratch: &Scratch) -> PathBuf {
    let (value, stated) = (Value::from(FROM_A_STORE), Value::from(FROM_A_MANIFEST));
    let manifests = format!(
        "\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {{ name: planted }}
spec:
  provider:
    fake:
      data:
        - {{ key: planted, value: {value} }}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{ name: planted }}
spec:
  refreshInterval: 1s
  secretStoreRef: {{ name: planted, kind: SecretStore }}
  target: {{ name: planted }}
  data:
    - secretKey: password
      remoteRef: {{ key: planted }}
---
apiVersion: v1
kind: Secret
metadata: {{ name: stated }}
stringData: {{ password: {stated} }}
"
    );
    scratch.write("scenarios/manifests.yaml", manifests);
    scratch.write(
        "scenarios/planted.yaml",
        "\
scenario: leaks/planted
about: Known values are where the run sees them.
given:
  - apply:      manifests.yaml
  - credential: { name: planted, in: secret/planted, fields: [password] }
  - credential: { name: stated, in: secret/stated, fields: [password] }
steps:
  - hold: { credential: planted, at: secret, for: 2s }
expect:
  - holds_still: { credential: planted, at: secret }
  - holds_still: { credential: stated, at: secret }
",
    );
    scratch.at("scenarios")
}

/// A controller manager that is the real one, and first prints what it must not.
fn indiscreet(scratch: &Scratch, cache: &Cache) -> PathBuf {
    let mut words = String::new();
    for value in [FROM_A_STORE, FROM_A_MANIFEST] {
        for (name, form) in forms(value) {
            let form: String = form.iter().fold(String::new(), |mut text, byte| {
                write!(text, "\\{byte:03o}").expect("a string takes everything");
                text
            });
            writeln!(words, "printf 'it is {form} in {name}\\n'").expect("a string takes everything");
        }
    }
    let components = cache.root().join("components");
    let name =
        support::names(&components).into_iter().find(|name| name.starts_with("kube-controller-manager-"));
    let real = components.join(name.expect("it is in the cache")).join("files/kube-controller-manager");
    scratch.stand_in("kube-controller-manager", &format!("{words}exec '{}' \"$@\"\n", real.display()))
}

/// A server prints all forms of two values, and the run's directory held some files before: the log is kept
/// without them, and the files are found to hold them.
#[test]
fn planted_values_are_masked_in_what_is_kept_and_found_in_what_is_not_ours() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let (scenarios, program) = (scenario(&scratch), indiscreet(&scratch, &cache));
    let planted = [FROM_A_STORE, FROM_A_MANIFEST];
    let mut decoys = BTreeSet::new();
    for (number, value) in planted.iter().enumerate() {
        for (name, form) in forms(value) {
            scratch.write(format!("out/decoy/{number}-{name}"), [b"before ", &form[..], b" after"].concat());
            decoys.insert(format!("decoy/{number}-{name} {name}"));
        }
    }
    let component = format!("kube-controller-manager={}", program.display());
    let words = [scenarios.as_os_str(), "--keep".as_ref(), "--component".as_ref(), component.as_ref()];
    let done = Run::start(&cache, &scratch.at("out"), words).end();

    // What passed is overshadowed by what was found: in every decoy, in nothing else, and never which value.
    done.exits(6).says_once("1 scenario: 1 pass exit 6");
    assert_eq!(done.scenario("leaks/planted")["verdict"], "pass");
    let told: Vec<&str> = done.stderr.lines().filter(|line| line.contains("a secret was found in")).collect();
    for decoy in &decoys {
        let (file, _) = decoy.split_once(' ').expect("two words");
        assert_eq!(
            told.iter().filter(|line| line.contains(&format!("{file} at byte 7 "))).count(),
            1,
            "{told:#?}"
        );
    }
    assert_eq!(told.len(), decoys.len(), "{told:#?}");

    // The other way of looking sees the decoys, and in all that the run wrote nothing.
    assert_eq!(found(&planted, &done.out), decoys);
    let printed = scratch.write("printed/all", format!("{}{}", done.stdout, done.stderr));
    assert_eq!(found(&planted, printed.parent().expect("a folder")), BTreeSet::new());
    let log = done.read("logs/kube-controller-manager.log");
    assert_eq!(
        log.matches("it is ‹•••› in ").count(),
        decoys.len(),
        "every form is masked, and all else stays"
    );

    // They were there to be seen: the log as the server wrote it, kept beside the cache's runs, holds all.
    let kept = cache.root().join("kept").join(done.verdict()["run"].as_str().expect("its name"));
    done.says_once(&kept.display().to_string());
    let raw = found(&planted, &kept.join("logs"));
    let forms: BTreeSet<&str> = raw.iter().filter_map(|found| found.rsplit(' ').next()).collect();
    assert_eq!(forms.len(), 8, "{raw:?}");

    // And with it the servers' own secrets, of which none is in what the run wrote either.
    let own = own_secrets(&kept);
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    assert_eq!(found(&own, &done.out), BTreeSet::new());
    assert_eq!(found(&own, printed.parent().expect("a folder")), BTreeSet::new());
    done.leaves_nothing(&cache);
}

/// OpenBao's root token, and the token with which ESO talks to the API server.
fn own_secrets(kept: &Path) -> [String; 2] {
    let read =
        |name: &str| fs::read_to_string(kept.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let kubeconfig: Value = serde_json::from_str(&read("eso/kubeconfig")).expect("it is JSON");
    let token = kubeconfig["users"][0]["user"]["token"].as_str().expect("a token").to_owned();
    let secrets = [read("openbao/token").trim().to_owned(), token];
    assert!(secrets.iter().all(|secret| secret.len() > 20), "they are secrets");
    secrets
}

/// The API server quotes what it refuses, in its answer and in its log: not in what is kept.
#[test]
fn a_refused_secret_is_not_quoted() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    scenario(&scratch);
    let path = scratch.at("scenarios/manifests.yaml");
    let text = fs::read_to_string(&path).expect("the manifests");
    // A number where a text has to be: the usual mistake with a password of digits.
    fs::write(&path, text.replace(&Value::from(FROM_A_MANIFEST).to_string(), IN_A_REFUSED_ONE))
        .expect("a file");
    let done = Run::start(&cache, &scratch.at("out"), [scratch.at("scenarios")]).end();
    done.exits(5).leaves_nothing(&cache);
    let scenario = done.scenario("leaks/planted");
    let summary = scenario["summary"].as_str().expect("text");
    assert!(summary.contains("manifests.yaml:21: ") && summary.contains("‹•••›"), "{summary}");
    assert_eq!(found(&[IN_A_REFUSED_ONE], &done.out), BTreeSet::new());
    let printed = scratch.write("printed/all", format!("{}{}", done.stdout, done.stderr));
    assert_eq!(found(&[IN_A_REFUSED_ONE], printed.parent().expect("a folder")), BTreeSet::new());
    // Nor does anything that only reads the files say it.
    let lint = quick(handover(&cache, ["lint".as_ref(), scratch.at("scenarios").as_os_str()]));
    assert!(!lint.all().contains(IN_A_REFUSED_ONE), "{}", lint.all());
}

/// The other way of looking knows what it looks for.
#[test]
fn forms_are_what_other_tools_write() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    assert_eq!(base64(b"user:hunter2"), "dXNlcjpodW50ZXIy");
    let forms = forms("a\"b/ü");
    let text = |name: &str| {
        let (_, form) = forms.iter().find(|(known, _)| known == name).expect("a form");
        String::from_utf8(form.clone()).expect("text")
    };
    assert_eq!(text("url"), "a%22b%2F%C3%BC");
    assert_eq!(text("json"), "a\\\"b/ü");
    assert_eq!(text("HEX"), "6122622FC3BC");
}
