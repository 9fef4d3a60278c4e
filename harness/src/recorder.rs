//! Gives events their order and appends them to `events.jsonl` as they happen.
//!
//! One lock covers the number, the line in the file and the fold into the live timeline, so the three
//! orders are one, and whoever has recorded an event finds it in the timeline.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock::Micros;
use crate::event::{Event, Header, What};
use crate::timeline::Timeline;
use crate::wait::{Progress, Wait, WaitError};

mod scribe;

pub use scribe::Scribe;

/// A wait that was woken by an event lets others gather for this long before it looks again: probes bring
/// hundreds of events a second, and no judgement hangs on when a wait ends.
const GATHER: Duration = Duration::from_millis(5);

/// Records the events of a run. Clones record into the same file; use one from any thread.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    path: PathBuf,
    log: Mutex<Log>,
    /// Number of the last event.
    changes: watch::Sender<u64>,
    /// Set once, never taken back.
    failure: watch::Sender<Option<RecordError>>,
}

/// What one event at a time has to itself.
struct Log {
    file: File,
    /// Of the last event.
    seq: u64,
    /// Kept for its memory.
    line: Vec<u8>,
    timeline: Timeline,
}

/// Why events cannot be kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be begun.
    #[error("cannot begin the event file {path}; its folder must exist, be writable and not hold one yet")]
    Create {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The file cannot be continued. It is readable up to the event before.
    #[error("cannot write event {seq} to {path}; free space on its disk and run again")]
    Write {
        /// The first event that is not in the file.
        seq: u64,
        /// Where.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
}

impl Recorder {
    /// Begins a file with its header. The file is created new, with mode 0600.
    ///
    /// # Errors
    ///
    /// [`RecordError::Create`], if the file exists or cannot be created or written.
    pub fn create(path: &Path, header: Header) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Create { path: path.to_owned(), source: Arc::new(source) };
        let mut file =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let mut line = Vec::new();
        write_line(&mut file, &mut line, &header).map_err(failed)?;
        Ok(Self::over(file, path, Timeline::new(header)))
    }

    /// Continues a file that has its header.
    fn over(file: File, path: &Path, timeline: Timeline) -> Self {
        Self(Arc::new(Inner {
            path: path.to_owned(),
            log: Mutex::new(Log { file, seq: 0, line: Vec::new(), timeline }),
            changes: watch::Sender::new(0),
            failure: watch::Sender::new(None),
        }))
    }

    /// Records that this happens now, and returns its number. The event belongs to `scenario`, or without one
    /// to the run. Takes some ten microseconds, most of them in one `write`.
    ///
    /// Does not fail: the first event that cannot be written becomes the [`Self::failure`]. From then on
    /// nothing more is written, lest there be a hole in the file, but the live timeline goes on.
    pub fn record(&self, scenario: Option<&str>, what: What) -> u64 {
        let mut guard = self.log();
        let log = &mut *guard;
        log.seq += 1;
        let event = Event { seq: log.seq, at: Micros::now(), scenario: scenario.map(str::to_owned), what };
        if self.0.failure.borrow().is_none()
            && let Err(source) = write_line(&mut log.file, &mut log.line, &event)
        {
            let (path, source) = (self.0.path.clone(), Arc::new(source));
            self.0.failure.send_replace(Some(RecordError::Write { seq: event.seq, path, source }));
        }
        log.timeline.absorb(&event);
        drop(guard);
        // Two threads may get here in either order; the number only ever grows.
        self.0.changes.send_if_modified(|last| {
            let newer = event.seq > *last;
            *last = event.seq.max(*last);
            newer
        });
        event.seq
    }

    /// Asks the live timeline. Every probe waits meanwhile: look, take what is needed, and leave.
    pub fn with_timeline<T>(&self, look: impl FnOnce(&Timeline) -> T) -> T {
        look(&self.log().timeline)
    }

    /// The number of the last event; changes after each. When it does, the event is in the timeline.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Looks at a level now and again whenever something was recorded, until it is there, is dead, or `within`
    /// is over; then it looks a last time.
    ///
    /// `what` is a clause that says what did not happen, should it not: `` `fleet` was not seen at secret ``.
    ///
    /// # Errors
    ///
    /// [`WaitError::Dead`] if the level is [`Progress::Dead`], else [`WaitError::OutOfTime`].
    pub async fn wait_for<T>(
        &self,
        what: impl Into<String>,
        within: Duration,
        mut level: impl FnMut(&Timeline) -> Progress<T>,
    ) -> Result<T, WaitError> {
        let mut wait = Wait::new(what, within);
        let mut changes = self.changed();
        let mut over = false;
        let mut deadline = std::pin::pin!(sleep(within));
        loop {
            changes.mark_unchanged();
            match self.with_timeline(&mut level) {
                Progress::There(found) => return wait.end(Some(Ok(found))),
                Progress::Dead(why) => return wait.end(Some(Err(why))),
                Progress::NotYet(seen) => wait.last = seen,
            }
            if over {
                return wait.end(None);
            }
            let news = async {
                changes.changed().await.expect("the recorder, and its end of the channel, is borrowed here");
                sleep(GATHER).await;
            };
            over = tokio::select! {
                () = &mut deadline => true,
                () = news => false,
            };
        }
    }

    /// Why the file is not complete; none as long as it is.
    pub fn failure(&self) -> Option<RecordError> {
        self.0.failure.borrow().clone()
    }

    /// Ends when there is a [`Self::failure`]: the run should then stop, for its evidence is lost.
    pub async fn failed(&self) -> RecordError {
        let mut failure = self.0.failure.subscribe();
        let failed = failure.wait_for(Option::is_some).await;
        failed
            .expect("the recorder, and its end of the channel, is borrowed here")
            .clone()
            .expect("just seen")
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Somebody's look at the timeline panicked; that is no reason to lose what is seen from here on.
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line, in one `write`: a killed run leaves at most its last line torn.
fn write_line(file: &mut File, line: &mut Vec<u8>, content: &impl Serialize) -> io::Result<()> {
    line.clear();
    serde_json::to_writer(&mut *line, content).expect("events are plain data with names for keys");
    line.push(b'\n');
    file.write_all(line)
}

#[cfg(test)]
mod tests;
