//! A whole run: the plane is started, measured, played on and stopped, and what was seen is judged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use handover_fixtures::cause::chain;
use handover_fixtures::components::{self, Component, Resolved, ResolvedSet};
use handover_fixtures::ground::Request;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::kubernetes::reviewer::reviewer_token;
use handover_fixtures::plane::Server;
use handover_fixtures::process::RunDir;
use handover_harness::event::{ComponentInfo, ComponentState, Ending, Header, RunInfo, What};
use handover_harness::fingerprint::Fingerprinter;
use handover_harness::mask::{Masked, Masker};
use handover_harness::recorder::{Recorder, Scribe};
use handover_kind::cluster::{DATA, NODE_LOGS};
use handover_kind::contained::{ContainedError, Containers};
use handover_kind::own::OwnCluster;

use super::calibrate::calibrate;
use super::halt::Halt;
use super::planes::{Running, StartError, Where, With};
use super::releases::{Ends, Releases};
use super::schedule::{self, Claims};
use super::stage::{House, Stage};
use super::{evidence, scenario};
use crate::language::scenario::{Manifest, Scenario};

/// How often it is seen whether every server still lives.
const PULSE: Duration = Duration::from_millis(250);

/// The note that calibration begins.
pub(super) const MEASURING: &str = "measuring this host";

/// The note that calibration has ended.
pub(super) const MEASURED: &str = "this host is measured";

/// What to play.
pub struct Order {
    /// The run's id.
    pub run: String,
    /// The scenarios, in the order of the catalogue.
    pub scenarios: Vec<Scenario>,
    /// How many at once.
    pub jobs: usize,
    /// Where the run's files go; it is there, and empty but for a report.
    pub out: PathBuf,
    /// What phases and order are drawn from.
    pub seed: u64,
    /// How components are obtained.
    pub components: components::Request,
    /// The two releases of an upgrade, where it is about one.
    pub ends: Ends,
    /// Values for ESO's chart.
    pub eso_values: Option<PathBuf>,
    /// Whether the servers' data is kept.
    pub keep: bool,
    /// Where it plays.
    pub plane: Where,
}

/// Is shown what a run does while it does it.
pub trait Show: Send + Sync {
    /// What the whole run is doing.
    fn run(&self, text: &str);
    /// What one scenario is doing.
    fn scenario(&self, id: &str, text: &str);
    /// A scenario is over.
    fn over(&self, id: &str);
    /// How the obtaining of components is shown.
    fn obtaining(&self) -> Arc<dyn handover_fixtures::components::progress::Progress>;
}

/// Shows nothing.
pub struct Silent;

impl Show for Silent {
    fn run(&self, _: &str) {}

    fn scenario(&self, _: &str, _: &str) {}

    fn over(&self, _: &str) {}

    fn obtaining(&self) -> Arc<dyn handover_fixtures::components::progress::Progress> {
        Arc::new(handover_fixtures::components::progress::Silent)
    }
}

/// What a run left beside its files.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// What could not be stopped or removed.
    pub left: Vec<String>,
    /// Where a secret was found in a file.
    pub leaks: Vec<String>,
    /// Where the servers' data was kept.
    pub kept: Option<PathBuf>,
}

/// Plays everything. Every way out ends with the servers stopped and `events.jsonl` complete; what it comes
/// to is the judge's to say, from that file.
pub async fn run(order: &Order, header: Header, show: &dyn Show, halt: &Halt) -> anyhow::Result<Aftermath> {
    let recorder = Recorder::create(&order.out.join("events.jsonl"), header)?;
    let masker = Masker::new();
    let scribe = Scribe::new(recorder.clone(), masker.clone(), None);
    let cache = order.components.cache.root().to_owned();
    let mut aftermath = Aftermath::default();
    let run_dir = RunDir::create(&cache.join("runs"), &order.run)?;
    let own = OwnCluster::default();
    let containers = order.plane.containers(&order.components.cache, &run_dir, &order.run);
    let broke =
        |error: &dyn std::error::Error| Ending::Broke(scribe.mask(&as_kept(&chain(error), &run_dir, order)));

    let playing = async {
        unless(halt, order.plane.check(&cache)).await?.map_err(|error| broke(&error))?;
        let components = obtain(order, &containers, show);
        let components = unless(halt, components).await?.map_err(|error| broke(&error))?;
        scribe.record(What::Run(info(order, &components)));
        let components = Arc::new(components);
        let progress = || show.obtaining();
        let told = |text: &str| show.run(text);
        let releases = Releases::obtain(
            Arc::clone(&components),
            &order.components,
            &order.ends,
            &order.scenarios,
            async |request| containers.obtain(request, progress(), &told).await,
        );
        let releases = unless(halt, releases).await?;
        for note in components.iter().filter_map(|resolved| resolved.note.as_ref()) {
            show.run(note);
            scribe.note(note);
        }
        let plane = unless(halt, start(order, &components, &run_dir, &scribe, show, &own)).await?;
        let plane = Arc::new(plane.map_err(|error| broke(&error))?);
        let played = on_plane(order, &plane, releases, &scribe, show, halt).await;
        show.run("stopping the servers");
        let plane = Arc::into_inner(plane).expect("everybody who played has left the plane");
        let names = plane.components();
        let data = run_dir.path().join(DATA);
        aftermath.left = plane.stop(order.keep.then_some(&data)).await;
        for name in names {
            scribe.record(What::Component { name, state: ComponentState::Stopped });
        }
        played
    };
    // Events that cannot be written end a run like a server that dies: in order.
    let written = async {
        halt.halt(broke(&recorder.failed().await));
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = playing => ended,
        () = written => unreachable!("it only halts"),
    };
    if let Err(ending) = ended {
        halt.halt(ending);
    }

    aftermath.left.extend(containers.fell().await);
    aftermath.left.extend(own.fell(order.keep, &|text| show.run(text)).await);
    let mut failures = evidence::keep_logs(&masker, &run_dir.path().join("logs"), &order.out);
    failures.extend(evidence::keep_tree(
        &masker,
        &run_dir.path().join(NODE_LOGS),
        &order.out.join(NODE_LOGS),
    ));
    for failure in failures {
        scribe.note(&failure);
    }
    scribe.record(What::End(halt.reason().unwrap_or(Ending::Finished)));
    if order.keep {
        let kept = cache.join("kept").join(&order.run);
        match handover_fixtures::files::copy_tree(run_dir.path(), &kept) {
            Ok(()) => aftermath.kept = Some(kept),
            Err(error) => aftermath.left.push(format!("the servers' data could not be kept: {error}")),
        }
    }
    if let Err(error) = run_dir.finish() {
        aftermath.left.push(chain(&error));
    }
    match evidence::scan(&masker, &order.out) {
        Ok(leaks) => aftermath.leaks = leaks.iter().map(evidence::told).collect(),
        Err(error) => aftermath.leaks = vec![chain(&error)],
    }
    Ok(aftermath)
}

/// The text with logs named by where they will be found when the run's directory is gone.
fn as_kept(text: &str, run_dir: &RunDir, order: &Order) -> String {
    let logs = |dir: &Path| dir.join("logs").display().to_string();
    text.replace(&logs(run_dir.path()), &logs(&order.out))
}

pub(super) async fn obtain(
    order: &Order,
    containers: &Containers,
    show: &dyn Show,
) -> Result<ResolvedSet, ContainedError> {
    show.run("checking the servers' programs");
    let mut wanted: BTreeSet<Component> = Component::ALL.into();
    let optional = [
        (Server::Mysql, Component::Mysql),
        (Server::Valkey, Component::Valkey),
        (Server::Postgres, Component::Postgres),
    ];
    for (server, component) in optional {
        if !servers(&order.scenarios).contains(&server) {
            wanted.remove(&component);
        }
    }
    let wanted = order.components.clone().only(order.plane.wants(wanted, &order.components));
    containers.obtain(wanted, show.obtaining(), &|text| show.run(text)).await
}

fn servers(scenarios: &[Scenario]) -> BTreeSet<Server> {
    let needed = |server: &Server| scenarios.iter().any(|scenario| scenario.needs.contains(server.word()));
    Server::ALL.into_iter().filter(needed).collect()
}

fn info(order: &Order, components: &ResolvedSet) -> RunInfo {
    let components = components.iter().map(component_info);
    RunInfo {
        handover: env!("CARGO_PKG_VERSION").to_owned(),
        plane: order.plane.name().to_owned(),
        seed: order.seed,
        components: components.collect(),
    }
}

/// What a component says of itself in a report.
pub(crate) fn component_info(resolved: &Resolved) -> ComponentInfo {
    ComponentInfo {
        name: resolved.component.to_string(),
        version: resolved.version.clone(),
        source: resolved.source.to_string(),
        sha256: resolved.sha256.clone(),
        image: resolved.image.clone(),
    }
}

/// Whether somebody has to run the scenario's pods.
fn runs_pods(scenario: &Scenario) -> bool {
    let deployed =
        |manifest: &Manifest| matches!(manifest.kind.as_str(), "Deployment" | "StatefulSet" | "Pod");
    !scenario.workloads.is_empty() || scenario.manifests.iter().any(deployed)
}

async fn start(
    order: &Order,
    components: &ResolvedSet,
    run_dir: &RunDir,
    scribe: &Scribe,
    show: &dyn Show,
    own: &OwnCluster,
) -> Result<Running, StartError> {
    show.run("starting the servers");
    let tell = |name: &str, state: ComponentState| {
        if state == ComponentState::Ready {
            show.run(&format!("starting the servers: {name} is ready"));
        }
        scribe.record(What::Component { name: name.to_owned(), state });
    };
    let note = |text: &str| {
        scribe.note(text);
    };
    let request = Request {
        cache: order.components.cache.root(),
        run: run_dir,
        servers: servers(&order.scenarios),
        workloads: order.scenarios.iter().any(runs_pods),
        components,
        eso_values: order.eso_values.as_deref(),
        tell: &tell,
        note: &note,
    };
    let with = With {
        components: &order.components,
        progress: show.obtaining(),
        show: &|text| show.run(text),
        own,
        keep: order.keep,
    };
    order.plane.start(&request, with).await
}

/// What `work` comes to, or why it was stopped.
async fn unless<T>(halt: &Halt, work: impl Future<Output = T>) -> Result<T, Ending> {
    tokio::select! {
        done = work => Ok(done),
        ending = halt.halted() => Err(ending),
    }
}

/// Everything between the start and the stop of the plane.
async fn on_plane(
    order: &Order,
    plane: &Arc<Running>,
    releases: Releases,
    scribe: &Scribe,
    show: &dyn Show,
    halt: &Halt,
) -> Result<(), Ending> {
    let broke = |error: KubeError| Ending::Broke(scribe.mask(&chain(&error)));
    let plane = plane.plane();
    let applier = Applier::new(plane.kube().clone());
    let reviewer = unless(halt, reviewer_token(&applier)).await?.map_err(broke)?;
    scribe.masker().learn(&reviewer);
    scribe.masker().learn(plane.openbao().token());
    for administrator in Server::ALL.into_iter().filter_map(|server| plane.administrator(server).ok()) {
        scribe.masker().learn(administrator.password());
    }
    let house = House {
        plane,
        applier,
        prints: Arc::new(Fingerprinter::new()),
        reviewer,
        seed: order.seed,
        // The golden ratio spreads consecutive seeds evenly.
        phase: (order.seed as f64 * 0.618_033_988_749_895).fract(),
        releases,
        goes_with_scenario: order.scenarios.len() == 1 && !order.plane.is_kept(),
    };
    show.run("measuring this host");
    scribe.note(MEASURING);
    let calibration = unless(halt, calibrate(&house)).await?.map_err(broke)?;
    scribe.record(What::Calibrated(calibration));
    scribe.note(MEASURED);
    usage(&house, scribe).await;
    let playing = play_all(order, &house, scribe, show, halt);
    tokio::pin!(playing);
    tokio::select! {
        () = &mut playing => {}
        // Who dies halts the run; the scenarios still end in order.
        () = pulse(&house, scribe, halt) => playing.await,
    }
    usage(&house, scribe).await;
    Ok(())
}

/// Sees that every server lives, until one does not.
async fn pulse(house: &House, scribe: &Scribe, halt: &Halt) {
    while !halt.is_halted() {
        tokio::time::sleep(PULSE).await;
        for (name, how) in house.plane.deaths() {
            let how = scribe.mask(&how);
            scribe.record(What::Component { name: name.clone(), state: ComponentState::Died(how.clone()) });
            halt.halt(Ending::Broke(Masked::own(format!("{name} ended by itself: {how}"))));
        }
    }
}

async fn play_all(order: &Order, house: &House, scribe: &Scribe, show: &dyn Show, halt: &Halt) {
    let claims: Vec<Claims> = order.scenarios.iter().map(Claims::of).collect();
    let mut waiting: Vec<usize> = drawn(order.scenarios.len(), order.seed);
    let mut playing: Vec<usize> = Vec::new();
    let mut stages = FuturesUnordered::new();
    loop {
        while !halt.is_halted() {
            let wanted: Vec<&Claims> = waiting.iter().map(|index| &claims[*index]).collect();
            let beside: Vec<&Claims> = playing.iter().map(|index| &claims[*index]).collect();
            let Some(position) = schedule::next(&wanted, &beside, order.jobs) else { break };
            let index = waiting.remove(position);
            playing.push(index);
            let scenario = &order.scenarios[index];
            stages.push(async move {
                let own = Scribe::new(
                    scribe.recorder().clone(),
                    scribe.masker().clone(),
                    Some(scenario.id.clone()),
                );
                let stage = Stage::new(scenario, index + 1, house, own);
                let tell = |text: &str| show.scenario(&scenario.id, text);
                scenario::play(&stage, &tell, halt).await;
                show.over(&scenario.id);
                index
            });
        }
        match stages.next().await {
            Some(done) => playing.retain(|index| *index != done),
            None => break,
        }
    }
}

/// An order of `0..count` that the seed decides: what passes only in one order is found.
fn drawn(count: usize, seed: u64) -> Vec<usize> {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut rand::rngs::SmallRng::seed_from_u64(seed));
    order
}

async fn usage(house: &House, scribe: &Scribe) {
    for (name, usage) in house.plane.usage().await {
        scribe.record(What::Usage { name, cpu: usage.cpu.into(), rss: usage.rss_bytes });
    }
}
