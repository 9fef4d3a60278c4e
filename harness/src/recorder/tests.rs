//! One order for all; what is on disk is what the live timeline knows; a full disk is said once.

use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::event::{Hop, Observation, Outcome};
use crate::mask::{Masked, Masker};
use crate::secret::Secret;
use crate::timeline::fold;

fn header() -> Header {
    Header { format: crate::event::FORMAT, run: "r".to_owned(), wall: String::new(), at: Micros::now() }
}

fn note(text: &str) -> What {
    What::Note(Masked::own(text))
}

/// How many notes the run itself has.
fn notes(timeline: &Timeline) -> usize {
    timeline.notes.len()
}

fn seen(n: u64) -> What {
    What::Seen(Observation {
        credential: "fleet".to_owned(),
        hop: Hop::Login,
        probe: "web".to_owned(),
        by: None,
        due: Micros(n),
        asked: Micros(n),
        answered: Micros(n),
        outcome: Outcome::Missed,
    })
}

#[test]
fn the_order_is_one_for_all_threads_and_the_file_is_the_live_timeline() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let recorder = Recorder::create(&path, header()).unwrap();
    std::thread::scope(|scope| {
        for name in ["one", "two", "three", "four"] {
            let recorder = recorder.clone();
            scope.spawn(move || {
                let mut last = 0;
                for n in 0..200 {
                    let seq = match n % 3 {
                        0 => recorder.record(None, note(name)),
                        _ => recorder.record(Some(name), seen(n)),
                    };
                    assert!(seq > last, "{seq} after {last}");
                    last = seq;
                }
            });
        }
    });
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let events: Vec<Event> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=800).collect::<Vec<_>>());
    assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "time goes forward");
    let folded = fold(BufReader::new(text.as_bytes())).unwrap();
    recorder.with_timeline(|live| assert_eq!(*live, folded));
    assert!(recorder.failure().is_none());
    assert_eq!(*recorder.changed().borrow(), 800);
}

#[test]
fn a_file_that_is_there_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    Recorder::create(&path, header()).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Recorder::create(&path, header()).err().unwrap();
    assert!(error.to_string().contains("events.jsonl"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(Recorder::create(&dir.path().join("no/such/folder"), header()).is_err());
}

#[tokio::test]
async fn a_full_disk_is_said_once_and_the_timeline_goes_on() {
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let recorder = Recorder::over(full, Path::new("/dev/full"), Timeline::new(header()));
    assert!(recorder.failure().is_none());
    for text in ["one", "two", "three"] {
        recorder.record(None, note(text));
    }
    let told = tokio::time::timeout(Duration::from_secs(60), recorder.failed()).await.unwrap();
    assert_eq!(told.to_string(), "cannot write event 1 to /dev/full; free space on its disk and run again");
    let RecordError::Write { source, .. } = &told else { panic!("{told:?}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(recorder.failure().unwrap().to_string(), told.to_string());
    assert_eq!(recorder.with_timeline(notes), 3);
}

#[test]
fn a_look_that_panics_silences_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&dir.path().join("events.jsonl"), header()).unwrap();
    let looking = recorder.clone();
    let panicked = std::thread::spawn(move || looking.with_timeline(|_| panic!("on purpose"))).join();
    assert!(panicked.is_err());
    assert_eq!(recorder.record(None, note("still here")), 1);
}

#[tokio::test]
async fn a_wait_ends_when_its_level_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&dir.path().join("events.jsonl"), header()).unwrap();
    let looks = Arc::new(AtomicUsize::new(0));
    let (waiting, count) = (recorder.clone(), looks.clone());
    let wait = tokio::spawn(async move {
        let level = |timeline: &Timeline| {
            count.fetch_add(1, Ordering::Relaxed);
            match notes(timeline) {
                n @ 1000.. => Progress::There(n),
                n => Progress::NotYet(format!("{n} notes")),
            }
        };
        waiting.wait_for("1000 notes were not seen", Duration::from_secs(60), level).await
    });
    let busy = recorder.clone();
    let writer = tokio::task::spawn_blocking(move || {
        for _ in 0..1000 {
            busy.record(None, note("n"));
        }
    });
    writer.await.unwrap();
    assert_eq!(wait.await.unwrap(), Ok(1000));
    assert!(looks.load(Ordering::Relaxed) < 1000, "bursts are looked at together");
    // A level, not an edge: who comes late finds it there.
    let late =
        recorder.wait_for("no notes were seen", Duration::ZERO, |timeline| Progress::There(notes(timeline)));
    assert_eq!(late.await, Ok(1000));
}

#[tokio::test]
async fn a_wait_that_fails_says_what_it_saw_last() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&dir.path().join("events.jsonl"), header()).unwrap();
    recorder.record(None, note("n"));
    let within = Duration::from_millis(30);
    let level =
        |timeline: &Timeline| Progress::<()>::NotYet(format!("secret shows g{}", notes(timeline) - 1));
    let error = recorder.wait_for("`fleet` was not seen at secret", within, level).await.unwrap_err();
    assert_eq!(error.to_string(), "`fleet` was not seen at secret within 30ms; last: secret shows g0");
    let level = |_: &Timeline| Progress::<()>::Dead("eso exited with 1".to_owned());
    let error = recorder.wait_for("`fleet` was not seen at secret", within, level).await.unwrap_err();
    assert_eq!(error.to_string(), "`fleet` was not seen at secret and never will be: eso exited with 1");
}

#[test]
fn a_scribe_masks_what_others_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let scribe = Scribe::new(Recorder::create(&path, header()).unwrap(), Masker::new(), Some("s".to_owned()));
    scribe.masker().learn(&Secret::new("hunter2hunter2"));
    scribe.note("access denied for hunter2hunter2");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("access denied for ‹•••›") && !text.contains("hunter2"), "{text}");
}
