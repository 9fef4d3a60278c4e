//! What one container says: its log, followed through the API from its first line to its last, and kept in a file of
//! this host.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, LogParams};
use tokio::time::sleep;

/// Between attempts to go on where an API server went away.
const PAUSE: Duration = Duration::from_millis(200);
/// A line is cut here: nobody reads more.
const LONGEST: usize = 64 << 10;
/// How often a log is asked for again when it ended: what ends for good says nothing new.
const AGAIN: u32 = 3;

/// Makes a file for a log if there is none, for its owner alone.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// When the last line of a container was written that was told: who follows it after a restart goes on there.
pub(super) type Told = Arc<Mutex<Option<Timestamp>>>;

/// Tells every line of a container, until it has ended or this is dropped.
pub(super) async fn follow(
    pods: Api<Pod>,
    pod: String,
    container: String,
    mut file: Option<File>,
    told: Told,
    mut tell: impl FnMut(&str),
) {
    let mut tell = |text: &str| {
        if let Some(file) = &mut file {
            let _ = writeln!(file, "{text}");
        }
        tell(text);
    };
    let (mut quiet, mut torn) = (0, Vec::new());
    while quiet < AGAIN {
        let params = LogParams {
            container: Some(container.clone()),
            follow: true,
            timestamps: true,
            since_time: *lock(&told),
            ..LogParams::default()
        };
        match pods.log_stream(&pod, &params).await {
            Ok(stream) => {
                let heard;
                (heard, torn) = hear(pin!(stream), &told, &mut tell).await;
                quiet = if heard { 0 } else { quiet + 1 };
            }
            Err(kube::Error::Api(status)) if status.code == 404 => break,
            // An API server that is away is asked until it is back.
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
    // What ended so had no more to say.
    if let Some(text) = fresh(&torn, &told) {
        tell(&text);
    }
}

/// Tells the whole lines of a stream that were not told before. Answers whether there was one, and what the stream broke
/// off in: when it is asked for again it may be whole.
async fn hear(
    mut stream: impl AsyncBufRead + Unpin,
    told: &Told,
    mut tell: impl FnMut(&str),
) -> (bool, Vec<u8>) {
    let (mut heard, mut line) = (false, Vec::new());
    while let Ok(1..) = stream.read_until(b'\n', &mut line).await {
        if line.pop_if(|last| *last == b'\n').is_none() {
            break;
        }
        if let Some(text) = fresh(&line, told) {
            heard = true;
            tell(&text);
        }
        line.clear();
    }
    (heard, line)
}

/// What a line says if it is not told yet: what is asked for again begins with the second of the last line.
fn fresh(line: &[u8], told: &Told) -> Option<String> {
    let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
    let (at, text) = stamped(&line)?;
    let mut told = lock(told);
    if told.is_some_and(|last| at <= last) {
        return None;
    }
    *told = Some(at);
    Some(text.to_owned())
}

fn lock(told: &Told) -> MutexGuard<'_, Option<Timestamp>> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When a line was written, and the line.
fn stamped(line: &str) -> Option<(Timestamp, &str)> {
    let (at, text) = line.split_once(' ')?;
    Some((at.parse().ok()?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_stands_behind_its_stamp() {
        let (at, text) = stamped("2026-11-25T23:00:00.123456789Z {\"a\": 1}").expect("a line");
        assert_eq!(text, "{\"a\": 1}");
        assert!(at < stamped("2026-11-25T23:00:00.123456790Z x").expect("another").0);
        assert_eq!(stamped("unable to retrieve container logs"), None);
    }

    #[tokio::test]
    async fn a_line_in_which_a_stream_broke_off_is_told_when_it_is_whole() {
        let stamp = |second: u32| format!("2026-11-25T23:00:{second:02}.5Z");
        let (told, mut said) = (Told::default(), Vec::new());
        let torn = format!("{} one\n{} tw", stamp(1), stamp(2));
        let (heard, rest) = hear(torn.as_bytes(), &told, |text| said.push(text.to_owned())).await;
        assert_eq!((heard, rest), (true, format!("{} tw", stamp(2)).into_bytes()));
        let again = format!("{} one\n{} two\n{} three\n", stamp(1), stamp(2), stamp(3));
        let (heard, rest) = hear(again.as_bytes(), &told, |text| said.push(text.to_owned())).await;
        assert_eq!((heard, rest.len()), (true, 0));
        assert_eq!(said, ["one", "two", "three"]);
        assert_eq!(fresh(format!("{} three", stamp(3)).as_bytes(), &told), None);
        assert_eq!(fresh(format!("{} four", stamp(4)).as_bytes(), &told).as_deref(), Some("four"));
    }
}
