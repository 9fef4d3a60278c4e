//! Programs that are not what they should be in the place of `kind` and `docker`: those that fail, hang, flood,
//! and miss their deadline. No daemon is asked.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use handover_fixtures::cause::chain;
use handover_fixtures::process::{RunDir, Spawner};
use handover_kind::cluster::{Cluster, ClusterError, Kind, Made, Order};
use handover_kind::docker::{Docker, Owner};
use handover_kind::image::{Maker, NodeImage};

/// A daemon that does whatever it is told, and has a node once it was told to make its image, until that is removed;
/// beside it, what is called the same and is somebody else's.
const DOCKER: &str = r#"#!/bin/sh
echo "docker $*" >> @DIR@/calls
case "$1 $2" in
"version "*) echo '{"Server":{"Version":"20.10","ApiVersion":"1.41"}}' ;;
"info "*) echo '{"CgroupVersion":"2","Driver":"overlay2","DefaultRuntime":"runc"}' ;;
"ps --all")
  case "$*" in
  *--no-trunc*)
    printf 'theirs\tc1-control-plane\tother\tc\n'
    [ ! -e @DIR@/node ] || printf 'ours\tc1-control-plane\tr1\tc\n';;
  *) @PS@ ;;
  esac ;;
"network ls") printf 'n0\tc1\t\t\n'; [ ! -e @DIR@/network ] || printf 'n1\tc1\tr1\tc\n' ;;
"network create") @NETWORK@; touch @DIR@/network ;;
"image ls") [ ! -e @DIR@/image ] || printf 'i1\thandover-run:c1\n' ;;
"image inspect") printf 'r1\tc\n' ;;
"commit "*) touch @DIR@/image @DIR@/node ;;
"rm "*) case "$*" in *" ours") rm -f @DIR@/node ;; esac ;;
"network rm") rm -f @DIR@/network ;;
"image rm") rm -f @DIR@/image ;;
"wait "*) exec sleep 600 ;;
"inspect "*) echo 'Error: No such object: c1-control-plane' >&2; exit 1 ;;
esac
"#;

/// What kind says when a node's system does not start in its time.
const MISSED: &str =
    "echo 'ERROR: failed to create cluster: could not find a log line that matches \"x\"' >&2; exit 1";

struct Stage {
    dir: tempfile::TempDir,
    kind: Kind,
    run: RunDir,
}

impl Stage {
    fn new(kind: &str, ps: &str) -> Self {
        Self::at(kind, ps, ":")
    }

    /// The same, with what a daemon does that is told to make a network.
    fn at(kind: &str, ps: &str, network: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| -> PathBuf {
            let (draft, path) = (dir.path().join("draft"), dir.path().join(name));
            fs::write(&draft, text.replace("@DIR@", &dir.path().display().to_string())).expect("a file");
            // Copied by another process: a program may not start while it is open for writing anywhere,
            // and a test beside this one may fork at any time.
            let done = Command::new("install").args(["-m", "755"]).arg(&draft).arg(&path).status();
            assert!(done.expect("install").success());
            path
        };
        let docker = write(
            "docker",
            &DOCKER.replace("@PS@", if ps.is_empty() { ":" } else { ps }).replace("@NETWORK@", network),
        );
        let head = "#!/bin/sh\necho \"kind $*\" >> @DIR@/calls\n";
        // Logs are wanted of a node that failed; its stand-in has none.
        let program = write("kind", &format!("{head}[ \"$1\" = export ] && exit 0\n{kind}\n"));
        let run = RunDir::create(&dir.path().join("runs"), "r1").expect("a run");
        let spawner = Spawner::start(run.ledger()).expect("a spawner");
        let docker = Docker { program: docker, host: "unix:///none".to_owned() };
        let kind = Kind::new(&program, docker, spawner, &dir.path().join("logs")).expect("a place for logs");
        Self { dir, kind, run }
    }

    async fn create(&self, note: &(dyn Fn(&str) + Send + Sync)) -> Result<(Cluster, Made), ClusterError> {
        let image = NodeImage { name: "node:1".to_owned(), maker: Maker::Kind };
        let owner = Owner { cache: "c".to_owned(), run: "r1".to_owned() };
        let order = Order { name: "c1", owner: &owner, image: &image, dir: self.run.path() };
        Cluster::create(&self.kind, &order, &|_| (), note).await
    }

    async fn said(&self) -> String {
        chain(&self.create(&|_| ()).await.expect_err("it cannot be made"))
    }

    /// What was called, by the first words.
    fn calls(&self, begin: &str) -> usize {
        let calls = fs::read_to_string(self.dir.path().join("calls")).unwrap_or_default();
        calls.lines().filter(|line| line.starts_with(begin)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_fails_is_quoted_and_leaves_nothing() {
    let stage = Stage::new("echo one; echo 'ERROR: no such thing' >&2; exit 3", "");
    let said = stage.said().await;
    assert!(said.starts_with("`kind create cluster` exited with status 3; its log "), "{said}");
    assert!(said.ends_with("one\nERROR: no such thing"), "{said}");
    assert_eq!(stage.calls("kind create cluster"), 1);
    assert_eq!(stage.calls("kind export logs"), 1);
    for removed in ["rm --force --volumes ours", "network rm n1", "image rm handover-run:c1"] {
        assert_eq!(stage.calls(&format!("docker {removed}")), 1, "{removed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_calls_the_same_is_left_alone() {
    let taken = "echo 'Error response from daemon: network with name c1 already exists' >&2; exit 1";
    let stage = Stage::at("exit 0", "", taken);
    let said = stage.said().await;
    assert!(said.contains("network with name c1 already exists"), "{said}");
    assert_eq!((stage.calls("kind create"), stage.calls("docker network rm")), (0, 0));
    let calls = fs::read_to_string(stage.dir.path().join("calls")).expect("it was asked");
    assert!(!calls.lines().any(|call| call.ends_with(" theirs") || call.ends_with(" n0")), "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_deadline_is_tried_once_more_and_told() {
    let stage = Stage::new(MISSED, "");
    let told = std::sync::Mutex::new(Vec::new());
    let note = |text: &str| told.lock().unwrap().push(text.to_owned());
    let said = chain(&stage.create(&note).await.expect_err("it never starts"));
    assert!(said.starts_with("kind waited 30 s in vain for a node's system to start"), "{said}");
    assert_eq!(stage.calls("kind create cluster"), 2);
    let told = told.into_inner().unwrap();
    assert!(matches!(told.as_slice(), [once] if once.contains("once more")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_may_do_what_the_first_did_not() {
    let once = format!("if [ ! -e @DIR@/again ]; then touch @DIR@/again; {MISSED}; fi");
    let stage = Stage::new(&once, "");
    // It is made; that there is no API server is another matter.
    let said = stage.said().await;
    assert!(said.starts_with("cannot read the cluster's kubeconfig"), "{said}");
    assert_eq!(stage.calls("kind create cluster"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_floods_fills_neither_disk_nor_error() {
    let stage = Stage::new(
        "head -c 60000000 /dev/zero | tr '\\0' 'x'; yes no | head -n 500000; echo the end; exit 1",
        "",
    );
    let said = stage.said().await;
    assert!(said.ends_with("the end") && said.len() < 10_000, "{}", said.len());
    let logs = fs::read_dir(stage.dir.path().join("logs")).expect("logs").flatten();
    let size: u64 = logs.map(|log| log.metadata().map_or(0, |meta| meta.len())).sum();
    assert!(size < 40 << 20, "{size}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_hangs_goes_with_whoever_waits_for_it() {
    let stage = Stage::new("echo $$ > @DIR@/pid; sleep 600", "");
    let pid = stage.dir.path().join("pid");
    let began = Instant::now();
    let nothing = |_: &str| ();
    let mut create = Box::pin(stage.create(&nothing));
    while !pid.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "kind was not started");
        let _ = tokio::time::timeout(Duration::from_millis(20), &mut create).await;
    }
    drop(create);
    let pid = fs::read_to_string(&pid).expect("a pid");
    let gone = || {
        !fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())).is_ok_and(|line| line.contains("kind"))
    };
    while !gone() {
        assert!(began.elapsed() < Duration::from_secs(60), "{pid} still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_that_name_is_left_alone() {
    // By the label of a run that its node carries, if it carries one.
    for (label, holder, advice) in [
        ("", "which handover has not made", "kind delete cluster --name c1"),
        ("r9", "of handover's run r9", "handover down r9"),
    ] {
        let stage = Stage::new("exit 0", &format!("echo {label}"));
        let said = stage.said().await;
        assert!(said.starts_with(&format!("there is a cluster called `c1` already, {holder}")), "{said}");
        assert!(said.contains(advice) && said.ends_with("or choose another name"), "{said}");
        for begin in ["kind", "docker rm", "docker network", "docker image"] {
            assert_eq!(stage.calls(begin), 0, "{begin}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_kept_and_is_gone_is_said_to_be() {
    let stage = Stage::new("exit 0", "");
    let cluster = Cluster::named("c1", stage.run.path());
    let error = cluster.wake(stage.kind.docker(), &|_| ()).await.expect_err("it has no node");
    let said = chain(&error);
    assert!(said.starts_with("the node of cluster `c1` is gone; `handover down c1` forgets"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_away_is_named() {
    let stage = Stage::new(
        "exit 0",
        "echo 'Cannot connect to the Docker daemon at unix:///none. Is the docker daemon running?' >&2; exit 1",
    );
    let said = stage.said().await;
    assert!(said.starts_with("the Docker daemon at unix:///none is gone"), "{said}");
    assert_eq!(stage.calls("kind"), 0);
}
