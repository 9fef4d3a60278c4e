//! From judged runs to a comparison.

use std::collections::BTreeSet;

use super::{ClaimRow, Comparison, Direction, PinRow, Said, Told, VerdictRow, Which, sides, times};
use crate::event::ScenarioId;
use crate::verdict::{ClaimFinding, Defect, Finding, RunVerdict, ScenarioVerdict, Standing, Verdict};

/// A scenario in a run.
type Played<'a> = (&'a RunVerdict, &'a ScenarioVerdict);

/// Compares what there was (A) with what is to come (B), each in one round or several.
pub fn compare(a: &[RunVerdict], b: &[RunVerdict]) -> Comparison {
    let names = |runs: &[RunVerdict]| -> Vec<ScenarioId> {
        runs.iter().flat_map(|run| &run.scenarios).map(|scenario| scenario.scenario.clone()).collect()
    };
    let scenarios: BTreeSet<ScenarioId> = names(a).into_iter().chain(names(b)).collect();
    let (mut verdicts, mut pins, mut claims) = (Vec::new(), Vec::new(), Vec::new());
    for scenario in &scenarios {
        let (a, b) = (rounds(a, scenario), rounds(b, scenario));
        verdicts.push(verdict(scenario, &a, &b));
        pins.extend(pinned(scenario, &a, &b));
        claims.extend(claimed(scenario, &a, &b));
    }
    Comparison { sides: sides::of(a, b), verdicts, pins, claims, times: times::of(a, b), crossing: None }
}

fn rounds<'a>(runs: &'a [RunVerdict], name: &str) -> Vec<Played<'a>> {
    let played =
        runs.iter().filter_map(|run| Some((run, run.scenarios.iter().find(|s| s.scenario == name)?)));
    played.collect()
}

fn verdict(scenario: &ScenarioId, a: &[Played<'_>], b: &[Played<'_>]) -> VerdictRow {
    let said = |rounds: &[Played<'_>]| Said::of(rounds.iter().map(|(_, scenario)| scenario.verdict));
    let (on_a, on_b) = (said(a), said(b));
    let by_pin = match (on_a.steady(), on_b.steady()) {
        (Some(Verdict::Pass), Some(Verdict::Fail)) => b.iter().all(|(_, s)| fails_by_pins(s, a)),
        (Some(Verdict::Fail), Some(Verdict::Pass)) => a.iter().all(|(_, s)| fails_by_pins(s, b)),
        _ => false,
    };
    let unsteady = |said: &Said<Verdict>| matches!(said, Said::Unsteady(_));
    let direction = match (on_a.steady(), on_b.steady()) {
        _ if by_pin => Some(Direction::Other),
        (Some(Verdict::Pass), Some(Verdict::Fail)) => Some(Direction::Worse),
        (Some(Verdict::Fail), Some(Verdict::Pass)) => Some(Direction::Better),
        _ if on_a != on_b || unsteady(&on_a) => Some(Direction::Other),
        _ => None,
    };
    let told = direction.and_then(|_| told(a, b));
    VerdictRow { scenario: scenario.clone(), a: on_a, b: on_b, direction, by_pin, told }
}

/// Whether nothing but pins that the other side knows too made it fail.
fn fails_by_pins(scenario: &ScenarioVerdict, other: &[Played<'_>]) -> bool {
    let mut failed = scenario.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).peekable();
    let pinned = |finding: &Finding| {
        let defect = finding.defect.and(finding.pinned.as_deref());
        defect.is_some_and(|defect| other.iter().all(|(_, s)| standing(s, defect).is_some()))
    };
    failed.peek().is_some() && failed.all(pinned)
}

/// What the worst round says, of the later side where both are as bad; nothing where all passed.
fn told(a: &[Played<'_>], b: &[Played<'_>]) -> Option<Told> {
    let all = a.iter().map(|played| (Which::A, played)).chain(b.iter().map(|played| (Which::B, played)));
    let (side, (run, scenario)) = all.max_by_key(|(_, (_, scenario))| scenario.verdict)?;
    let finding = scenario.findings.iter().find(|finding| finding.verdict == scenario.verdict);
    (scenario.verdict != Verdict::Pass).then(|| Told {
        side,
        run: run.run.clone(),
        summary: scenario.summary.clone(),
        finding: finding.cloned(),
    })
}

/// The pinned defects of a scenario that both sides know.
fn pinned(scenario: &ScenarioId, a: &[Played<'_>], b: &[Played<'_>]) -> Vec<PinRow> {
    let findings =
        |rounds: &[Played<'_>]| rounds.iter().flat_map(|(_, s)| s.findings.clone()).collect::<Vec<_>>();
    let (of_a, of_b) = (findings(a), findings(b));
    let defects: BTreeSet<&String> =
        of_a.iter().chain(&of_b).filter_map(|finding| finding.pinned.as_ref()).collect();
    let rows = defects.into_iter().filter_map(|defect| {
        let said = |rounds: &[Played<'_>]| Said::of(rounds.iter().filter_map(|(_, s)| standing(s, defect)));
        let (a, b) = (said(a), said(b));
        let seen = of_b.iter().find(|finding| finding.pinned.as_ref() == Some(defect))?.seen.clone();
        let direction = moved(&a, &b);
        let played = a != Said::Nothing && b != Said::Nothing;
        played.then(|| PinRow { scenario: scenario.clone(), defect: defect.clone(), a, b, direction, seen })
    });
    rows.collect()
}

/// How a defect stands in a scenario: where several of its expectations are pinned to it, the one that shows most.
fn standing(scenario: &ScenarioVerdict, defect: &str) -> Option<Defect> {
    let pinned = scenario.findings.iter().filter(|finding| finding.pinned.as_deref() == Some(defect));
    pinned.map(|finding: &Finding| finding.defect.unwrap_or(Defect::Unclear)).max()
}

/// How a defect's standing changed.
fn moved(a: &Said<Defect>, b: &Said<Defect>) -> Option<Direction> {
    let shows = |said: &Said<Defect>| said.steady().and_then(Defect::shows);
    match (shows(a), shows(b)) {
        (Some(true), Some(false)) => Some(Direction::Better),
        (Some(false), Some(true)) => Some(Direction::Worse),
        _ if a != b || a.steady().is_none() => Some(Direction::Other),
        _ => None,
    }
}

/// The claims of a scenario that both sides know.
fn claimed(scenario: &ScenarioId, a: &[Played<'_>], b: &[Played<'_>]) -> Vec<ClaimRow> {
    let claims =
        |rounds: &[Played<'_>]| rounds.iter().flat_map(|(_, s)| s.claims.clone()).collect::<Vec<_>>();
    let (of_a, of_b) = (claims(a), claims(b));
    let statements: BTreeSet<&String> = of_a.iter().map(|claim| &claim.claim).collect();
    let rows = statements.into_iter().filter_map(|statement| {
        let same = |claims: &[ClaimFinding]| -> Vec<ClaimFinding> {
            claims.iter().filter(|claim| claim.claim == *statement).cloned().collect()
        };
        let (on_a, on_b) = (same(&of_a), same(&of_b));
        let last = on_b.last()?;
        let said =
            |claims: &[ClaimFinding]| -> Said<Standing> { Said::of(claims.iter().map(|c| c.standing)) };
        let (a, b) = (said(&on_a), said(&on_b));
        Some(ClaimRow {
            scenario: scenario.clone(),
            claim: statement.clone(),
            source: last.source.clone(),
            direction: (a != b || a.steady().is_none()).then_some(Direction::Other),
            a,
            b,
            seen: last.seen.clone(),
        })
    });
    rows.collect()
}
