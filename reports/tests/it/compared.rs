//! Comparisons of judged runs made by hand.

use handover_harness::clock::Micros;
use handover_harness::compare::{
    CallRate, Comparison, Crossing, CrossingPhase, Lag, Moved, PhaseCalls, Shift, Unwatched, Watched, compare,
};
use handover_harness::event::{Hop, OrderKind};
use handover_harness::verdict::{
    ClaimFinding, Defect, Finding, HopRow, RunVerdict, ScenarioVerdict, Standing, Verdict,
};

use crate::samples::{bounds, finding, run, scenario};

const MS: u64 = 1_000;
const S: u64 = 1_000_000;

/// A run on this version of ESO.
pub(crate) fn on(id: &str, eso: &str, scenarios: Vec<ScenarioVerdict>) -> RunVerdict {
    let mut run = run(scenarios);
    run.run = format!("20261123-1650{id}");
    let on = run.on.as_mut().unwrap();
    on.components[0].version = eso.to_owned();
    on.components[0].sha256 = if eso == "v0.16.1" { "1" } else { "2" }.repeat(64);
    run
}

/// One round on each side of an upgrade.
pub(crate) fn upgraded(a: Vec<ScenarioVerdict>, b: Vec<ScenarioVerdict>) -> Comparison {
    compare(&[on("00-aaaa", "v0.16.1", a)], &[on("30-bbbb", "v0.20.4", b)])
}

pub(crate) fn of(name: &str, verdict: Verdict) -> ScenarioVerdict {
    let seen = match verdict {
        Verdict::Pass => "within 4.61 s",
        Verdict::Skipped | Verdict::Inconclusive | Verdict::Error => "the limit lies between the bounds",
        Verdict::Fail => "g1 was not seen at secret in the 30.00 s that were watched",
    };
    let found = finding("propagates", "fleet reaches secret within 7.00 s", verdict, seen);
    ScenarioVerdict { summary: format!("{}: {}", found.expected, found.seen), ..scenario(name, vec![found]) }
}

/// Rotations that took so many milliseconds to the Secret.
pub(crate) fn timed(name: &str, times: &[u64]) -> ScenarioVerdict {
    let rows = times.iter().enumerate().flat_map(|(index, time)| {
        [(Hop::Store, 12), (Hop::Secret, *time)].map(|(hop, time)| HopRow {
            credential: "fleet".to_owned(),
            rotation: index + 1,
            kind: OrderKind::Written,
            moves: format!("g{index} → g{}", index + 1),
            hop,
            replicas: None,
            at_us: Some(Micros(time * MS)),
            since_rotation_us: Some(bounds(time, time)),
            since_previous_us: None,
            evidence: None,
        })
    });
    ScenarioVerdict { hops: rows.collect(), ..of(name, Verdict::Pass) }
}

pub(crate) fn claiming(standing: Standing) -> ScenarioVerdict {
    ScenarioVerdict {
        claims: vec![ClaimFinding {
            claim: "an upgrade of ESO does not touch generated passwords".to_owned(),
            source: "platform handbook, page 12".to_owned(),
            standing,
            summary: standing.word().to_owned(),
            seen: "g0 → g1 at 39.02 s".to_owned(),
            evidence: vec![80],
        }],
        ..of("generators/claims", Verdict::Pass)
    }
}

pub(crate) fn pinning(stands: Defect, verdict: Verdict) -> ScenarioVerdict {
    let pinned = Finding {
        pinned: Some("a restart regenerates every password".to_owned()),
        defect: Some(stands),
        ..finding("holds_still", "app stands still at secret", verdict, "app moved 1 time at secret: g0 → g1")
    };
    scenario("generators/restart", vec![pinned])
}

/// What an upgrade of ESO across the change of its hash does.
pub(crate) fn regenerated() -> Crossing {
    let phase = |name: &str, from: u64, to: u64, away: Option<u64>| CrossingPhase {
        name: name.to_owned(),
        began_us: Micros(from * S),
        ended_us: Micros(to * S),
        outage_us: away.map(|ms| Micros(ms * MS)),
    };
    let names = ["eso v0.16.1", "CRDs of v0.20.4, eso v0.16.1", "eso v0.20.4", "back on eso v0.16.1"];
    let key = |credential: &str| format!("ExternalSecret app/{credential}, key password");
    let watched = |credential: &str, line: u64| Watched {
        credential: credential.to_owned(),
        at: Hop::Secret,
        what: key(credential),
        source: format!("app.yaml:{line}"),
        stands_still: true,
    };
    let moved = |credential: &str, phase: usize, since_phase: u64, known: bool| Moved {
        credential: credential.to_owned(),
        at: Hop::Secret,
        what: key(credential),
        moves: if phase == 2 { "g0 → g1" } else { "g1 → g2" }.to_owned(),
        phase: names[phase].to_owned(),
        since_phase_us: Micros(since_phase * MS),
        since_start_us: Micros(since_phase * MS + if phase == 2 { 30 * S } else { 60 * S }),
        times: if phase == 2 { 1 } else { 2 },
        evidence: vec![200 + since_phase / 10, 201 + since_phase / 10],
        known: known.then(|| "v0.16.2 hashes data otherwise, and regenerates once".to_owned()),
    };
    let calls = |what: &str, interval: Option<u64>, calls: [u64; 4], per: f64| CallRate {
        what: what.to_owned(),
        interval_us: interval.map(Micros),
        per_phase: names
            .iter()
            .zip(calls)
            .zip([10.0, 20.0, 30.0, 30.0])
            .map(|((phase, calls), lasted)| PhaseCalls {
                phase: (*phase).to_owned(),
                calls,
                rate: calls as f64 * per / lasted,
            })
            .collect(),
    };
    let times = |from: u64| (0..5).map(|i| Micros((from + 7 * i) * MS)).collect::<Vec<_>>();
    Crossing {
        changes: Vec::new(),
        phases: vec![
            phase(names[0], 0, 10, None),
            phase(names[1], 10, 30, None),
            phase(names[2], 30, 60, Some(4_100)),
            phase(names[3], 60, 90, Some(2_300)),
        ],
        watched: vec![watched("db", 3), watched("token", 19), watched("cache", 31), watched("static", 44)],
        moved: vec![
            moved("db", 2, 9_020, true),
            moved("token", 2, 9_120, true),
            moved("cache", 2, 9_330, false),
            moved("cache", 3, 8_040, false),
        ],
        calls: vec![
            calls("reads of secret/data/app", Some(10 * S), [1, 2, 9, 3], 10.0),
            calls("logins", None, [1, 2, 3, 3], 60.0),
        ],
        lag: vec![Lag {
            what: "from a write to the store to the Secret".to_owned(),
            shift: Shift::between(&times(1_000), &times(1_900), Micros(10 * MS)),
        }],
        unwatched: vec![Unwatched {
            what: "ClusterExternalSecret fleet".to_owned(),
            why: "it makes its ExternalSecrets only once a namespace has its label".to_owned(),
        }],
        findings: Vec::new(),
        verdict: Verdict::Fail,
        limits: vec!["eso v0.16.1 has no --live-addr: its readiness is taken from its log".to_owned()],
    }
}

/// The upgrade in which generated passwords move, and little else.
pub(crate) fn regeneration() -> Comparison {
    let played = |standing, stands| {
        vec![
            timed("kv/refresh", &[4_000, 4_100, 4_200, 4_300, 4_400]),
            claiming(standing),
            pinning(stands, Verdict::Pass),
        ]
    };
    upgraded(played(Standing::Holds, Defect::Known), played(Standing::Refuted, Defect::Absent))
        .crossed(regenerated())
}
