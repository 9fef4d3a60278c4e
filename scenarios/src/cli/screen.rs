//! The terminal: results on standard output, everything else on standard error.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use handover_fixtures::components::progress::{Progress, on_stderr};
use handover_reports::Style;
use handover_reports::live::Live;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::play::run::Show;

/// Where output goes, and how it may look.
pub struct Screen {
    /// For text on standard output.
    pub style: Style,
}

impl Screen {
    /// The process's own terminal, or pipe.
    pub fn of_process() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let terminal = std::io::stdout().is_terminal();
        let width = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| size.ws_col);
        let width = if terminal && width >= 60 { usize::from(width).min(140) } else { 100 };
        Self { style: Style { colour: terminal && !plain, width } }
    }

    /// A result. That nobody reads it any more is no error of ours.
    pub fn out(&self, text: &str) {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// A line of a result.
    pub fn line(&self, text: &str) {
        self.out(&format!("{text}\n"));
    }

    /// An error, with the program's name.
    pub fn error(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "handover: {text}");
    }

    /// A remark that is no result.
    pub fn remark(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// What a run shows while it runs: a line that moves on a terminal, plain lines elsewhere.
    pub fn live(&self, scenarios: &[String]) -> LiveScreen {
        let names = scenarios.iter().map(String::len).max().unwrap_or(0);
        let terminal = std::io::stderr().is_terminal();
        LiveScreen {
            layout: Live { names, width: self.style.width },
            bars: terminal.then(MultiProgress::new),
            began: Instant::now(),
            lines: Mutex::default(),
        }
    }
}

/// One live line for the run and one per scenario.
pub struct LiveScreen {
    layout: Live,
    bars: Option<MultiProgress>,
    began: Instant,
    lines: Mutex<BTreeMap<String, Line>>,
}

struct Line {
    bar: Option<ProgressBar>,
    began: Instant,
    text: String,
}

const RUN: &str = "";

impl LiveScreen {
    /// Takes all live lines away.
    pub fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn show(&self, id: &str, text: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(id.to_owned()).or_insert_with(|| Line {
            bar: self.bars.as_ref().map(|bars| bars.add(ProgressBar::new_spinner().with_style(bare()))),
            began: Instant::now(),
            text: String::new(),
        });
        if line.text == text {
            return;
        }
        line.text = text.to_owned();
        let elapsed = if id == RUN { self.began.elapsed() } else { line.began.elapsed() };
        match &line.bar {
            Some(bar) => bar.set_message(self.layout.line(id, text, elapsed)),
            None => {
                let _ = writeln!(std::io::stderr().lock(), "{}", self.plain(id, text, elapsed));
            }
        }
    }

    fn plain(&self, id: &str, text: &str, elapsed: Duration) -> String {
        if id == RUN {
            format!("{text} ({:.1} s)", elapsed.as_secs_f64())
        } else {
            self.layout.plain(id, text, elapsed)
        }
    }
}

impl Show for LiveScreen {
    fn run(&self, text: &str) {
        self.show(RUN, text);
    }

    fn scenario(&self, id: &str, text: &str) {
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(RUN)
            && let Some(bar) = line.bar
        {
            bar.finish_and_clear();
        }
        self.show(id, text);
    }

    fn over(&self, id: &str) {
        self.show(id, "played");
    }

    fn obtaining(&self) -> Arc<dyn Progress> {
        Arc::from(on_stderr())
    }
}

fn bare() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").expect("a constant template")
}
