//! A real thread, a real clock, and askers that are slow, hang, panic or have nothing to ask. What is
//! asserted holds on a busy machine as well: order, bounds and ratios.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::event::{Event, Header, Hop, What};
use crate::fingerprint::Sighting;
use crate::mask::Masker;
use crate::recorder::Recorder;
use crate::wait::{Progress, wait_until};

const PERIOD: Duration = Duration::from_millis(20);

/// A recorder in a folder of its own.
struct Bench {
    dir: tempfile::TempDir,
    scribe: Scribe,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let header = Header { format: 1, run: "r".to_owned(), wall: String::new(), at: Micros::now() };
        let recorder = Recorder::create(&dir.path().join("events.jsonl"), header).unwrap();
        Self { dir, scribe: Scribe::new(recorder, Masker::new(), Some("s".to_owned())) }
    }

    fn start<Q>(&self, probe: Probe, ask: impl Fn() -> Q + Send + Sync + 'static) -> ProbeHandle
    where
        Q: Future<Output = Option<Outcome>> + Send + 'static,
    {
        start(self.scribe.clone(), probe, ask).unwrap()
    }

    /// Waits until so many observations are of this kind.
    async fn until(&self, n: usize, kind: impl Fn(&Outcome) -> bool) {
        let enough = || async {
            match self.seen().iter().filter(|observation| kind(&observation.outcome)).count() {
                count if count >= n => Progress::There(()),
                count => Progress::NotYet(format!("{count} of {n}")),
            }
        };
        wait_until("not recorded", Duration::from_secs(60), Duration::from_millis(10), enough).await.unwrap();
    }

    /// What is in the file, in order of the due times.
    fn seen(&self) -> Vec<Observation> {
        let text = std::fs::read_to_string(self.dir.path().join("events.jsonl")).unwrap();
        let events = text.lines().skip(1).map(|line| serde_json::from_str::<Event>(line).unwrap());
        let mut seen: Vec<_> = events
            .filter_map(
                |event| if let What::Seen(observation) = event.what { Some(observation) } else { None },
            )
            .collect();
        seen.sort_by_key(|observation| observation.due);
        seen
    }
}

fn probe() -> Probe {
    Probe::new("web", "fleet", Hop::Login, PERIOD)
}

fn accepted() -> Option<Outcome> {
    Some(Outcome::Accepted(Sighting::default()))
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Every due time between the first and the last is there once.
fn assert_complete(seen: &[Observation]) {
    let first = seen[0].due;
    for (n, observation) in seen.iter().enumerate() {
        let due = Micros(first.0 + n as u64 * Micros::from(PERIOD).0);
        assert_eq!(observation.due, due, "due time {n}");
        assert!(observation.due <= observation.asked && observation.asked <= observation.answered);
    }
}

#[tokio::test]
async fn a_slow_answer_hides_no_due_time() {
    let bench = Bench::new();
    let mut probe = probe();
    probe.in_flight = 3;
    let handle = bench.start(probe, || async {
        pause(200).await;
        accepted()
    });
    bench.until(6, |outcome| *outcome != Outcome::Missed).await;
    let probed = handle.stop().await;
    let seen = bench.seen();
    assert_complete(&seen);
    let missed = seen.iter().filter(|observation| observation.outcome == Outcome::Missed).count();
    assert_eq!((probed.asked as usize, probed.missed as usize), (seen.len() - missed, missed));
    // Three in 200 ms are 15 a second at most; 50 a second are due. The first and the last three came free.
    assert!(missed >= 4 && missed * 3 > seen.len(), "{missed} of {} missed", seen.len());
    let answers = seen.iter().filter(|observation| observation.outcome != Outcome::Missed);
    for now in answers.clone() {
        let unanswered =
            answers.clone().filter(|other| other.asked <= now.asked && other.answered > now.asked).count();
        assert!(unanswered <= 3, "{unanswered} in flight");
    }
}

#[tokio::test]
async fn a_hanging_answer_is_unreachable_after_its_time() {
    let bench = Bench::new();
    let mut probe = probe();
    probe.timeout = Duration::from_millis(50);
    let handle = bench.start(probe, std::future::pending);
    let unreachable = Outcome::Unreachable(Masked::own("no answer within 50ms"));
    bench.until(3, |outcome| *outcome == unreachable).await;
    handle.stop().await;
    let seen = bench.seen();
    assert_complete(&seen);
    for observation in seen.iter().filter(|observation| observation.outcome == unreachable) {
        assert!(observation.answered - observation.asked >= Micros(50_000));
    }
}

#[tokio::test]
async fn a_probe_stops_soon_and_says_what_it_gave_up() {
    let bench = Bench::new();
    let mut probe = probe();
    probe.timeout = Duration::from_secs(3600);
    let handle = bench.start(probe, std::future::pending);
    let control = handle.control();
    bench.until(3, |outcome| *outcome == Outcome::Missed).await;
    let began = Instant::now();
    let probed = handle.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "it would have waited for an hour");
    control.ask_now();
    control.set_period(PERIOD);
    let seen = bench.seen();
    assert_complete(&seen);
    let given_up =
        seen.iter().filter(|observation| matches!(observation.outcome, Outcome::Unclear(_))).count();
    assert_eq!(given_up as u64, probed.asked, "{seen:?}");
}

#[tokio::test]
async fn a_panicking_asker_is_evidence_of_nothing_and_asks_on() {
    let bench = Bench::new();
    let calls = AtomicUsize::new(0);
    let handle = bench.start(probe(), move || {
        if calls.fetch_add(1, Ordering::Relaxed) == 1 {
            // A panic without the message and the trace, which would take longer than the test.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        async { accepted() }
    });
    bench.until(4, |outcome| *outcome != Outcome::Missed).await;
    handle.stop().await;
    let seen = bench.seen();
    assert_complete(&seen);
    let asked: Vec<_> = seen.iter().filter(|observation| observation.outcome != Outcome::Missed).collect();
    assert!(matches!(asked[1].outcome, Outcome::Unclear(_)), "{asked:?}");
    assert!(asked.len() > 2 && asked[2].outcome == accepted().unwrap(), "{asked:?}");
}

#[tokio::test]
async fn nothing_to_ask_about_is_not_recorded() {
    let bench = Bench::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let handle = bench.start(probe(), move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { None }
    });
    while asked.load(Ordering::Relaxed) < 5 {
        pause(1).await;
    }
    let probed = handle.stop().await;
    assert!(probed.asked > 0 && probed.lateness.n == probed.asked, "{probed:?}");
    assert!(bench.seen().iter().all(|observation| observation.outcome == Outcome::Missed));
}

#[tokio::test]
async fn a_hurry_lasts_until_the_first_refusal() {
    let bench = Bench::new();
    let mut probe = probe();
    probe.every = Duration::from_secs(3600);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    // The first answer is a refusal from before the hurry; it must not end it. The sixth does.
    let handle = bench.start(probe, move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        async move { if n == 0 || n == 5 { Some(Outcome::Refused(Sighting::default())) } else { accepted() } }
    });
    let reached = async |n| {
        while asked.load(Ordering::Relaxed) < n {
            pause(1).await;
        }
    };
    reached(1).await;
    handle.control().hurry(PERIOD);
    reached(6).await;
    pause(20 * 20).await;
    assert!(asked.load(Ordering::Relaxed) < 6 + 10, "it went on in a hurry");
    let before = asked.load(Ordering::Relaxed);
    handle.control().ask_now();
    reached(before + 1).await;
    handle.control().set_period(PERIOD);
    reached(before + 4).await;
    let probed = handle.stop().await;
    assert_eq!(probed.asked, asked.load(Ordering::Relaxed) as u64);
    let seen = bench.seen();
    assert!(seen.windows(2).all(|pair| pair[0].due < pair[1].due), "each due time once");
}
