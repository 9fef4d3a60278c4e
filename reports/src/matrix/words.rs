//! What the terminal and the pull request both say, in the same words.

use super::{Asked, Cell, Choice, Mark, Matrix, Outcome, Row};
use crate::columns::Table;
use crate::text::line;

/// The file that has everything.
pub(super) const WHOLE: &str = "matrix.json";
/// Stands before a scenario of which the cells do not say the same.
const DIFFERS: &str = "≠ ";

impl Mark {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRun => "not run",
            Self::Pass => "pass",
            Self::Pinned => "pass (pinned)",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl Asked {
    /// `eso v0.16.1, valkey pinned on embedded`.
    pub fn label(&self) -> String {
        let choices = self.choices.iter().map(|Choice { component, given }| format!("{component} {given}"));
        let choices: Vec<String> = choices.collect();
        let choices = if choices.is_empty() { "as pinned".to_owned() } else { choices.join(", ") };
        line(&format!("{choices} on {}", self.plane))
    }
}

/// `eso v0.16.1, valkey 9.1.2 (pinned)`: what is pinned is known once it was played.
fn components(cell: &Cell) -> String {
    let played = match &cell.outcome {
        Outcome::Played(played) => played.components.as_slice(),
        Outcome::NotRun(_) | Outcome::LeftOut(_) => &[],
    };
    let one = |Choice { component, given }: &Choice| {
        let known = played.iter().find(|known| known.name == *component);
        match known.filter(|known| known.version != *given) {
            Some(known) => format!("{component} {} ({given})", known.version),
            None => format!("{component} {given}"),
        }
    };
    let choices: Vec<String> = cell.asked.choices.iter().map(one).collect();
    if choices.is_empty() { "as pinned".to_owned() } else { line(&choices.join(", ")) }
}

/// The cells are called by their numbers, from 1.
pub(super) fn cells(matrix: &Matrix) -> Option<Table> {
    let rows = matrix.cells.iter().enumerate().map(|(index, cell)| {
        let (took, came) = match &cell.outcome {
            Outcome::Played(played) => {
                let kept = if played.kept { ", from before" } else { "" };
                let came = format!("exit {}: {}{kept}", played.exit.code(), played.exit.meaning());
                (played.took_us.to_string(), came)
            }
            Outcome::NotRun(_) => ("–".to_owned(), "not run".to_owned()),
            Outcome::LeftOut(_) => ("–".to_owned(), "not run: left out".to_owned()),
        };
        vec![(index + 1).to_string(), components(cell), line(&cell.asked.plane), took, came]
    });
    let headings = ["cell", "components", "plane", "time", "came to"].map(str::to_owned);
    Table::of(headings.into(), 5, rows.collect(), WHOLE)
}

/// Why cells were not run: their numbers, and the reason.
pub(super) fn not_run(matrix: &Matrix) -> Vec<(String, String)> {
    let why = |(index, cell): (usize, &Cell)| match &cell.outcome {
        Outcome::Played(_) => None,
        Outcome::NotRun(why) | Outcome::LeftOut(why) => Some(((index + 1).to_string(), line(why))),
    };
    matrix.cells.iter().enumerate().filter_map(why).collect()
}

/// Scenarios by these cells.
pub(super) fn scenarios<'a>(
    rows: impl Iterator<Item = &'a Row>,
    cells: std::ops::Range<usize>,
) -> Option<Table> {
    let of_row = |row: &Row| {
        let name = format!("{}{}", if row.differs { DIFFERS } else { "" }, line(&row.scenario));
        std::iter::once(name)
            .chain(row.said[cells.clone()].iter().map(|said| said.mark.word().to_owned()))
            .collect()
    };
    let rows = rows.map(of_row).collect();
    let headings = std::iter::once("scenario".to_owned()).chain(cells.clone().map(|n| (n + 1).to_string()));
    Table::of(headings.collect(), cells.len() + 1, rows, WHOLE)
}

/// What did not pass: the scenario with the cells that say the same of it, how bad that is, and what they say.
pub(super) fn told(matrix: &Matrix) -> Vec<(String, Mark, String)> {
    let of_row = |row: &Row| {
        let mut told: Vec<(Mark, &str, Vec<String>)> = Vec::new();
        for (index, said) in row.said.iter().enumerate() {
            let Some(summary) = &said.summary else { continue };
            let number = (index + 1).to_string();
            match told.iter_mut().find(|(mark, known, _)| *mark == said.mark && known == summary) {
                Some((_, _, cells)) => cells.push(number),
                None => told.push((said.mark, summary, vec![number])),
            }
        }
        let of_one = |(mark, summary, cells): (Mark, &str, Vec<String>)| {
            let head = format!("{} in {}: {}", line(&row.scenario), cells.join(", "), mark.word());
            (head, mark, line(summary))
        };
        told.into_iter().map(of_one).collect::<Vec<_>>()
    };
    matrix.rows.iter().flat_map(of_row).collect()
}
