//! The answer: does it get worse?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparison, Crossing, Direction, Said, Shift, ShiftVerdict, Sides, VerdictRow, Which};
use crate::verdict::{Finding, Verdict};

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both sides say the same.
    Nothing,
    /// Something changed, and nothing for the worse.
    Changed,
    /// Something got worse.
    Worse,
    /// Nothing is known to have got worse, and not everything is known.
    CannotTell,
}

impl Shift {
    /// Which way it goes; none where it is no change.
    pub fn direction(&self) -> Option<Direction> {
        match self.verdict {
            ShiftVerdict::Slower => Some(Direction::Worse),
            ShiftVerdict::Faster => Some(Direction::Better),
            ShiftVerdict::Within | ShiftVerdict::TooFew { .. } => None,
        }
    }
}

impl Comparison {
    /// What it comes to. What got worse is told however much else is in doubt. Times of which there are too few
    /// leave nothing in doubt: they are told, and the verdicts hold without them.
    pub fn outcome(&self) -> Outcome {
        let directions: Vec<Direction> = self.directions().collect();
        if directions.contains(&Direction::Worse) {
            Outcome::Worse
        } else if !self.doubts().is_empty() {
            Outcome::CannotTell
        } else if directions.is_empty() {
            Outcome::Nothing
        } else {
            Outcome::Changed
        }
    }

    /// Which ways the changes go, one each.
    fn directions(&self) -> impl Iterator<Item = Direction> {
        let verdicts = self.verdicts.iter().filter_map(|row| row.direction);
        let pins = self.pins.iter().filter_map(|row| row.direction);
        let claims = self.claims.iter().filter_map(|row| row.direction);
        let crossing = self.crossing.iter().flat_map(Crossing::directions);
        verdicts.chain(pins).chain(claims).chain(crossing).chain(self.shifts().filter_map(Shift::direction))
    }

    /// Why it may not be known what changed, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        for side in [Which::A, Which::B] {
            let troubles = self.sides.side(side).troubles.iter();
            doubts.extend(troubles.map(|trouble| format!("{}: {trouble}", self.sides.name(side))));
        }
        doubts.extend(self.verdicts.iter().filter_map(|row| doubt(row, &self.sides)));
        match &self.crossing {
            Some(crossing) => doubts.extend(doubt_of_crossing(crossing)),
            None if !self.verdicts.iter().any(decided) => {
                doubts.push("no scenario was decided on both sides".to_owned());
            }
            None => {}
        }
        doubts
    }
}

fn decided(row: &VerdictRow) -> bool {
    let decided = |said: &Said<Verdict>| matches!(said.steady(), Some(Verdict::Pass | Verdict::Fail));
    decided(&row.a) && decided(&row.b)
}

/// Why it is not known whether a scenario changed.
fn doubt(row: &VerdictRow, sides: &Sides) -> Option<String> {
    let (on_a, on_b) = (sides.name(Which::A), sides.name(Which::B));
    let VerdictRow { scenario, a, b, .. } = row;
    for (side, said) in [(on_a, a), (on_b, b)] {
        if let Said::Unsteady(_) = said {
            let words = said.words(Verdict::word);
            return Some(format!("{scenario} is unsteady on {side}: {words}"));
        }
    }
    let open = |said: &Said<Verdict>| matches!(said.steady(), Some(Verdict::Inconclusive | Verdict::Error));
    let fails = |said: &Said<Verdict>| said.steady() == Some(Verdict::Fail);
    let unplayed = |said: &Said<Verdict>| matches!(said.steady(), None | Some(Verdict::Skipped));
    let unknown = a != b && (open(a) || open(b)) || unplayed(a) && fails(b);
    unknown.then(|| {
        let word = Verdict::word;
        format!("{scenario}: {} on {on_a}, {} on {on_b}", a.words(word), b.words(word))
    })
}

fn doubt_of_crossing(crossing: &Crossing) -> Vec<String> {
    let mut doubts = Vec::new();
    match crossing.verdict {
        Verdict::Pass | Verdict::Fail => {}
        Verdict::Skipped | Verdict::Inconclusive | Verdict::Error => {
            let decisive = crossing.findings.iter().find(|finding| finding.verdict == crossing.verdict);
            let why = decisive
                .map_or_else(String::new, |Finding { expected, seen, .. }| format!(": {expected}: {seen}"));
            doubts.push(format!("the upgrade is {}{why}", crossing.verdict));
        }
    }
    if crossing.watched.is_empty() {
        doubts.push("no value was watched over the upgrade".to_owned());
    }
    doubts
}
