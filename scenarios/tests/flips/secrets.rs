//! Flips of what happens to Secrets, and to who reads them.

use super::*;

pub(super) const FLIPS: &[Flip] = &[
    Flip {
        of: "agent/forced",
        about: "The server goes on accepting the value that the agent keeps.",
        edits: &[KEEPS],
        fails: &[fails("retired", "g0 was let in"), fails("refused", "0 refused logins of rereads")],
        // Nobody tries the new value, so nobody knows that the server took it.
        open: &["outage"],
        stands_for: &[],
    },
    Flip {
        of: "agent/template",
        about: "The application that read its file once reads it again.",
        edits: &[Edit("", "by: file_once", "by: file")],
        fails: &[fails("holds_still", "stays moved 2 times at workload")],
        // As often as the other one's, which nobody counts.
        open: &["refused"],
        stands_for: &[],
    },
    Flip {
        of: "auth/bootstrap-bump",
        about: "Nobody bumps the ExternalSecret.",
        edits: &[Edit("", "  - force_sync: externalsecret/app\n", "")],
        fails: &[fails("condition", "externalsecret/app:Ready was False and became True for good")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "auth/bootstrap-order",
        about: "The policy that comes later is of another path.",
        edits: &[
            Edit("", "path \"secret/data/app\"", "path \"secret/data/another\""),
            Edit(
                "",
                "  - wait: { object: externalsecret/app, condition: Ready, within: 30s }",
                "  - watch: 13s",
            ),
        ],
        fails: &[fails("condition", "externalsecret/app:Ready was False at the end")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "auth/offboarding",
        about: "The operator is stopped before the leases are revoked.",
        edits: &[
            Edit(
                "",
                "  - bao:   { write: sys/leases",
                "  - delete: externalsecret/leaving\n  - watch: 1s\n  - bao:   { write: sys/leases",
            ),
            // Which is not refreshed any more.
            Edit("", "  - wait:  { object: externalsecret/leaving, within: 10s }\n", "  - watch: 2s\n"),
        ],
        fails: &[gone("leases")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "auth/offboarding-safe",
        about: "The other tenant is rotated, too.",
        edits: &[Edit("", "  - watch:  3s", "  - rotate: staying\n  - watch:  3s")],
        fails: &[fails("blast_radius", "g0 → g1")],
        open: &[],
        stands_for: &["blast_radius"],
    },
    Flip {
        of: "eso/leader-change",
        about: "What is made anew every hour is made anew every few seconds, and nobody ends.",
        edits: &[
            MODELLED,
            Edit("", "  - eso:        { replicas: 2 }\n", ""),
            Edit("", "  - kill:   eso-leader\n", ""),
            Edit("", "  - stop:   eso-leader\n", ""),
            Edit("eso/leader.yaml", "  refreshInterval: 1h\n", "  refreshInterval: 5s\n"),
        ],
        fails: &[fails("holds_still", "hourly")],
        open: LATE,
        stands_for: &[],
    },
    Flip {
        of: "eso/upgrade-keeps-generated",
        about: "The same version takes its own place: nothing is generated anew, and the pins are gone from this hop.",
        edits: &[
            Edit(
                "",
                "release:    { component: eso, with: v0.16.1 }",
                "release:    { component: eso, with: v0.20.4 }",
            ),
            Edit(
                "",
                "on: eso v0.16.1 -> v0.20.4\n    fails: { holds_still: { credential: generated",
                "on: eso\n    fails: { holds_still: { credential: generated",
            ),
            Edit(
                "",
                "on: eso v0.16.1 -> v0.20.4\n    fails: { holds_still: { credential: pushed",
                "on: eso\n    fails: { holds_still: { credential: pushed",
            ),
        ],
        fails: &[gone("holds_still"), gone("holds_still")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "fight/bootstrap-secret",
        about: "The defect is known of another MySQL, so on this one nobody may be refused.",
        edits: &[Edit("", "on: mysql\n", "on: mysql 0.0.1\n")],
        fails: &[fails("stragglers", "stragglers refused with fleet later than 5.00 s after a rotation")],
        open: &[],
        stands_for: &["stragglers"],
    },
    Flip {
        of: "fight/bootstrap-secret",
        about: "The forgotten consumer is not there.",
        edits: &[Edit(
            "fight/bootstrap.yaml",
            "  name: forgotten\nspec:\n  replicas: 1",
            "  name: forgotten\nspec:\n  replicas: 0",
        )],
        fails: &[gone("stragglers")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "fight/operator-reapplies",
        about: "Whoever sets a password keeps the one before.",
        edits: &[KEEPS, Edit("", "BY {fleet.password}\"", "BY {fleet.password} RETAIN CURRENT PASSWORD\"")],
        fails: &[fails("refused", "0 refused logins of app"), gone("stragglers")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "generators/pushsecret-password-interval",
        about: "The PushSecret that minted every three seconds has no interval either.",
        edits: &[Edit(
            "generators/pushsecret-password.yaml",
            "refreshInterval: 3s",
            "refreshInterval: \"0\"",
        )],
        fails: &[fails("rotations", "0 moves of minted at store")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "generators/vault-dynamic-secret-rereads",
        about: "The ExternalSecret without a template has one, in which the ttl stands still.",
        edits: &[Edit(
            "generators/rereads.yaml",
            "    name: raw\n  dataFrom:",
            "    name: raw\n    template:\n      data:\n        username: \"{{ .username }}\"\n        \
             password: \"{{ .password }}\"\n        ttl: still\n  dataFrom:",
        )],
        fails: &[
            fails("churn", "0 writes of the Secret of raw without a new generation"),
            fails("rotations", "0 moves of raw-ttl at secret"),
        ],
        open: LATE,
        stands_for: &["rotations"],
    },
    // What only a real kubelet can show is skipped where there is none. That the expectations fail when it is otherwise
    // can be seen with a model of one as well, as long as it says that it is one.
    Flip {
        of: "kubelet/annotation",
        about: "What was mounted by subPath is mounted as a whole.",
        edits: &[
            MODELLED,
            Edit(
                "kubelet/applications.yaml",
                "            - { name: database, mountPath: /etc/app/username, subPath: username }\n            \
                 - { name: database, mountPath: /etc/app/password, subPath: password }\n",
                "            - { name: database, mountPath: /etc/app }\n",
            ),
        ],
        fails: &[fails("holds_still", "sub_path moved 2 times at workload")],
        open: LATE,
        stands_for: &[],
    },
    Flip {
        of: "kubelet/endpoints",
        about: "The statement does not retain the current password.",
        edits: &[
            MODELLED,
            Edit("", "'{{password}}' RETAIN CURRENT PASSWORD", "'{{password}}'"),
            Edit(
                "",
                "  - watch:  1s\n  - rotate: fleet\n",
                "  - watch:  1s\n  - rotate: { credential: fleet, phase: 0.1 }\n",
            ),
        ],
        fails: &[
            fails("refused", "of fresh (fresh-"),
            fails("refused", "of pooled (pooled-"),
            fails("stragglers", "refused"),
        ],
        open: LATE,
        stands_for: &[],
    },
    Flip {
        of: "kubelet/node-restart",
        about: "The workloads are rolled, and the node is not restarted.",
        edits: &[
            MODELLED,
            Edit(
                "",
                "  - stop:   node\n  - start:  node\n",
                "  - restart: deployment/by-volume\n  - restart: deployment/by-env\n",
            ),
        ],
        fails: &[fails("restarts", "by-volume"), fails("restarts", "by-env")],
        open: LATE,
        stands_for: &[],
    },
    Flip {
        of: "kubelet/projected-token",
        about: "Nobody waits until the token is renewed, and who read its own once is restarted.",
        edits: &[
            MODELLED,
            Edit("", "at: workload, for: 460s }", "at: workload, for: 2s }"),
            Edit(
                "",
                "  - wait:  { credential: renewed, at: workload, moves: 1, within: 130s }\n",
                "  - restart: deployment/keeps\n",
            ),
            Edit("", "  - watch: 20s\n", "  - watch: 2s\n"),
        ],
        fails: &[
            fails("rotations", "0 moves of renewed at workload"),
            fails("holds_still", "kept moved 1 time at workload"),
        ],
        // Of what does not move nobody knows how old it gets, nor how soon it arrives.
        open: &["age", "propagates"],
        stands_for: &[],
    },
    Flip {
        of: "kubelet/readiness-gate",
        about: "The pods have no gate.",
        edits: &[
            MODELLED,
            Edit(
                "",
                "  - hold:   { object: deployment/web, condition: Available, is: \"False\", for: 2s }\n",
                "",
            ),
            Edit(
                "kubelet/gated.yaml",
                "      readinessGates:\n        - conditionType: registry.example/settled\n",
                "",
            ),
        ],
        fails: &[fails("condition", "condition:deployment/web:Progressing was True at the end")],
        // Without a gate the second rotation follows the first at once.
        open: &["propagates", "still_accepted"],
        stands_for: &[],
    },
    Flip {
        of: "kubelet/volume",
        about: "The consumer that took the value from its environment is restarted.",
        edits: &[
            MODELLED,
            Edit("", "by_itself: 90s", "by_itself: 1s"),
            Edit("", "  - watch:      75s\n", ""),
            Edit("", "  - watch:      30s\n", ""),
            Edit("", "\nexpect:\n", "\n  - restart:    deployment/by-env\n  - watch:      2s\nexpect:\n"),
        ],
        fails: &[fails("holds_still", "g0 → g2")],
        open: LATE,
        stands_for: &[],
    },
    Flip {
        of: "kv/refresh",
        about: "The limit is a second, and the refresh is four away.",
        edits: &[
            Edit("", "limit: refresh_interval + 2s", "limit: 1s"),
            Edit("", "- rotate: app", "- rotate: { credential: app, phase: 0.2 }"),
        ],
        fails: &[stops("propagates", "r1 (g0 → g1) at secret after", "store", "sync")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "kv/static-force-restart",
        about: "One password at a time.",
        edits: &[Edit("", "{ credential: app, keeps: previous }", "app")],
        fails: &[
            fails("refused", "refused logins of web (web-"),
            fails("still_accepted", "g0 was refused within"),
        ],
        open: LATE,
        stands_for: &["still_accepted", "refused"],
    },
    Flip {
        of: "kv/static-refresh",
        about: "The consumer that took the value from its environment is restarted.",
        edits: &[Edit("", "  - watch:  2s", "  - restart: deployment/by-env\n  - watch:  2s")],
        fails: &[fails("holds_still", "g0 → g1")],
        open: LATE,
        stands_for: &["holds_still"],
    },
    Flip {
        of: "kv/static-refresh",
        about: "Somebody takes a variable away that the consumer cannot do without.",
        edits: &[Edit(
            "",
            "  - watch:  2s",
            "  - patch:\n      object: deployment/by-env\n      with:\n        spec: { template: { spec: { containers: \
             [{ name: app, image: \"registry.example/by-env:1.0\" }] } } }\n  - watch:  5s",
        )],
        fails: &[fails("restarts", "of restarts:by-env")],
        // Who has ended tries no login.
        open: &["evidence", "propagates"],
        stands_for: &["restarts"],
    },
    Flip {
        of: "kv/static-restart-without-overlap",
        about: "Both passwords are accepted.",
        edits: &[Edit("", "- rotate:  app", "- rotate:  { credential: app, keeps: previous }")],
        fails: &[fails("refused", "0 refused logins of web"), fails("retired", "g0 was let in")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "push/secret-to-openbao",
        about: "The PushSecret leaves behind what it pushed.",
        edits: &[
            Edit("push/app.yaml", "  deletionPolicy: Delete\n", ""),
            Edit(
                "",
                "  - wait:       { object: push-target/externalsecret/app, condition: Ready, is: \"False\", within: 30s }",
                "  - watch:      8s",
            ),
        ],
        fails: &[fails("condition", "push-target/externalsecret/app:Ready was True at the end")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "rollback/kv-version",
        about: "The bad value is replaced by a worse one before anybody saw it.",
        edits: &[Edit("", "- rotate: app\n", "- rotate: { credential: app, phase: 0.2 }\n  - rotate: app\n")],
        fails: &[fails("in_order", "g1 was left out")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "store/plain-external-secret",
        about: "The operator's login is closed before the rotation.",
        edits: &[
            Edit(
                "",
                "- rotate: fleet\n",
                "- bao:    { delete: auth/kubernetes/role/fleet }\n  - watch:  1s\n  - rotate: fleet\n",
            ),
            Edit("", "  - wait:   { credential: fleet, at: login, within: 30s }", "  - watch:  6s"),
        ],
        fails: &[
            stops("propagates", "r1 (g0 → g1) was never seen at secret", "store", "sync"),
            fails("outage", "logins were refused for at least"),
        ],
        // What is never replaced cannot be torn.
        open: &["whole"],
        stands_for: &["propagates"],
    },
    Flip {
        of: "store/ready-but-dead",
        about: "The operator's login is closed, so that for once it complains.",
        edits: &[Edit(
            "",
            "  - watch: 1s",
            "  - bao:   { delete: auth/kubernetes/role/report }\n  - watch: 7s",
        )],
        fails: &[fails("condition", "externalsecret/report:Ready was False at the end")],
        open: &[],
        stands_for: &["condition"],
    },
];
