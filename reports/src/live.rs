//! The lines that are shown while scenarios are played. Whoever draws them owns the terminal.

use std::time::Duration;

use crate::text::{line, shorten};

/// How the live lines of one run are laid out, so that they stand under one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Length of the longest scenario's name.
    pub names: usize,
    /// Columns of the terminal.
    pub width: usize,
}

impl Live {
    /// One live line: `⏳ mysql/static-role-forced  step 2/3 wait for login  12.3 s`. Never wider than
    /// the terminal: a live line that wraps cannot be redrawn.
    pub fn line(&self, scenario: &str, text: &str, elapsed: Duration) -> String {
        let scenario = line(scenario);
        let elapsed = seconds(elapsed);
        let names = self.names;
        let head = format!("⏳ {scenario:<names$}  ");
        // The hourglass takes two columns.
        let room = self.width.saturating_sub(head.chars().count() + 1 + 2 + elapsed.chars().count());
        shorten(&format!("{head}{}  {elapsed}", shorten(&line(text), room)), self.width.saturating_sub(1))
    }

    /// The same for a file or a pipe, where each line stays: `[  12.3 s] mysql/static-role-forced  …`.
    pub fn plain(&self, scenario: &str, text: &str, elapsed: Duration) -> String {
        let names = self.names;
        format!("[{:>8}] {:<names$}  {}", seconds(elapsed), line(scenario), line(text))
    }
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
    fn a_live_line_says_who_what_and_how_long() {
        let live = Live { names: 24, width: 100 };
        let text = step(1, 3, "wait for login");
        assert_eq!(
            live.line("mysql/static-role-forced", &text, ELAPSED),
            "⏳ mysql/static-role-forced  step 2/3 wait for login  12.3 s"
        );
        assert_eq!(
            live.plain("kv/refresh", &text, ELAPSED),
            "[  12.3 s] kv/refresh                step 2/3 wait for login"
        );
    }

    #[test]
    fn a_live_line_is_never_wider_than_the_terminal() {
        for width in 0..60 {
            let line = Live { names: 10, width }.line("kv/refresh", &"much too long\n".repeat(9), ELAPSED);
            assert!(line.chars().count() < width.max(1), "{width}: {line:?}");
        }
        let line = Live { names: 10, width: 40 }.line("kv/refresh", &"x".repeat(90), ELAPSED);
        assert!(line.ends_with("…  12.3 s"), "{line}");
    }
}
