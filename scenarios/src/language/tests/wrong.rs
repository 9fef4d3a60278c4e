//! What is said about files that are wrong: every mistake at its place, with what to write instead.

use super::*;

/// Ten different mistakes, ten problems, each at its place.
#[test]
fn ten_mistakes_are_ten_problems() {
    let text = "\
scenario: Ten/Mistakes
about: Nothing here is right.
vars:
  limit: refresh_intervall + 2s
given:
  - kv:         { name: app, path: app, fields: [password] }
  - apply:      app.yaml
  - credential: { name: app, store: app, in: secret/app }
  - credential: { name: app, store: app }
watch:
  - { credential: ap, every: 20ms }
steps:
  - rotat: app
  - wait: { credential: app, at: login, reaches: next, within: 30s }
  - hold: { credential: app, at: secret }
expect:
  - propagates: { credential: app, to: secret, within: 1d }
  - rotations:  { credential: app, at: secret, exactly: some }
  - in_order:   { credental: app, at: secret }
";
    let problems = load(&[("ten.yaml", text), ("app.yaml", APP)], &[]).unwrap_err();
    let rendered = problems.render(false);
    let dir = problems.as_slice()[0].file.trim_end_matches("ten.yaml").to_owned();
    insta::assert_snapshot!("ten-mistakes", rendered.replace(&dir, ""));
    assert_eq!(problems.as_slice().len(), 10);
}

#[test]
fn files_that_are_wrong() {
    let long = format!("about: {}", "[".repeat(200));
    let said = spoilt(
        KV,
        &[
            ("about: x", "abuot: x"),
            ("about: x\n", ""),
            ("about: x", "about:"),
            ("about: x", "about: [x]"),
            ("about: x", "about: yes"),
            ("about: x", "about: x: y"),
            ("about: x", "about: x\nabout: y"),
            ("about: x", "about: x\non: y"),
            ("about: x", "about: x\nslow: 1"),
            ("about: x", "about: x\nneeds: eso"),
            ("about: x", "about: x\nneeds: [eso, eso, on, a b]"),
            ("about: x", &long),
            ("scenario: a/b", "scenario: a//b"),
            ("scenario: a/b", "scenario: 5"),
            ("steps:\n  - rotate: app", "steps: { rotate: app }"),
            ("steps:", "given: []\nsteps:"),
            ("expect:", "expcet:"),
            (KV, "scenario: a\nabout: x\nexpect: []\n"),
            (KV, "- scenario: a\nscenario:\n"),
            (KV, "# scenario\nscenario:\n"),
            (KV, "scenario: a\nabout: x\nexpect:\n---\nscenario: b\n"),
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn vars_that_are_wrong() {
    let said = spoilt(
        KV,
        &[
            ("about: x", "about: x\nvars: [limit]"),
            ("about: x", "about: x\nvars: { refresh_interval: 5s }"),
            ("about: x", "about: x\nvars: { on: 5s, a-b: 5s }"),
            ("about: x", "about: x\nvars: { a: 1d, b: a + 5, c: later, later: 1s, d: [1s] }"),
            ("within: 7s }", "within: limit }\nvars: { limit: 2s + 3 }"),
            ("within: 7s }", "within: limit }\nvars: { limit: 5 }"),
            ("within: 7s }", "within: limt }\nvars: { limit: 5s }"),
            ("within: 7s }", "within: 5 }"),
            ("within: 7s }", "within: abc }"),
            ("within: 7s }", "within: 2s - refresh_interval }"),
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn given_that_is_wrong() {
    let said = spoilt(
        KV,
        &[
            ("kv: {", "kw: {"),
            ("kv: { name: app, path: app, fields: [password] }", "kv: app"),
            ("  - kv:", "  - eso: { replicas: 2 }\n  - kv:"),
            ("  - kv:", "  - eso: { replicas: 1 }\n  - kv:"),
            ("steps:", "steps:\n  - kill: eso-leader"),
            ("path: app", "paht: app"),
            ("path: app", "path: /app"),
            ("path: app", "path: app, mount: 5"),
            ("path: app", "path: app, seeded: maybe"),
            ("fields: [password]", "fields: [password, password]"),
            ("fields: [password]", "fields: []"),
            (
                "  - apply",
                "  - kv: { name: app, path: b, fields: [a] }\n  - kv: { name: b, path: app, fields: [a] }\n  - apply",
            ),
            ("apply: app.yaml", "apply: ap.yaml"),
            ("apply: app.yaml", "apply: nothing/"),
            ("apply: app.yaml", "apply: no*.yaml"),
            ("apply: app.yaml", "apply: { kustomise: base }"),
            ("apply: app.yaml", "apply: { kustomize: . }"),
            ("apply: app.yaml", "apply: [app.yaml, app.yaml]"),
            ("apply: app.yaml", "apply: [app.yaml, 5]"),
            ("apply: app.yaml", "apply:"),
            ("apply: app.yaml", "apply: s.yaml"),
            ("  - apply: app.yaml\n", ""),
            ("store: app", "store: ap"),
            ("store: app", "store: [app]"),
            ("store: app, in: secret/app", "fields: [password]"),
            ("store: app, in", "in"),
            ("in: secret/app", "in: app"),
            ("in: secret/app", "in: secret/ap"),
            ("in: secret/app", "in: other/secret/app"),
            ("in: secret/app", "in: secret/app, fields: [pasword]"),
            ("in: secret/app", "in: secret/app, fields: { password: PASSWORD }"),
            ("in: secret/app", "in: secret/app, fields: {}"),
            ("in: secret/app", "in: secret/app, extract: url.password"),
            ("in: secret/app", "in: secret/app, key: password, extract: url.pasword"),
            ("in: secret/app", "in: secret/app, key: password, extract: base64 |"),
            ("in: secret/app", "in: secret/app, key: pasword, extract: url.password"),
            ("in: secret/app", "in: secret/app, key: password, fields: [password]"),
            ("in: secret/app", "in: secret/app, fields: { password: { kee: a, extract: json:x } }"),
            ("name: app, store", "name: on, store"),
            ("credential: { name: app", "credential: { nmae: app"),
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn databases_and_readers_that_are_wrong() {
    let said = spoilt(
        ROLE,
        &[
            ("users: [fleet]", "users: []"),
            ("users: [fleet]", "users: [fleeet]"),
            ("  - static_role", "  - mysql: { name: two, users: [fleet] }\n  - static_role"),
            ("  - static_role", "  - valkey: { name: db, users: [other] }\n  - static_role"),
            ("server: db", "server: bd"),
            ("server: db", "server: db, user: flet"),
            ("rotation_period: 1h", "rotation_period: 4s"),
            ("rotation_period: 1h", "rotation_period: refresh_interval"),
            ("rotation_period: 1h", "rotation_period: 1d"),
            ("in: secret/fleet-mysql", "in: secret/fleet-mysql, fields: [username, pasword]"),
            ("in: secret/fleet-mysql", "in: secret/fleet-mysql, fields: [username]"),
            ("in: secret/fleet-mysql", "in: secret/fleet-mysql, fields: [username, password, ttl]"),
            (", in: secret/fleet-mysql", ""),
            ("reads: fleet", "reads: flet"),
            ("logs_in_to: db", "logs_in_to: web"),
            ("logs_in_to: db }", "logs_in_to: two }\n  - valkey: { name: two, users: [a] }"),
            ("name: web", "name: \"web:1\""),
            ("of: web", "of: \"web:1\""),
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn steps_that_are_wrong() {
    let said = spoilt(
        KV,
        &[
            ("rotate: app", "rotat: app"),
            ("rotate: app", "rotate: ap"),
            ("rotate: app", "rotate:"),
            ("rotate: app", "rotate"),
            ("rotate: app", "rotate: { credential: app, to: last }"),
            ("rotate: app", "rotate: { credential: app, to: previous }"),
            ("rotate: app", "rotate: app\n    wait: { credential: app, at: secret, within: 5s }"),
            ("rotate: app", "wait:\n    credential: app"),
            ("rotate: app", "wait: { credential: app, at: sceret, within: 5s }"),
            ("rotate: app", "wait: { credential: app, at: origin, within: 5s }"),
            ("rotate: app", "wait: { credential: app, at: secret, reaches: previous, within: 5s }"),
            ("rotate: app", "wait: { at: secret }"),
            ("rotate: app", "hold: { credential: app, at: secret, for: 5 * refresh }"),
            ("rotate: app", "hold: [app]"),
            ("rotate: app", "gate: { object: externalsecret/app, condition: a.b/c }"),
            ("rotate: app", "gate: { object: externalsecret/app }"),
        ],
    );
    insta::assert_snapshot!(said);
    let said = spoilt(
        ROLE,
        &[
            ("rotate: fleet", "rotate: { credential: fleet, to: previous }"),
            ("rotate: fleet", "rotate: bare\ngivn:"),
        ],
    );
    insta::assert_snapshot!("rollback_of_a_static_role", said);
}

/// A token is in one pod, opens OpenBao only, and nobody rotates it.
#[test]
fn tokens_that_are_wrong() {
    assert_eq!(problems(TOKEN), Vec::<String>::new());
    let said = spoilt(
        TOKEN,
        &[
            ("token_of: deployment/keeps", "token_of: deployment/keep"),
            ("token_of: deployment/keeps", "token_of: serviceaccount/app"),
            ("token_of: deployment/keeps", "token_of: deployment/keeps, in: secret/keeps"),
            ("reads: kept", "reads: renewed"),
            ("by: file_once", "by: env"),
            (
                "reads: kept, by: file_once, logs_in_to: openbao, role: app",
                "reads: kept, logs_in_to: openbao",
            ),
            ("reads: kept, by: file_once, logs_in_to: openbao", "reads: kept, logs_in_to: db"),
            ("  - watch: 20s", "  - rotate: renewed"),
            ("at_most: life - 20s", "at_most: refresh_interval"),
        ],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn watches_and_expectations_that_are_wrong() {
    let said = spoilt(
        ROLE,
        &[
            ("steps:", "watch: { credential: fleet }\nsteps:"),
            ("steps:", "watch: [fleet]\nsteps:"),
            ("steps:", "watch: [{ credential: fleet }]\nsteps:"),
            ("steps:", "watch: [{ credential: fleet, every: 4ms }]\nsteps:"),
            (
                "steps:",
                "watch: [{ credential: fleet, every: 20ms }, { credential: fleet, every: 1s }]\nsteps:",
            ),
            ("steps:", "watch: [{ objects: generatorState }, { objects: Pod, every: 5s }]\nsteps:"),
            ("of: web", "of: wbe"),
            ("at_most: refresh_interval + 2s", "at_most: -1s"),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "retired: { credential: fleet, generation: next, within: 1s }",
            ),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "rotations: { credential: fleet, at: secret }",
            ),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "rotations: { credential: fleet, at: secret, exactly: 1, at_most: 2 }",
            ),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "rotations: { credential: fleet, at: secret, at_least: 3, at_most: 2 }",
            ),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "rotations: { credential: fleet, at: secret, exactly: 1s }",
            ),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "rotations: { credential: fleet, at: secret, exactly: -1 }",
            ),
            ("outage: { of: web, at_most: refresh_interval + 2s }", "holds_still: { credential: fleet }"),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "in_order: { credential: fleet, at: workload }",
            ),
            ("outage: { of: web, at_most: refresh_interval + 2s }", "objects: { kind: pods, exactly: 1 }"),
            (
                "outage: { of: web, at_most: refresh_interval + 2s }",
                "calls: { path: /v1/database, exactly: 1 }",
            ),
            ("expect:", "settles: { claim: x }\nexpect:"),
            (
                "expect:",
                "settles: [{ claim: x, source: y, about: 5, holds_if: { calls: { path: a } } }]\nexpect:",
            ),
            ("expect:", "settles: [{ claim: x, holds_if: { hold: fleet } }]\nexpect:"),
        ],
    );
    insta::assert_snapshot!(said);
    let said = spoilt(
        KV,
        &[
            (
                "propagates: { credential: app, to: secret, within: 7s }",
                "retired: { credential: app, within: 1s }",
            ),
            ("steps:", "watch: [{ credential: app, every: 50ms }]\nsteps:"),
        ],
    );
    insta::assert_snapshot!("without_a_server_nothing_is_retired", said);
}

#[test]
fn scales_that_are_wrong() {
    let said = spoilt(
        ROLE,
        &[
            ("about: x", "about: x\nscale: 360"),
            ("about: x", "about: x\nscale: 1/0"),
            // The Secret's interval of 5 s would be below what ESO can tell.
            ("about: x", "about: x\nscale: 1/360"),
        ],
    );
    let shorter = ROLE.replace("rotation_period: 1h", "rotation_period: 30s");
    let said = said + "rotation_period: 30s\n" + &spoilt(&shorter, &[("about: x", "about: x\nscale: 1/4")]);
    let lease = ROLE.replace(
        "  - static_role:",
        "  - dynamic_role: { name: other, server: db, ttl: 3s }\n  - static_role:",
    );
    let said = said + "ttl: 3s\n" + &spoilt(&lease, &[("about: x", "about: x\nscale: 1/4")]);
    insta::assert_snapshot!(said);
}
