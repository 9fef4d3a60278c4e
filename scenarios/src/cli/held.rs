//! `handover up` and `handover down` on the embedded plane: a program of its own holds a control plane.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::iter;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, Request as Components, resolve};
use handover_fixtures::embedded::keeper::{self, Keeper, LOG};
use handover_fixtures::files::write_private;
use handover_fixtures::ground::Request;
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::process::{
    Identity, LedgerError, RunDir, Signal, lives, pass_no_files_on, this_program,
};
use handover_reports::Exit;
use rustix::stdio::dup2_stderr;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::{Failure, Screen, UpArgs, With, gc, run, signals};
use crate::play::halt::Halt;

/// What a control plane is made of, and its template.
const WANTED: [Component; 7] = [
    Component::Etcd,
    Component::KubeApiserver,
    Component::KubeControllerManager,
    Component::Eso,
    Component::EsoCrds,
    Component::EsoChart,
    Component::Helm,
];

/// How somebody says that something of theirs is still there.
const LEFT: &str = "left behind";

/// Starts a control plane that stays.
pub(super) fn up(args: &UpArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    if args.image.node_image.is_some() {
        return Err(Failure::usage("--node-image is about a cluster: say --plane kind"));
    }
    let request = with.request()?;
    let (kept, runs) = (Kept::of(request.cache.root()), request.cache.root().join("runs"));
    // What a killed one left would be in the way of one of the same name.
    gc::runs(request.cache.root())?;
    // Told before anything is obtained. Who makes one at the same time is told when its run is made.
    if kept.keeps(&args.name) {
        return Err(Failure::environment(&KeptError::Taken { name: args.name.clone() }));
    }
    if lives(&runs, &args.name).map_err(|error| Failure::usage(error.to_string()))? {
        return Err(Failure::environment(&LedgerError::Taken { path: runs.join(&args.name) }));
    }
    match args.foreground || args.keeper {
        true => hold(args, request, screen),
        false => run::runtime()?.block_on(leave(args, request, screen)),
    }
}

/// Starts this program again, which holds the control plane from then on.
async fn leave(args: &UpArgs, request: Components, screen: &Screen) -> Result<Exit, Failure> {
    let began = Instant::now();
    let halt = Halt::default();
    tokio::spawn(signals::heed(halt.clone()));
    // While somebody is there to whom it can be shown.
    tokio::select! {
        resolved = resolve(request.only(WANTED), Arc::from(on_stderr())) => resolved.map(drop).map_err(broke)?,
        why = halt.halted() => return Err(Failure::interrupted(&why)),
    }
    let mut keeper = keeper()?.spawn().map_err(broke)?;
    let pid = keeper.id().expect("nobody has waited for it yet");
    let said = keeper.stdout.take().expect("it was asked for");
    let words = tokio::spawn(all(keeper.stderr.take().expect("it was asked for")));
    let mut line = String::new();
    let mut said = BufReader::new(said);
    let stopped = tokio::select! {
        read = said.read_line(&mut line) => {
            read.map_err(broke)?;
            None
        }
        why = halt.halted() => Some(why),
    };
    if stopped.is_none() && !line.is_empty() {
        screen.line(line.trim_end());
        let took = began.elapsed().as_secs_f64();
        let name = &args.name;
        screen.remark(&format!(
            "control plane `{name}`: there after {took:.1} s, held by pid {pid}; `handover down {name}` removes it"
        ));
        return Ok(Exit::Passed);
    }
    // It is not wanted any more, or ended without a word. In no group of the terminal's, it has not heard of a signal.
    if let Some(keeper) = stopped.as_ref().and_then(|_| Identity::of(pid.cast_signed())) {
        keeper.signal(Signal::TERM).map_err(broke)?;
    }
    let status = keeper.wait().await.map_err(broke)?;
    let words = words.await.unwrap_or_default();
    match stopped {
        Some(why) => {
            words.lines().filter(|line| line.contains(LEFT)).for_each(|line| screen.remark(line));
            Err(Failure::interrupted(&why))
        }
        None => {
            let exit = Exit::ALL.into_iter().find(|exit| status.code() == Some(exit.code().into()));
            let message = format!("the control plane did not come to be ({status}): {}", words.trim());
            Err(Failure { exit: exit.unwrap_or(Exit::Environment), message })
        }
    }
}

/// This program as the keeper of what this command line says.
fn keeper() -> Result<Command, Failure> {
    let mut keeper = Command::new(this_program().map_err(broke)?);
    pass_no_files_on().map_err(broke)?;
    keeper.args(std::env::args_os().skip(1)).arg("--keeper");
    // In no group of this terminal's: its signals are not the keeper's.
    keeper.process_group(0);
    keeper.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(keeper)
}

/// Everything up to the end of a pipe.
async fn all(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    // What was read until it failed is all that there is.
    let _ = pipe.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Holds a control plane until somebody stops this program.
fn hold(args: &UpArgs, request: Components, screen: &Screen) -> Result<Exit, Failure> {
    let cache = request.cache.root().to_owned();
    // First the run, and then the room: with the run the name is nobody else's.
    let run = RunDir::create(&cache.join("runs"), &args.name).map_err(broke)?;
    let held = match Kept::of(&cache).make_room(&run) {
        Ok(_) => run::runtime()?.block_on(in_room(args, request, &run, screen)),
        Err(error) => Err(Failure::environment(&error)),
    };
    let finished = run.finish().map_err(broke);
    held.and_then(|exit| finished.map(|()| exit))
}

/// Holds it in its room, which goes with it; but for what it said when it broke and nobody was there to hear it.
async fn in_room(args: &UpArgs, request: Components, run: &RunDir, screen: &Screen) -> Result<Exit, Failure> {
    let halt = Halt::default();
    tokio::spawn(signals::heed(halt.clone()));
    let kept = Kept::of(request.cache.root());
    let keeper = tokio::select! {
        keeper = start(args, request, run, screen) => keeper,
        why = halt.halted() => Err(Failure::interrupted(&why)),
    };
    let keeper = match keeper {
        Ok(keeper) => keeper,
        Err(failure) => {
            if let Err(error) = kept.forget(run.name()) {
                screen.error(&format!("{LEFT}: {}", chain(&error)));
            }
            return Err(failure);
        }
    };
    let ended = tokio::select! {
        died = keeper.dies() => Some(died),
        // That is how it is meant to end.
        _ = halt.halted() => None,
    };
    let left = keeper.stop().await;
    for line in &left {
        screen.error(&format!("{LEFT}: {line}"));
    }
    if ended.is_none() || args.foreground {
        kept.forget(run.name()).map_err(broke)?;
    }
    match (ended, left.is_empty()) {
        (Some(message), true) => Err(Failure { exit: Exit::Environment, message }),
        (Some(message), false) => Err(Failure { exit: Exit::LeftBehind, message }),
        (None, true) => Ok(Exit::Passed),
        (None, false) => Ok(Exit::LeftBehind),
    }
}

async fn start(args: &UpArgs, request: Components, run: &RunDir, screen: &Screen) -> Result<Keeper, Failure> {
    let cache = request.cache.root().to_owned();
    let components = resolve(request.only(WANTED), Arc::from(on_stderr())).await.map_err(broke)?;
    let request = Request {
        cache: &cache,
        run,
        servers: [].into(),
        workloads: false,
        components: &components,
        eso_values: None,
        tell: &|_, _| {},
        note: &|text| screen.remark(text),
    };
    let keeper = Keeper::start(&request, run.name()).await.map_err(broke)?;
    if let Err(error) = tell(args, &keeper, &Kept::of(&cache).dir(run.name())) {
        let unheard = format!("nobody hears that it is there: {error}");
        let left = keeper.stop().await.into_iter().map(|line| format!("{LEFT}: {line}"));
        let message = iter::once(unheard).chain(left).collect::<Vec<_>>().join("; ");
        return Err(Failure { exit: Exit::Environment, message });
    }
    Ok(keeper)
}

/// Says that it is there. Who started it leaves then, and whatever else it has to say is for its log.
fn tell(args: &UpArgs, keeper: &Keeper, room: &Path) -> io::Result<()> {
    if args.keeper {
        let path = room.join(LOG);
        write_private(&path, "")?;
        dup2_stderr(OpenOptions::new().append(true).open(&path)?)?;
    }
    writeln!(io::stdout(), "{}", keeper.kubeconfig().display())
}

fn broke(error: impl std::error::Error) -> Failure {
    Failure::environment(&error)
}

/// Removes a control plane that was kept.
pub(super) fn down(name: &str, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let began = Instant::now();
    let cache = with.request()?.cache;
    let ended = run::runtime()?.block_on(keeper::end(cache.root(), name));
    ended.map_err(|error| Failure::environment(&error))?;
    let (_, left) = gc::runs(cache.root())?;
    for line in &left {
        screen.error(line);
    }
    screen.line(&format!("removed control plane `{name}` in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(if left.is_empty() { Exit::Passed } else { Exit::LeftBehind })
}
