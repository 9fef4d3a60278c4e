//! Asks on a thread of its own, so that neither a busy run nor a slow answer moves a due time.

use std::io;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::handle::{Command, Control, ProbeHandle};
use super::schedule::{Schedule, Turn};
use super::timer::Timer;
use super::{Probe, ProbeError, Probed};
use crate::clock::Micros;
use crate::event::{Observation, Outcome, Quantiles};
use crate::mask::Masked;
use crate::recorder::Scribe;

/// How long a stopped probe waits for the answers to what it has asked.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Starts a probe. At each due time `ask` is called on the probe's own thread, and its future driven there
/// beside the earlier ones; it should not block. None as an answer means that there is nothing to ask about
/// yet: then nothing is recorded, and what is missed until the next answer is not either.
///
/// # Errors
///
/// If the machine has no thread or no timer left.
pub fn start<F, Q>(scribe: Scribe, probe: Probe, ask: F) -> Result<ProbeHandle, ProbeError>
where
    F: Fn() -> Q + Send + Sync + 'static,
    Q: Future<Output = Option<Outcome>> + Send + 'static,
{
    let failed = {
        let probe = probe.name.clone();
        |source| ProbeError { probe, source }
    };
    let (control, commands) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let (done, probed) = oneshot::channel();
    let (ready, begun) = std::sync::mpsc::channel();
    let spawned = Builder::new().name(probe.name.clone()).spawn(move || {
        let (runtime, timer) = match begin() {
            Ok(begun) => begun,
            Err(error) => return ready.send(Err(error)).unwrap_or_default(),
        };
        ready.send(Ok(())).unwrap_or_default();
        let asking = Asking::new(Context { scribe, probe, ask }, timer);
        let probed = runtime.block_on(asking.run(commands, stopped));
        // An asker may have left a blocking task behind, such as a name lookup: not ours to wait for.
        runtime.shutdown_background();
        done.send(probed).unwrap_or_default();
    });
    let thread = match spawned {
        Ok(thread) => thread,
        Err(error) => return Err(failed(error)),
    };
    match begun.recv().expect("the thread says how it began before it does anything else") {
        Ok(()) => Ok(ProbeHandle::new(Control::new(control), stop, probed, thread)),
        Err(error) => Err(failed(error)),
    }
}

fn begin() -> io::Result<(Runtime, Timer)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let timer = {
        let _inside = runtime.enter();
        Timer::new()?
    };
    Ok((runtime, timer))
}

/// What every question shares.
struct Context<F> {
    scribe: Scribe,
    probe: Probe,
    ask: F,
}

impl<F> Context<F> {
    fn record(&self, due: Micros, asked: Micros, answered: Micros, outcome: Outcome) {
        let Probe { name, credential, hop, .. } = &self.probe;
        self.scribe.seen(Observation {
            credential: credential.clone(),
            hop: *hop,
            probe: name.clone(),
            by: None,
            due,
            asked,
            answered,
            outcome,
        });
    }
}

/// What the loop must know of a question that was answered.
struct Answered {
    due: Micros,
    asked: Micros,
    /// There was nothing to ask about.
    nothing: bool,
    refused: bool,
}

/// A question on its way. However it ends, something is recorded.
struct Question<F> {
    context: Arc<Context<F>>,
    due: Micros,
    asked: Micros,
    open: bool,
}

impl<F, Q> Question<F>
where
    F: Fn() -> Q,
    Q: Future<Output = Option<Outcome>>,
{
    async fn ask(mut self) -> Answered {
        self.asked = Micros::now();
        let limit = self.context.probe.timeout;
        let outcome = timeout(limit, (self.context.ask)()).await.unwrap_or_else(|_| {
            Some(Outcome::Unreachable(Masked::own(format!("no answer within {limit:?}"))))
        });
        let answered = Micros::now();
        self.open = false;
        let (nothing, refused) = (outcome.is_none(), matches!(outcome, Some(Outcome::Refused(_))));
        if let Some(outcome) = outcome {
            self.context.record(self.due, self.asked, answered, outcome);
        }
        Answered { due: self.due, asked: self.asked, nothing, refused }
    }
}

impl<F> Drop for Question<F> {
    fn drop(&mut self) {
        if self.open {
            let why = Masked::own("given up before there was an answer");
            self.context.record(self.due, self.asked, Micros::now(), Outcome::Unclear(why));
        }
    }
}

/// The loop of one probe.
struct Asking<F> {
    context: Arc<Context<F>>,
    timer: Timer,
    schedule: Schedule,
    /// The period when nobody is in a hurry.
    usual: Micros,
    /// Since when somebody is.
    hurried: Option<Micros>,
    questions: JoinSet<Answered>,
    /// The latest answer was that there is nothing to ask about.
    idle: bool,
    asked: u64,
    missed: u64,
    lateness: Vec<Micros>,
}

impl<F, Q> Asking<F>
where
    F: Fn() -> Q + Send + Sync + 'static,
    Q: Future<Output = Option<Outcome>> + Send + 'static,
{
    fn new(context: Context<F>, timer: Timer) -> Self {
        let usual = Micros::from(context.probe.every);
        let start = Micros::now() + context.probe.phase.into();
        Self {
            timer,
            schedule: Schedule::new(start, usual, context.probe.in_flight),
            context: Arc::new(context),
            usual,
            hurried: None,
            questions: JoinSet::new(),
            idle: false,
            asked: 0,
            missed: 0,
            lateness: Vec::new(),
        }
    }

    async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut stopped: oneshot::Receiver<()>,
    ) -> Probed {
        loop {
            let next = self.schedule.next();
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                // Before the timer: what is answered is not in flight any more.
                Some(answered) = self.questions.join_next() => self.hear(answered.ok()),
                Some(command) = commands.recv() => self.obey(command),
                () = self.timer.until(next) => {
                    let turn = self.schedule.turn(Micros::now(), self.questions.len());
                    self.take(turn);
                }
            }
        }
        timeout(LAST_WORDS, async {
            while let Some(answered) = self.questions.join_next().await {
                self.hear(answered.ok());
            }
        })
        .await
        .unwrap_or_default();
        self.questions.shutdown().await;
        Probed { asked: self.asked, missed: self.missed, lateness: Quantiles::of(self.lateness) }
    }

    fn take(&mut self, turn: Turn) {
        for due in turn.missed() {
            self.miss(due);
        }
        if let Some(due) = turn.ask {
            self.ask(due);
        }
    }

    fn ask(&mut self, due: Micros) {
        self.asked += 1;
        let question = Question { context: self.context.clone(), due, asked: due, open: true };
        self.questions.spawn(question.ask());
    }

    fn miss(&mut self, due: Micros) {
        if !self.idle {
            self.missed += 1;
            self.context.record(due, due, due, Outcome::Missed);
        }
    }

    /// Without an answer the asker panicked; the question has said so.
    fn hear(&mut self, answered: Option<Answered>) {
        let Some(Answered { due, asked, nothing, refused }) = answered else { return };
        self.lateness.push(asked - due);
        self.idle = nothing;
        if refused && self.hurried.is_some_and(|since| since <= asked) {
            self.set_period(self.usual, None);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::SetPeriod(period) => {
                self.usual = period;
                self.set_period(period, None);
            }
            Command::Hurry { period, since } => self.set_period(period, Some(since)),
            Command::Ask { due } if self.schedule.has_room(self.questions.len()) => self.ask(due),
            Command::Ask { due } => self.miss(due),
        }
    }

    fn set_period(&mut self, period: Micros, hurried: Option<Micros>) {
        self.hurried = hurried;
        let turn = self.schedule.set_period(Micros::now(), period, self.questions.len());
        self.take(turn);
    }
}

#[cfg(test)]
mod tests;
