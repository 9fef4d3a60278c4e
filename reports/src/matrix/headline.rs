//! The answer, in one line.

use super::{Matrix, Outcome};
use crate::exit::Exit;
use crate::text::many;

/// `4 cells: 2 pass, 1 does not, 1 was not run; 2 of 38 scenarios differ`.
pub fn headline(matrix: &Matrix) -> String {
    let (mut pass, mut other, mut not_run, mut left_out) = (0, 0, 0, 0);
    for cell in &matrix.cells {
        match &cell.outcome {
            Outcome::Played(played) if played.exit == Exit::Passed => pass += 1,
            Outcome::Played(_) => other += 1,
            Outcome::NotRun(_) => not_run += 1,
            Outcome::LeftOut(_) => left_out += 1,
        }
    }
    let counts = [
        (pass, "passes", "pass"),
        (other, "does not pass", "do not pass"),
        (not_run, "was not run", "were not run"),
        (left_out, "is left out", "are left out"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, several)| many(count, one, several))
        .collect();
    let differ = matrix.rows.iter().filter(|row| row.differs).count();
    let differ = match (pass + other, differ) {
        (0 | 1, _) => String::new(),
        (_, 0) => format!("; no scenario of {} differs", matrix.rows.len()),
        (_, differ) => {
            let verb = if differ == 1 { "differs" } else { "differ" };
            format!("; {differ} of {} {verb}", many(matrix.rows.len(), "scenario", "scenarios"))
        }
    };
    let interrupted =
        matrix.interrupted.as_ref().map(|signal| format!("; interrupted by {signal}")).unwrap_or_default();
    format!("{}: {}{differ}{interrupted}", many(matrix.cells.len(), "cell", "cells"), counts.join(", "))
}
