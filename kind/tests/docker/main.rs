//! A daemon of our own, for real: started, shared, used, killed, and nothing of it left. Needs root.

#[cfg(feature = "containers")]
mod contained;
mod support;

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use handover_fixtures::process::{Identity, RunDir, Signal};
use handover_kind::docker::own;
use handover_kind::docker::{Census, Kind, Swept, Wish, gc, sweep};

use support::{House, ask, differences, populate};

#[tokio::test(flavor = "multi_thread")]
async fn a_privileged_container_runs_and_nothing_of_it_is_left() {
    let Some(house) = House::new().await else { return };
    let daemon = house.start().await;
    assert!(daemon.started);
    let docker = daemon.docker.clone();
    let info = docker.info().await.expect("it answers");
    assert_eq!(info.judge(&[]), Ok(()), "{info:?}");
    let idle = Census::take(&house.place, Some(&docker)).await.expect("a census");

    populate(&docker, &house.owner("run-1")).await;
    let owned = docker.owned_by(&house.owner("run-1")).await.expect("a list");
    let kinds: Vec<Kind> = owned.iter().map(|owned| owned.kind).collect();
    assert_eq!(kinds, [Kind::Container, Kind::Network, Kind::Volume]);
    assert!(docker.owned_by(&house.owner("run")).await.expect("a list").is_empty());

    // Both ways to it: its address, where nobody listens, and the port that is published on loopback.
    let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = ask(&docker, &["inspect", "--format", address, "n-run-1"]).await;
    let refused = TcpStream::connect_timeout(
        &SocketAddr::new(address.parse().expect("one"), 9),
        Duration::from_secs(5),
    );
    assert_eq!(refused.expect_err("nobody listens").kind(), std::io::ErrorKind::ConnectionRefused);
    let port: SocketAddr = ask(&docker, &["port", "n-run-1", "6443"]).await.parse().expect("an address");
    assert!(port.ip().is_loopback());
    TcpStream::connect_timeout(&port, Duration::from_secs(5)).expect("the proxy listens");

    let used = Census::take(&house.place, Some(&docker)).await.expect("a census");
    let new = idle.differences(&used);
    assert!(new.contains(&"container n-run-1 is new".to_owned()), "{new:?}");
    assert!(new.iter().any(|line| line.contains("(sleep) is new")), "{new:?}");
    // Its mounts are nobody else's, and no setting of the machine moved.
    assert_eq!(idle.mounts, used.mounts);
    assert_eq!(idle.sysctls, used.sysctls);

    let owner = house.owner("run-1");
    for _removed_and_gone in 0..2 {
        docker.clear(|owned| owned.owner == owner, Duration::ZERO).await.expect("removed");
    }
    let after = Census::take(&house.place, Some(&docker)).await.expect("a census");
    assert_eq!(idle.docker, after.docker);
    assert_eq!(idle.processes, after.processes);

    // As long as it is used it stays.
    assert_eq!(house.gc().await, Swept::default());
    assert!(own::running(&house.place).is_some());
    drop(daemon.in_use);
    let swept = house.gc().await;
    assert_eq!(swept.gone, ["stopped the Docker daemon of our own"]);
    assert_eq!(swept.left, [""; 0]);
    house.assert_clean().await;
    assert_eq!(house.gc().await, Swept::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_at_once_share_one() {
    let Some(house) = House::new().await else { return };
    let (one, two) = tokio::join!(house.start(), house.start());
    assert_eq!(one.docker, two.docker);
    assert!(one.started != two.started);
    drop(one);
    assert_eq!(house.gc().await, Swept::default());
    drop(two);
    house.gc().await;
    house.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_is_swept_with_what_dead_runs_left() {
    let Some(house) = House::new().await else { return };
    let daemon = house.start().await;
    populate(&daemon.docker, &house.owner("dead")).await;
    let bridges = Census::take(&house.place, None).await.expect("a census").bridges;
    let network = ask(&daemon.docker, &["network", "ls", "--quiet", "--filter", "name=n-dead"]).await;
    assert!(bridges.contains(&format!("br-{network}")), "{bridges:?}");
    kill(&house);
    assert!(own::running(&house.place).is_none());
    assert!(!own::processes(&house.place).is_empty(), "shims outlive their daemon");
    drop(daemon.in_use);

    let swept = house.gc().await;
    assert_eq!(swept.left, [""; 0]);
    assert_eq!(
        swept.gone,
        [
            "removed container n-dead, network n-dead, volume v-dead of run dead",
            "swept the Docker daemon of our own, which had been killed"
        ]
    );
    house.assert_clean().await;
    let bridges = Census::take(&house.place, None).await.expect("a census").bridges;
    assert!(!bridges.contains(&format!("br-{network}")), "{bridges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_living_runs_have_stays() {
    let Some(house) = House::new().await else { return };
    let daemon = house.start().await;
    let living = RunDir::create(&house.runs(), "living").expect("a run");
    populate(&daemon.docker, &house.owner("living")).await;
    populate(&daemon.docker, &house.owner("dead")).await;
    // What has no run's name, or no label, is nobody's of ours.
    let [run, cache] = house.owner("../odd").labels();
    ask(&daemon.docker, &["volume", "create", "--label", &run, "--label", &cache, "odd"]).await;
    ask(&daemon.docker, &["volume", "create", "theirs"]).await;
    drop(daemon.in_use);
    let swept = house.gc().await;
    assert_eq!(swept.gone, ["removed container n-dead, network n-dead, volume v-dead of run dead"]);
    assert_eq!(swept.left, [""; 0]);
    let names: Vec<String> =
        daemon.docker.owned().await.expect("a list").into_iter().map(|owned| owned.name).collect();
    assert_eq!(names, ["n-living", "n-living", "odd", "v-living"]);
    assert!(ask(&daemon.docker, &["volume", "ls", "--quiet"]).await.contains("theirs"));
    living.finish().expect("finished");
    ask(&daemon.docker, &["volume", "rm", "odd"]).await;
    let swept = house.gc().await;
    assert_eq!(swept.gone.len(), 2, "{swept:?}");
    house.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_after_a_killed_daemon_starts_another() {
    let Some(house) = House::new().await else { return };
    let first = house.start().await;
    populate(&first.docker, &house.owner("dead")).await;
    kill(&house);
    let second = house.start().await;
    assert!(second.started);
    ask(&second.docker, &["inspect", "n-dead"]).await;
    drop((first.in_use, second.in_use));
    let swept = house.gc().await;
    assert_eq!(swept.left, [""; 0]);
    house.assert_clean().await;
}

/// A CI and a developer at one daemon: neither can know which runs of the other one live.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_cache_has_at_the_same_daemon_is_its_own() {
    let (Some(ours), Some(theirs)) = (House::new().await, House::new().await) else { return };
    let daemon = ours.start().await;
    let docker = &daemon.docker;
    let wish = Wish {
        host: Some((docker.host.clone(), "the test".into())),
        own: false,
        client: Some(docker.program.clone()),
    };
    // The other one's run lives, and here nobody has heard of it; and each has a dead one of the same name.
    let living = RunDir::create(&theirs.runs(), "living").expect("a run");
    populate(docker, &theirs.owner("living")).await;
    let (here, there) = (ours.owner("dead"), theirs.owner("dead"));
    for (owner, name) in [(&here, "here"), (&there, "there")] {
        let [run, cache] = owner.labels();
        ask(docker, &["volume", "create", "--label", &run, "--label", &cache, name]).await;
    }
    // And one of a `handover` that knew of no caches.
    ask(docker, &["volume", "create", "--label", &here.labels()[0], "old"]).await;
    let idle = Census::take(&ours.place, Some(docker)).await.expect("a census");

    let swept = sweep(&ours.cache, docker, &|_| false).await.expect("it answers");
    assert_eq!(swept.gone, ["removed volume here of run dead"]);
    let left = [
        "left volume old of run dead to the cache that made it",
        "left volume there of run dead to the cache that made it",
        "left container n-living, network n-living, volume v-living of run living to the cache that made it",
    ];
    assert_eq!(swept.others, left);
    let now = Census::take(&ours.place, Some(docker)).await.expect("a census");
    assert_eq!(differences(&idle, &now), ["volume here is gone"]);

    // Nor is the daemon stopped that they use, though nobody here does.
    drop(daemon.in_use);
    let swept = ours.gc().await;
    assert_eq!((swept.gone, swept.left), (Vec::new(), Vec::new()));
    assert_eq!(swept.others, left);
    assert!(own::running(&ours.place).is_some());

    let swept = gc(&theirs.cache, Ok(wish.clone()), &|_| false).await;
    assert_eq!(swept.gone, ["removed volume there of run dead"]);
    assert_eq!(swept.others, ["left volume old of run dead to the cache that made it"]);
    drop(living);
    let swept = gc(&theirs.cache, Ok(wish.clone()), &|_| false).await;
    assert_eq!(swept.gone.len(), 1, "{swept:?}");
    ask(docker, &["volume", "rm", "old"]).await;
    assert_eq!(ours.gc().await.gone, ["stopped the Docker daemon of our own"]);
    ours.assert_clean().await;
}

/// Kills the daemon as nobody should.
fn kill(house: &House) {
    let pid = std::fs::read_to_string(house.place.root().join("docker.pid")).expect("it runs");
    let daemon = Identity::of(pid.trim().parse().expect("a pid")).expect("it runs");
    daemon.signal(Signal::KILL).expect("killed");
    let until = Instant::now() + Duration::from_secs(5);
    while daemon.lives() {
        assert!(Instant::now() < until, "it is still there");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_hangs_is_swept_too() {
    let Some(house) = House::new().await else { return };
    let daemon = house.start().await;
    populate(&daemon.docker, &house.owner("dead")).await;
    let pid = std::fs::read_to_string(house.place.root().join("docker.pid")).expect("it runs");
    let process = Identity::of(pid.trim().parse().expect("a pid")).expect("it runs");
    process.signal(Signal::STOP).expect("stopped");
    drop(daemon.in_use);
    let swept = house.gc().await;
    assert_eq!(swept.left, [""; 0]);
    assert_eq!(swept.gone.len(), 2, "{swept:?}");
    house.assert_clean().await;
}
