//! Workloads on a real control plane: Deployments, Secrets and a consumer that logs in to a real server, with
//! the process kubelet between them.

mod house;

use std::time::Duration;

use handover_fixtures::consumer::config::{Kind, Reads, Style};
use handover_fixtures::consumer::{How, Line};
use handover_fixtures::process::ExitReport;
use handover_fixtures::workloads::{PodEvent, PodNews, Program, Settings, StandsFor};
use handover_harness::fingerprint::Sighting;
use serde_json::{Value, json};

use house::{House, Room};

/// One plane for all of them: each has a namespace of its own.
#[test]
fn workloads_run_on_a_real_control_plane() {
    house::with(async |house| {
        tokio::join!(
            rollout(house),
            environment_and_sub_path(house),
            crash_loop(house),
            refused(house),
            missing_secret(house),
            stubborn(house),
            not_alive(house),
            openbao_ways(house),
            every_server_in_every_style(house),
        );
        api_server_restarts(house).await;
    });
}

fn accepted(news: &PodNews) -> Option<&Sighting> {
    match &news.what {
        PodEvent::Consumer(Line::Attempt(attempt)) if attempt.outcome == How::Accepted && attempt.fresh => {
            Some(&attempt.sighting)
        }
        _ => None,
    }
}

fn is_ready(news: &PodNews) -> bool {
    news.what == PodEvent::Ready(true)
}

fn deployment(config: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "web", "image": house::CONSUMER,
                "env": [{"name": "HANDOVER_CONSUMER", "value": config}],
                "ports": [{"name": "http", "containerPort": 8080}],
                "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
                "volumeMounts": [{"name": "db", "mountPath": "/etc/db", "readOnly": true}]}],
            "volumes": [{"name": "db", "secret": {"secretName": "db"}}]}}}})
}

/// Two replicas get Available, follow a rotation by their volumes, are replaced one by one, and leave nothing.
async fn rollout(house: &House) {
    let mut room = Room::new(house, "rollout").await;
    let settings = Settings { volume_delay_max: Duration::from_millis(300), seed: 7 };
    room.workloads().settings(&room.namespace, settings);
    let g0 = room.user("rollout", "rollout-g0-value").await;
    room.secret("db", "rollout-g0-value").await;
    let config = room.config("rollout", Reads::File, "/etc/db/password", Style::Fresh);
    let wanted = deployment(&config);
    room.apply(&wanted).await;
    room.until_available("web", 2).await;
    room.until("both replicas are let in with the first value", |news| {
        let pods: Vec<_> = news.iter().filter(|n| accepted(n) == Some(&g0)).map(|n| &n.pod).collect();
        pods.iter().any(|pod| *pod != pods[0])
    })
    .await;

    let g1 = room.user("rollout", "rollout-g1-value").await;
    room.secret("db", "rollout-g1-value").await;
    room.until("both replicas hold the second value, and are let in with it", |news| {
        let pods: Vec<_> = news.iter().filter(|n| accepted(n) == Some(&g1)).map(|n| &n.pod).collect();
        pods.iter().any(|pod| *pod != pods[0])
    })
    .await;
    let held = room.news.iter().filter(|n| matches!(n.what, PodEvent::Consumer(Line::Holds { .. }))).count();
    assert_eq!(held, 4, "two replicas held two values each");

    let before = room.news.len();
    let old: Vec<String> = room.pods();
    let mut replaced = wanted.clone();
    replaced["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "1"});
    room.apply(&replaced).await;
    room.until("both old replicas are gone", |news| {
        let gone = |pod: &String| news.iter().any(|n| n.pod == *pod && n.what == PodEvent::Gone);
        old.iter().all(gone)
    })
    .await;
    room.until_available("web", 2).await;
    // One by one: what is ready never falls below two while the old ones leave.
    let mut ready: Vec<&str> = old.iter().map(String::as_str).collect();
    for news in &room.news[before..] {
        match news.what {
            PodEvent::Ready(true) => ready.push(&news.pod),
            PodEvent::Ready(false) | PodEvent::Gone => ready.retain(|pod| *pod != news.pod),
            _ => {}
        }
        assert!(ready.len() >= 2 && ready.len() <= 3, "{ready:?} after {news:?}");
    }
    let well = |n: &&PodNews| matches!(n.what, PodEvent::Ended { how, .. } if how != ExitReport::Status(0));
    assert_eq!(room.news.iter().find(well), None, "SIGTERM ends a consumer at once and well");

    room.delete(&wanted).await;
    let new: Vec<String> = room.pods().into_iter().filter(|pod| !old.contains(pod)).collect();
    room.until("the new replicas are gone", |news| {
        new.iter().all(|pod| news.iter().any(|n| n.pod == *pod && n.what == PodEvent::Gone))
    })
    .await;
    room.leave().await;
}

/// What is read once at start stays, wherever it was read from; a new process has the new value.
async fn environment_and_sub_path(house: &House) {
    let mut room = Room::new(house, "start").await;
    let settings = Settings { volume_delay_max: Duration::ZERO, seed: 7 };
    room.workloads().settings(&room.namespace, settings);
    let g0 = room.user("start", "start-g0-value").await;
    room.secret("db", "start-g0-value").await;
    let ways = [
        ("env", Reads::Env, "PASSWORD"),
        ("sub", Reads::File, "/etc/one/password"),
        ("once", Reads::FileOnce, "/etc/db/password"),
        ("watch", Reads::FileWatched, "/etc/db/password"),
    ];
    let containers: Vec<Value> = ways
        .iter()
        .map(|(name, reads, at)| {
            let config = room.config("start", reads.clone(), at, Style::Fresh);
            json!({"name": name, "image": house::CONSUMER, "env": [
                {"name": "HANDOVER_CONSUMER", "value": config},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
                "volumeMounts": [{"name": "db", "mountPath": "/etc/db"},
                    {"name": "db", "mountPath": "/etc/one/password", "subPath": "password"}]})
        })
        .collect();
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "all"}, "spec": {
        "containers": containers, "volumes": [{"name": "db", "secret": {"secretName": "db"}}]}}))
        .await;
    let met = |news: &[PodNews], name: &str, how: How, sighting: &Sighting| {
        news.iter().filter(|n| n.container.as_deref() == Some(name)).any(|n| {
            matches!(&n.what, PodEvent::Consumer(Line::Attempt(a)) if a.outcome == how && a.sighting == *sighting)
        })
    };
    room.until("all ways are let in", |news| {
        ways.iter().all(|(name, ..)| met(news, name, How::Accepted, &g0))
    })
    .await;
    let g1 = room.user("start", "start-g1-value").await;
    room.secret("db", "start-g1-value").await;
    room.until("the one that watches follows, the others are refused", |news| {
        met(news, "watch", How::Accepted, &g1)
            && ["env", "sub", "once"].iter().all(|name| met(news, name, How::Refused, &g0))
    })
    .await;
    for name in ["env", "sub", "once"] {
        assert!(!met(&room.news, name, How::Accepted, &g1), "{name} never moves");
    }
    room.leave().await;
}

/// A program that ends at once is started again after pauses that get longer.
async fn crash_loop(house: &House) {
    let mut room = Room::new(house, "crash").await;
    room.workloads().stand_in(
        &room.namespace,
        StandsFor::Image("example.org/crash".to_owned()),
        Program::new("/bin/false"),
    );
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "crash"}, "spec": {
        "containers": [{"name": "main", "image": "example.org/crash:1"}]}}))
        .await;
    room.until("it was restarted twice", |news| {
        news.iter().any(|n| n.what == PodEvent::Started { restarts: 2 })
    })
    .await;
    let starts: Vec<_> =
        room.news.iter().filter(|n| matches!(n.what, PodEvent::Started { .. })).map(|n| n.at).collect();
    let ends: Vec<_> =
        room.news.iter().filter(|n| matches!(n.what, PodEvent::Ended { .. })).map(|n| n.at).collect();
    assert!((starts[1] - ends[0]).duration() >= Duration::from_secs(1));
    assert!((starts[2] - ends[1]).duration() >= Duration::from_secs(2));
    let status = room
        .until_status("crash", "its status says so", |status| {
            let container = &status["containerStatuses"][0];
            container["restartCount"] == 2 && container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        })
        .await;
    let container = &status["containerStatuses"][0];
    assert_eq!(container["lastState"]["terminated"]["exitCode"], 1);
    assert_eq!((&container["ready"], &status["phase"]), (&json!(false), &json!("Running")));
    room.leave().await;
}

/// What cannot run stays Pending, and says why where people look.
async fn refused(house: &House) {
    let mut room = Room::new(house, "refused").await;
    let pods = [
        (
            "image",
            json!({"containers": [{"name": "a", "image": "example.org/unknown:3"}]}),
            "NoProgram",
            "example.org/unknown:3",
        ),
        (
            "field",
            json!({"containers": [{"name": "a", "image": house::CONSUMER,
            "livenessProbe": {"tcpSocket": {"port": 1}}}]}),
            "Unsupported",
            "spec.containers[a].livenessProbe.tcpSocket",
        ),
        (
            "command",
            json!({"containers": [{"name": "a", "image": house::CONSUMER, "command": ["/srv/run.sh"]}]}),
            "NoProgram",
            "/srv/run.sh",
        ),
    ];
    for (name, spec, reason, says) in pods {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
        room.apply(&pod).await;
        room.until("it is told", |news| {
            news.iter().any(|n| {
                matches!(&n.what, PodEvent::Pending { reason: why, message }
                if n.pod == name && why == reason && message.contains(says))
            })
        })
        .await;
        let message = room.until_event(name, reason).await;
        assert!(message.contains(says), "{message}");
        let status = room
            .until_status(name, "it says why it is not ready", |status| {
                let conditions = status["conditions"].as_array().into_iter().flatten();
                let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready");
                ready.is_some_and(|ready| ready["status"] == "False" && ready["reason"] != "")
            })
            .await;
        assert_eq!(status["phase"], "Pending");
        room.delete(&pod).await;
        room.until("it is gone", |news| news.iter().any(|n| n.pod == name && n.what == PodEvent::Gone)).await;
    }
    assert!(!room.news.iter().any(|n| matches!(n.what, PodEvent::Started { .. })));
    room.leave().await;
}

/// A pod waits for Secrets that come after it: one in its environment, one in a volume.
async fn missing_secret(house: &House) {
    let mut room = Room::new(house, "missing").await;
    room.user("missing", "missing-g0-value").await;
    let config = room.config("missing", Reads::Env, "PASSWORD", Style::Session);
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "early"}, "spec": {
        "containers": [{"name": "main", "image": house::CONSUMER,
            "env": [{"name": "HANDOVER_CONSUMER", "value": config},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
            "volumeMounts": [{"name": "tls", "mountPath": "/etc/tls"}]}],
        "volumes": [{"name": "tls", "secret": {"secretName": "tls"}}]}}))
        .await;
    let message = room.until_event("early", "FailedMount").await;
    assert!(message.contains("secret \"tls\" not found"), "{message}");
    room.secret("tls", "missing-tls-value").await;
    let status = room
        .until_status("early", "it waits for its configuration", |status| {
            status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError"
        })
        .await;
    let waiting = &status["containerStatuses"][0]["state"]["waiting"];
    assert_eq!(waiting["message"], "secret \"db\" not found");
    assert!(!room.news.iter().any(|n| matches!(n.what, PodEvent::Started { .. })));
    room.secret("db", "missing-g0-value").await;
    room.until("it is ready", |news| news.iter().any(is_ready)).await;
    room.until("it logs in", |news| news.iter().any(|n| accepted(n).is_some())).await;
    room.leave().await;
}

/// Init containers run to their end first; who does not listen to SIGTERM is killed after the grace.
async fn stubborn(house: &House) {
    let mut room = Room::new(house, "stubborn").await;
    let shell = |script: &str| Program {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        replaces_command: true,
        ..Program::default()
    };
    let workloads = room.workloads();
    workloads.stand_in(
        &room.namespace,
        StandsFor::Image("init".to_owned()),
        shell("echo made > scratch/file"),
    );
    workloads.stand_in(
        &room.namespace,
        StandsFor::Image("main".to_owned()),
        shell("trap '' TERM; cat scratch/file; echo \"$CARGO_MANIFEST_DIR\"; while :; do sleep 0.05; done"),
    );
    let mounts = json!([{"name": "scratch", "mountPath": "/scratch"}]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stubborn"}, "spec": {
        "terminationGracePeriodSeconds": 1,
        "initContainers": [{"name": "init", "image": "init", "volumeMounts": mounts}],
        "containers": [{"name": "main", "image": "main", "volumeMounts": mounts}],
        "volumes": [{"name": "scratch", "emptyDir": {}}]}});
    room.apply(&pod).await;
    room.until("it runs, and what its init container made is there", |news| {
        news.iter().any(|n| n.what == PodEvent::Line("made".into()))
    })
    .await;
    room.until("no variable of the caller came in", |news| {
        news.iter().any(|n| n.what == PodEvent::Line(String::new()))
    })
    .await;
    // A container's first line and the news of its start come by two ways, and either may be first.
    room.until("its start was told", |news| {
        let started = |n: &&PodNews| matches!(n.what, PodEvent::Started { .. });
        news.iter().filter(started).any(|n| n.container.as_deref() == Some("main"))
    })
    .await;
    let order: Vec<_> = room
        .news
        .iter()
        .filter(|n| matches!(n.what, PodEvent::Started { .. } | PodEvent::Ended { .. }))
        .filter_map(|n| n.container.as_deref())
        .collect();
    assert_eq!(order, ["init", "init", "main"]);
    let deleted = handover_harness::clock::Micros::now();
    room.delete(&pod).await;
    room.until("it is gone", |news| news.iter().any(|n| n.what == PodEvent::Gone)).await;
    let end = room
        .news
        .iter()
        .find(|n| matches!(n.what, PodEvent::Ended { how, .. } if how == ExitReport::Signal(9)));
    let end = end.expect("it was killed");
    assert!((end.at - deleted).duration() >= Duration::from_secs(1), "not before its grace was over");
    room.leave().await;
}

/// What runs but does not answer its liveness probe is asked to end, and started again.
async fn not_alive(house: &House) {
    let mut room = Room::new(house, "alive").await;
    let mute = Program {
        argv: vec!["/bin/sh".into(), "-c".into(), "while :; do sleep 0.05; done".into()],
        replaces_command: true,
        ..Program::default()
    };
    room.workloads().stand_in(&room.namespace, StandsFor::Image("mute".to_owned()), mute);
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mute"}, "spec": {
        "terminationGracePeriodSeconds": 5,
        "containers": [{"name": "main", "image": "mute", "ports": [{"containerPort": 8080}], "livenessProbe":
            {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "failureThreshold": 2}}]}}))
        .await;
    room.until("it is started again", |news| {
        news.iter().any(|n| n.what == PodEvent::Started { restarts: 1 })
    })
    .await;
    let at =
        |wanted: fn(&PodEvent) -> bool| room.news.iter().find(|n| wanted(&n.what)).expect("it was told").at;
    let started = at(|what| matches!(what, PodEvent::Started { restarts: 0 }));
    let ended = at(
        |what| matches!(what, PodEvent::Ended { how: ExitReport::Signal(15), why } if why.contains("liveness probe")),
    );
    assert!((ended - started).duration() >= Duration::from_secs(1), "not before it was asked twice");
    room.leave().await;
}

/// OpenBao read at start, and through its agent's file: both as the pod's own ServiceAccount.
async fn openbao_ways(house: &House) {
    let mut room = Room::new(house, "ways").await;
    let g0 = room.user("ways", "ways-g0-value").await;
    let bao = room.openbao("ways-g0-value").await;
    let at_start = room.config("ways", Reads::Openbao(bao.clone()), "/data/data/password", Style::Fresh);
    let rendered = Reads::Rendered { file: "/secrets/db".into() };
    let rendered = room.config("ways", rendered, "PASSWORD", Style::Fresh);
    room.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "agent"}, "data": {
        "agent.hcl": house::agent(&bao), "ca.pem": bao.ca_pem}}))
        .await;
    let token = json!({"name": "token", "mountPath": "/var/run/secrets/openbao"});
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ways"}, "spec": {
        "serviceAccountName": "app",
        "containers": [
            {"name": "agent", "image": "quay.io/openbao/openbao:2.7.2", "args": ["agent", "-config=/etc/agent/agent.hcl"],
                "volumeMounts": [token, {"name": "agent", "mountPath": "/etc/agent"},
                    {"name": "secrets", "mountPath": "/secrets"}]},
            {"name": "rendered", "image": house::CONSUMER, "env": [{"name": "HANDOVER_CONSUMER", "value": rendered}],
                "volumeMounts": [{"name": "secrets", "mountPath": "/secrets"}]},
            {"name": "start", "image": house::CONSUMER, "env": [{"name": "HANDOVER_CONSUMER", "value": at_start}],
                "volumeMounts": [token]}],
        "volumes": [{"name": "agent", "configMap": {"name": "agent"}}, {"name": "secrets", "emptyDir": {}},
            {"name": "token", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}]}}]}}))
        .await;
    for name in ["start", "rendered"] {
        room.until("it is let in with what OpenBao has", |news| {
            news.iter().any(|n| n.container.as_deref() == Some(name) && accepted(n) == Some(&g0))
        })
        .await;
    }
    room.leave().await;
}

/// Three servers, three ways of keeping a connection, one rotation: who follows it, and who does not notice.
async fn every_server_in_every_style(house: &House) {
    let mut room = Room::new(house, "styles").await;
    room.workloads().settings(&room.namespace, Settings { volume_delay_max: Duration::ZERO, seed: 7 });
    let g0 = room.user_everywhere("styles", "styles-g0-value", true).await;
    room.secret("db", "styles-g0-value").await;
    let styles = [
        ("fresh", Style::Fresh),
        ("pool", Style::Pool { max_lifetime_ms: 300 }),
        ("session", Style::Session),
    ];
    let kinds = [("mysql", Kind::Mysql), ("valkey", Kind::Valkey), ("postgres", Kind::Postgres)];
    let all: Vec<_> = kinds
        .iter()
        .flat_map(|kind| {
            styles.iter().map(move |style| (format!("{}-{}", kind.0, style.0), &kind.1, style.1))
        })
        .collect();
    let containers: Vec<Value> = all
        .iter()
        .map(|(name, kind, style)| {
            let config = room.config_for((*kind).clone(), "styles", Reads::File, "/etc/db/password", *style);
            json!({"name": name, "image": house::CONSUMER, "env": [{"name": "HANDOVER_CONSUMER", "value": config}],
                "volumeMounts": [{"name": "db", "mountPath": "/etc/db"}]})
        })
        .collect();
    room.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "all"}, "spec": {
        "containers": containers, "volumes": [{"name": "db", "secret": {"secretName": "db"}}]}}))
        .await;
    let logins = |news: &[PodNews], name: &str, sighting: &Sighting| {
        let own = news.iter().filter(|n| n.container.as_deref() == Some(name));
        own.filter(|n| accepted(n) == Some(sighting)).count()
    };
    room.until("all are let in", |news| all.iter().all(|(name, ..)| logins(news, name, &g0) > 0)).await;
    let g1 = room.user_everywhere("styles", "styles-g1-value", false).await;
    room.secret("db", "styles-g1-value").await;
    room.until("fresh connections and pools get in with the second value", |news| {
        let follow = all.iter().filter(|(.., style)| *style != Style::Session);
        follow.into_iter().all(|(name, ..)| logins(news, name, &g1) > 0)
    })
    .await;
    let so_far = room.news.len();
    let used = |news: &[PodNews], name: &str| {
        news.iter().filter(|n| n.container.as_deref() == Some(name)).any(|n| {
            matches!(&n.what, PodEvent::Consumer(Line::Attempt(a))
                if a.outcome == How::Accepted && !a.fresh && a.sighting == g0)
        })
    };
    room.until("sessions still serve with the first", |news| {
        let sessions = all.iter().filter(|(.., style)| *style == Style::Session);
        sessions.into_iter().all(|(name, ..)| used(&news[so_far..], name))
    })
    .await;
    for (name, _, style) in &all {
        let whole = (logins(&room.news, name, &g0), logins(&room.news, name, &g1));
        match style {
            Style::Session => assert_eq!(whole, (1, 0), "{name} logged in once"),
            Style::Fresh | Style::Pool { .. } => assert!(whole.0 > 0 && whole.1 > 0, "{name}: {whole:?}"),
        }
    }
    room.leave().await;
}

/// The API server dies and comes back: running pods go on, and what changed is carried out.
async fn api_server_restarts(house: &House) {
    let mut room = Room::new(house, "restart").await;
    room.workloads().settings(&room.namespace, Settings { volume_delay_max: Duration::ZERO, seed: 7 });
    let g0 = room.user("restart", "restart-g0-value").await;
    room.secret("db", "restart-g0-value").await;
    let config = room.config("restart", Reads::File, "/etc/db/password", Style::Fresh);
    // Pods without a controller: controllers take their time to notice that the API server is back.
    let template = deployment(&config)["spec"]["template"]["spec"].clone();
    let pods = ["one", "two"];
    let wanted = pods
        .map(|name| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": template}));
    for pod in &wanted {
        room.apply(pod).await;
    }
    room.until("both are ready", |news| news.iter().filter(|n| is_ready(n)).count() == 2).await;
    room.restart_api_server().await;
    let so_far = room.news.len();
    room.until("its clients go on", |news| news[so_far..].iter().any(|n| accepted(n) == Some(&g0))).await;
    let g1 = room.user("restart", "restart-g1-value").await;
    room.secret("db", "restart-g1-value").await;
    room.until("the second value comes through", |news| {
        pods.iter().all(|pod| news.iter().any(|n| n.pod == *pod && accepted(n) == Some(&g1)))
    })
    .await;
    let starts = room.news.iter().filter(|n| matches!(n.what, PodEvent::Started { .. })).count();
    assert_eq!(starts, 2, "none was started anew");
    for pod in &wanted {
        room.delete(pod).await;
    }
    room.until("both are gone", |news| {
        pods.iter().all(|pod| news.iter().any(|n| n.pod == *pod && n.what == PodEvent::Gone))
    })
    .await;
    room.leave().await;
}
