//! How long rotations took to each hop, on both sides.

use std::collections::BTreeMap;

use super::{Shift, TimeRow, correct};
use crate::clock::Micros;
use crate::event::{CredentialName, Hop, OrderKind, ScenarioId};
use crate::plan::Bounds;
use crate::verdict::{HopRow, RunVerdict};

/// What a host is taken to resolve where that was never measured: the budget of a watch's delivery, in p99.
const UNMEASURED: Micros = Micros(10_000);

/// The times to one hop on one side: the middle of each, and how far its bounds are apart.
type Times = Vec<(Micros, Micros)>;

/// One row for every hop but the first of every credential's way, where both sides have a time. Rotations that
/// nobody ordered are left out (nobody knows when they began), and those that were never seen there or have no upper
/// bound: that they are missing shows in the verdicts.
pub(super) fn of(a: &[RunVerdict], b: &[RunVerdict]) -> Vec<TimeRow> {
    let mut first: BTreeMap<(&ScenarioId, &CredentialName), Hop> = BTreeMap::new();
    for (scenario, row) in a.iter().chain(b).flat_map(rows) {
        let first = first.entry((scenario, &row.credential)).or_insert(row.hop);
        *first = row.hop.min(*first);
    }
    let mut times: BTreeMap<(&ScenarioId, &CredentialName, Hop), (Times, Times)> = BTreeMap::new();
    for (runs, is_a) in [(a, true), (b, false)] {
        for (scenario, row) in runs.iter().flat_map(rows) {
            let after_first = first.get(&(scenario, &row.credential)).is_some_and(|first| row.hop > *first);
            let Some(time) = row.since_rotation_us.and_then(middle).filter(|_| after_first && ordered(row))
            else {
                continue;
            };
            let (on_a, on_b) = times.entry((scenario, &row.credential, row.hop)).or_default();
            if is_a { on_a.push(time) } else { on_b.push(time) }
        }
    }
    let host = a.iter().chain(b).map(resolves).max().unwrap_or(UNMEASURED);
    let both = times.into_iter().filter(|(_, (a, b))| !a.is_empty() && !b.is_empty());
    let row =
        |((scenario, credential, hop), (a, b)): ((&ScenarioId, &CredentialName, Hop), (Times, Times))| {
            let middles = |times: &Times| times.iter().map(|(middle, _)| *middle).collect::<Vec<_>>();
            let shift = Shift::between(&middles(&a), &middles(&b), host.max(usual_width(&a, &b)));
            TimeRow { scenario: scenario.clone(), credential: credential.clone(), hop, shift }
        };
    let mut rows: Vec<TimeRow> = both.map(row).collect();
    correct(&mut rows.iter_mut().map(|row| &mut row.shift).collect::<Vec<_>>());
    rows
}

fn rows(run: &RunVerdict) -> impl Iterator<Item = (&ScenarioId, &HopRow)> {
    run.scenarios.iter().flat_map(|scenario| scenario.hops.iter().map(move |row| (&scenario.scenario, row)))
}

fn ordered(row: &HopRow) -> bool {
    match row.kind {
        OrderKind::Forced | OrderKind::Written | OrderKind::RolledBack => true,
        OrderKind::Scheduled => false,
    }
}

/// The middle of a time's two bounds, and how far they are apart.
fn middle(bounds: Bounds) -> Option<(Micros, Micros)> {
    let width = bounds.at_most? - bounds.at_least;
    Some((bounds.at_least + Micros(width.0 / 2), width))
}

/// What a run's host resolves.
fn resolves(run: &RunVerdict) -> Micros {
    let measured = run.calibration.as_ref().map(|calibration| calibration.watch_delivery);
    measured.filter(|delivery| delivery.n > 0).map_or(UNMEASURED, |delivery| delivery.p99)
}

/// How far the bounds of half of these times are apart at most: a probe that asks every 20 ms resolves no less.
fn usual_width(a: &Times, b: &Times) -> Micros {
    let mut widths: Vec<Micros> = a.iter().chain(b).map(|(_, width)| *width).collect();
    widths.sort_unstable();
    widths.get(widths.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
