//! A member on a node that does not do what it is told.

use std::path::Path;

use super::*;
use crate::docker::Docker;
use crate::servers::manifest::COMPONENT;

/// A pod whose container runs.
fn pod(id: &str) -> Known {
    let status = json!({"name": "mysql", "containerID": id, "image": "i", "imageID": "", "ready": true,
        "restartCount": 0, "state": {"running": {}}});
    let pod = json!({"metadata": {"name": "mysql-0", "namespace": "n", "labels": {COMPONENT: "mysql"}},
        "status": {"containerStatuses": [status]}});
    let pod = serde_json::from_value(pod).expect("a pod");
    Known::from([(("n".into(), "mysql-0".into()), Arc::new(pod))])
}

/// One on a node whose Docker refuses everything.
fn member(dir: &Path, known: watch::Receiver<Known>) -> Member {
    let docker = Docker { program: "/bin/false".into(), host: "unix:///nowhere".to_owned() };
    let node = Node { docker, name: "node".to_owned(), address: [127, 0, 0, 1].into() };
    let url = "http://127.0.0.1:9".parse().expect("an address");
    let kube = kube::Client::try_from(kube::Config::new(url)).expect("a client");
    let applier = Arc::new(Applier::new(kube));
    let never = || async { Progress::NotYet(String::new()) };
    Member {
        name: "mysql".to_owned(),
        base: Base { applier, node, known, meant: Meant::default() },
        ready: Ready::new(Duration::ZERO, Duration::ZERO, never),
        log: dir.join("log"),
        prepare: None,
        electing: None,
        succession: Box::new(|_| Box::pin(async { Err("there is none".to_owned()) })),
        state: Mutex::new(State { object: Value::Null, replicas: 1, was_at: None }),
        orders: Orders::default(),
    }
}

#[tokio::test]
async fn what_rises_again_is_killed_and_what_was_killed_is_not_killed_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tell, known) = watch::channel(pod("containerd://a"));
    let (member, mut killed) = (member(dir.path(), known), BTreeSet::new());
    // Whom Docker is told to kill is seen from its refusal.
    member.kill(&mut killed).await.expect_err("it is told");
    member.kill(&mut killed).await.expect("it is not told again");
    tell.send_replace(pod("containerd://b"));
    member.kill(&mut killed).await.expect_err("it is told of another one");
    let ended = |id: &str| {
        let mut pod = pod("containerd://c");
        let status = Arc::make_mut(pod.values_mut().next().expect("a pod")).status.as_mut();
        let status = status.and_then(|status| status.container_statuses.as_mut()).expect("statuses");
        let before = json!({"terminated": {"exitCode": 137, "containerID": id}});
        status[0].last_state = serde_json::from_value(before).expect("a state");
        pod
    };
    tell.send_replace(ended("containerd://b"));
    assert_eq!(member.death(), None, "that was wanted");
    tell.send_replace(ended("containerd://x"));
    assert!(member.death().is_some());
}

#[tokio::test]
async fn a_wait_ends_when_its_time_is_over_although_a_question_hangs() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_tell, known) = watch::channel(pod("containerd://a"));
    let hangs = Ready::new(Duration::from_millis(50), Duration::ZERO, std::future::pending);
    let member = Member { ready: hangs, ..member(dir.path(), known) };
    let why = tokio::time::timeout(Duration::from_secs(10), member.wait()).await;
    let why = why.expect("it ends").expect_err("it never answers");
    assert!(why.contains("within 50ms"), "{why}");
    let before = BTreeSet::new();
    let returns = member.returns(&before, Duration::from_millis(50));
    let why = tokio::time::timeout(Duration::from_secs(10), returns).await;
    assert!(why.expect("it ends").is_err());
}
