//! Waits for levels ("the Secret shows what was set, or later"), never for edges ("something changed").
//!
//! A wait ends in one of three ways: there, dead, or out of time; the last two say what was seen last.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// How far something is, asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// It is there.
    There(T),
    /// It is not there yet; what is seen instead, as a clause: `secret shows g0`.
    NotYet(String),
    /// It will never be there, and why.
    Dead(String),
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// It will never be there.
    #[error("{what} and never will be: {why}")]
    Dead {
        /// What did not happen, as a clause that `within 30s` can follow: `` `fleet` was not seen at secret ``.
        what: String,
        /// Why it cannot happen any more.
        why: String,
    },
    /// It was not there in time.
    #[error("{what} within {within:?}; last: {last}")]
    OutOfTime {
        /// What did not happen, as a clause that `within 30s` can follow.
        what: String,
        /// How long was waited.
        within: Duration,
        /// What was seen last.
        last: String,
    },
}

/// Asks at once and then `every` so often after each answer, until it is there, is dead, or `within` is over.
/// A question that hangs is given up with the wait.
///
/// `what` is a clause that says what did not happen, should it not: `openbao was not ready`.
///
/// # Errors
///
/// [`WaitError::Dead`] if the answer is [`Progress::Dead`], else [`WaitError::OutOfTime`].
pub async fn wait_until<T, Answer: Future<Output = Progress<T>>>(
    what: impl Into<String>,
    within: Duration,
    every: Duration,
    mut ask: impl FnMut() -> Answer,
) -> Result<T, WaitError> {
    let mut wait = Wait::new(what, within);
    let last = &mut wait.last;
    let asking = async {
        loop {
            match ask().await {
                Progress::There(found) => return Ok(found),
                Progress::Dead(why) => return Err(why),
                Progress::NotYet(seen) => *last = seen,
            }
            sleep(every).await;
        }
    };
    let end = timeout(within, asking).await;
    wait.end(end.ok())
}

/// What a wait has to say when it ends.
pub(crate) struct Wait {
    what: String,
    within: Duration,
    /// What was seen last.
    pub(crate) last: String,
}

impl Wait {
    pub(crate) fn new(what: impl Into<String>, within: Duration) -> Self {
        Self { what: what.into(), within, last: "no answer at all".to_owned() }
    }

    /// `end` is none when time ran out.
    pub(crate) fn end<T>(self, end: Option<Result<T, String>>) -> Result<T, WaitError> {
        let Self { what, within, last } = self;
        match end {
            Some(Ok(found)) => Ok(found),
            Some(Err(why)) => Err(WaitError::Dead { what, why }),
            None => Err(WaitError::OutOfTime { what, within, last }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Instant;

    use super::*;

    const WITHIN: Duration = Duration::from_millis(40);
    const EVERY: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn there_on_the_third_question() {
        let asked = Cell::new(0);
        let ask = || async {
            asked.set(asked.get() + 1);
            if asked.get() == 3 { Progress::There("ready") } else { Progress::NotYet("refused".to_owned()) }
        };
        let end = wait_until("openbao was not ready", Duration::from_secs(60), EVERY, ask).await;
        assert_eq!((end, asked.get()), (Ok("ready"), 3));
    }

    #[tokio::test]
    async fn dead_is_not_waited_for() {
        let ask = || async { Progress::<()>::Dead("it exited with 1".to_owned()) };
        let end = wait_until("openbao was not ready", Duration::from_secs(3600), EVERY, ask).await;
        let message = end.unwrap_err().to_string();
        assert_eq!(message, "openbao was not ready and never will be: it exited with 1");
    }

    #[tokio::test]
    async fn out_of_time_tells_the_last_answer() {
        let ask = || async { Progress::<()>::NotYet("connection refused".to_owned()) };
        let end = wait_until("openbao was not ready", WITHIN, EVERY, ask).await;
        let message = end.unwrap_err().to_string();
        assert_eq!(message, "openbao was not ready within 40ms; last: connection refused");
    }

    #[tokio::test]
    async fn a_question_that_hangs_is_given_up() {
        let began = Instant::now();
        let ask = std::future::pending::<Progress<()>>;
        let end = wait_until("openbao was not ready", WITHIN, EVERY, ask).await;
        assert_eq!(end.unwrap_err().to_string(), "openbao was not ready within 40ms; last: no answer at all");
        assert!(began.elapsed() >= WITHIN);
    }

    #[tokio::test]
    async fn a_wait_can_be_spawned() {
        let client = String::from("client");
        let wait = tokio::spawn(async move {
            let ask = || async {
                sleep(EVERY).await;
                Progress::There(client.len())
            };
            wait_until("openbao was not ready", Duration::from_secs(60), EVERY, ask).await
        });
        assert_eq!(wait.await.unwrap(), Ok(6));
    }
}
