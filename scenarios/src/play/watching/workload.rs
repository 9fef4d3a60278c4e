//! Running workloads: the consumer stands in for what the manifests would run, and what it says becomes
//! observations of the hops `workload` and `login`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use handover_fixtures::consumer::config::{self, AtStart, Config, Kind, KubernetesLogin, Style};
use handover_fixtures::consumer::{CONFIG, Line};
use handover_fixtures::plane::{Peer, Server};
use handover_fixtures::process::this_program;
use handover_fixtures::workloads::{PodEvent, PodNews, Program, Settings, StandsFor};
use handover_harness::clock::Micros;
use handover_harness::event::{Hop, Observation, Outcome, What};
use handover_harness::mask::Masked;
use handover_harness::recorder::Scribe;

use super::pods::{Pods, ended};
use super::{Watching, until};
use crate::language::scenario::{Connects, DatabaseKind, Door, Place, Reads, Workload};
use crate::play::PlayError;
use crate::play::stage::{Stage, server};

/// What a consumer gives an attempt before nobody answered it, in milliseconds.
const PATIENCE_MS: u64 = 2_000;
/// How many attempts of one consumer may be unanswered.
const IN_FLIGHT: usize = 16;

impl Watching {
    /// Says what runs in the pods of the scenario's workloads, and listens. Before the manifests are applied: the
    /// first words of a pod are part of the story.
    pub fn host_workloads(&self, stage: &Stage<'_>) -> Result<(), PlayError> {
        let all = &stage.scenario.workloads;
        if all.is_empty() {
            return Ok(());
        }
        let plane = stage.house.plane.workloads()?;
        let namespaces: BTreeSet<&str> =
            all.iter().map(|workload| stage.namespace_of(&workload.deployment)).collect();
        for namespace in &namespaces {
            plane.agents(namespace, agents(stage)?);
        }
        for workload in all {
            let namespace = stage.namespace_of(&workload.deployment);
            let program = this_program().map_err(|error| PlayError::Probe(error.to_string()))?;
            stage.scribe.masker().learn(stage.house.prints.key_hex());
            let config = told(stage, workload)?.to_json();
            plane.stand_in(
                namespace,
                StandsFor::Container {
                    deployment: workload.deployment.name.clone(),
                    container: workload.container.clone(),
                },
                Program {
                    argv: vec![program.into_os_string(), "consumer".into()],
                    env: BTreeMap::from([(OsString::from(CONFIG), config.into())]),
                    names: Vec::new(),
                    replaces_command: true,
                },
            );
            stage.scribe.note(&format!(
                "{} runs handover's consumer in place of the image {}",
                workload.deployment, workload.image
            ));
            let seed = stage.house.seed;
            plane.settings(namespace, Settings { volume_delay_max: workload.volume_delay, seed });
        }
        for namespace in namespaces {
            let here = |workload: &&Workload| {
                workload.watched && stage.namespace_of(&workload.deployment) == namespace
            };
            let host = |workload| Hosted::new(&stage.scribe, workload, Arc::clone(&self.pods));
            let mut hosts: Vec<Hosted> = all.iter().filter(here).map(host).collect();
            let (mut news, stop) = (plane.subscribe(namespace), self.stop.clone());
            self.tasks.spawn(async move {
                while let Some(news) = until(&stop, news.recv()).await {
                    if let Some(host) = hosts.iter_mut().find(|host| host.owns(&news)) {
                        host.hear(news);
                    }
                }
            });
        }
        Ok(())
    }
}

/// One workload, heard.
struct Hosted {
    scribe: Scribe,
    name: String,
    credential: String,
    deployment: String,
    container: String,
    restarts: BTreeMap<String, u32>,
    there: BTreeSet<String>,
    /// When each pod was heard last.
    heard: BTreeMap<String, Micros>,
    /// What a pod waits for, told once.
    told: BTreeMap<String, String>,
    pods: Arc<Pods>,
}

impl Hosted {
    fn new(scribe: &Scribe, workload: &Workload, pods: Arc<Pods>) -> Self {
        let host = Self {
            scribe: scribe.clone(),
            name: workload.name.clone(),
            credential: workload.credential.clone(),
            deployment: workload.deployment.name.clone(),
            container: workload.container.clone(),
            restarts: BTreeMap::new(),
            there: BTreeSet::new(),
            heard: BTreeMap::new(),
            told: BTreeMap::new(),
            pods,
        };
        host.count();
        host
    }

    /// Whether the pod is one of the Deployment's: `<deployment>-<template>-<pod>`.
    fn owns(&self, news: &PodNews) -> bool {
        let rest = news.pod.strip_prefix(&self.deployment).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| rest.split('-').count() == 2)
    }

    fn hear(&mut self, news: PodNews) {
        let ours = news.container.as_ref().is_none_or(|container| *container == self.container);
        if ours {
            self.pods.hear(&self.credential, &news, |text| self.scribe.mask(text));
        }
        match news.what {
            PodEvent::Consumer(line) if ours => {
                self.heard.insert(news.pod.clone(), news.at);
                self.said(&news.pod, line);
            }
            PodEvent::Unheard if ours => {
                let from = self.heard.get(&news.pod).copied().unwrap_or(news.at);
                let why = self.scribe.mask(&format!("the log of pod {} broke off before its end", news.pod));
                self.scribe.record(What::Gap { probe: self.name.clone(), from, why });
            }
            PodEvent::Consumer(_) | PodEvent::Line(_) | PodEvent::Ready(_) | PodEvent::Unheard => {}
            PodEvent::Started { restarts } => {
                self.heard.entry(news.pod.clone()).or_insert(news.at);
                self.comes(&news.pod);
                if ours && self.restarts.insert(news.pod, restarts) != Some(restarts) {
                    self.count();
                }
            }
            PodEvent::Ended { how, why } => {
                self.scribe.note(&format!("pod {}: {}", news.pod, ended(how, &why)));
            }
            PodEvent::Pending { reason, message } => {
                let text = format!("pod {} waits: {reason}: {message}", news.pod);
                if self.told.insert(news.pod, text.clone()).as_ref() != Some(&text) {
                    self.scribe.note(&text);
                }
            }
            PodEvent::Gone => {
                if self.there.remove(&news.pod) {
                    self.replica(news.pod, false);
                }
            }
        }
    }

    fn said(&mut self, pod: &str, line: Line) {
        match line {
            Line::Started { .. } => self.comes(pod),
            Line::Holds { at, sighting } => {
                self.comes(pod);
                let probe = format!("workload:{}", self.name);
                let outcome = Outcome::Shows(sighting);
                self.scribe.seen(Observation {
                    credential: self.credential.clone(),
                    hop: Hop::Workload,
                    probe,
                    due: at,
                    asked: at,
                    answered: at,
                    outcome,
                    by: Some(pod.to_owned()),
                });
            }
            Line::Attempt(attempt) => {
                let outcome = match attempt.observed() {
                    // The use of a connection that was kept says nothing about the password.
                    Outcome::Accepted(_) if !attempt.fresh => {
                        Outcome::Unclear(Masked::own("a connection that was kept still serves"))
                    }
                    outcome => outcome,
                };
                self.scribe.seen(Observation {
                    credential: self.credential.clone(),
                    hop: Hop::Login,
                    probe: self.name.clone(),
                    due: attempt.due,
                    asked: attempt.asked,
                    answered: attempt.answered,
                    outcome,
                    by: Some(pod.to_owned()),
                });
            }
        }
    }

    fn comes(&mut self, pod: &str) {
        if self.there.insert(pod.to_owned()) {
            self.replica(pod.to_owned(), true);
        }
    }

    fn replica(&self, name: String, there: bool) {
        self.scribe.record(What::Replica { of: self.name.clone(), name, there });
    }

    fn count(&self) {
        let value = self.restarts.values().map(|restarts| u64::from(*restarts)).sum();
        self.scribe.record(What::Count { counter: format!("restarts:{}", self.name), value });
    }
}

/// How an agent finds this plane's OpenBao, whatever its configuration says.
fn agents(stage: &Stage<'_>) -> Result<BTreeMap<OsString, OsString>, PlayError> {
    let plane = &stage.house.plane;
    let openbao = plane.address(Peer::Workload, Peer::Server(Server::Openbao))?;
    let told = [
        ("BAO_ADDR", format!("https://{openbao}")),
        ("BAO_CACERT_BYTES", plane.ca_pem().to_owned()),
        ("BAO_NAMESPACE", stage.namespace.clone()),
    ];
    for (name, value) in told.iter().filter(|(name, _)| *name != "BAO_CACERT_BYTES") {
        stage.scribe.note(&format!("agents: {name} is {value} here"));
    }
    Ok(told.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

fn door(kind: DatabaseKind) -> Kind {
    match kind {
        DatabaseKind::Mysql => Kind::Mysql,
        DatabaseKind::Postgres => Kind::Postgres,
        DatabaseKind::Valkey => Kind::Valkey,
    }
}

/// What the consumer of a workload is told.
fn told(stage: &Stage<'_>, workload: &Workload) -> Result<Config, PlayError> {
    let plane = &stage.house.plane;
    let (to, of) = match &workload.door {
        Door::Database(name) => {
            let kind = stage.database(name).kind;
            (door(kind), server(kind))
        }
        Door::Openbao { mount, .. } => {
            let login = KubernetesLogin { mount: mount.clone(), namespace: stage.namespace.clone() };
            (Kind::Openbao(login), Server::Openbao)
        }
    };
    let address = plane.address(Peer::Workload, Peer::Server(of))?;
    let place = |place: &Place| config::Place { at: place.at.clone(), extract: place.extract.clone() };
    let placed = |places: &BTreeMap<String, Place>| {
        places.iter().map(|(field, at)| (field.clone(), place(at))).collect::<BTreeMap<_, _>>()
    };
    let (reads, mut fields) = match &workload.reads {
        Reads::Env(places) => (config::Reads::Env, placed(places)),
        Reads::File(places) => (config::Reads::File, placed(places)),
        Reads::FileWatch(places) => (config::Reads::FileWatched, placed(places)),
        Reads::FileOnce(places) => (config::Reads::FileOnce, placed(places)),
        Reads::Openbao { mount, role, path, token_file } => {
            let openbao = plane.address(Peer::Workload, Peer::Server(Server::Openbao))?;
            let asks = AtStart {
                server: format!("https://{openbao}"),
                ca_pem: plane.ca_pem().to_owned(),
                namespace: stage.namespace.clone(),
                mount: mount.clone(),
                role: role.clone(),
                token_file: token_file.into(),
                path: path.clone(),
            };
            // KV v2 wraps what it answers.
            let below = if path.contains("/data/") { "/data/data" } else { "/data" };
            let credential = stage.credential(&workload.credential);
            let at = |field: &String| config::Place { at: format!("{below}/{field}"), extract: None };
            let fields = credential.fields.iter().map(|field| (field.clone(), at(field))).collect();
            (config::Reads::Openbao(asks), fields)
        }
    };
    fields.retain(|field, _| field == "username" || field == "password");
    let username = match &workload.door {
        Door::Openbao { role, .. } => Some(role.clone()),
        Door::Database(_) if fields.contains_key("username") => None,
        Door::Database(_) => stage.login_name(&workload.credential),
    };
    Ok(Config {
        key: stage.house.prints.key_hex().expose().to_owned(),
        reads,
        fields,
        connects: config::Connects {
            to,
            host: address.ip().to_string(),
            port: address.port(),
            ca_pem: plane.ca_pem().to_owned(),
            username,
            style: match workload.connects {
                Connects::Fresh => Style::Fresh,
                Connects::Pool { max_lifetime } => {
                    Style::Pool { max_lifetime_ms: max_lifetime.as_millis() as u64 }
                }
                Connects::Session => Style::Session,
            },
        },
        every_ms: (workload.every.as_millis() as u64).max(1),
        patience_ms: PATIENCE_MS,
        in_flight: IN_FLIGHT,
        probed: stage.probed(workload),
    })
}
