//! `handover up` and `handover down` on the embedded plane: a program of its own holds a control plane.

use std::fs;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, Request as Components, resolve};
use handover_fixtures::embedded::Request;
use handover_fixtures::embedded::keeper::{self, Keeper, LOG};
use handover_fixtures::kept::{Kept, KeptError};
use handover_fixtures::process::{
    Identity, RunDir, Signal, lives, pass_no_files_on, this_program, write_private,
};
use handover_reports::Exit;

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

/// Starts a control plane that stays.
pub(super) fn up(args: &UpArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    if args.image.node_image.is_some() {
        return Err(Failure::usage("--node-image is about a cluster: say --plane kind"));
    }
    let request = with.request()?;
    let kept = Kept::of(request.cache.root());
    // What a killed one left would be in the way of one of the same name.
    gc::runs(request.cache.root())?;
    let made = lives(&request.cache.root().join("runs"), &args.name);
    if kept.keeps(&args.name) || made.map_err(|error| Failure::usage(error.to_string()))? {
        return Err(Failure::environment(&KeptError::Taken { name: args.name.clone() }));
    }
    if args.foreground { hold(args, request, screen) } else { leave(args, request, screen) }
}

/// Starts this program again, which holds the control plane from then on.
fn leave(args: &UpArgs, request: Components, screen: &Screen) -> Result<Exit, Failure> {
    let began = Instant::now();
    let kept = Kept::of(request.cache.root());
    let failed = |error: &dyn std::error::Error| Failure::environment(error);
    // While somebody is there to whom it can be shown.
    let resolved = run::runtime()?.block_on(resolve(request.only(WANTED), Arc::from(on_stderr())));
    resolved.map_err(|error| failed(&error))?;
    let dir = kept.make_room(&args.name).map_err(|error| failed(&error))?;
    let path = dir.join(LOG);
    write_private(&path, "").map_err(|error| failed(&error))?;
    let log = fs::OpenOptions::new().append(true).open(&path).map_err(|error| failed(&error))?;
    let handover = this_program().map_err(|error| failed(&error))?;
    pass_no_files_on().map_err(|error| failed(&error))?;
    let mut keeper = Command::new(handover);
    keeper.args(std::env::args_os().skip(1)).arg("--foreground");
    // In no group of this terminal's: its signals are not the keeper's.
    std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
    keeper.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut keeper = keeper.spawn().map_err(|error| failed(&error))?;
    let said = keeper.stdout.take().expect("it was asked for");
    let said = run::runtime()?.block_on(async {
        let halt = Halt::default();
        let heeding = tokio::spawn(signals::heed(halt.clone()));
        let said = tokio::select! {
            said = tokio::task::spawn_blocking(move || first_line(said)) => said.unwrap_or_default(),
            _ = halt.halted() => String::new(),
        };
        heeding.abort();
        said
    });
    if said.is_empty() {
        // It ended without a word, or is not wanted any more.
        if let Some(keeper) = Identity::of(keeper.id().cast_signed()) {
            keeper.signal(Signal::TERM).map_err(|error| failed(&error))?;
        }
        let status = keeper.wait().map_err(|error| failed(&error))?;
        let log = fs::read_to_string(&path).unwrap_or_default();
        kept.forget(&args.name).map_err(|error| failed(&error))?;
        let message = format!("the control plane did not come to be ({status}): {}", log.trim());
        return Err(Failure { exit: Exit::Environment, message });
    }
    screen.line(&said);
    screen.remark(&format!(
        "control plane `{}`: there after {:.1} s, held by pid {}; `handover down {}` removes it",
        args.name,
        began.elapsed().as_secs_f64(),
        keeper.id(),
        args.name
    ));
    Ok(Exit::Passed)
}

/// Everything up to the end of a line, or of the pipe.
fn first_line(mut pipe: impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match pipe.read(&mut byte) {
            Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return String::from_utf8_lossy(&line).into_owned(),
        }
    }
}

/// Holds a control plane until somebody stops this program.
fn hold(args: &UpArgs, request: Components, screen: &Screen) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let cache = request.cache.root().to_owned();
    let run = RunDir::create(&cache.join("runs"), name).map_err(|error| Failure::environment(&error))?;
    let (ended, left) = run::runtime()?.block_on(async {
        let halt = Halt::default();
        let heeding = tokio::spawn(signals::heed(halt.clone()));
        let starting = async {
            let components = resolve(request.only(WANTED), Arc::from(on_stderr())).await;
            let components = components.map_err(|error| Failure::environment(&error))?;
            let request = Request {
                cache: &cache,
                run: &run,
                servers: [].into(),
                workloads: false,
                components: &components,
                eso_values: None,
                tell: &|_, _| {},
                note: &|text| screen.remark(text),
            };
            Keeper::start(&request, name).await.map_err(|error| Failure::environment(&error))
        };
        let keeper = tokio::select! {
            keeper = starting => keeper,
            _ = halt.halted() => Err(Failure { exit: Exit::Interrupted, message: "interrupted".into() }),
        };
        let ended = match keeper {
            Err(failure) => (Err(failure), Vec::new()),
            Ok(keeper) => {
                screen.line(&keeper.kubeconfig().display().to_string());
                let ended = tokio::select! {
                    message = keeper.dies() => Err(Failure { exit: Exit::Environment, message }),
                    // That is how it is meant to end.
                    _ = halt.halted() => Ok(()),
                };
                (ended, keeper.stop().await)
            }
        };
        heeding.abort();
        ended
    });
    // Of one that broke, what it said stays until somebody forgets it.
    if ended.is_ok() {
        Kept::of(&cache).forget(name).map_err(|error| Failure::environment(&error))?;
    }
    for line in &left {
        screen.error(&format!("left behind: {line}"));
    }
    run.finish().map_err(|error| Failure::environment(&error))?;
    ended.map(|()| if left.is_empty() { Exit::Passed } else { Exit::LeftBehind })
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
