//! What is shown while scenarios are played, as text. Whoever draws it owns the terminal.

use std::time::Duration;

use crate::text::line;

/// A line for a file or a pipe, where each stays: `[  12.3 s] mysql/static-role-forced  …`. `names` is the
/// length of the longest scenario's name, so that the lines stand under one another.
pub fn plain(names: usize, scenario: &str, text: &str, elapsed: Duration) -> String {
    format!("[{:>8}] {:<names$}  {}", seconds(elapsed), line(scenario), line(text))
}

/// `step 2/3 wait for login`; `index` counts from 0, as in the events.
pub fn step(index: usize, steps: usize, text: &str) -> String {
    format!("step {}/{steps} {}", index + 1, line(text))
}

/// Always tenths of a second, so that a running figure does not change its shape.
fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELAPSED: Duration = Duration::from_millis(12_340);

    #[test]
    fn a_line_says_who_what_and_how_long() {
        assert_eq!(
            plain(24, "kv/refresh", &step(1, 3, "wait for login"), ELAPSED),
            "[  12.3 s] kv/refresh                step 2/3 wait for login"
        );
    }
}
