//! `handover run` and `handover bench`.

use std::path::{Path, PathBuf};

use futures::future::join_all;
use handover_fixtures::cause::chain;
use handover_harness::clock::Micros;
use handover_harness::event::{Ending, FORMAT, Header};
use handover_harness::verdict::RunVerdict;
use handover_reports::{Exit, exit_of, junit, write_atomically};

use super::{BenchArgs, Failure, RunArgs, Screen, Which, With, gc, judge, scenarios, signals};
use crate::play::bench;
use crate::play::halt::Halt;
use crate::play::planes::Where;
use crate::play::releases::Ends;
use crate::play::run::{Aftermath, Order, run as play};

/// `handover run`
pub(super) fn run(args: &RunArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let plane = args.on.plane();
    let (header, order) = prepare(&args.which, with, screen, |header, request, scenarios| Order {
        run: header.run.clone(),
        scenarios,
        jobs: args.jobs.unwrap_or(plane.jobs()) as usize,
        out: args.out.clone().unwrap_or_else(|| default_out(&header.run)),
        seed: args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
        components: request,
        ends: Ends::new(),
        eso_values: args.eso_values.clone(),
        keep: args.keep,
        plane,
    })?;
    let (verdict, aftermath) = judged(&order, header, screen, &Session::new()?)?;
    let exit = exit_of(&verdict, !aftermath.left.is_empty(), !aftermath.leaks.is_empty());
    judge::show(&verdict, exit, &order.out, args.format, screen);
    Ok(exit)
}

/// `handover bench`
pub(super) fn bench(args: &BenchArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let all = Which { which: Vec::new(), sets: Vec::new() };
    let (header, order) = prepare(&all, with, screen, |header, request, scenarios| Order {
        run: header.run.clone(),
        scenarios,
        jobs: Where::default().jobs() as usize,
        out: args.out.clone().unwrap_or_else(|| default_out(&header.run)),
        seed: 0,
        components: request,
        ends: Ends::new(),
        eso_values: None,
        keep: false,
        plane: Where::default(),
    })?;
    let session = Session::new()?;
    let (verdict, aftermath) = judged(&order, header, screen, &session)?;
    let failed = |error: anyhow::Error| Failure { exit: Exit::Environment, message: format!("{error:#}") };
    let timeline = judge::timeline(&order.out)?;
    let mut figures = bench::of_run(&timeline, &verdict);
    screen.remark("measuring logins");
    figures.extend(session.runtime.block_on(bench::logins(&order)).map_err(failed)?);
    for figure in figures {
        screen.line(&format!("{:<58} {:>14}   budget {}", figure.what, figure.measured, figure.budget));
    }
    Ok(exit_of(&verdict, !aftermath.left.is_empty(), !aftermath.leaks.is_empty()))
}

/// Everything that can be refused before any work starts.
fn prepare(
    which: &Which,
    with: &With,
    screen: &Screen,
    order: impl FnOnce(
        &Header,
        handover_fixtures::components::Request,
        Vec<crate::language::scenario::Scenario>,
    ) -> Order,
) -> Result<(Header, Order), Failure> {
    let scenarios = scenarios::load(which, screen)?;
    if scenarios.is_empty() {
        return Err(scenarios::nothing(which));
    }
    let header = header();
    let order = order(&header, with.request()?, scenarios);
    let named = order.plane.is_there(order.components.cache.root());
    named.map_err(|error| Failure::usage(error.to_string()))?;
    order.plane.takes(&order.components).map_err(|error| Failure::usage(chain(&error)))?;
    if order.out.join("events.jsonl").exists() {
        return Err(Failure::usage(format!(
            "{} holds a run already; name another directory, or remove it",
            order.out.display()
        )));
    }
    make_out(&order.out)?;
    Ok((header, order))
}

/// A run that begins now.
pub(super) fn header() -> Header {
    let wall = jiff::Timestamp::now();
    let stamp = wall.strftime("%Y%m%d-%H%M%S");
    Header {
        format: FORMAT,
        run: format!("{stamp}-{:04x}", rand::random::<u16>()),
        wall: wall.to_string(),
        at: Micros::now(),
    }
}

/// On what runs are played, one after the other or side by side: a signal that stops one of them stops all.
pub(super) struct Session {
    runtime: tokio::runtime::Runtime,
    stop: Halt,
}

impl Session {
    /// From here on signals are heeded, also while nothing is played.
    pub(super) fn new() -> Result<Self, Failure> {
        let (runtime, stop) = (runtime()?, Halt::default());
        let heeding = {
            let _inside = runtime.enter();
            signals::heed(stop.clone())
        };
        runtime.spawn(heeding);
        Ok(Self { runtime, stop })
    }

    /// Why nothing is played any more, where that is so.
    pub(super) fn stopped(&self) -> Option<Ending> {
        self.stop.reason()
    }
}

/// Plays and judges one run.
pub(super) fn judged(
    order: &Order,
    header: Header,
    screen: &Screen,
    session: &Session,
) -> Result<(RunVerdict, Aftermath), Failure> {
    let mut judged = side_by_side(vec![(order, header)], screen, session)?;
    Ok(judged.pop().expect("one order, one run"))
}

/// Plays several runs at once, each on a plane of its own, judges them, and writes the reports that are files.
pub(super) fn side_by_side(
    orders: Vec<(&Order, Header)>,
    screen: &Screen,
    session: &Session,
) -> Result<Vec<(RunVerdict, Aftermath)>, Failure> {
    let dirs: Vec<&Path> = orders.iter().map(|(order, _)| order.out.as_path()).collect();
    let played = through(orders, screen, session)?;
    let judge = |(dir, aftermath): (&Path, Aftermath)| {
        let verdict = judge::of_files(dir)?;
        judge::write(&verdict, dir)?;
        Ok((verdict, aftermath))
    };
    dirs.into_iter().zip(played).map(judge).collect()
}

/// Plays, with the report of an aborted run in place until there is a better one. What breaks one run leaves the
/// others alone.
fn through(
    orders: Vec<(&Order, Header)>,
    screen: &Screen,
    session: &Session,
) -> Result<Vec<Aftermath>, Failure> {
    let mut names = Vec::new();
    for (order, header) in &orders {
        let aborted = junit::aborted(&header.run, &header.wall, order.plane.name());
        write_atomically(&order.out.join("junit.xml"), aborted)
            .map_err(|error| Failure::environment(&error))?;
        let (swept, left) = gc::runs(order.components.cache.root())?;
        for line in swept.iter().chain(&left) {
            screen.remark(line);
        }
        names.extend(order.scenarios.iter().map(|scenario| scenario.id.clone()));
    }
    let show = screen.live(&names);
    let played = session.runtime.block_on(join_all(orders.into_iter().map(async |(order, header)| {
        let halt = Halt::default();
        let (stop, own) = (session.stop.clone(), halt.clone());
        let stopping = tokio::spawn(async move { own.halt(stop.halted().await) });
        let played = play(order, header, &show, &halt).await;
        stopping.abort();
        played
    })));
    show.clear();
    // All of them are over here: what was left behind is told for each, whatever became of another.
    let told = played.into_iter().map(|played| played.map(|aftermath| tell(aftermath, screen)));
    let told: Vec<_> = told.collect();
    let failed = |error: anyhow::Error| Failure { exit: Exit::Environment, message: format!("{error:#}") };
    told.into_iter().map(|played| played.map_err(failed)).collect()
}

/// Says what a run left beside its files.
fn tell(aftermath: Aftermath, screen: &Screen) -> Aftermath {
    for line in &aftermath.left {
        screen.error(&format!("left behind: {line}"));
    }
    for line in &aftermath.leaks {
        screen.error(&format!("a secret was found in {line}"));
    }
    if let Some(kept) = &aftermath.kept {
        screen.remark(&format!("the servers' data (it holds secrets) is kept in {}", kept.display()));
    }
    aftermath
}

/// Where runs go unless somebody says otherwise.
pub(super) const RUNS: &str = "target/handover";

pub(super) fn default_out(run: &str) -> PathBuf {
    Path::new(RUNS).join(run)
}

pub(super) fn make_out(out: &Path) -> Result<(), Failure> {
    handover_fixtures::files::private_dir(out).map_err(|error| Failure {
        exit: Exit::Environment,
        message: format!(
            "cannot make the output directory {}: {error}; name another with --out",
            out.display()
        ),
    })
}

/// The runtime on which everything but the probes plays.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::environment(&error))
}
