//! What is found in manifests without being named, and that what is written from it is a scenario.

use handover_fixtures::components::contained::{Held, held};
use handover_fixtures::components::images::ImageName;

use super::*;

fn made(files: &[(&str, &str)]) -> Crossing {
    made_of(files, &Ends { from: Arc::default(), to: Arc::default(), components: vec![Component::Eso] })
}

/// The crossing of one component, of which only the versions are known.
fn of(component: Component, versions: [&str; 2], files: &[(&str, &str)]) -> Crossing {
    let [from, to] = versions.map(|version| {
        let image = ImageName::parse("made.test/server:1").expect("a name");
        let version = Some(version.to_owned());
        let found = Held { id: "sha256:1".to_owned(), digest: None, version, starts: Vec::new() };
        let one = held(component, &image, &found, vec!["/nowhere".into()]);
        Arc::new(std::iter::once(one).collect::<ResolvedSet>())
    });
    made_of(files, &Ends { from, to, components: vec![component] })
}

fn made_of(files: &[(&str, &str)], ends: &Ends) -> Crossing {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("a file");
    }
    let paths = if files.is_empty() { Vec::new() } else { vec![dir.path().to_owned()] };
    match crossing(&paths, ends, Pace::default()) {
        Ok(crossing) => crossing,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

const STORE: &str = "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: { name: bao, namespace: team }\nspec:\n  \
     provider: { vault: { server: \"https://bao\", path: kv/team, version: v2, auth: { kubernetes: { role: r, mountPath: k8s, \
     serviceAccountRef: { name: reader } } } } }\n---\n";

fn external_secret(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{ name: {name}, namespace: team }}\nspec: {spec}\n---\n"
    )
}

#[test]
fn one_of_each_kind_is_watched_where_nothing_is_named() {
    let made = made(&[]);
    let watched: Vec<_> =
        made.asked.watched.iter().map(|w| format!("{} at {}", w.credential, w.at)).collect();
    let expected = [
        "fetched at secret",
        "templated at secret",
        "static-role at secret",
        "dynamic-role at secret",
        "generated-never at secret",
        "generated-once at secret",
        "generated-daily at secret",
        "pushed-never at store",
        "pushed-daily at store",
        "pushed-secret at store",
    ];
    assert_eq!(watched, expected);
    assert!(made.asked.watched.iter().all(|watched| watched.stands_still));
    assert_eq!(made.asked.unwatched, []);
    // The hop: kinds, program, and back.
    let replaced: Vec<_> = made.scenario.wanted_releases().map(ToString::to_string).collect();
    assert_eq!(replaced, ["eso-crds to", "eso to", "eso from"]);
}

#[test]
fn what_a_users_files_need_is_given_and_a_missing_account_is_made() {
    let fetched = external_secret(
        "app",
        "{ refreshInterval: 1h, secretStoreRef: { name: bao, kind: SecretStore }, target: { name: app-secret }, \
         data: [{ secretKey: a, remoteRef: { key: kv/team/app, property: user } }, \
                { secretKey: b, remoteRef: { key: app, property: password } }] }",
    );
    let made = made(&[("app.yaml", &format!("{STORE}{fetched}"))]);
    let kv = made.scenario.kv.iter().find(|kv| kv.path == "app").expect("both keys are one path");
    assert_eq!(
        (kv.mount.as_str(), kv.fields.as_slice()),
        ("kv/team", &["password".to_owned(), "user".to_owned()][..])
    );
    let credential =
        made.scenario.credentials.iter().find(|one| one.name == "app-secret").expect("its Secret");
    assert!(credential.secret.as_ref().is_some_and(|place| place.keys.is_empty()), "every key of it");
    let accounts = made.scenario.manifests.iter().filter(|manifest| manifest.kind == "ServiceAccount");
    assert!(accounts.into_iter().any(|account| account.name == "reader"));
}

#[test]
fn what_cannot_be_watched_is_told_with_the_reason_and_not_applied() {
    let of = |name: &str, rest: &str| external_secret(name, &format!("{{ refreshInterval: 1h, {rest} }}"));
    let store = "secretStoreRef: { name: bao, kind: SecretStore }";
    let text = [
        STORE.to_owned(),
        of("aws", "secretStoreRef: { name: aws }, data: [{ secretKey: a, remoteRef: { key: a } }]"),
        of("found", &format!("{store}, dataFrom: [{{ find: {{ path: x }} }}]")),
        of(
            "encoded",
            &format!(
                "{store}, data: [{{ secretKey: a, remoteRef: {{ key: a, decodingStrategy: Base64 }} }}]"
            ),
        ),
        of("fine", &format!("{store}, data: [{{ secretKey: a, remoteRef: {{ key: a, property: a }} }}]")),
    ];
    let made = made(&[("all.yaml", &text.concat())]);
    let why = |name: &str| {
        let found =
            made.asked.unwatched.iter().find(|it| it.what.starts_with(&format!("ExternalSecret {name} ")));
        found.map(|it| it.why.clone()).unwrap_or_default()
    };
    assert_eq!(why("aws"), "SecretStore aws is not among these files");
    assert!(why("found").starts_with("it finds by pattern"));
    assert!(why("encoded").starts_with("decodingStrategy Base64"));
    assert_eq!(why("fine"), "");
    let applied: Vec<_> = made.scenario.manifests.iter().filter(|m| m.namespace.is_some()).collect();
    let applied: Vec<_> = applied.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(applied, ["reader", "bao", "fine"]);
}

#[test]
fn what_makes_a_new_value_often_is_free_to_move() {
    let password = "apiVersion: generators.external-secrets.io/v1alpha1\nkind: Password\nmetadata: { name: p, namespace: team }\n\
         spec: { length: 12 }\n---\n";
    let often = external_secret(
        "often",
        "{ refreshInterval: 15s, dataFrom: [{ sourceRef: { generatorRef: { kind: Password, name: p } } }] }",
    );
    let made = made(&[("all.yaml", &format!("{password}{often}"))]);
    let watched = &made.asked.watched[0];
    assert!(!watched.stands_still, "{watched:?}");
    assert!(watched.what.ends_with("; ExternalSecret often makes a new one every 15 s"), "{}", watched.what);
}

fn replaced(made: &Crossing) -> Vec<String> {
    made.scenario.wanted_releases().map(ToString::to_string).collect()
}

#[test]
fn a_database_that_is_replaced_runs_and_has_a_user_that_logs_in_over_the_hop() {
    for (component, word) in
        [(Component::Mysql, "mysql"), (Component::Valkey, "valkey"), (Component::Postgres, "postgres")]
    {
        for files in [&[][..], &[("app.yaml", STORE)]] {
            let made = of(component, ["9.1.0", "9.1.2"], files);
            assert!(made.scenario.needs.contains(word), "{:?}", made.scenario.needs);
            let login = format!("handover-{word}-login");
            let reader = made.scenario.readers.iter().find(|reader| reader.name == login);
            let database = reader.map(|reader| reader.database.as_str());
            assert_eq!(database, Some(format!("handover-{word}").as_str()));
            assert_eq!(replaced(&made), [format!("{word} to"), format!("{word} from")]);
        }
    }
    // Whoever has no data of a user's needs nothing.
    let made = of(Component::Openbao, ["2.6.0", "2.7.2"], &[("app.yaml", STORE)]);
    assert!(made.scenario.databases.is_empty() && made.scenario.readers.is_empty());
    assert_eq!(replaced(&made), ["openbao to", "openbao from"]);
}

#[test]
fn what_cannot_go_back_is_not_taken_back_and_that_is_said() {
    let made = of(Component::Mysql, ["8.4.7", "9.7.4-2"], &[]);
    assert_eq!(replaced(&made), ["mysql to"]);
    let why = "the way back is not played: mysql 8.4.7 does not open data that mysql 9.7.4-2 has run on";
    assert_eq!(made.asked.limits, [why]);
    assert!(!made.scenario.plan.about.contains("back"), "{}", made.scenario.plan.about);
    assert_eq!(of(Component::Mysql, ["9.7.4-2", "9.7.5"], &[]).asked.limits, [""; 0]);
}
