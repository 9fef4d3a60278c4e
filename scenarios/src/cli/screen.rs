//! The terminal: results on standard output, everything else on standard error.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use handover_fixtures::components::progress::{Progress, on_stderr};
use handover_reports::Style;
use handover_reports::live;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::play::run::Show;

/// How often a live line moves.
const TICK: Duration = Duration::from_millis(200);

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

    /// What a run shows while it runs: a line per scenario that moves on a terminal, plain lines elsewhere.
    pub fn live(&self, scenarios: &[String]) -> LiveScreen {
        LiveScreen {
            names: scenarios.iter().map(String::len).max().unwrap_or(0),
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            began: Instant::now(),
            lines: Mutex::default(),
        }
    }
}

/// One live line for the run and one per scenario.
pub struct LiveScreen {
    names: usize,
    bars: Option<MultiProgress>,
    began: Instant,
    lines: Mutex<BTreeMap<String, Line>>,
}

struct Line {
    bar: Option<ProgressBar>,
    began: Instant,
    text: String,
}

/// The line of the run itself.
const RUN: &str = "";

impl LiveScreen {
    /// Takes all live lines away.
    pub fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
        self.lines().clear();
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, id: &str, text: &str) {
        let mut lines = self.lines();
        let line = lines.entry(id.to_owned()).or_insert_with(|| Line {
            bar: self.bars.as_ref().map(|bars| bars.add(self.bar(id))),
            began: Instant::now(),
            text: String::new(),
        });
        if line.text == text {
            return;
        }
        text.clone_into(&mut line.text);
        match &line.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if id == RUN => {
                let _ = writeln!(std::io::stderr(), "{text} ({:.1} s)", self.began.elapsed().as_secs_f64());
            }
            None => {
                let plain = live::plain(self.names, id, text, line.began.elapsed());
                let _ = writeln!(std::io::stderr(), "{plain}");
            }
        }
    }

    fn bar(&self, id: &str) -> ProgressBar {
        let template = "{spinner} {prefix}  {wide_msg} {elapsed:>5}";
        let style = ProgressStyle::with_template(template).expect("a constant template");
        let bar = ProgressBar::new_spinner().with_style(style).with_prefix(format!("{id:<0$}", self.names));
        bar.enable_steady_tick(TICK);
        bar
    }
}

impl Show for LiveScreen {
    fn run(&self, text: &str) {
        self.show(RUN, text);
    }

    fn scenario(&self, id: &str, text: &str) {
        // Taken away, not finished: a finished line would stay above those of the scenarios.
        if let Some(Line { bar: Some(bar), .. }) = self.lines().remove(RUN)
            && let Some(bars) = &self.bars
        {
            bar.disable_steady_tick();
            bars.remove(&bar);
        }
        self.show(id, text);
    }

    fn over(&self, id: &str) {
        self.show(id, "played");
        if let Some(bar) = self.lines().get(id).and_then(|line| line.bar.as_ref()) {
            bar.finish();
        }
    }

    fn obtaining(&self) -> Arc<dyn Progress> {
        Arc::from(on_stderr())
    }
}
