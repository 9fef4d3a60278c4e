//! The planes that cells may be played on.

use crate::language::names::{did_you_mean, listed};
use crate::play::planes::Where;

/// The plane of this name; a cell's cluster is its own.
///
/// # Errors
/// Why nothing can be played there, for the summary: it is no reason not to play the other cells.
pub fn plane(name: &str) -> Result<Where, String> {
    let planes = [Where::default(), Where::Kind { kept: None }];
    let names = planes.each_ref().map(Where::name);
    planes.into_iter().find(|plane| plane.name() == name).ok_or_else(|| {
        let guess = did_you_mean(name, names);
        format!("there is no plane `{name}`{}; there is {}", guess.trim_end_matches('?'), listed(names))
    })
}
