//! From judged runs to the grid.

use handover_harness::event::ScenarioId;
use handover_harness::verdict::{RunVerdict, ScenarioVerdict, Verdict};

use super::{Asked, Cell, Mark, Matrix, Outcome, Played, Row, Said};
use crate::exit::Exit;

/// What came of a cell.
#[derive(Clone, Debug)]
pub enum Came {
    /// It was played.
    Played {
        /// What it came to.
        verdict: Box<RunVerdict>,
        /// What `handover run` would end with.
        exit: Exit,
        /// Whether it was there from before.
        kept: bool,
    },
    /// It could not be played, and why.
    NotRun(String),
    /// The file leaves it out, and why.
    LeftOut(String),
}

/// The grid of these cells, in all of which these scenarios were to be played.
pub fn fold(
    title: &str,
    scenarios: &[ScenarioId],
    cells: &[(Asked, Came)],
    interrupted: Option<String>,
) -> Matrix {
    let row = |scenario: &ScenarioId| {
        let said: Vec<Said> = cells.iter().map(|(_, came)| said(came, scenario)).collect();
        Row { scenario: scenario.clone(), differs: differs(&said), said }
    };
    let mut rows: Vec<Row> = scenarios.iter().map(row).collect();
    let worst = |row: &Row| row.said.iter().map(|said| said.mark).max();
    rows.sort_by(|a, b| {
        (b.differs, worst(b)).cmp(&(a.differs, worst(a))).then_with(|| a.scenario.cmp(&b.scenario))
    });
    let cells = cells.iter().map(|(asked, came)| Cell { asked: asked.clone(), outcome: outcome(came) });
    Matrix { title: title.to_owned(), interrupted, cells: cells.collect(), rows }
}

fn said(came: &Came, scenario: &str) -> Said {
    let verdict = match came {
        Came::Played { verdict, .. } => verdict.scenarios.iter().find(|known| known.scenario == scenario),
        Came::NotRun(_) | Came::LeftOut(_) => None,
    };
    let mark = verdict.map_or(Mark::NotRun, mark);
    let told = verdict.filter(|verdict| verdict.verdict != Verdict::Pass);
    Said { mark, summary: told.map(|verdict| verdict.summary.clone()) }
}

fn mark(scenario: &ScenarioVerdict) -> Mark {
    match scenario.verdict {
        Verdict::Pass if scenario.findings.iter().any(|finding| finding.pinned.is_some()) => Mark::Pinned,
        Verdict::Pass => Mark::Pass,
        Verdict::Skipped => Mark::Skipped,
        Verdict::Inconclusive => Mark::Inconclusive,
        Verdict::Error => Mark::Error,
        Verdict::Fail => Mark::Fail,
    }
}

/// What was not run says nothing.
fn differs(said: &[Said]) -> bool {
    let mut marks = said.iter().map(|said| said.mark).filter(|mark| *mark != Mark::NotRun);
    marks.next().is_some_and(|first| marks.any(|mark| mark != first))
}

fn outcome(came: &Came) -> Outcome {
    match came {
        Came::Played { verdict, exit, kept } => Outcome::Played(Played {
            run: verdict.run.clone(),
            wall: verdict.wall.clone(),
            components: verdict.on.as_ref().map(|on| on.components.clone()).unwrap_or_default(),
            took_us: verdict.took_us,
            kept: *kept,
            exit: *exit,
        }),
        Came::NotRun(why) => Outcome::NotRun(why.clone()),
        Came::LeftOut(why) => Outcome::LeftOut(why.clone()),
    }
}
