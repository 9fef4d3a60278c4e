//! The budgets of the design, measured on this machine. Figures, not assertions: absolute times are not
//! stable on machines that others use too.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use handover_fixtures::embedded::Embedded;
use handover_fixtures::ground::Request;
use handover_fixtures::mysql::Login;
use handover_fixtures::plane::{Peer, Plane, Server};
use handover_fixtures::process::RunDir;
use handover_harness::clock::Micros;
use handover_harness::event::{ComponentState, FORMAT, Header, Hop, Quantiles};
use handover_harness::fingerprint::Sighting;
use handover_harness::mask::Masker;
use handover_harness::probe::{Probe, start};
use handover_harness::recorder::{Recorder, Scribe};
use handover_harness::timeline::{Story, Timeline};
use handover_harness::verdict::RunVerdict;
use handover_kind::contained::Containers;
use rustix::time::{ClockId, clock_gettime};

use super::run::{MEASURING, Order, obtain};

/// How long logins, and then their absence, are measured.
const MEASURED: Duration = Duration::from_secs(6);

/// One budget and what was measured.
pub struct Figure {
    /// What it is about.
    pub what: String,
    /// What was measured.
    pub measured: String,
    /// What the design allows.
    pub budget: &'static str,
}

fn figure(what: impl Into<String>, measured: impl ToString, budget: &'static str) -> Figure {
    Figure { what: what.into(), measured: measured.to_string(), budget }
}

/// What a run of the whole catalogue tells.
pub fn of_run(timeline: &Timeline, verdict: &RunVerdict) -> Vec<Figure> {
    let mut figures = vec![figure("the whole run", verdict.took_us, "6 min")];
    figures.extend(first_step(timeline).map(|span| {
        figure("run until the first step (calibration not counted)", span, "6 s, next goal 4 s")
    }));
    let rss: u64 = verdict.servers.iter().map(|server| server.rss_bytes).sum();
    figures.push(figure("memory of all servers", format!("{} MB", rss / 1_000_000), "1300 MB"));
    if let Some(calibration) = &verdict.calibration {
        let spread = |spread: &Quantiles| format!("{} / {}", spread.p50, spread.p99);
        figures.push(figure(
            "watch: own write answered to seen, p50 / p99",
            spread(&calibration.watch_delivery),
            "2 ms / 10 ms",
        ));
        figures.push(figure(
            "watch: own write sent to seen, p50 / p99",
            spread(&calibration.watch_from_sent),
            "none",
        ));
    }
    for (id, story) in &timeline.stories {
        figures.extend(
            beyond(story).map(|span| figure(format!("{id} beyond what its waits take"), span, "1.5 s")),
        );
    }
    figures.extend(teardown(timeline).map(|span| figure("teardown", span, "2 s")));
    figures
}

fn first_step(timeline: &Timeline) -> Option<Micros> {
    let first =
        timeline.stories.values().flat_map(|story| story.steps.values()).map(|step| step.began).min()?;
    let measuring = timeline.notes.iter().find(|note| note.text.text() == MEASURING)?.at;
    let measured = timeline.notes.iter().find(|note| note.text.text() == super::run::MEASURED)?.at;
    Some(first - timeline.header.at - (measured - measuring))
}

/// A scenario's time outside its waits and holds, which its own intervals force.
fn beyond(story: &Story) -> Option<Micros> {
    let (ended, _) = story.ended.as_ref()?;
    let waits = story.steps.values().filter(|step| !step.text.starts_with("rotate"));
    let waited =
        waits.filter_map(|step| Some(step.ended? - step.began)).fold(Micros::default(), |a, b| a + b);
    Some(*ended - story.began - waited)
}

fn teardown(timeline: &Timeline) -> Option<Micros> {
    let stopped = timeline
        .components
        .iter()
        .filter(|change| change.state == ComponentState::Stopped)
        .map(|change| change.at);
    let last_look = timeline.usage.values().flatten().map(|reading| reading.at).max()?;
    Some(stopped.max()? - last_look)
}

/// The harness's CPU per accepted MySQL login: probe, relay and recorder, less what it uses without. At the
/// period of the catalogue, where every login wakes an idle machine, and ten times as often, where none does.
pub async fn logins(order: &Order) -> anyhow::Result<Vec<Figure>> {
    let cache = order.components.cache.root();
    let run = format!("{}-logins", order.run);
    let run_dir = RunDir::create(&cache.join("runs"), &run)?;
    let components = obtain(order, &Containers::none(), &super::run::Silent).await?;
    let plane = Embedded::start(&Request {
        cache,
        run: &run_dir,
        servers: [Server::Mysql].into(),
        workloads: false,
        components: &components,
        eso_values: None,
        tell: &|_, _| {},
        note: &|_| {},
    })
    .await?;
    let measured = logins_on(order, &plane, run).await;
    let left = plane.stop().await;
    run_dir.finish()?;
    anyhow::ensure!(left.is_empty(), "left behind: {}", left.join("; "));
    measured
}

async fn logins_on(order: &Order, plane: &Embedded, run: String) -> anyhow::Result<Vec<Figure>> {
    let header = Header { format: FORMAT, run, wall: String::new(), at: Micros::now() };
    let recorder = Recorder::create(&order.out.join("logins.jsonl"), header)?;
    let scribe = Scribe::new(recorder, Masker::new(), None);
    let address = plane.address(Peer::Harness, Peer::Server(Server::Mysql))?;
    let door = Login::new(&address.ip().to_string(), address.port(), plane.ca_pem(), Duration::from_secs(2));
    let admin = plane.administrator(Server::Mysql)?;
    let idle_before = cpu();
    tokio::time::sleep(MEASURED).await;
    let idle = cpu() - idle_before;
    let mut figures = Vec::new();
    for period in [Duration::from_millis(20), Duration::from_millis(2)] {
        let probe = Probe::new("bench", "bench", Hop::Login, period);
        let before = cpu();
        let (door, admin) = (door.clone(), Arc::clone(&admin));
        let handle = start(scribe.clone(), probe, move || {
            let (door, admin) = (door.clone(), Arc::clone(&admin));
            async move { Some(door.ask(admin.username(), admin.password(), Sighting::default()).await) }
        })?;
        tokio::time::sleep(MEASURED).await;
        let probed = handle.stop().await;
        let spent = (cpu() - before).saturating_sub(idle);
        let logins =
            u32::try_from(probed.asked.max(1)).context("so many logins do not fit into six seconds")?;
        figures.push(figure(
            format!("harness CPU per MySQL login every {period:?}, n={logins}"),
            format!("{:.2} ms", (spent / logins).as_secs_f64() * 1e3),
            "0.35 ms",
        ));
    }
    Ok(figures)
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).expect("CPU time is never negative");
    Duration::new(seconds, u32::try_from(now.tv_nsec).expect("nanoseconds are below a billion"))
}
