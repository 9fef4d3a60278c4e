//! Flips of what happens at the servers, and to who logs in there.

use super::*;

pub(super) const FLIPS: &[Flip] = &[
    Flip {
        of: "handover/existing",
        about: "The role keeps the password before, so the move has no window at all.",
        edits: &[KEEPS],
        fails: &[fails("refused", "0 refused logins of app"), fails("retired", "g0 was let in")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "handover/fresh",
        about: "Somebody sets the first password again at the end.",
        edits: &[Edit(
            "",
            "at: login, within: 30s }\n",
            "at: login, within: 30s }\n  - sql: { on: db, run: \"ALTER USER {app} IDENTIFIED BY \
             {app.password}\" }\n  - watch: 6s\n",
        )],
        fails: &[fails("outage", "logins were refused for at least"), fails("converges", "refused")],
        open: LATE,
        stands_for: &["outage", "converges"],
    },
    Flip {
        of: "handover/naive",
        about: "The role keeps the password before, so nobody minds when the manifests come.",
        edits: &[KEEPS],
        fails: &[fails("refused", "0 refused logins of app"), gone("outage")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "lockout/openbao-login",
        about: "Somebody writes a new value while the door is closed.",
        edits: &[Edit("", "  - watch: 5s", "  - rotate: app\n  - watch: 5s")],
        fails: &[fails("holds_still", "app moved 1 time at store: g0 → g1")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "lockout/stale-consumer",
        about: "The old password is left alive, so the stale consumer is never refused and locks nobody out.",
        edits: &[KEEPS],
        fails: &[fails("refused", "0 refused logins of stale"), gone("outage")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "mysql/alternating-users",
        about: "The user in use is rotated before the Secret is pointed at the other.",
        edits: &[Edit(
            "",
            "  - rotate: second\n",
            // Right after a refresh, so that none comes between.
            "  - wait:   { object: externalsecret/fleet-mysql, within: 10s }\n  - watch:  300ms\n  - rotate: first\n  - rotate: second\n",
        )],
        fails: &[fails("refused", "of app (app-")],
        // Unless one came all the same: the operator refreshes twice at times. And the first user may be rotated
        // again before a second has passed, so that nobody goes on trying what it had at first.
        open: &["rotations", "retired"],
        stands_for: &[],
    },
    Flip {
        of: "mysql/dual-password",
        about: "The statement does not retain the current password.",
        edits: &[
            Edit("", "'{{password}}' RETAIN CURRENT PASSWORD", "'{{password}}'"),
            Edit("", "- rotate: fleet", "- rotate: { credential: fleet, phase: 0.1 }"),
        ],
        fails: &[
            fails("refused", "of fresh (fresh-"),
            fails("refused", "of pooled (pooled-"),
            fails("still_accepted", "g0 was refused within"),
        ],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "mysql/dual-retried",
        about: "The database answers in time.",
        edits: &[
            Edit("", "  - sql:    { on: db, run: \"INSERT INTO handover_dual.late VALUES (NOW())\" }\n", ""),
            Edit("", "{ credential: fleet, fails: true }", "fleet"),
        ],
        fails: &[gone("refused")],
        open: &[],
        stands_for: &[PINNED],
    },
    Flip {
        of: "mysql/dual-two-in-one",
        about: "There is one rotation only.",
        edits: &[Edit("", "  - rotate: fleet\n", "")],
        fails: &[fails("refused", "0 refused logins of fresh")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "mysql/runbook",
        about: "The sync is forced three seconds late.",
        edits: &[Edit("", "  - force_sync: ", "  - watch: 3s\n  - force_sync: ")],
        fails: &[stops("propagates", "r1 (g0 → g1) at secret after 3.", "store", "sync")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "mysql/single-user-window",
        about: "The old password is left alive.",
        edits: &[KEEPS],
        fails: &[fails("refused", "0 refused logins of fresh"), fails("retired", "g0 was let in")],
        open: &[],
        stands_for: &["retired"],
    },
    Flip {
        of: "mysql/static-role-forced",
        about: "There are two rotations within one refresh.",
        edits: &[Edit(
            "",
            "- rotate: fleet\n",
            "- rotate: { credential: fleet, phase: 0.2 }\n  - rotate: fleet\n",
        )],
        fails: &[fails("in_order", "g1 was left out")],
        // A login with the second value that is under way across ALTER USER gets it into the cache of MySQL's
        // caching_sha2_password, and there it is good until somebody logs in with the third.
        open: &["retired"],
        stands_for: &["in_order"],
    },
    Flip {
        of: "mysql/static-role-scheduled",
        about: "Somebody forces a rotation between two scheduled ones.",
        edits: &[Edit(
            "",
            "steps:\n",
            "steps:\n  - wait: { credential: fleet, at: secret, moves: 2, within: 40s }\n  - watch: 2s\n  - rotate: fleet\n",
        )],
        fails: &[fails("age", "g2 was replaced at store after")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "postgres/dynamic-lease",
        about: "The leases live for a minute.",
        edits: &[Edit("", "ttl: ttl", "ttl: 1m")],
        fails: &[fails("leases", "of leases:report:live")],
        open: &[],
        stands_for: &["leases"],
    },
    Flip {
        of: "postgres/lease-outlives-token",
        about: "The token lives longer than the lease.",
        edits: &[Edit("", "token_ttl: 15m, token_max_ttl: 15m", "token_ttl: 4h, token_max_ttl: 4h")],
        fails: &[gone("outage")],
        // Where the operator refreshes twice, the lease of the first time is not cut short either.
        open: &["leases"],
        stands_for: &[],
    },
    Flip {
        of: "postgres/refresh-beyond-lease",
        about: "The lease lives longer than a refresh interval.",
        edits: &[Edit("", "ttl: ttl", "ttl: 20s")],
        fails: &[gone("outage")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "servers/openbao-sealed",
        about: "Somebody sets the first password again while OpenBao is sealed.",
        edits: &[Edit(
            "",
            "  - unseal: openbao\n",
            "  - sql:    { on: db, run: \"ALTER USER {fleet} IDENTIFIED BY {fleet.password}\" }\n  - watch:  5s\n  - unseal: openbao\n",
        )],
        fails: &[fails("outage", "logins were refused for at least")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "servers/restarts",
        about: "The server goes on accepting the value before.",
        edits: &[KEEPS],
        fails: &[fails("retired", "g0 was let in"), fails("refused", "0 refused logins of web")],
        open: &[],
        stands_for: &[],
    },
    Flip {
        of: "valkey/static-role-forced",
        about: "The user needs no password any more.",
        edits: &[Edit(
            "",
            "- rotate: fleet\n",
            "- rotate: { credential: fleet, phase: 0.2 }\n  - sql:    { on: db, run: \"ACL SETUSER {fleet} nopass\" }\n",
        )],
        fails: &[fails("retired", "g0 was let in")],
        open: &[],
        stands_for: &[],
    },
];
