//! What a `docker` that misbehaves does to whoever asks it: one clear error in time, and nothing else.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use handover_fixtures::cause::chain;
use handover_fixtures::components::doctor::Verdict;
use handover_fixtures::components::progress::Silent;
use handover_fixtures::components::{Cache, Overrides, Request};
use handover_fixtures::kept::Kept;
use handover_kind::docker::{Docker, DockerError, Owner, Swept, Wish, daemon, doctor, find, gc};
use handover_kind::image::Choice;
use handover_kind::provision::Provisioner;
use tempfile::TempDir;

/// A `docker` that is a script, and a socket that somebody listens at.
struct StandIn {
    dir: TempDir,
    docker: Docker,
    _socket: UnixListener,
}

impl StandIn {
    /// The client of a daemon that will do, and what it answers besides, by its first two words; `$dir` is the test's
    /// directory, `$mine` the id of its cache where that was written down.
    fn daemon(cases: &str) -> Self {
        let head = r#"dir=${0%docker}
[ ! -e ${dir}mine ] || read mine < ${dir}mine
case "$1 $2" in
"version "*) echo '{"Server":{"Version":"28","ApiVersion":"1.48","Components":[]}}';;
"info "*) echo '{"Driver":"overlay2","CgroupVersion":"2","DockerRootDir":"/x","DefaultRuntime":"other"}';;
"#;
        Self::new(&format!("{head}{cases}esac"))
    }

    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (program, socket) = (dir.path().join("docker"), dir.path().join("s"));
        // Written by a child: a file that this process had open could be busy in another test's fork.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let mut shell = std::process::Command::new("/bin/sh");
        let written = shell.args(["-c", write, "sh", script]).arg(&program).status().expect("a shell");
        assert!(written.success());
        let listener = UnixListener::bind(&socket).expect("a socket");
        let docker = Docker { program, host: format!("unix://{}", socket.display()) };
        Self { dir, docker, _socket: listener }
    }

    fn wish(&self) -> Wish {
        let host = Some((self.docker.host.clone(), "DOCKER_HOST".to_owned()));
        Wish { host, own: false, client: Some(self.docker.program.clone()) }
    }

    async fn ask(&self, within: Duration) -> Result<String, DockerError> {
        self.docker.ask(&["ps"], within).await
    }
}

const SECOND: Duration = Duration::from_secs(5);

fn error(answer: Result<String, DockerError>) -> String {
    chain(&answer.expect_err("it misbehaves"))
}

#[tokio::test]
async fn each_way_to_fail_has_its_words() {
    let said = async |script: &str| error(StandIn::new(script).ask(SECOND).await);
    assert_eq!(said("exit 3").await, "`docker ps` ended with exit status: 3: nothing");
    assert_eq!(
        said("echo 'Error response from daemon: conflict' >&2; exit 1").await,
        "`docker ps` ended with exit status: 1: Error response from daemon: conflict"
    );
    assert!(said("kill -9 $$").await.contains("ended with signal: 9"), "killed");
    let gone = said(
        "echo 'Cannot connect to the Docker daemon at unix:///s. Is the docker daemon running?' >&2; exit 1",
    );
    assert!(gone.await.contains("is gone: `docker ps` said"), "gone");
    let full = said("echo 'write /x: no space left on device' >&2; exit 1").await;
    assert!(
        full.contains("has no space left: `docker ps` said") && full.contains("HANDOVER_CACHE"),
        "{full}"
    );
    let denied =
        said("echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1")
            .await;
    assert!(denied.contains("the group `docker`"), "{denied}");
    let missing = Docker { program: "/none/docker".into(), host: "unix:///s".into() };
    assert!(error(missing.ask(&["ps"], SECOND).await).starts_with("cannot start `/none/docker`"), "missing");
}

#[tokio::test]
async fn one_that_hangs_is_left_in_time_and_ended() {
    let stand_in = StandIn::new("echo $$ > \"${0%docker}pid\"; exec sleep 600");
    let began = Instant::now();
    let said = error(stand_in.ask(Duration::from_secs(1)).await);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(said.contains("did not end within 1 s"), "{said}");
    let pid = fs::read_to_string(stand_in.dir.path().join("pid")).expect("it started");
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    let until = Instant::now() + SECOND;
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "it still runs");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_that_floods_is_read_to_its_end_and_not_kept() {
    let flood = StandIn::new(
        "head -c 40000000 /dev/zero | tr '\\0' 'x'; head -c 40000000 /dev/zero | tr '\\0' 'y' >&2",
    );
    let answer = flood.ask(Duration::from_secs(60)).await.expect("it ends well");
    assert_eq!(answer.len(), 16 << 20);
    let failing = StandIn::new("head -c 40000000 /dev/zero | tr '\\0' 'y' >&2; exit 1");
    assert!(error(failing.ask(Duration::from_secs(60)).await).len() < 1000);
}

#[tokio::test]
async fn nothing_of_the_callers_environment_reaches_it() {
    let seen = StandIn::new("env").ask(SECOND).await.expect("it answers");
    let mut names: Vec<&str> = seen.lines().filter_map(|line| line.split('=').next()).collect();
    // The shell's own.
    names.retain(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["DOCKER_CONFIG", "DOCKER_HOST", "HOME", "LC_ALL", "PATH"]);
}

#[tokio::test]
async fn an_answer_that_is_none_is_shown() {
    let garbage = StandIn::new("echo '<html>login</html>'");
    let said = match find(&garbage.wish()).await {
        Err(error) => chain(&error),
        Ok(found) => panic!("{found:?}"),
    };
    assert!(said.contains("is no answer") && said.contains("<html>login</html>"), "{said}");
}

#[tokio::test]
async fn a_daemon_that_will_not_do_is_refused_once_and_for_all() {
    let podman = StandIn::new(
        r#"case $1 in
version) echo '{"Client":{},"Server":{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine"}]}}';;
info) echo '{"Driver":"overlay","CgroupVersion":"2","DockerRootDir":"/x"}';;
*) touch "${0%docker}asked"; exit 1;;
esac"#,
    );
    let said = chain(&find(&podman.wish()).await.expect_err("it will not do"));
    assert!(said.contains("it is Podman"), "{said}");
    let cache = Cache::at(podman.dir.path().join("cache"));
    let checks = doctor::examine(&cache, &podman.wish()).await.checks;
    let docker = checks.iter().find(|check| check.what == "docker").expect("it is looked at");
    assert_eq!(docker.verdict, Verdict::Missing);
    assert!(docker.found.contains("Podman") && docker.advice.contains("HANDOVER_DOCKER=own"), "{docker:?}");
    // It is asked for nothing, and nothing is made.
    assert_eq!(gc(&cache, Ok(podman.wish()), &|_| false).await, Swept::default());
    assert!(!podman.dir.path().join("asked").exists() && !cache.root().exists());
}

#[tokio::test]
async fn what_nobody_named_may_be_missing_and_what_somebody_named_may_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let named =
        |host: &str| Wish { host: Some((host.to_owned(), "DOCKER_HOST".to_owned())), ..Wish::default() };
    let socket = dir.path().join("s");
    let host = format!("unix://{}", socket.display());
    let said = chain(&find(&named(&host)).await.expect_err("it is not there"));
    assert!(said.contains("which DOCKER_HOST names") && said.contains("unset DOCKER_HOST"), "{said}");
    // A socket that was left behind.
    drop(UnixListener::bind(&socket).expect("a socket"));
    let said = chain(&find(&named(&host)).await.expect_err("nobody listens"));
    assert!(said.contains("refused"), "{said}");
    let _listener = {
        fs::remove_file(&socket).expect("removed");
        UnixListener::bind(&socket).expect("a socket")
    };
    let said = chain(&find(&named(&host)).await.expect_err("there is no client"));
    assert!(said.contains("no `docker` program"), "{said}");
    for host in ["tcp://10.0.0.1:2375", "ssh://there", "nonsense"] {
        let said = chain(&find(&named(host)).await.expect_err("it is elsewhere"));
        assert!(said.contains("not a socket of this machine"), "{said}");
    }
    assert!(find(&Wish { own: true, ..named("tcp://10.0.0.1:2375") }).await.expect("own").is_none());
}

#[tokio::test]
async fn what_cannot_be_removed_is_told_and_the_rest_goes() {
    let stand_in = StandIn::daemon(
        r#""ps "*)
  printf 'c1\tnode\tdead\t%s\nc2\tnode2\tstubborn\t%s\n' $mine $mine
  printf 'c3\tnode3\t../odd\t%s\nc4\tnode4\t\t%s\nc5\tnode5\tdead\telsewhere\n' $mine $mine;;
"network ls") [ -e ${dir}gone ] || printf 'n1\tnet\tdead\t%s\n' $mine;;
"volume ls"|"image ls") ;;
"rm "*) echo "$@" >> ${dir}log; echo 'Error response from daemon: busy' >&2; exit 1;;
"network rm") echo "$@" >> ${dir}log; touch ${dir}gone; echo 'Error: No such network' >&2; exit 1;;
"#,
    );
    let cache = Cache::at(stand_in.dir.path().join("cache"));
    let mine = Owner::of(&cache, "dead").expect("a cache").cache;
    fs::write(stand_in.dir.path().join("mine"), mine + "\n").expect("a file");
    let swept = gc(&cache, Ok(stand_in.wish()), &|run| run == "stubborn").await;
    assert_eq!(swept.gone, [""; 0]);
    assert_eq!(swept.others, ["left container node5 of run dead to the cache that made it"]);
    assert_eq!(
        swept.left,
        ["run dead is still at Docker: `docker rm --force --volumes c1` ended with exit status: 1: \
          Error response from daemon: busy"]
    );
    let log = fs::read_to_string(stand_in.dir.path().join("log")).expect("it was asked");
    assert_eq!(log, "rm --force --volumes c1\nnetwork rm n1\n");
}

#[tokio::test]
async fn what_came_while_it_was_removed_goes_as_well() {
    // A container that a killed client had asked for appears when the image that it uses is to go.
    let stand_in = StandIn::daemon(
        r#""ps "*) [ ! -e ${dir}came ] || printf 'c1\tnode\tdead\t%s\n' $mine;;
"network ls"|"volume ls") ;;
"image ls") [ -e ${dir}gone ] || printf 'sha256:1\tours:1\n';;
"image inspect") printf 'dead\t%s\n' $mine;;
"image rm")
  echo "$@" >> ${dir}log
  [ ! -e ${dir}removed ] || { touch ${dir}gone; exit 0; }
  touch ${dir}came; echo 'Error response from daemon: conflict: c1 uses it' >&2; exit 1;;
"rm "*) echo "$@" >> ${dir}log; rm ${dir}came; touch ${dir}removed;;
"#,
    );
    let cache = Cache::at(stand_in.dir.path().join("cache"));
    let mine = Owner::of(&cache, "dead").expect("a cache").cache;
    fs::write(stand_in.dir.path().join("mine"), mine + "\n").expect("a file");
    let swept = gc(&cache, Ok(stand_in.wish()), &|_| false).await;
    assert_eq!((swept.left, swept.others), (vec![], vec![]));
    assert_eq!(swept.gone, ["removed image ours:1 of run dead"]);
    let log = fs::read_to_string(stand_in.dir.path().join("log")).expect("it was asked");
    assert_eq!(log, "image rm ours:1\nrm --force --volumes c1\nimage rm ours:1\n");
}

#[tokio::test]
async fn an_image_that_another_run_takes_away_meanwhile_is_no_error() {
    let stand_in = StandIn::daemon(
        r#""image ls") printf 'sha256:1\thandover-run:theirs\n';;
"image inspect") echo 'Error: No such image: sha256:1' >&2; exit 1;;
"#,
    );
    let cache = Cache::at(stand_in.dir.path().join("cache"));
    assert_eq!(gc(&cache, Ok(stand_in.wish()), &|_| false).await, Swept::default());
}

#[tokio::test]
async fn a_daemon_that_cannot_be_asked_is_told_and_fails_only_where_something_was_made() {
    let stand_in = StandIn::new("echo 'broken' >&2; exit 1");
    let cache = Cache::at(stand_in.dir.path().join("cache"));
    let swept = gc(&cache, Ok(stand_in.wish()), &|_| false).await;
    assert!(swept.others[0].contains("was not looked at") && swept.left.is_empty(), "{swept:?}");
    let docker = cache.root().join("docker");
    fs::create_dir_all(&docker).expect("a directory");
    fs::write(docker.join("sysctls.json"), "{}").expect("a file");
    let swept = gc(&cache, Ok(stand_in.wish()), &|_| false).await;
    assert!(swept.left[0].contains("was not looked at") && swept.others.is_empty(), "{swept:?}");
    assert!(docker.join("sysctls.json").exists(), "what it was before is not forgotten");
}

/// One that has a node of a dead run, until that is removed.
const ONE_NODE: &str = r#""ps "*) [ -e ${dir}gone ] || printf 'c1\tnode\tdead\t%s\n' $mine;;
"rm "*) touch ${dir}gone;;
"network ls"|"volume ls"|"image ls") ;;
"#;

#[tokio::test]
async fn what_a_run_left_is_found_at_the_daemon_that_it_used() {
    let (then, now) = (StandIn::daemon(ONE_NODE), StandIn::daemon(ONE_NODE));
    let cache = Cache::at(then.dir.path().join("cache"));
    let mine = Owner::of(&cache, "dead").expect("a cache").cache;
    fs::write(then.dir.path().join("mine"), mine + "\n").expect("a file");
    fs::write(now.dir.path().join("gone"), "").expect("a file");
    let program = std::env::current_exe().expect("this program");
    let used = daemon(&cache, &then.wish(), &program, std::future::pending()).await.expect("it will do");
    drop(used);
    // By then another one is named: it is asked as well, by the same program.
    let wish = Wish { client: Some(then.docker.program.clone()), ..now.wish() };
    let record = cache.root().join("docker/used");
    assert_eq!(fs::read_dir(&record).expect("it is known").count(), 1);
    let swept = gc(&cache, Ok(wish), &|_| false).await;
    assert_eq!((swept.left, swept.others), (vec![], vec![]));
    assert_eq!(swept.gone[0], "removed container node of run dead");
    assert_eq!(fs::read_dir(&record).expect("a directory").count(), 0, "it is forgotten");
    assert!(!cache.root().join("docker/sysctls.json").exists());
}

#[tokio::test]
async fn a_daemon_that_was_used_and_is_away_is_not_forgotten() {
    let then = StandIn::daemon(ONE_NODE);
    let cache = Cache::at(then.dir.path().join("cache"));
    let program = std::env::current_exe().expect("this program");
    drop(daemon(&cache, &then.wish(), &program, std::future::pending()).await.expect("it will do"));
    fs::remove_file(then.dir.path().join("s")).expect("a socket");
    let own = Wish { host: None, own: true, client: Some(then.docker.program.clone()) };
    let swept = gc(&cache, Ok(own.clone()), &|_| false).await;
    let [said] = swept.left.as_slice() else { panic!("{swept:?}") };
    assert!(said.starts_with(&format!("runs used the Docker daemon at {}", then.docker.host)), "{said}");
    assert!(cache.root().join("docker/sysctls.json").exists(), "a cluster may be there");
    // It is gone for good: so it says what to remove.
    let record = said.split('`').nth_back(1).expect("a path");
    fs::remove_file(record).expect("it is there");
    let swept = gc(&cache, Ok(own.clone()), &|_| false).await;
    assert_eq!(swept.left, [""; 0]);
    assert!(!cache.root().join("docker/sysctls.json").exists());
}

/// How a cluster is made with a daemon that stands in.
struct Maker {
    request: Request,
    program: PathBuf,
}

impl Maker {
    fn new(stand_in: &StandIn) -> Self {
        let root = stand_in.dir.path().join("cache");
        let environment = [("HANDOVER_CACHE".into(), root.into())].into_iter().collect();
        let request = Request::new(environment, Overrides::default()).expect("a request");
        Self { request, program: std::env::current_exe().expect("this program") }
    }

    fn provisioner(&self, wish: Wish) -> Provisioner<'_> {
        let (request, handover) = (self.request.clone(), &*self.program);
        Provisioner { request, wish, handover, progress: Arc::new(Silent), tell: &|_| (), note: &|_| () }
    }
}

#[tokio::test]
async fn a_name_that_somebody_has_is_told_before_an_image_is_made() {
    let stand_in = StandIn::daemon(
        r#""ps --all") case "$*" in *--no-trunc*) ;; *) echo;; esac;;
"network ls"|"volume ls"|"image ls") ;;
*) echo "$@" >> ${dir}asked;;
"#,
    );
    let maker = Maker::new(&stand_in);
    let up = maker.provisioner(stand_in.wish());
    let error = up.up("dev", &Choice::Ours, std::future::pending()).await.expect_err("it is taken");
    let said = chain(&error);
    assert!(said.contains("`dev` already, which handover has not made"), "{said}");
    assert!(!stand_in.dir.path().join("asked").exists(), "nothing was made");
    let cache = maker.request.cache.root();
    assert_eq!(fs::read_dir(cache.join("clusters")).expect("a directory").count(), 0);
    assert!(!cache.join("components").exists());
}

#[tokio::test]
async fn a_cluster_that_does_not_go_is_not_forgotten() {
    let stand_in = StandIn::daemon(
        r#""ps --all") case "$*" in
  *--no-trunc*) printf 'c1\tdev-control-plane\tdev\tother\n';;
  *) [ -e ${dir}gone ] || echo c1;;
  esac;;
"network ls"|"volume ls"|"image ls") ;;
"#,
    );
    let maker = Maker::new(&stand_in);
    let kept = Kept::of(maker.request.cache.root());
    let room = kept.dir("dev");
    fs::create_dir_all(&room).expect("a directory");
    fs::write(room.join("docker"), &stand_in.docker.host).expect("a file");
    kept.keep("dev", "kind").expect("kept");
    let provisioner = maker.provisioner(stand_in.wish());
    let said = chain(&provisioner.down("dev").await.expect_err("it is another's"));
    assert!(said.starts_with("a node of the name `dev` is still there, of handover's run c1"), "{said}");
    assert!(said.contains("docker rm --force --volumes dev-control-plane"), "{said}");
    assert!(said.contains(&room.display().to_string()), "{said}");
    assert!(kept.keeps("dev"));
    fs::write(stand_in.dir.path().join("gone"), "").expect("a file");
    let removed = provisioner.down("dev").await.expect("it is gone");
    assert_eq!(removed.left, None);
    assert!(!kept.keeps("dev"));
}
