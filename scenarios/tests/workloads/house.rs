//! The plane that the tests share, and a namespace of it for each.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::components::progress::Silent;
use handover_fixtures::components::{Component, Environment, Overrides, resolve};
use handover_fixtures::consumer::config::{AtStart, Connects, Kind, Place, Reads, Style};
use handover_fixtures::consumer::{Config, Line};
use handover_fixtures::database::Rights;
use handover_fixtures::embedded::Embedded;
use handover_fixtures::ground::Request;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::kubernetes::reviewer::reviewer_token;
use handover_fixtures::openbao::{KubernetesAuth, KubernetesRole, Mount};
use handover_fixtures::plane::{Order, Peer, Plane, Server};
use handover_fixtures::process::RunDir;
use handover_fixtures::workloads::{PodEvent, PodNews, Program, StandsFor, Workloads};
use handover_harness::fingerprint::{Fingerprinter, Sighting};
use handover_harness::secret::Secret;
use handover_harness::wait::{Progress, wait_until};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

/// The image of the consumer; the test's own program is none, so the real one stands in.
pub(crate) const CONSUMER: &str = "handover.dev/consumer:1";
/// For whatever a test waits for.
const PATIENCE: Duration = Duration::from_secs(90);

/// A plane.
pub(crate) struct House {
    plane: Embedded,
    applier: Applier,
    prints: Fingerprinter,
    pods: std::path::PathBuf,
}

/// Runs tests on a plane with all servers, and stops it.
pub(crate) fn with(test: impl AsyncFnOnce(&House)) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = support::Scratch::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let request =
            handover_fixtures::components::Request::new(Environment::of_process(), Overrides::default());
        let request = request.expect("a cache").only(Component::ALL);
        let cache = request.cache.root().to_owned();
        let components = resolve(request, Arc::new(Silent)).await.expect("the components");
        let run = RunDir::create(&scratch.at("runs"), "workloads").expect("a run");
        let wanted = Request {
            cache: &cache,
            run: &run,
            servers: Server::ALL.into(),
            workloads: true,
            components: &components,
            eso_values: None,
            tell: &|_, _| {},
            note: &|_| {},
        };
        let plane = Embedded::start(&wanted).await;
        let plane = plane.unwrap_or_else(|error| panic!("{}", handover_fixtures::cause::chain(&error)));
        let applier = Applier::new(plane.kube().clone());
        let pods = run.path().join("pods");
        let house = House { plane, applier, prints: Fingerprinter::new(), pods };
        test(&house).await;
        house.said_no_value();
        let began = std::time::Instant::now();
        let left = house.plane.stop().await;
        support::say(&format!("stopped in {:?}", began.elapsed()));
        assert_eq!(left, Vec::<String>::new());
        let cwds = processes(|cwd| cwd.starts_with(run.path()));
        assert_eq!(cwds, Vec::<String>::new(), "a process is left");
        run.finish().expect("the run's directory goes");
    });
}

fn processes(picked: impl Fn(&std::path::Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let here = entries.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| picked(&cwd)));
    here.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

impl House {
    /// That no log of a pod holds a value: all that are used here end alike.
    fn said_no_value(&self) {
        let logs = self.plane.logs();
        let pods: Vec<_> = logs.iter().filter(|(name, _)| name.starts_with("pod-")).collect();
        assert!(pods.len() > 20, "{pods:?}");
        for (name, path) in pods {
            let text = fs::read_to_string(path).expect("a log");
            assert!(!text.contains("-value"), "{name} holds a value");
        }
    }

    /// Processes of that namespace's pods.
    pub(crate) fn processes_of(&self, namespace: &str) -> Vec<String> {
        let prefix = self.pods.join(format!("{namespace}-")).display().to_string();
        processes(|cwd| cwd.display().to_string().starts_with(&prefix))
    }
}

/// A namespace, and what was heard of its pods.
pub(crate) struct Room<'a> {
    house: &'a House,
    pub(crate) namespace: String,
    pub(crate) news: Vec<PodNews>,
    hear: UnboundedReceiver<PodNews>,
}

impl<'a> Room<'a> {
    /// With a ServiceAccount `app`, and the real consumer.
    pub(crate) async fn new(house: &'a House, namespace: &str) -> Self {
        let workloads = house.plane.workloads().expect("they were asked for");
        let hear = workloads.subscribe(namespace);
        let consumer = Program {
            argv: vec![env!("CARGO_BIN_EXE_handover").into(), "consumer".into()],
            ..Program::default()
        };
        workloads.stand_in(namespace, StandsFor::Image(CONSUMER.to_owned()), consumer);
        let room = Self { house, namespace: namespace.to_owned(), news: Vec::new(), hear };
        room.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})).await;
        room.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}})).await;
        // Pods need the namespace's own account, which the controller makes.
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        let there = house.applier.wait_for(&account, namespace, "made", PATIENCE, |seen| match seen {
            Some(_) => Progress::There(()),
            None => Progress::NotYet("nothing".into()),
        });
        there.await.expect("the default account");
        room
    }

    pub(crate) fn workloads(&self) -> &'a dyn Workloads {
        self.house.plane.workloads().expect("they were asked for")
    }

    pub(crate) async fn apply(&self, object: &Value) {
        self.house.applier.apply(object, &self.namespace).await.unwrap_or_else(|error| panic!("{error}"));
    }

    pub(crate) async fn delete(&self, object: &Value) {
        self.house.applier.delete(object, &self.namespace).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// A Secret with that password.
    pub(crate) async fn secret(&self, name: &str, password: &str) {
        self.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {"password": password}}))
            .await;
    }

    /// A user with that password on every server; made, or given another one.
    pub(crate) async fn user_everywhere(&self, name: &str, password: &str, is_new: bool) -> Sighting {
        let (plane, secret) = (&self.house.plane, Secret::new(password));
        let (mysql, postgres) = (
            plane.administrator(Server::Mysql).expect("MySQL"),
            plane.administrator(Server::Postgres).expect("PostgreSQL"),
        );
        if is_new {
            mysql.create_user(name, &secret, Rights::LogIn).await.expect("a user");
            postgres.create_user(name, &secret, Rights::LogIn).await.expect("a user");
        } else {
            let order = format!("ALTER USER '{name}'@'%' IDENTIFIED BY '{password}'");
            mysql.run(&[order]).await.expect("another password");
            let order = format!("ALTER ROLE \"{name}\" PASSWORD '{password}'");
            postgres.run(&[order]).await.expect("another password");
        }
        self.user(name, password).await
    }

    /// Stops and starts the API server.
    pub(crate) async fn restart_api_server(&self) {
        let api_server = self.house.plane.control("kube-apiserver").expect("a component");
        for order in [Order::Kill, Order::Start] {
            api_server.order(order, &|_| {}).await.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// A user of Valkey with that password and no other; what is seen of it.
    pub(crate) async fn user(&self, name: &str, password: &str) -> Sighting {
        let valkey = self.house.plane.administrator(Server::Valkey).expect("it was asked for");
        valkey.create_user(name, &Secret::new(password), Rights::LogIn).await.expect("a user");
        self.house.prints.sighting([("password", password.as_bytes())])
    }

    /// The configuration of a consumer that logs in to Valkey, as its variable holds it.
    pub(crate) fn config(&self, user: &str, reads: Reads, at: &str, style: Style) -> String {
        self.config_for(Kind::Valkey, user, reads, at, style)
    }

    /// The same for any server.
    pub(crate) fn config_for(&self, to: Kind, user: &str, reads: Reads, at: &str, style: Style) -> String {
        let server = match &to {
            Kind::Mysql => Server::Mysql,
            Kind::Valkey => Server::Valkey,
            Kind::Postgres => Server::Postgres,
            Kind::Openbao(_) => Server::Openbao,
        };
        let address = self.house.plane.address(Peer::Workload, Peer::Server(server)).expect("a link");
        let config = Config {
            key: self.house.prints.key_hex().expose().to_owned(),
            reads,
            fields: BTreeMap::from([("password".to_owned(), Place { at: at.to_owned(), extract: None })]),
            connects: Connects {
                to,
                host: address.ip().to_string(),
                port: address.port(),
                ca_pem: self.house.plane.ca_pem().to_owned(),
                username: Some(user.to_owned()),
                style,
            },
            every_ms: 20,
            patience_ms: 2_000,
            in_flight: 16,
            probed: Default::default(),
        };
        config.to_json()
    }

    /// OpenBao with that password at `secret/app` for the account `app`: how a consumer reads it.
    pub(crate) async fn openbao(&self, password: &str) -> AtStart {
        let plane = &self.house.plane;
        let root = plane.openbao();
        root.create_namespace(&self.namespace).await.expect("a namespace");
        let bao = root.in_namespace(&self.namespace);
        bao.mount("secret", Mount::KvV2).await.expect("a mount");
        let fields = BTreeMap::from([("password".to_owned(), Secret::new(password))]);
        bao.kv_write("secret", "app", &fields).await.expect("written");
        bao.put_policy("app", "path \"secret/data/app\" { capabilities = [\"read\"] }")
            .await
            .expect("a policy");
        let (host, ca) = plane.api_server().expect("an API server");
        let reviewer = reviewer_token(&self.house.applier).await.expect("a reviewer");
        let auth = KubernetesAuth { host: format!("https://{host}"), ca_pem: ca.to_owned(), reviewer };
        bao.enable_kubernetes("kubernetes", &auth).await.expect("a login");
        let role = KubernetesRole {
            service_accounts: vec!["app".into()],
            namespaces: vec![self.namespace.clone()],
            audience: Some("vault".into()),
            policies: vec!["app".into()],
            ttl: None,
            max_ttl: None,
        };
        bao.put_kubernetes_role("kubernetes", "app", &role).await.expect("a role");
        let address = plane.address(Peer::Workload, Peer::Server(Server::Openbao)).expect("a link");
        AtStart {
            server: format!("https://{address}"),
            ca_pem: plane.ca_pem().to_owned(),
            namespace: self.namespace.clone(),
            mount: "kubernetes".into(),
            role: "app".into(),
            token_file: "/var/run/secrets/openbao/token".into(),
            path: "secret/data/app".into(),
        }
    }

    /// Deletes the namespace with all that is in it, and waits until no process is left.
    pub(crate) async fn leave(mut self) {
        self.delete(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}))
            .await;
        let pods = self.pods();
        self.until("its pods are gone with their namespace", |news| {
            let is_gone = |pod: &String| news.iter().any(|n| n.pod == *pod && n.what == PodEvent::Gone);
            pods.iter().all(is_gone)
        })
        .await;
        assert_eq!(self.house.processes_of(&self.namespace), Vec::<String>::new());
    }

    /// The pods that were started so far, in order.
    pub(crate) fn pods(&self) -> Vec<String> {
        let mut pods = Vec::new();
        for news in &self.news {
            if matches!(news.what, PodEvent::Started { .. }) && !pods.contains(&news.pod) {
                pods.push(news.pod.clone());
            }
        }
        pods
    }

    /// Hears until something is the case.
    pub(crate) async fn until(&mut self, what: &str, there: impl Fn(&[PodNews]) -> bool) {
        let hearing = async {
            while !there(&self.news) {
                self.news.push(self.hear.recv().await.expect("the kubelet runs"));
            }
        };
        if tokio::time::timeout(PATIENCE, hearing).await.is_err() {
            let told: Vec<String> =
                self.news.iter().filter(|n| !is_attempt(n)).map(|n| format!("{n:?}")).collect();
            let last = self.news.iter().rfind(|n| is_attempt(n));
            panic!(
                "{}: not within {PATIENCE:?}: {what}; last {last:?}; heard:\n{}",
                self.namespace,
                told.join("\n")
            );
        }
    }

    /// Waits until a pod's status says something.
    pub(crate) async fn until_status(&self, pod: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
        let pods: Api<Pod> = Api::namespaced(self.house.plane.kube().clone(), &self.namespace);
        let ask = || async {
            let seen = pods.get_opt(pod).await.expect("an API server");
            let status = serde_json::to_value(seen.and_then(|pod| pod.status)).expect("plain data");
            if there(&status) { Progress::There(status) } else { Progress::NotYet(status.to_string()) }
        };
        wait_until(what, PATIENCE, Duration::from_millis(50), ask).await.expect("its status")
    }

    /// Waits for an event about a pod: its message.
    pub(crate) async fn until_event(&self, pod: &str, reason: &str) -> String {
        let events: Api<Event> = Api::namespaced(self.house.plane.kube().clone(), &self.namespace);
        let about = ListParams::default().fields(&format!("involvedObject.name={pod},reason={reason}"));
        let ask = || async {
            let all = events.list(&about).await.expect("an API server");
            match all.items.into_iter().next().and_then(|event| event.message) {
                Some(message) => Progress::There(message),
                None => Progress::NotYet("no event".to_owned()),
            }
        };
        wait_until(reason, PATIENCE, Duration::from_millis(50), ask).await.expect("an event")
    }

    /// Waits until a Deployment has rolled out.
    pub(crate) async fn until_available(&self, name: &str, replicas: i64) {
        let wanted = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}});
        let rolled_out =
            self.house.applier.wait_for(&wanted, &self.namespace, "available", PATIENCE, |seen| {
                let status = seen.map(|object| object.data["status"].clone()).unwrap_or_default();
                let generation = seen.and_then(|object| object.metadata.generation);
                let count = |field: &str| status[field].as_i64() == Some(replicas);
                let whole = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
                    .into_iter()
                    .all(count);
                if whole && status["observedGeneration"].as_i64() == generation {
                    Progress::There(())
                } else {
                    Progress::NotYet(status.to_string())
                }
            });
        if let Err(error) = rolled_out.await {
            panic!("{error}");
        }
    }
}

fn is_attempt(news: &PodNews) -> bool {
    matches!(news.what, PodEvent::Consumer(Line::Attempt(_)))
}

/// The configuration of an agent that renders the password.
pub(crate) fn agent(bao: &AtStart) -> String {
    format!(
        r#"vault {{
  address = "{}"
  ca_cert = "/etc/agent/ca.pem"
  namespace = "{}"
}}
auto_auth {{
  method "kubernetes" {{
    namespace = "{}"
    config = {{
      role       = "{}"
      token_path = "{}"
    }}
  }}
}}
template {{
  destination = "/secrets/db"
  contents    = "PASSWORD={{{{ with secret \"{}\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}\n"
}}
"#,
        bao.server,
        bao.namespace,
        bao.namespace,
        bao.role,
        bao.token_file.display(),
        bao.path
    )
}
