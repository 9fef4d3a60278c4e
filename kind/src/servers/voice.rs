//! What one container says: its log, followed through the API from its first line to its last, and kept in a file of
//! this host.
//!
//! The API knows a log by the container's name: the one that runs now, and the one before. So a container that has ended
//! is heard out in both: one of its name may have been started by then.

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
use tokio_util::sync::CancellationToken;

/// Between attempts to go on where an API server went away.
const PAUSE: Duration = Duration::from_millis(200);
/// A line is cut here: nobody reads more.
const LONGEST: usize = 64 << 10;

/// Makes a file for a log if there is none, for its owner alone.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// When the last line of a container was written that was told: who follows it after a restart goes on there.
pub(super) type Told = Arc<Mutex<Option<Timestamp>>>;

/// The log of a container.
pub(super) struct Voice {
    /// The pods of its namespace.
    pub(super) pods: Api<Pod>,
    /// Its pod.
    pub(super) pod: String,
    /// By which that is told from another of its name.
    pub(super) uid: Option<String>,
    /// Its name.
    pub(super) container: String,
    /// Where its lines are kept.
    pub(super) file: Option<File>,
    /// What was told of it.
    pub(super) told: Told,
}

/// How a log was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// To its end.
    Whole,
    /// It broke off, or nobody answers for it.
    Torn,
    /// There is none, or none any more.
    Gone,
}

/// Which log of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// That of the container that was started last, for as long as it runs.
    Lasting,
    /// What it says by now.
    Last,
    /// That of the one before.
    Before,
}

impl Voice {
    /// Tells every line of a container, until `ended` says that it has and it was heard out, or this is dropped. Answers
    /// whether all that it said was heard: its log may be gone before an API server that was away can be asked for it.
    pub(super) async fn follow(self, ended: CancellationToken, tell: impl Fn(&str)) -> bool {
        let tell = |text: &str| {
            if let Some(mut file) = self.file.as_ref() {
                let _ = writeln!(file, "{text}");
            }
            tell(text);
        };
        let (mut last, mut rest) = (Heard::Torn, Vec::new());
        let mut again = false;
        loop {
            let before = again && (last == Heard::Torn || !rest.is_empty());
            let mut following = pin!(self.once(before, &tell));
            tokio::select! {
                biased;
                () = ended.cancelled() => match self.out(&tell).await {
                    Heard::Whole => return true,
                    // What is on its way is all that there is.
                    Heard::Gone => {
                        match following.await {
                            (Heard::Gone, _) => {}
                            followed => (last, rest) = followed,
                        }
                        self.line(&rest, &tell);
                        return last == Heard::Whole;
                    }
                    Heard::Torn => {}
                },
                (heard, torn) = &mut following => match heard {
                    Heard::Gone => {
                        ended.cancelled().await;
                        self.line(&rest, &tell);
                        return last == Heard::Whole;
                    }
                    Heard::Whole | Heard::Torn => (last, rest) = (heard, torn),
                },
            }
            again = true;
            sleep(PAUSE).await;
        }
    }

    /// Follows the log once; with `before`, what was said before a restart meanwhile comes first. Answers with its last line
    /// as well, if that is none yet: when it is asked for again it may be whole.
    async fn once(&self, before: bool, tell: &impl Fn(&str)) -> (Heard, Vec<u8>) {
        if before {
            match self.hear(Which::Before, tell).await {
                (Heard::Whole, rest) => self.line(&rest, tell),
                other => return other,
            }
        }
        self.hear(Which::Lasting, tell).await
    }

    /// Hears out a container that has ended.
    async fn out(&self, tell: &impl Fn(&str)) -> Heard {
        if self.is_gone().await {
            return Heard::Gone;
        }
        for which in [Which::Before, Which::Last] {
            match self.hear(which, tell).await {
                (Heard::Whole, rest) => self.line(&rest, tell),
                (other, _) => return other,
            }
        }
        Heard::Whole
    }

    async fn hear(&self, which: Which, tell: &impl Fn(&str)) -> (Heard, Vec<u8>) {
        // kube rounds to whole seconds, and up as well: lines of that second would be left out.
        let since = lock(&self.told).and_then(|at| Timestamp::from_second(at.as_second()).ok());
        let params = LogParams {
            container: Some(self.container.clone()),
            follow: which == Which::Lasting,
            previous: which == Which::Before,
            timestamps: true,
            since_time: since,
            ..LogParams::default()
        };
        match self.pods.log_stream(&self.pod, &params).await {
            Ok(stream) => match hear(pin!(stream), &self.told, tell).await {
                // A kubelet says in its place that the container was removed. Of the one before that is no news.
                (Heard::Whole, rest) if which != Which::Before && !rest.is_empty() && is_no_line(&rest) => {
                    (Heard::Gone, Vec::new())
                }
                heard => heard,
            },
            // A kubelet that starts knows of no pod yet.
            Err(kube::Error::Api(status)) if status.code == 404 => match self.is_gone().await {
                true => (Heard::Gone, Vec::new()),
                false => (Heard::Torn, Vec::new()),
            },
            // There was none before.
            Err(kube::Error::Api(status)) if status.code == 400 && which == Which::Before => {
                (Heard::Whole, Vec::new())
            }
            Err(_) => (Heard::Torn, Vec::new()),
        }
    }

    /// Whether the API server says that the pod is gone, or that another one has its name.
    async fn is_gone(&self) -> bool {
        match self.pods.get_metadata_opt(&self.pod).await {
            Ok(None) => true,
            Ok(Some(pod)) => self.uid.is_some() && pod.metadata.uid != self.uid,
            Err(_) => false,
        }
    }

    /// Tells the last line of one that had no more to say.
    fn line(&self, line: &[u8], tell: &impl Fn(&str)) {
        if let Some(text) = fresh(line, &self.told) {
            tell(&text);
        }
    }
}

/// Tells the whole lines of a stream that were not told before. Answers with what it ended in as well.
async fn hear(mut stream: impl AsyncBufRead + Unpin, told: &Told, tell: impl Fn(&str)) -> (Heard, Vec<u8>) {
    let mut line = Vec::new();
    loop {
        let read = stream.read_until(b'\n', &mut line).await;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return (if read.is_ok() { Heard::Whole } else { Heard::Torn }, line);
        }
        if let Some(text) = fresh(&line, told) {
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

/// Whether it stands where lines stand, and is none.
fn is_no_line(line: &[u8]) -> bool {
    stamped(&String::from_utf8_lossy(line)).is_none()
}

/// When a line was written, and the line.
fn stamped(line: &str) -> Option<(Timestamp, &str)> {
    let (at, text) = line.split_once(' ')?;
    Some((at.parse().ok()?, text))
}

#[cfg(test)]
mod tests {
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
        let (told, said) = (Told::default(), Mutex::new(Vec::new()));
        let tell = |text: &str| said.lock().expect("it is told").push(text.to_owned());
        let torn = format!("{} one\n{} tw", stamp(1), stamp(2));
        let heard = hear(torn.as_bytes(), &told, tell).await;
        assert_eq!(heard, (Heard::Whole, format!("{} tw", stamp(2)).into_bytes()));
        let again = format!("{} one\n{} two\n{} three\n", stamp(1), stamp(2), stamp(3));
        let heard = hear(again.as_bytes(), &told, tell).await;
        assert_eq!(heard, (Heard::Whole, Vec::new()));
        assert_eq!(*said.lock().expect("it is told"), ["one", "two", "three"]);
        assert_eq!(fresh(format!("{} three", stamp(3)).as_bytes(), &told), None);
        assert_eq!(fresh(format!("{} four", stamp(4)).as_bytes(), &told).as_deref(), Some("four"));
    }

    /// What an API server does when it is asked for a log.
    enum Says {
        /// All of it, to its end.
        Whole(&'static [&'static str]),
        /// This much, and then it breaks off.
        Torn(&'static [&'static str]),
        /// This much, and it goes on.
        Lasts(&'static [&'static str]),
        /// That there is none, with this status.
        None(u16),
    }

    const ONE: &str = "2026-11-25T23:00:01.5Z one\n";
    const TWO: &str = "2026-11-25T23:00:02.5Z two\n";
    const THREE: &str = "2026-11-25T23:00:03.5Z three\n";
    const UNENDED: &str = "2026-11-25T23:00:04.5Z four";

    /// An API server that says so to the n-th request and its path; `ended` is cancelled when it was asked so often.
    async fn heard(when: u32, say: impl Fn(u32, &str) -> Says + Send + 'static) -> (bool, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let ended = CancellationToken::new();
        let end = ended.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            for n in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let (status, text, more) = match say(n, request.split(' ').nth(1).unwrap_or_default()) {
                    Says::Whole(lines) => (200, lines.concat(), 0),
                    Says::Torn(lines) => (200, lines.concat(), 1),
                    Says::Lasts(lines) => {
                        let text = lines.concat();
                        let head =
                            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len() + 1);
                        let _ = stream.write_all(head.as_bytes()).await;
                        open.push(stream);
                        if n + 1 >= when {
                            end.cancel();
                        }
                        continue;
                    }
                    Says::None(code) => {
                        let reason = if code == 404 { "NotFound" } else { "BadRequest" };
                        let status = format!(
                            r#"{{"kind":"Status","status":"Failure","reason":"{reason}","code":{code}}}"#
                        );
                        (code, status, 0)
                    }
                };
                let length = text.len() + more;
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
                );
                let _ = stream.write_all((head + &text).as_bytes()).await;
                if n + 1 >= when {
                    end.cancel();
                }
            }
        });
        let config = kube::Config::new(url.parse().expect("an address"));
        let pods = Api::namespaced(kube::Client::try_from(config).expect("a client"), "n");
        let said = Mutex::new(Vec::new());
        let tell = |text: &str| said.lock().expect("it is told").push(text.to_owned());
        let voice = Voice {
            pods,
            pod: "a".into(),
            uid: None,
            container: "c".into(),
            file: None,
            told: Told::default(),
        };
        let whole = tokio::time::timeout(Duration::from_secs(30), voice.follow(ended, tell)).await;
        (whole.expect("it ends"), said.into_inner().expect("it is told"))
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn one_that_ended_is_heard_out_although_its_successor_goes_on() {
        let said = heard(2, |n, path| match n {
            0 => Says::Whole(&[ONE]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            _ if path.contains("previous=true") => Says::Whole(&[ONE, TWO]),
            _ if path.contains("follow=true") => Says::Lasts(&[]),
            _ => Says::Whole(&[THREE]),
        });
        assert_eq!(said.await, (true, words(&["one", "two", "three"])));
    }

    #[tokio::test]
    async fn what_was_said_before_a_restart_is_heard_although_the_stream_broke_off() {
        let said = heard(3, |n, path| match n {
            0 => Says::Torn(&[ONE]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            _ if path.contains("previous=true") => Says::Whole(&[ONE, TWO]),
            _ => Says::Whole(&[THREE, UNENDED]),
        });
        assert_eq!(said.await, (true, words(&["one", "two", "three", "four"])));
    }

    #[tokio::test]
    async fn a_log_that_is_gone_was_heard_to_its_end_only_if_it_did_not_break_off() {
        for (torn, expected) in [(false, true), (true, false)] {
            let said = heard(2, move |n, _| match n {
                0 if torn => Says::Torn(&[ONE]),
                0 => Says::Whole(&[ONE, UNENDED]),
                _ => Says::None(404),
            });
            let lines: &[&str] = if torn { &["one"] } else { &["one", "four"] };
            assert_eq!(said.await, (expected, words(lines)));
        }
    }

    /// What a kubelet says of a container that the runtime has no more.
    const REMOVED: &str = "unable to retrieve container logs for containerd://0123";

    #[tokio::test]
    async fn a_log_that_was_removed_was_not_heard_to_its_end() {
        let said = heard(1, |n, path| match n {
            0 => Says::Torn(&[ONE]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            _ if path.contains("previous=true") => Says::None(400),
            _ => Says::Whole(&[REMOVED]),
        });
        assert_eq!(said.await, (false, words(&["one"])));
    }

    /// All that is asked about a pod itself.
    const POD: &str =
        r#"{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"a"}}"#;

    #[tokio::test]
    async fn a_kubelet_that_knows_of_no_pod_yet_is_asked_again() {
        let said = heard(4, |n, path| match n {
            0 => Says::Torn(&[ONE]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            1 => Says::None(404),
            _ if path.contains("previous=true") => Says::Whole(&[ONE, TWO]),
            _ => Says::Whole(&[THREE]),
        });
        assert_eq!(said.await, (true, words(&["one", "two", "three"])));
    }

    #[tokio::test]
    async fn it_is_asked_from_the_second_of_the_last_line_on() {
        let said = heard(3, |n, path| match n {
            0 => Says::Torn(&[TWO]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            // Half a second is rounded up where nobody takes care.
            _ if !path.contains("sinceTime=2026-11-25T23%3A00%3A02Z") => panic!("{path}"),
            _ if path.contains("previous=true") => Says::None(400),
            _ => Says::Whole(&[TWO, THREE]),
        });
        assert_eq!(said.await, (true, words(&["two", "three"])));
    }

    #[tokio::test]
    async fn nobody_was_before_the_first() {
        let said = heard(1, |n, path| match n {
            0 => Says::Lasts(&[ONE]),
            _ if !path.contains("/log") => Says::Whole(&[POD]),
            _ if path.contains("previous=true") => Says::None(400),
            _ => Says::Whole(&[ONE, TWO]),
        });
        assert_eq!(said.await, (true, words(&["one", "two"])));
    }
}
