//! What one container says: its log, followed through the API from its first line to its last, and kept in a file of
//! this host.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::AsyncBufReadExt;
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
    let mut quiet = 0;
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
                let mut heard = false;
                let (mut stream, mut line) = (pin!(stream), Vec::new());
                while let Ok(1..) = stream.read_until(b'\n', &mut line).await {
                    line.truncate(LONGEST);
                    let whole = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                    let Some((at, text)) = stamped(whole.trim_end_matches('\n')) else { continue };
                    // What is asked for again begins with the second of the last line.
                    if lock(&told).is_some_and(|last| at <= last) {
                        continue;
                    }
                    *lock(&told) = Some(at);
                    heard = true;
                    if let Some(file) = &mut file {
                        let _ = writeln!(file, "{text}");
                    }
                    tell(text);
                }
                quiet = if heard { 0 } else { quiet + 1 };
            }
            Err(kube::Error::Api(status)) if status.code == 404 => return,
            // An API server that is away is asked until it is back.
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
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
}
