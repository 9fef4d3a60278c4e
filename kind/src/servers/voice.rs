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

/// Tells every line of a container, until it has ended or this is dropped. Answers whether all that it said was heard: its
/// log may be gone before an API server that was away can be asked for the rest.
pub(super) async fn follow(
    pods: Api<Pod>,
    pod: String,
    container: String,
    mut file: Option<File>,
    told: Told,
    mut tell: impl FnMut(&str),
) -> bool {
    let mut tell = |text: &str| {
        if let Some(file) = &mut file {
            let _ = writeln!(file, "{text}");
        }
        tell(text);
    };
    let log = |follow| LogParams {
        container: Some(container.clone()),
        follow,
        previous: !follow,
        timestamps: true,
        since_time: *lock(&told),
        ..LogParams::default()
    };
    let (mut quiet, mut whole, mut torn) = (0, false, Vec::new());
    let mut broke_off = false;
    while quiet < AGAIN {
        // It may have been started anew since: then what it said before that is in another log.
        if broke_off {
            match pods.log_stream(&pod, &log(false)).await {
                Ok(stream) => broke_off = !hear(pin!(stream), &told, &mut tell).await.whole,
                Err(kube::Error::Api(status)) if matches!(status.code, 400 | 404) => broke_off = false,
                Err(_) => {}
            }
        }
        if !broke_off {
            match pods.log_stream(&pod, &log(true)).await {
                Ok(stream) => {
                    let heard = hear(pin!(stream), &told, &mut tell).await;
                    quiet = if heard.anything { 0 } else { quiet + 1 };
                    (whole, broke_off, torn) = (heard.whole, !heard.whole, heard.rest);
                }
                Err(kube::Error::Api(status)) if status.code == 404 => break,
                // An API server that is away is asked until it is back.
                Err(_) => whole = false,
            }
        }
        sleep(PAUSE).await;
    }
    // What ended so had no more to say.
    if let Some(text) = fresh(&torn, &told) {
        tell(&text);
    }
    whole
}

/// How far a log was heard.
struct Heard {
    /// Whether it had a line that was not told before.
    anything: bool,
    /// Whether it came to its end, and did not break off.
    whole: bool,
    /// Its last line, if that is none yet: when it is asked for again it may be whole.
    rest: Vec<u8>,
}

/// Tells the whole lines of a stream that were not told before.
async fn hear(mut stream: impl AsyncBufRead + Unpin, told: &Told, mut tell: impl FnMut(&str)) -> Heard {
    let (mut anything, mut line) = (false, Vec::new());
    loop {
        let read = stream.read_until(b'\n', &mut line).await;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Heard { anything, whole: read.is_ok(), rest: line };
        }
        if let Some(text) = fresh(&line, told) {
            anything = true;
            tell(&text);
        }
        line.clear();
    }
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
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

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
        let heard = hear(torn.as_bytes(), &told, |text| said.push(text.to_owned())).await;
        assert_eq!((heard.anything, heard.rest), (true, format!("{} tw", stamp(2)).into_bytes()));
        let again = format!("{} one\n{} two\n{} three\n", stamp(1), stamp(2), stamp(3));
        let heard = hear(again.as_bytes(), &told, |text| said.push(text.to_owned())).await;
        assert_eq!((heard.anything, heard.whole, heard.rest.len()), (true, true, 0));
        assert_eq!(said, ["one", "two", "three"]);
        assert_eq!(fresh(format!("{} three", stamp(3)).as_bytes(), &told), None);
        assert_eq!(fresh(format!("{} four", stamp(4)).as_bytes(), &told).as_deref(), Some("four"));
    }

    /// An API server that answers as `say` has it for a request's path, and its client.
    async fn server(say: impl Fn(&str) -> String + Send + 'static) -> Api<Pod> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let _ = stream.write_all(say(&path).as_bytes()).await;
            }
        });
        let config = kube::Config::new(url.parse().expect("an address"));
        Api::namespaced(kube::Client::try_from(config).expect("a client"), "n")
    }

    /// An answer that is whole, or breaks off after its text.
    fn answer(text: &str, whole: bool) -> String {
        let length = text.len() + usize::from(!whole);
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}")
    }

    fn gone() -> String {
        let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"gone","code":404}"#;
        let length = status.len();
        format!("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{status}")
    }

    async fn heard(say: impl Fn(&str) -> String + Send + 'static) -> (bool, Vec<String>) {
        let (pods, mut said) = (server(say).await, Vec::new());
        let tell = |text: &str| said.push(text.to_owned());
        let whole = follow(pods, "a".into(), "c".into(), None, Told::default(), tell).await;
        (whole, said)
    }

    const ONE: &str = "2026-11-25T23:00:01.5Z one\n";
    const TWO: &str = "2026-11-25T23:00:02.5Z two\n";
    const THREE: &str = "2026-11-25T23:00:03.5Z three\n";

    #[tokio::test]
    async fn what_was_said_before_a_restart_is_heard_although_the_stream_broke_off() {
        let asked = AtomicU32::new(0);
        let (whole, said) = heard(move |path| match asked.fetch_add(1, Relaxed) {
            0 => answer(ONE, false),
            _ if path.contains("previous=true") => answer(&[ONE, TWO].concat(), true),
            _ => answer(THREE, true),
        })
        .await;
        assert_eq!((whole, said), (true, ["one", "two", "three"].map(str::to_owned).to_vec()));
    }

    #[tokio::test]
    async fn a_log_that_is_gone_after_it_broke_off_was_not_heard_to_its_end() {
        for (broke_off, expected) in [(false, true), (true, false)] {
            let asked = AtomicU32::new(0);
            let (whole, said) = heard(move |_| match asked.fetch_add(1, Relaxed) {
                0 => answer(ONE, !broke_off),
                _ => gone(),
            })
            .await;
            assert_eq!((whole, said), (expected, vec!["one".to_owned()]));
        }
    }
}
