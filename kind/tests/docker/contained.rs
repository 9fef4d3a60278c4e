//! A program in a container is a process as all others to whoever started it: signals, figures, output and end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handover_fixtures::process::{
    CONTAINED, Child, ExitReport, RunDir, Signal, Spawner, Spec, Stop, contained,
};
use handover_kind::docker::{Docker, Kind, Owner};
use serde_json::{Value, json};

use super::support::{HANDOVER, House, IMAGE, SOON, ask, load_tiny};

/// A run whose children are in containers of one image.
struct Stage {
    docker: Docker,
    owner: Owner,
    spawner: Spawner,
    run: RunDir,
    order: PathBuf,
}

impl Stage {
    async fn new(house: &House, docker: Docker) -> Self {
        load_tiny(&docker).await;
        let id = ask(&docker, &["image", "inspect", "--format", "{{.Id}}", IMAGE]).await;
        let run = RunDir::create(&house.runs(), "run-1").expect("a run");
        let owner = house.owner("run-1");
        let labels: Vec<(String, String)> = owner
            .labels()
            .iter()
            .map(|label| label.split_once('=').expect("NAME=VALUE"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let labels: std::collections::BTreeMap<_, _> = labels.into_iter().collect();
        fs::create_dir(run.path().join(CONTAINED)).expect("a folder");
        let order = run.path().join("sleep.json");
        let text = json!({"host": docker.host, "image": IMAGE, "id": id, "component": "sleep", "name": "run-1",
            "labels": labels, "run": run.path()});
        fs::write(&order, text.to_string()).expect("an order");
        let spawner = Spawner::start(run.ledger()).expect("a spawner");
        Self { docker, owner, spawner, run, order }
    }

    async fn start(&self, program: &str, args: &[&str]) -> Child {
        let log = self.run.path().join("sleep.log");
        let mut spec = Spec::new("sleep", "", self.run.path(), log).args(args);
        spec.argv = [contained(Path::new(HANDOVER), &self.order, program), spec.argv.split_off(1)].concat();
        self.spawner.spawn(spec).await.expect("it starts")
    }

    /// The process in the container, as the ledger has it.
    async fn inside(&self) -> i32 {
        eventually("it is written down", || {
            let ledger = fs::read_to_string(self.run.path().join("ledger.jsonl")).expect("a ledger");
            let lines = ledger.lines().rev().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            let line = lines.into_iter().find(|line| line["behind"].is_i64())?;
            let pid = i32::try_from(line["pid"].as_i64()?).ok()?;
            state(pid).map(|_| pid)
        })
        .await
    }

    async fn containers(&self) -> Vec<String> {
        let owned = self.docker.owned_by(&self.owner).await.expect("a list");
        owned.into_iter().filter(|one| one.kind == Kind::Container).map(|one| one.name).collect()
    }
}

/// What a process does: `S` for one that sleeps, `T` for one that was stopped.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_process_as_all_others() {
    let Some(house) = House::new().await else { return };
    let daemon = house.start().await;
    let stage = Stage::new(&house, daemon.docker.clone()).await;

    // Signals, those that no process can catch as well, are its own, and so are its figures.
    let child = stage.start("/bin/sleep", &["600"]).await;
    let inside = stage.inside().await;
    assert_ne!(child.pid(), inside);
    child.signal(Signal::STOP).expect("it runs");
    eventually("it was stopped", || (state(inside) == Some('T')).then_some(())).await;
    assert_ne!(state(child.pid()), Some('T'), "who stands before it goes on");
    child.signal(Signal::CONT).expect("it runs");
    eventually("it goes on", || (state(inside) == Some('S')).then_some(())).await;
    let used = child.usage().expect("it runs");
    assert!((1..5 << 20).contains(&used.rss_bytes), "sleep is small: {used:?}");
    let [name] = stage.containers().await.try_into().expect("one container");
    assert!(name.starts_with("run-1-sleep-"), "{name}");
    let stopped = child.end(Stop::Kill).await.expect("it can be killed");
    assert_eq!((stopped.exit, stopped.forced), (ExitReport::Signal(9), false));
    assert_eq!((state(inside), stage.containers().await), (None, Vec::new()));

    // How it ends and what it says is handed on.
    let child = stage.start("/bin/sleep", &["for a while"]).await;
    assert_eq!(child.wait().await, ExitReport::Status(1));
    assert!(child.log_tail(5).contains("invalid time interval"), "{}", child.log_tail(5));
    let child = stage.start("bao", &["server"]).await;
    assert_eq!(child.wait().await, ExitReport::Status(1));
    assert!(child.log_tail(5).contains("has no program `bao`"), "{}", child.log_tail(5));
    assert_eq!(stage.containers().await, [""; 0]);

    // Who stands before it is killed: whoever started it ends both, and the run what is left of the container.
    let child = stage.start("/bin/sleep", &["601"]).await;
    let inside = stage.inside().await;
    let before = rustix::process::Pid::from_raw(child.pid()).expect("a pid");
    rustix::process::kill_process(before, Signal::KILL).expect("it runs");
    assert_eq!(child.wait().await, ExitReport::Signal(9));
    child.end(Stop::Kill).await.expect("it can be killed");
    eventually("it is gone", || state(inside).is_none().then_some(())).await;
    let owned = stage.docker.owned_by(&stage.owner).await.expect("a list");
    assert_eq!(owned.len(), 1, "{owned:?}");
    stage.docker.clear(|owned| owned.owner == stage.owner, Duration::ZERO).await.expect("removed");

    let Stage { run, .. } = stage;
    run.finish().expect("finished");
    drop(daemon.in_use);
    house.gc().await;
    house.assert_clean().await;
}
