//! Counters that are asked again and again: each change is told, and each time at which nothing could be seen.

use std::time::Duration;

use handover_harness::clock::Micros;
use handover_harness::event::What;
use handover_harness::recorder::Scribe;
use tokio_util::sync::CancellationToken;

/// Counters that one question answers.
pub(super) struct Polled<const N: usize> {
    scribe: Scribe,
    counters: [String; N],
    told: [Option<u64>; N],
    /// When they were seen last, or looked for first.
    seen: Micros,
    /// Why they have not been seen since then.
    blind: Option<String>,
}

impl<const N: usize> Polled<N> {
    pub(super) fn new(scribe: Scribe, counters: [String; N]) -> Self {
        Self { scribe, counters, told: [None; N], seen: Micros::now(), blind: None }
    }

    /// Asks at once, and then `every` so often after each answer, until `stop`; `read` makes of an answer what the
    /// counters are.
    pub(super) async fn poll<Answer, Asked: Future<Output = Result<Answer, String>>>(
        mut self,
        every: Duration,
        stop: CancellationToken,
        mut ask: impl FnMut() -> Asked,
        mut read: impl FnMut(Answer) -> [u64; N],
    ) {
        loop {
            match ask().await {
                Ok(answer) => self.are(read(answer)),
                Err(why) => {
                    self.blind.get_or_insert(why);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = stop.cancelled() => break,
            }
        }
        self.was_blind();
    }

    fn are(&mut self, values: [u64; N]) {
        self.was_blind();
        for ((counter, told), value) in self.counters.iter().zip(&mut self.told).zip(values) {
            if told.replace(value) != Some(value) {
                self.scribe.record(What::Count { counter: counter.clone(), value });
            }
        }
        self.seen = Micros::now();
    }

    /// After a time at which they could not be seen, all are told anew: whoever judges knows then that they are
    /// what they were.
    fn was_blind(&mut self) {
        let Some(why) = self.blind.take() else { return };
        for counter in &self.counters {
            let (from, why) = (self.seen, self.scribe.mask(&why));
            self.scribe.record(What::Gap { probe: counter.clone(), from, why });
        }
        self.told = [None; N];
    }
}

#[cfg(test)]
mod tests {
    use handover_harness::event::{Event, FORMAT, Header};
    use handover_harness::mask::Masker;
    use handover_harness::recorder::Recorder;

    use super::*;

    /// What is told when these are the answers.
    async fn told(answers: &[Result<u64, &str>]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let header = Header { format: FORMAT, run: "r".to_owned(), wall: String::new(), at: Micros::now() };
        let recorder = Recorder::create(&path, header).unwrap();
        let scribe = Scribe::new(recorder, Masker::new(), Some("s".to_owned()));
        let stop = CancellationToken::new();
        let mut left = answers.iter().map(|answer| answer.map_err(str::to_owned));
        let ask = || {
            let answer = left.next().expect("it is not asked once it is stopped");
            if left.len() == 0 {
                stop.cancel();
            }
            std::future::ready(answer)
        };
        let counters = ["a", "b"].map(str::to_owned);
        let began = Micros::now();
        Polled::new(scribe, counters)
            .poll(Duration::ZERO, stop.clone(), ask, |value| [value, value / 2])
            .await;
        let text = std::fs::read_to_string(path).unwrap();
        let events = text.lines().skip(1).map(|line| serde_json::from_str::<Event>(line).unwrap());
        let told = events.map(|event| match event.what {
            What::Count { counter, value } => format!("{counter}={value}"),
            What::Gap { probe, from, why } => {
                assert!(from >= began && from <= event.at);
                format!("{probe} unseen: {}", why.text())
            }
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[tokio::test]
    async fn only_changes_are_told() {
        assert_eq!(told(&[Ok(2), Ok(2), Ok(3), Ok(3)]).await, ["a=2", "b=1", "a=3"]);
    }

    #[tokio::test]
    async fn what_was_unseen_is_told_once_and_everything_anew() {
        let again = told(&[Ok(2), Err("reset"), Err("refused"), Ok(2)]).await;
        let unseen = ["a unseen: reset", "b unseen: reset"];
        assert_eq!(again, [&["a=2", "b=1"], &unseen[..], &["a=2", "b=1"]].concat());
    }

    #[tokio::test]
    async fn an_end_in_the_dark_is_told() {
        let dark = ["a unseen: reset", "b unseen: reset"];
        assert_eq!(told(&[Ok(2), Err("reset")]).await, [&["a=2", "b=1"], &dark[..]].concat());
        assert_eq!(told(&[Err("reset")]).await, dark);
    }
}
