//! The answer, in one line.

use handover_harness::compare::{
    Comparison, Crossing, Direction, Outcome, Said, ShiftVerdict, Sides, VerdictRow,
};

use crate::text::{line, many};

/// `3 values that should stand still move when eso v0.16.1 becomes v0.20.4`; `nothing changed between …`;
/// `cannot tell: …`.
pub fn headline(comparison: &Comparison) -> String {
    let sides = &comparison.sides;
    let said = match comparison.outcome() {
        Outcome::Nothing => {
            let (a, b) = pair(sides);
            format!("nothing changed between {a} and {b}")
        }
        Outcome::Changed => {
            format!("changed, and nothing for the worse: {}, {}", listed(&changes(comparison)), when(sides))
        }
        Outcome::Worse => format!("{} {}", listed(&worse(comparison)), when(sides)),
        Outcome::CannotTell => {
            let doubts = comparison.doubts();
            let more = match doubts.len() {
                0 | 1 => String::new(),
                n => format!(", and {}", many(n - 1, "reason more", "reasons more")),
            };
            format!("cannot tell: {}{more}", doubts.first().map_or("", String::as_str))
        }
    };
    line(&said)
}

/// What got worse, in the order of how much it matters.
fn worse(comparison: &Comparison) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(crossing) = &comparison.crossing {
        parts.extend(astray(crossing));
        match crossing.failed().count() {
            0 => {}
            n => parts.push(many(n, "expectation fails in the upgrade", "expectations fail in the upgrade")),
        }
    }
    let worse = |direction: Option<Direction>| direction == Some(Direction::Worse);
    let verdicts = comparison.verdicts.iter().filter(|row| worse(row.direction)).count();
    let pins = comparison.pins.iter().filter(|row| worse(row.direction)).count();
    parts.extend(some(verdicts, "scenario fails that passed", "scenarios fail that passed"));
    parts.extend(some(pins, "known defect is newly there", "known defects are newly there"));
    parts.extend(some(shifted(comparison, ShiftVerdict::Slower), "time is longer", "times are longer"));
    if parts.is_empty() {
        parts.push("the upgrade itself fails".to_owned());
    }
    parts
}

/// `3 values that should stand still move (2 of them by a known defect)`.
fn astray(crossing: &Crossing) -> Option<String> {
    let (values, known) = crossing.values_astray();
    let said = some(values, "value that should stand still moves", "values that should stand still move")?;
    Some(match known {
        0 => said,
        known if known == values => format!("{said} (a known defect)"),
        known => format!("{said} ({known} of them by a known defect)"),
    })
}

/// What else changed.
fn changes(comparison: &Comparison) -> Vec<String> {
    let better = |direction: Option<Direction>| direction == Some(Direction::Better);
    let other = |direction: Option<Direction>| direction == Some(Direction::Other);
    let (verdicts, pins, claims) = (&comparison.verdicts, &comparison.pins, &comparison.claims);
    let mut gone = pins.iter().filter(|row| better(row.direction)).count();
    let mut parts = Vec::new();
    let passing = verdicts.iter().filter(|row| better(row.direction)).count();
    parts.extend(some(passing, "scenario passes that failed", "scenarios pass that failed"));
    if let Some(crossing) = &comparison.crossing {
        gone += crossing.directions().filter(|direction| *direction == Direction::Better).count();
        let moved = crossing.moved.len();
        let calls = crossing.calls.iter().filter(|calls| crossing.rate_changed(calls)).count();
        parts.extend(some(moved, "value moves that may", "values move that may"));
        parts.extend(some(calls, "rate of calls differs", "rates of calls differ"));
    }
    parts.extend(some(gone, "known defect is gone", "known defects are gone"));
    parts.extend(some(shifted(comparison, ShiftVerdict::Faster), "time is shorter", "times are shorter"));
    let one_sided = |row: &&VerdictRow| row.a == Said::Nothing || row.b == Said::Nothing;
    let alone = verdicts.iter().filter(one_sided).count();
    // What only pins changed is counted with them.
    let verdicts =
        verdicts.iter().filter(|row| other(row.direction) && !row.by_pin && !one_sided(row)).count();
    let pins = pins.iter().filter(|row| other(row.direction)).count();
    let claims = claims.iter().filter(|row| row.direction.is_some()).count();
    parts.extend(some(verdicts, "scenario comes to something else", "scenarios come to something else"));
    parts.extend(some(alone, "scenario is on one side only", "scenarios are on one side only"));
    parts.extend(some(pins, "pin stands otherwise", "pins stand otherwise"));
    parts.extend(some(claims, "claim stands otherwise", "claims stand otherwise"));
    parts
}

fn shifted(comparison: &Comparison, way: ShiftVerdict) -> usize {
    comparison.shifts().filter(|shift| shift.verdict == way).count()
}

/// `when eso v0.16.1 becomes v0.20.4`; `from run … to run …` where no server differs, `from plane … to plane …`.
fn when(sides: &Sides) -> String {
    let (a, b) = pair(sides);
    match sides.differ.len() {
        _ if sides.elsewhere() => format!("from {a} to {b}"),
        0 => format!("from {a} to {b}"),
        1 => format!("when {a} becomes {b}"),
        _ => format!("when {a} become {b}"),
    }
}

/// Both sides, in words: of one server with two versions, its name once.
fn pair(sides: &Sides) -> (&str, &str) {
    let (a, b) = (sides.a.label.as_str(), sides.b.label.as_str());
    let short = match sides.differ.as_slice() {
        [one] if one.a.is_some() => b.strip_prefix(one.name.as_str()).map(str::trim_start),
        _ => None,
    };
    (a, short.unwrap_or(b))
}

fn some(count: usize, one: &str, several: &str) -> Option<String> {
    (count > 0).then(|| many(count, one, several))
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}
