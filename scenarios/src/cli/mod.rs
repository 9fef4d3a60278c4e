//! The command line: which words are whose. What they do is elsewhere; here is no logic.

mod args;
mod cluster;
mod compare;
mod components;
mod doctor;
mod explain;
mod gc;
mod held;
mod judge;
mod list;
mod matrix;
mod new;
mod obtain;
mod run;
mod scenarios;
mod screen;
mod signals;
mod upgrade;

use std::process::ExitCode;

use clap::Parser as _;
use handover_fixtures::cause::chain;
use handover_harness::event::Ending;
use handover_reports::Exit;

pub use args::Cli;
use args::{
    BenchArgs, Command, CompareArgs, ComponentsCommand, Format, ImageArgs, JudgeArgs, KindCommand, ListArgs,
    MatrixArgs, PlaneName, RunArgs, Summary, UpArgs, UpgradeArgs, Which, With,
};
pub use screen::Screen;

/// A command that could not do what it should: one message, and the exit code that goes with it.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    fn environment(error: &dyn std::error::Error) -> Self {
        Self { exit: Exit::Environment, message: chain(error) }
    }

    /// Somebody's signal came first: why everything stops.
    fn interrupted(why: &Ending) -> Self {
        let signal = match why {
            Ending::Interrupted(signal) => signal.as_str(),
            other => unreachable!("nothing but a signal halts it: {other:?}"),
        };
        Self { exit: Exit::of_signal(signal), message: format!("interrupted by {signal}") }
    }
}

/// Does what the command line says; what is returned is the process's exit code.
pub fn main() -> ExitCode {
    if let Some(exit) = handover_kind::docker::hidden::answer(std::env::args_os().skip(1)) {
        return exit;
    }
    let cli = Cli::parse();
    // Somebody who links another provider has installed it already; ours is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let screen = Screen::of_process();
    let done = match cli.command {
        Command::Run(args) => run::run(&args, &cli.with, &screen),
        Command::Upgrade(args) => upgrade::upgrade(&args, &cli.with, &screen),
        Command::Matrix(args) => matrix::matrix(&args, &cli.with, &screen),
        Command::Judge(args) => judge::judge(&args, &screen),
        Command::Compare(args) => compare::compare(&args, &screen),
        Command::Lint(which) => scenarios::lint(&which, &screen),
        Command::Explain { paths } => explain::explain(&paths, &screen),
        Command::New { name, dir } => new::new(&name, &dir, &screen),
        Command::List(args) => list::list(&args, &screen),
        Command::Schema => {
            screen.out(&crate::language::schema());
            Ok(Exit::Passed)
        }
        Command::Docs => {
            screen.out(&crate::language::docs::page());
            Ok(Exit::Passed)
        }
        Command::Up(args) => cluster::up(&args, &cli.with, &screen),
        Command::Down { name } => cluster::down(&name, &cli.with, &screen),
        Command::Kind { what: KindCommand::Image(args) } => cluster::image(&args, &cli.with, &screen),
        Command::Doctor { plane } => doctor::doctor(plane, &cli.with, &screen),
        Command::Components { what } => {
            components::components(&what.unwrap_or(ComponentsCommand::List), &cli.with, &screen)
        }
        Command::Gc => gc::gc(&cli.with, &screen),
        Command::Bench(args) => run::bench(&args, &cli.with, &screen),
        // A workload, not a user's command: it has its own words, and exit codes that a kubelet understands.
        Command::Consumer => return handover_fixtures::consumer::main(),
        Command::Relay { dir } => return handover_fixtures::link::pod::main(&dir),
    };
    let exit = done.unwrap_or_else(|failure| {
        screen.error(&failure.message);
        failure.exit
    });
    exit.into()
}
