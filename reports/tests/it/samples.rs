//! Judged runs made by hand.

use std::collections::BTreeMap;

use handover_harness::clock::Micros;
use handover_harness::event::{Calibration, ComponentInfo, Hop, OrderKind, Quantiles, RunInfo};
use handover_harness::plan::{Bounds, Evidence, Refresh};
use handover_harness::verdict::{
    ClaimFinding, Defect, FORMAT, Finding, HopRow, ProbeHealth, Projection, ReplicaCount, RunVerdict,
    ScenarioVerdict, ServerUsage, Standing, Stopped, Verdict,
};

const MS: u64 = 1_000;

pub(crate) fn bounds(at_least_ms: u64, at_most_ms: impl Into<Option<u64>>) -> Bounds {
    let at_most = at_most_ms.into().map(|ms: u64| Micros(ms * MS));
    Bounds { at_least: Micros(at_least_ms * MS), at_most }
}

/// A finding without figures.
pub(crate) fn finding(verb: &str, expected: &str, verdict: Verdict, seen: &str) -> Finding {
    Finding { line: Some(21), evidence: vec![12, 15], ..own(verb, expected, verdict, seen) }
}

/// A scenario with these findings, and the worst of their verdicts.
pub(crate) fn scenario(name: &str, findings: Vec<Finding>) -> ScenarioVerdict {
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
    ScenarioVerdict {
        scenario: name.to_owned(),
        about: "A rotation reaches whoever needs it.".to_owned(),
        file: format!("catalogue/{name}.yaml"),
        evidence: Evidence::Real,
        covers: Vec::new(),
        verdict,
        summary: format!("{verdict} in one line"),
        took_us: Micros(12_345 * MS),
        findings,
        hops: Vec::new(),
        claims: Vec::new(),
        probes: Vec::new(),
        projections: Vec::new(),
    }
}

/// A run of these scenarios on four servers.
pub(crate) fn run(scenarios: Vec<ScenarioVerdict>) -> RunVerdict {
    let component = |name: &str, version: &str, source: &str, digit: &str| ComponentInfo {
        name: name.to_owned(),
        version: version.to_owned(),
        source: source.to_owned(),
        sha256: digit.repeat(64),
        image: None,
    };
    let spread =
        |p50: u64, p99: u64| Quantiles { n: 50, p50: Micros(p50), p99: Micros(p99), max: Micros(p99) };
    RunVerdict {
        format: FORMAT,
        run: "20261123-165000-7f3a".to_owned(),
        wall: "2026-11-23T16:50:00.123456Z".to_owned(),
        on: Some(RunInfo {
            handover: "0.1.0".to_owned(),
            plane: "embedded".to_owned(),
            seed: 7,
            components: vec![
                component("eso", "v0.20.4", "go", "a"),
                component("openbao", "2.7.2", "go", "b"),
                component("mysql", "9.7.1", "pypi", "c"),
                component("valkey", "9.1.0", "debian", "d"),
            ],
        }),
        calibration: Some(Calibration {
            watch_delivery: spread(1_100, 4_200),
            watch_from_sent: spread(3_300, 7_900),
            probe_lateness: spread(64, 312),
            logins: BTreeMap::from([
                ("mysql".to_owned(), spread(2_100, 3_000)),
                ("valkey".to_owned(), spread(310, 480)),
            ]),
        }),
        took_us: Micros(41_200 * MS),
        interrupted: None,
        broke: None,
        torn: false,
        scenarios,
        servers: vec![ServerUsage {
            name: "mysql".to_owned(),
            cpu_us: Micros(1_200 * MS),
            over_us: Micros(10_000 * MS),
            rss_bytes: 480 << 20,
        }],
    }
}

fn row(hop: Hop, at_ms: u64, since: Bounds, previous_us: Option<i64>, evidence: u64) -> HopRow {
    HopRow {
        credential: "fleet".to_owned(),
        rotation: 1,
        kind: OrderKind::Forced,
        moves: "g0 → g1".to_owned(),
        hop,
        replicas: None,
        at_us: Some(Micros(at_ms * MS)),
        since_rotation_us: Some(since),
        since_previous_us: previous_us,
        evidence: Some(evidence),
    }
}

/// A forced rotation that reaches everybody.
pub(crate) fn passing() -> ScenarioVerdict {
    let arrival = Finding {
        measured_us: Some(bounds(4_580, 4_610)),
        limit_us: Some(Micros(7_000 * MS)),
        ..finding("propagates", "fleet reaches secret within 7.00 s", Verdict::Pass, "within 4.61 s")
    };
    let outage = Finding {
        measured_us: Some(bounds(4_560, 4_640)),
        limit_us: Some(Micros(7_000 * MS)),
        ..finding(
            "outage",
            "web is refused for at most 7.00 s",
            Verdict::Pass,
            "refused for 4.56 s to 4.64 s",
        )
    };
    let counted = finding("rotations", "fleet moves exactly 1 time at origin", Verdict::Pass, "1 time");
    ScenarioVerdict {
        summary: "g1 reached login 4.64 s after it was ordered".to_owned(),
        hops: vec![
            row(Hop::Origin, 2_010, bounds(3, 23), None, 31),
            row(Hop::Store, 2_019, bounds(12, 12), Some(-4_100), 33),
            row(Hop::Secret, 6_600, bounds(4_580, 4_610), Some(4_580_000), 262),
            row(Hop::Login, 6_650, bounds(4_560, 4_640), Some(31_000), 265),
        ],
        projections: vec![Projection {
            credential: "fleet".to_owned(),
            hop: Hop::Secret,
            forced: false,
            refresh: Refresh { real: Micros(1_620_000 * MS), played: Micros(4_500 * MS) },
            measured_us: Micros(4_610 * MS),
            excess_us: Micros(110 * MS),
            projected_us: Micros(1_620_110 * MS),
            text: "fleet reaches secret in 4.61 s at most, 110 ms beyond its 4.5 s (scale 1/360): with your 27 min, up to 27 min 110 ms".to_owned(),
        }],
        ..scenario("mysql/static-role-forced", vec![arrival, outage, counted])
    }
}

/// The same rotation, stopped on its way.
pub(crate) fn failing() -> ScenarioVerdict {
    let arrival = Finding {
        measured_us: Some(bounds(30_000, None)),
        limit_us: Some(Micros(7_000 * MS)),
        stopped: Some(Stopped {
            after: Some(Hop::Store),
            at: Hop::Sync,
            last_error: Some(
                "could not get secret data from provider: permission denied on database/static-creds/fleet"
                    .to_owned(),
            ),
        }),
        evidence: vec![31, 33, 40, 41, 42, 43],
        ..finding(
            "propagates",
            "fleet reaches secret within 7.00 s",
            Verdict::Fail,
            "g1 was not seen at secret in the 30.00 s that were watched; g0 stood there to the end",
        )
    };
    let outage = Finding {
        line: Some(22),
        measured_us: Some(bounds(6_900, 7_400)),
        limit_us: Some(Micros(7_000 * MS)),
        ..finding(
            "outage",
            "web is refused for at most 7.00 s",
            Verdict::Inconclusive,
            "the limit lies between the bounds: sample faster",
        )
    };
    let retired = Finding {
        measured_us: Some(bounds(3, 23)),
        limit_us: Some(Micros(1_000 * MS)),
        ..finding(
            "retired",
            "g0 of fleet is refused within 1.00 s",
            Verdict::Pass,
            "refused, and stayed refused",
        )
    };
    let never = |hop| HopRow {
        at_us: None,
        since_rotation_us: None,
        since_previous_us: None,
        evidence: None,
        ..row(hop, 0, bounds(0, 0), None, 0)
    };
    ScenarioVerdict {
        summary: "g1 stopped at sync".to_owned(),
        took_us: Micros(33_100 * MS),
        hops: vec![
            row(Hop::Origin, 2_010, bounds(3, 23), None, 31),
            row(Hop::Store, 2_019, bounds(12, 12), Some(-4_100), 33),
            never(Hop::Sync),
            never(Hop::Secret),
        ],
        probes: vec![ProbeHealth {
            probe: "web".to_owned(),
            hop: Hop::Login,
            every_us: Some(Micros(20 * MS)),
            answered: 1_490,
            missed: 10,
            gaps: 0,
            latest_us: Micros(21_700),
        }],
        ..scenario("mysql/static-role-slow", vec![retired, outage, arrival])
    }
}

/// A claim is refuted, and the scenario passes.
pub(crate) fn claiming() -> ScenarioVerdict {
    let written = |rotation, moves: &str, kind, at| HopRow {
        rotation,
        kind,
        moves: moves.to_owned(),
        ..row(Hop::Secret, at, bounds(14, 14), None, at)
    };
    ScenarioVerdict {
        summary: "6 generations over five intervals".to_owned(),
        hops: vec![
            written(1, "g0 → g1", OrderKind::Written, 3_000),
            written(2, "g1 → g0", OrderKind::RolledBack, 6_000),
        ],
        claims: vec![ClaimFinding {
            claim: "a non-zero refreshInterval does not rotate a PushSecret with a Password generator"
                .to_owned(),
            source: "platform handbook, page 12".to_owned(),
            standing: Standing::Refuted,
            summary: "refuted on eso v0.20.4; not played on eso v2.5.0".to_owned(),
            seen: "6 generations in KV over 5 intervals of 3.00 s".to_owned(),
            evidence: vec![12, 80, 81, 82, 140],
        }],
        ..scenario(
            "generators/pushsecret-password-interval",
            vec![finding("moves", "generated moves at least 5 times at store", Verdict::Pass, "6 times")],
        )
    }
}

/// Not played.
pub(crate) fn skipped() -> ScenarioVerdict {
    let own = own("environment", "the scenario is played", Verdict::Skipped, "needs OpenBao >= 2.8");
    ScenarioVerdict { summary: own.seen.clone(), took_us: Micros(0), ..scenario("kv/later", vec![own]) }
}

/// Something that the harness itself found.
pub(crate) fn own(verb: &str, expected: &str, verdict: Verdict, seen: &str) -> Finding {
    Finding::own(verb, verdict, expected, seen)
}

/// The environment broke under it, after one expectation could be judged.
pub(crate) fn broken() -> ScenarioVerdict {
    let end = own(
        "environment",
        "the scenario is played to its end",
        Verdict::Error,
        "openbao died: exit status 2",
    );
    let probe =
        own("evidence", "app asks store every 200 ms", Verdict::Inconclusive, "it never had an answer");
    let judged = finding("propagates", "app reaches secret within 7.00 s", Verdict::Pass, "within 5.02 s");
    ScenarioVerdict {
        summary: "the scenario is played to its end: openbao died: exit status 2".to_owned(),
        ..scenario("kv/refresh", vec![judged, probe, end])
    }
}

/// Somebody interrupted it.
pub(crate) fn interrupted() -> ScenarioVerdict {
    let seen = "interrupted by SIGINT";
    let end = own("environment", "the scenario is played to its end", Verdict::Inconclusive, seen);
    scenario("kv/refresh", vec![end])
}

/// Rotations that nobody ordered, of a workload with replicas, on a model, with a pinned defect.
pub(crate) fn scheduled() -> ScenarioVerdict {
    let rotations = (1..=12).flat_map(|rotation: usize| {
        let at = 10_000 * rotation as u64;
        let moves = format!("g{} → g{rotation}", rotation - 1);
        let hops = [(Hop::Secret, 0, None), (Hop::Workload, 900, Some(ReplicaCount { reached: 2, of: 2 }))];
        hops.map(|(hop, later, replicas)| HopRow {
            rotation,
            kind: OrderKind::Scheduled,
            moves: moves.clone(),
            replicas,
            ..row(hop, at + later, bounds(later, later + 200), None, at + later)
        })
    });
    let pinned = Finding {
        pinned: Some("a retried rotation kills the overlap".to_owned()),
        defect: Some(Defect::Known),
        measured_us: Some(bounds(9_800, 10_100)),
        limit_us: Some(Micros(1_000 * MS)),
        ..finding(
            "outage",
            "web is refused for at most 1.00 s",
            Verdict::Pass,
            "as pinned on openbao 2.7.2: logins were refused for at least 9.80 s and at most 10.10 s",
        )
    };
    ScenarioVerdict {
        summary: "workload after 900 ms–1.10 s; 12 rotations, 12 of them scheduled".to_owned(),
        evidence: Evidence::Model,
        covers: vec!["a workload that reads a volume".to_owned(), "a schedule".to_owned()],
        hops: rotations.collect(),
        ..scenario("mysql/static-role-scheduled", vec![pinned])
    }
}

/// One of each.
pub(crate) fn mixed() -> RunVerdict {
    run(vec![claiming(), skipped(), broken(), passing(), failing()])
}
