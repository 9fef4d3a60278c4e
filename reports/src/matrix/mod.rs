//! A grid of cells, each a run of the same scenarios on other versions or on another plane: one summary of them.
//!
//! Nothing is judged here: every cell was. What is looked for is where the cells say different things.

mod fold;
mod headline;
mod json;
mod markdown;
mod terminal;
mod words;

use handover_harness::clock::Micros;
use handover_harness::event::{ComponentInfo, ScenarioId};
use schemars::JsonSchema;
use serde::Serialize;

pub use fold::{Came, fold};
pub use headline::headline;
pub use json::{schema, to_json};
pub use markdown::markdown;
pub use terminal::terminal;

use crate::exit::Exit;

/// Version of `matrix.json`.
pub const FORMAT: u32 = 1;

/// The whole grid, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Matrix {
    /// What it is about.
    pub title: String,
    /// The signal that interrupted it.
    pub interrupted: Option<String>,
    /// Its cells, in the order in which they are played.
    pub cells: Vec<Cell>,
    /// Every scenario over all cells: first those of which the cells do not say the same, of these and of the others
    /// first what is worst.
    pub rows: Vec<Row>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cell {
    /// What sets it apart.
    #[serde(flatten)]
    pub asked: Asked,
    /// What became of it.
    pub outcome: Outcome,
}

/// What sets a cell apart from the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// Its directory below that of the matrix.
    pub dir: String,
    /// `embedded`, …
    pub plane: String,
    /// What was chosen for components, in the order of the file.
    pub choices: Vec<Choice>,
}

/// What was chosen for a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Choice {
    /// `eso`, …
    pub component: String,
    /// As the file has it: `v0.16.1`, `image:…`, a path; `pinned` for the program's own.
    pub given: String,
}

impl Choice {
    /// The word for the release that the program has pinned.
    pub const PINNED: &str = "pinned";
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was played.
    Played(Played),
    /// It could not be, and why.
    NotRun(String),
    /// The file leaves it out, and why.
    LeftOut(String),
}

/// A cell that was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Played {
    /// The run's id.
    pub run: String,
    /// When it began, RFC 3339 in UTC.
    pub wall: String,
    /// On what it played; nothing where it broke before that was known.
    pub components: Vec<ComponentInfo>,
    /// From its first event to its last.
    pub took_us: Micros,
    /// Whether it was there from before, and was not played again.
    pub kept: bool,
    /// What `handover run` would end with.
    #[schemars(with = "u8")]
    pub exit: Exit,
}

/// A scenario over all cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// Which.
    pub scenario: ScenarioId,
    /// Whether two cells that were run say different things of it.
    pub differs: bool,
    /// What each cell says, in the order of the cells.
    pub said: Vec<Said>,
}

/// What a cell says of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// In a word.
    pub mark: Mark,
    /// In one line, where it did not pass.
    pub summary: Option<String>,
}

/// What a scenario came to in a cell. Ordered by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It was not played: the cell was not, or did not come to it.
    NotRun,
    /// It passed.
    Pass,
    /// It passed because known defects are as they are pinned.
    Pinned,
    /// It cannot be played there.
    Skipped,
    /// The evidence does not decide.
    Inconclusive,
    /// The environment broke.
    Error,
    /// It failed.
    Fail,
}

impl Matrix {
    /// The first exit of all cells, in order of precedence, so that a broken environment hides no lock-out. A cell
    /// that could not be run leaves the grid undecided; one that the file leaves out, with a reason that somebody
    /// has written, does not count, as a skipped scenario does not.
    pub fn exit(&self) -> Exit {
        let interruption = self.interrupted.as_deref().map(Exit::of_signal);
        let cells = self.cells.iter().filter_map(|cell| match &cell.outcome {
            Outcome::Played(played) => Some(played.exit),
            Outcome::NotRun(_) => Some(Exit::Inconclusive),
            Outcome::LeftOut(_) => None,
        });
        cells.chain(interruption).min().unwrap_or(Exit::NothingRan)
    }
}
