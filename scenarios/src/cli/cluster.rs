//! `handover kind image`, `handover up` and `handover down`: a cluster without a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::kept::Kept;
use handover_fixtures::plane::EMBEDDED;
use handover_fixtures::process::{LedgerError, this_program};
use handover_kind::cluster::ClusterError;
use handover_kind::docker::Wish;
use handover_kind::image::Choice;
use handover_kind::plane as kind;
use handover_kind::provision::{ProvisionError, Provisioner};
use handover_reports::Exit;

use super::{Failure, ImageArgs, PlaneName, Screen, UpArgs, With, gc, held, run, signals};
use crate::play::halt::Halt;

/// `handover kind image`
pub(super) fn image(args: &ImageArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let began = Instant::now();
    let name = format!("image-{}", std::process::id());
    let image = on(with, screen, async |provisioner, halt| {
        let stop = async { drop(halt.halted().await) };
        provisioner.make_image(&name, &choice(args), stop).await
    })?;
    screen.line(&image.name);
    screen.remark(&format!("found or made in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(Exit::Passed)
}

/// `handover up`
pub(super) fn up(args: &UpArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    match args.plane {
        PlaneName::Kind => {}
        PlaneName::Embedded => return held::up(args, with, screen),
    }
    if args.foreground {
        return Err(Failure::usage("a cluster is held by Docker: --foreground is for the embedded plane"));
    }
    let (cluster, made) = on(with, screen, async |provisioner, halt| {
        let stop = async { drop(halt.halted().await) };
        provisioner.up(&args.name, &choice(&args.image), stop).await
    })?;
    screen.line(&cluster.kubeconfig().display().to_string());
    screen.remark(&format!(
        "cluster `{}`: made in {:.1} s, its node ready after {:.1} s; `handover down {}` removes it",
        args.name,
        made.made.as_secs_f64(),
        made.ready.as_secs_f64(),
        args.name
    ));
    Ok(Exit::Passed)
}

/// `handover down`
pub(super) fn down(name: &str, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let kept = Kept::of(with.request()?.cache.root());
    if kept.plane(name).as_deref() == Some(EMBEDDED) {
        return held::down(name, with, screen);
    }
    // Told before a daemon is asked for, or started.
    kept.find(name, kind::NAME).map_err(|error| Failure::usage(error.to_string()))?;
    let removed = on(with, screen, async |provisioner, _| provisioner.down(name).await)?;
    screen.line(&format!("removed cluster `{name}` in {:.1} s", removed.took.as_secs_f64()));
    match removed.left {
        None => Ok(Exit::Passed),
        Some(left) => Err(Failure { exit: Exit::LeftBehind, message: left }),
    }
}

fn choice(args: &ImageArgs) -> Choice {
    match args.node_image.as_deref() {
        None => Choice::Any,
        Some("own") => Choice::Ours,
        Some(name) => Choice::Named(name.to_owned()),
    }
}

/// Does something with Docker, until somebody asks to stop.
fn on<T>(
    with: &With,
    screen: &Screen,
    what: impl AsyncFnOnce(&Provisioner<'_>, &Halt) -> Result<T, ProvisionError>,
) -> Result<T, Failure> {
    let request = with.request()?;
    // What a killed one left would be in the way of one of the same name.
    gc::runs(request.cache.root())?;
    let handover: PathBuf = this_program().map_err(|error| Failure::environment(&error))?;
    let tell = |text: &str| screen.remark(text);
    run::runtime()?.block_on(async {
        let wish = Wish::of_process().await.map_err(|error| Failure::usage(chain(&error)))?;
        let progress = Arc::from(on_stderr());
        let provisioner =
            Provisioner { request, wish, handover: &handover, progress, tell: &tell, note: &tell };
        let halt = Halt::default();
        tokio::spawn(signals::heed(halt.clone()));
        what(&provisioner, &halt).await.map_err(|error| failure(&error, &halt))
    })
}

/// What somebody gets to hear, and the exit that goes with it: an interruption wins, and what is left behind is worse than
/// what broke.
fn failure(error: &ProvisionError, halt: &Halt) -> Failure {
    match error {
        ProvisionError::Stopped => Failure::interrupted(&halt.reason().expect("nothing else stops it")),
        ProvisionError::Left { why, .. } => match failure(why, halt).exit {
            exit @ (Exit::Interrupted | Exit::Terminated) => Failure { exit, message: chain(error) },
            _ => Failure { exit: Exit::LeftBehind, message: chain(error) },
        },
        ProvisionError::Stays { .. } => Failure { exit: Exit::LeftBehind, message: chain(error) },
        ProvisionError::Ledger(LedgerError::Name { .. })
        | ProvisionError::Cluster(ClusterError::Name { .. }) => Failure::usage(chain(error)),
        error => Failure::environment(error),
    }
}
