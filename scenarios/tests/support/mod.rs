//! What the tests of the program share: caches of their own over the user's components, the program run
//! and watched from outside, and what it may leave behind: nothing.
#![allow(dead_code, reason = "each test program needs a part of it")]

pub(crate) mod house;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// For whatever a test waits for: much longer than any of it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often something is looked at that cannot be waited for.
const LOOK: Duration = Duration::from_millis(3);
/// How many runs with real servers may be under way at once.
const SEATS: u32 = 2;

/// A folder of the test's own below `target`; stays there if the test fails.
pub(crate) struct Scratch(Option<tempfile::TempDir>);

impl Scratch {
    pub(crate) fn new() -> Self {
        let prefix = concat!(env!("CARGO_CRATE_NAME"), "-");
        let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        Self(Some(dir.expect("target/tmp can be written")))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().expect("it is there until it is dropped").path()
    }

    /// The path of something in it.
    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file in it, and the folders above.
    pub(crate) fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A program that stands in for a component: a shell script.
    pub(crate) fn stand_in(&self, name: &str, body: &str) -> PathBuf {
        let path = self.write(name, format!("#!/bin/sh\n{body}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }
}

/// Set where a test fails without a panic that would tell.
pub(crate) static FAILED: AtomicBool = AtomicBool::new(false);

impl Drop for Scratch {
    fn drop(&mut self) {
        if (thread::panicking() || FAILED.load(Ordering::Relaxed))
            && let Some(dir) = self.0.take()
        {
            say(&format!("what the test left is in {}", dir.keep().display()));
        }
    }
}

/// For whoever reads the test's output.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A cache whose runs are a test's own; all else in it is the user's, and is filled if it is not.
pub(crate) struct Cache(PathBuf);

impl Cache {
    pub(crate) fn new(scratch: &Scratch) -> Self {
        Self::with(scratch, &["components", "go", "locks", "logs", "ports", "templates"])
    }

    /// The same with templates of its own: what is made for a stand-in is thrown away with it.
    pub(crate) fn of_stand_ins(scratch: &Scratch) -> Self {
        let cache = Self::with(scratch, &["components", "go", "locks", "logs", "ports"]);
        link_all(&users().join("templates"), &cache.0.join("templates"), |_| true);
        cache
    }

    /// The same with one component's entry copied, for a test that damages it. Answers with the entry, too.
    pub(crate) fn with_a_copy_of(scratch: &Scratch, component: &str) -> (Self, PathBuf) {
        let cache = Self::with(scratch, &["go", "logs", "ports", "templates"]);
        let (ours, theirs) = (cache.0.join("components"), users().join("components"));
        let is_it = |name: &str| name.rsplit_once('-').is_some_and(|(name, _)| name == component);
        link_all(&theirs, &ours, |name| !is_it(name));
        let name = names(&theirs).into_iter().find(|name| is_it(name)).expect("the user's cache is full");
        let copied = Command::new("cp").arg("-a").arg(theirs.join(&name)).arg(&ours).status();
        assert!(copied.expect("cp").success());
        (cache, ours.join(name))
    }

    fn with(scratch: &Scratch, shared: &[&str]) -> Self {
        fill();
        let root = scratch.at("cache");
        fs::create_dir(&root).expect("a folder");
        for name in shared {
            let theirs = users().join(name);
            fs::create_dir_all(&theirs).expect("the user's cache can be written");
            symlink(theirs, root.join(name)).expect("a link");
        }
        Self(root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// The runs whose directories are there.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let runs = self.0.join("runs");
        names(&runs).into_iter().filter(|name| !name.starts_with('.')).map(|name| runs.join(name)).collect()
    }

    /// That no run left anything: no directory, and no process that works in one.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.runs(), Vec::<PathBuf>::new(), "a run left its directory");
        let here = processes(|pid| fs::read_link(pid.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&self.0)));
        assert_eq!(here, Vec::<String>::new(), "a run left a process");
    }
}

/// The cache that the user has, which the program is told elsewhere by `HANDOVER_CACHE`.
fn users() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = variable("HANDOVER_CACHE");
    let xdg = || variable("XDG_CACHE_HOME").map(|path| path.join("handover"));
    let home = || variable("HOME").map(|path| path.join(".cache/handover"));
    own.or_else(xdg).or_else(home).expect("somebody who runs tests has a home directory")
}

/// Obtains what the user's cache lacks, once, however long that takes: the pinned components, and the releases that
/// scenarios of the catalogue name.
fn fill() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ask = |words: &[&str], release: &[String]| {
            let mut command = program();
            command.env("HANDOVER_CACHE", users()).args(words).args(release).stderr(Stdio::inherit());
            command.output().expect("the program starts")
        };
        for release in std::iter::once(Vec::new()).chain(releases()) {
            let list = ask(&["components", "list"], &release);
            let list = String::from_utf8_lossy(&list.stdout).into_owned();
            if ["to obtain", "damaged"].iter().any(|word| list.contains(word)) {
                let resolved = ask(&["components", "resolve"], &release).status;
                assert!(resolved.success(), "the components cannot be obtained {release:?}");
            }
        }
    });
}

/// The releases that the catalogue names, as the command line does.
fn releases() -> BTreeSet<Vec<String>> {
    let texts = files(&package().join("catalogue")).into_iter().map(fs::read_to_string);
    let texts: Vec<String> = texts.collect::<Result<_, _>>().expect("files of the catalogue");
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains("- release:"));
    let word = |line: &str, key: &str| {
        let rest = line.split_once(key).expect("a component with a version").1;
        rest.split([',', ' ', '}']).find(|word| !word.is_empty()).expect("a word").to_owned()
    };
    let release = |line| {
        vec!["--component".to_owned(), format!("{}={}", word(line, "component:"), word(line, "with:"))]
    };
    lines.map(release).collect()
}

fn link_all(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    fs::create_dir(to).expect("a folder");
    for name in names(from).into_iter().filter(|name| !name.starts_with('.') && wanted(name)) {
        symlink(from.join(&name), to.join(&name)).expect("a link");
    }
}

/// What lies in a folder, sorted; nothing if it is not there.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let entries = entries.map(|entry| entry.expect("an entry").file_name());
    let names: BTreeSet<_> = entries.map(|name| name.into_string().expect("text")).collect();
    names.into_iter().collect()
}

/// Every file below a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let inside = |name: String| {
        let path = dir.join(name);
        if path.is_dir() { files(&path) } else { vec![path] }
    };
    names(dir).into_iter().flat_map(inside).collect()
}

/// The program in an environment that is none of its business: nothing of it may reach a server.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HANDOVER_")) {
        command.env_remove(name);
    }
    for name in ["VAULT_TOKEN", "BAO_TOKEN", "VAULT_NAMESPACE", "BAO_NAMESPACE"] {
        command.env(name, "stray");
    }
    for name in ["VAULT_ADDR", "BAO_ADDR", "VAULT_AGENT_ADDR"] {
        command.env(name, "https://127.0.0.1:9");
    }
    command.env("KUBECONFIG", "/nonexistent").env("MYSQL_HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Words for the program.
pub(crate) fn handover<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(cache: &Cache, words: I) -> Command {
    handover_in(cache.root(), words)
}

/// The same with any folder for a cache.
pub(crate) fn handover_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(cache: &Path, words: I) -> Command {
    let mut command = program();
    command.env("HANDOVER_CACHE", cache).args(words);
    command
}

/// Runs a command that starts no server.
pub(crate) fn quick(mut command: Command) -> Done {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    Done { code: output.status.code(), stdout, stderr, out: PathBuf::new(), mark: None }
}

/// Judges the run whose files lie in a directory.
pub(crate) fn judge(cache: &Cache, out: &Path) -> Done {
    Done { out: out.to_owned(), ..quick(handover(cache, ["judge".as_ref(), out.as_os_str()])) }
}

/// `handover run` under way.
pub(crate) struct Run {
    child: Child,
    out: PathBuf,
    said: Arc<Said>,
    _seat: Seat,
}

#[derive(Default)]
struct Said {
    heard: Mutex<Heard>,
    news: Condvar,
}

#[derive(Default)]
struct Heard {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How many of the two have ended.
    ended: u32,
    /// What the processes of the run carry.
    mark: Option<String>,
}

impl Heard {
    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl Run {
    /// Starts `handover run` with these words; its files go to `out`.
    pub(crate) fn start<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
        cache: &Cache,
        out: &Path,
        words: I,
    ) -> Self {
        let mut command = handover(cache, ["run"]);
        command.args(words).arg("--out").arg(out);
        Self::of(command, cache, out)
    }

    /// Starts a command line that comes to `handover run`.
    pub(crate) fn of(mut command: Command, cache: &Cache, out: &Path) -> Self {
        let seat = Seat::take();
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let said = Arc::<Said>::default();
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        said.listen(stdout, |heard| &mut heard.stdout);
        said.listen(stderr, |heard| &mut heard.stderr);
        let (looking, runs) = (Arc::clone(&said), cache.root().join("runs"));
        thread::spawn(move || looking.look_for_mark(&runs));
        Self { child, out: out.to_owned(), said, _seat: seat }
    }

    /// Waits until it has said this on standard error.
    pub(crate) fn until_it_says(&self, words: &str) {
        self.until_it_says_any(&[words]);
    }

    /// Waits until it has said one of these on standard error.
    pub(crate) fn until_it_says_any(&self, all: &[&str]) {
        let said = |heard: &Heard| {
            let text = Heard::text(&heard.stderr);
            all.iter().any(|words| text.contains(words))
        };
        let heard = self.said.wait(|heard| heard.ended == 2 || said(heard));
        assert!(said(&heard), "it never said {all:?}:\n{}", Heard::text(&heard.stderr));
    }

    /// Waits until something is the case while it runs.
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        eventually(what, || {
            let heard = self.said.lock();
            let (ended, text) = (heard.ended == 2, Heard::text(&heard.stderr));
            drop(heard);
            look().or_else(|| if ended { panic!("it ended before {what}:\n{text}") } else { None })
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid")).expect("a pid is not 0");
        kill_process(pid, signal).expect("nobody has waited for it yet");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Done {
        let heard = self.said.wait(|heard| heard.ended == 2);
        let (stdout, stderr) = (Heard::text(&heard.stdout), Heard::text(&heard.stderr));
        let mark = heard.mark.clone();
        drop(heard);
        let status = self.child.wait().expect("it is ours");
        Done { code: status.code(), stdout, stderr, out: self.out.clone(), mark }
    }
}

/// A test that fails leaves no run under way; the servers die with it.
impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    fn listen(self: &Arc<Self>, mut pipe: impl Read + Send + 'static, place: fn(&mut Heard) -> &mut Vec<u8>) {
        let said = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut bytes) {
                place(&mut said.lock()).extend_from_slice(&bytes[..length]);
                said.news.notify_all();
            }
            said.lock().ended += 1;
            said.news.notify_all();
        });
    }

    /// The mark is in the run's ledger from before its first process on until its directory goes.
    fn look_for_mark(&self, runs: &Path) {
        loop {
            let ledgers = names(runs).into_iter().map(|run| runs.join(run).join("ledger.jsonl"));
            let mut marks = ledgers.filter_map(|ledger| {
                let text = fs::read_to_string(ledger).ok()?;
                let header: Value = serde_json::from_str(text.lines().next()?).ok()?;
                Some(header["mark"].as_str()?.to_owned())
            });
            let mark = marks.next_back();
            let mut heard = self.lock();
            if mark.is_some() || heard.ended == 2 {
                heard.mark = mark;
                return;
            }
            drop(heard);
            thread::sleep(LOOK);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, done: impl Fn(&Heard) -> bool) -> MutexGuard<'_, Heard> {
        let waited = self.news.wait_timeout_while(self.lock(), PATIENCE, |heard| !done(heard));
        let (heard, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let text = Heard::text(&heard.stderr);
        assert!(!waited.timed_out(), "not within {PATIENCE:?}:\n{text}");
        heard
    }
}

/// Looks again and again, until there is something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        thread::sleep(LOOK);
    }
}

/// How a command ended, and what it said.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// A run's files.
    pub(crate) out: PathBuf,
    mark: Option<String>,
}

impl Done {
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    /// That it says this, and only once, counting what it prints as results and as errors together.
    #[track_caller]
    pub(crate) fn says_once(&self, words: &str) -> &Self {
        let all = self.all();
        assert_eq!(all.matches(words).count(), 1, "how often it says `{words}`:\n{all}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        let all = self.all();
        assert!(all.contains(words), "it does not say `{words}`:\n{all}");
        self
    }

    /// All it said, with every wrapped line made whole.
    pub(crate) fn all(&self) -> String {
        let words: Vec<&str> = self.stdout.split_whitespace().chain(self.stderr.split_whitespace()).collect();
        words.join(" ")
    }

    /// That junit.xml has cases of exactly these types among those that did not pass.
    #[track_caller]
    pub(crate) fn junit_has(&self, types: &[&str]) -> &Self {
        let junit = self.read("junit.xml");
        let found: BTreeSet<&str> =
            junit.split("type=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(found, types.iter().copied().collect(), "{junit}");
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.out.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.read("verdict.json")).expect("verdict.json is JSON")
    }

    /// What became of one scenario.
    pub(crate) fn scenario(&self, id: &str) -> Value {
        let verdict = self.verdict();
        let found = array(&verdict["scenarios"]).iter().find(|scenario| scenario["scenario"] == id);
        found.unwrap_or_else(|| panic!("{id} was not judged: {verdict:#}")).clone()
    }

    /// What was noted while a scenario played.
    pub(crate) fn notes(&self, id: &str) -> Vec<String> {
        let events = self.read("events.jsonl");
        let events =
            events.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).expect("an event"));
        let notes = events
            .filter(|event| event["scenario"] == id)
            .filter_map(|event| Some(event["what"]["note"].as_str()?.to_owned()));
        notes.collect()
    }

    /// The same run, its files somewhere else.
    pub(crate) fn moved_to(self, out: &Path) -> Self {
        Self { out: out.to_owned(), ..self }
    }

    /// Processes of this run that are still there.
    pub(crate) fn processes(&self) -> Vec<String> {
        match &self.mark {
            Some(mark) => carrying(mark),
            None => {
                let began = self.stderr.contains("starting the servers");
                assert!(!began, "it started processes, and its mark was not seen:\n{}", self.stderr);
                Vec::new()
            }
        }
    }

    /// That no process of it, nor any directory of a run in the cache, is left.
    #[track_caller]
    pub(crate) fn leaves_nothing(&self, cache: &Cache) -> &Self {
        assert_eq!(self.processes(), Vec::<String>::new(), "processes were left behind");
        cache.assert_empty();
        self
    }
}

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// Processes with a mark that begins so: what a harness that is killed is survived by.
fn carrying(mark: &str) -> Vec<String> {
    let wanted = format!("HANDOVER_CHILD={mark}");
    let carries = |variable: &[u8]| variable.starts_with(wanted.as_bytes());
    processes(|pid| fs::read(pid.join("environ")).is_ok_and(|all| all.split(|byte| *byte == 0).any(carries)))
}

/// The processes that are picked by their folder in `/proc`: pid and command line.
fn processes(picked: impl Fn(&Path) -> bool) -> Vec<String> {
    let numbers =
        names(Path::new("/proc")).into_iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let folders = numbers.map(|number| Path::new("/proc").join(number)).filter(|pid| picked(pid));
    let told = folders.map(|pid| {
        let line = fs::read(pid.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        format!("{} {line}", pid.display())
    });
    told.collect()
}

/// The right to have servers running. They cost processors, and what is measured beside too many of them is
/// the machine.
struct Seat;

static TAKEN: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

impl Seat {
    fn take() -> Self {
        let taken = TAKEN.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = TAKEN.1.wait_while(taken, |taken| *taken >= SEATS);
        *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *TAKEN.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        TAKEN.1.notify_one();
    }
}

/// Copies a scenario of the catalogue into the folder `to`, and the manifests beside it: each file edited, by its
/// name. The scenario gets `prefix` before its own name. Answers with its file.
pub(crate) fn edited(
    id: &str,
    to: &Path,
    prefix: &str,
    mut edit: impl FnMut(&str, String) -> String,
) -> PathBuf {
    let (folder, own) = id.split_once('/').expect("FOLDER/NAME");
    let (from, own) = (package().join("catalogue").join(folder), format!("{own}.yaml"));
    fs::create_dir_all(to).expect("a folder");
    for name in names(&from) {
        let text = fs::read_to_string(from.join(&name)).expect("a file of the catalogue");
        if name != own && text.contains("\nscenario: ") {
            continue;
        }
        let text = text.replacen("scenario: ", &format!("scenario: {prefix}/"), 1);
        // Of manifests that another folder keeps there is no copy.
        let text = text.replace(" ../", &format!(" {}/", package().join("catalogue").display()));
        fs::write(to.join(&name), edit(&name, text)).expect("a file");
    }
    to.join(own)
}

/// The folder of the package: the catalogue is in it.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text without the lines that contain this; there must be some.
pub(crate) fn without(text: &str, words: &str) -> String {
    let mut kept = String::new();
    for line in text.lines().filter(|line| !line.contains(words)) {
        writeln!(kept, "{line}").expect("a string takes everything");
    }
    kept
}
