//! The planes that cells may be played on.

use handover_fixtures::embedded;

use crate::language::names::{did_you_mean, listed};

/// The planes that this program has.
const PLANES: [&str; 1] = [embedded::NAME];

/// The plane of this name.
///
/// # Errors
/// Why nothing can be played there, for the summary: it is no reason not to play the other cells.
pub fn plane(name: &str) -> Result<&'static str, String> {
    let known = PLANES.into_iter().find(|plane| *plane == name);
    known.ok_or_else(|| {
        let guess = did_you_mean(name, PLANES);
        format!("there is no plane `{name}`{}; there is {}", guess.trim_end_matches('?'), listed(PLANES))
    })
}
