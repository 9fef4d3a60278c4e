//! `handover upgrade`: what changes when one version takes another's place.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, Override, Overrides, Request, ResolvedSet, resolve};
use handover_harness::compare::{Comparison, compare, crossed};
use handover_harness::verdict::RunVerdict;
use handover_reports::{Exit, comparison, exit_of, exit_of_comparison, write_atomically};

use super::run::{JOBS, default_out, header, make_out, runtime, through};
use super::{Failure, Screen, Summary, UpgradeArgs, With, judge, scenarios, signals};
use crate::language::scenario::Scenario;
use crate::play::halt::Halt;
use crate::play::planes::Where;
use crate::play::releases::{Ends as Named, family};
use crate::play::run::{Order, Show};
use crate::upgrade::{Crossing, Ends, Pace, crossing};

/// `handover upgrade`
pub(super) fn upgrade(args: &UpgradeArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let scenarios = if args.hop_only { Vec::new() } else { scenarios::load(&args.which, screen)? };
    if scenarios.is_empty() && !args.hop_only {
        return Err(scenarios::nothing(&args.which));
    }
    let (from, to) = (named(&args.from, "--from")?, named(&args.to, "--to")?);
    let base = with.request()?;
    let sides = Sides { from: beside(&base, &from), to: beside(&base, &to) };
    let ends = Ends {
        from: obtain(&sides.from, screen)?,
        to: obtain(&sides.to, screen)?,
        components: replaced(from.iter().chain(&to))?,
    };
    let pace = Pace { hold: args.hold, ..Pace::default() };
    let crossing = crossing(&args.manifests, &ends, pace).map_err(|problems| {
        Failure::usage(format!(
            "the manifests do not load\n{}",
            problems.render(screen.style.colour).trim_end()
        ))
    })?;
    if let Some(warned) = &crossing.warned {
        screen.remark(&warned.render(screen.style.colour));
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(&header().run));
    if out.join(JSON).exists() {
        return Err(Failure::usage(format!(
            "{} holds an upgrade already; name another directory",
            out.display()
        )));
    }
    make_out(&out)?;
    let plays = Plays { args, sides: &sides, out: &out, screen, flaws: Flaws::default() };
    plays.through(crossing, &ends, &scenarios)
}

/// The content of the answer, for programs.
const JSON: &str = "comparison.json";
/// The same for a pull request.
const MARKDOWN: &str = "comparison.md";

/// How the components of either side are obtained.
struct Sides {
    from: Request,
    to: Request,
}

/// What was left behind, or where a secret was found, in any of the runs.
#[derive(Default)]
struct Flaws {
    left: bool,
    leaked: bool,
}

struct Plays<'a> {
    args: &'a UpgradeArgs,
    sides: &'a Sides,
    out: &'a Path,
    screen: &'a Screen,
    flaws: Flaws,
}

impl Plays<'_> {
    fn through(mut self, crossing: Crossing, ends: &Ends, scenarios: &[Scenario]) -> Result<Exit, Failure> {
        let Crossing { scenario, asked, .. } = crossing;
        self.screen.remark("across the upgrade");
        let dir = self.out.join("crossing");
        let named = Named::from([("from", self.sides.from.clone()), ("to", self.sides.to.clone())]);
        let played = self.play(&dir, &self.sides.from, named, vec![scenario])?;
        if played.interrupted.is_some() {
            return Ok(exit_of(&played, self.flaws.left, self.flaws.leaked));
        }
        let across = played
            .scenarios
            .first()
            .map(|verdict| judge::timeline(&dir).map(|timeline| crossed(&timeline, verdict, asked.clone())));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        if !scenarios.is_empty() {
            // Side by side in time: what drifts on this machine drifts for both.
            for round in 1..=self.args.rounds {
                for (runs, request, set, word) in
                    [(&mut a, &self.sides.from, &ends.from, "from"), (&mut b, &self.sides.to, &ends.to, "to")]
                {
                    let named = ends.components.iter().filter_map(|component| set.get(*component));
                    let named: Vec<_> =
                        named.map(|found| format!("{} {}", found.component, found.version)).collect();
                    self.screen.remark(&format!("the catalogue on {}", named.join(", ")));
                    let dir =
                        self.out.join(if round == 1 { word.to_owned() } else { format!("{word}-{round}") });
                    let played = self.play(&dir, request, Named::new(), scenarios.to_vec())?;
                    if played.interrupted.is_some() {
                        return Ok(exit_of(&played, self.flaws.left, self.flaws.leaked));
                    }
                    runs.push(played);
                }
            }
        }
        let mut found = compare(&a, &b);
        if let Some(across) = across {
            found = found.crossed(across?);
        }
        self.answer(&found)
    }

    fn play(
        &mut self,
        dir: &Path,
        request: &Request,
        ends: Named,
        scenarios: Vec<Scenario>,
    ) -> Result<RunVerdict, Failure> {
        let header = header();
        let order = Order {
            run: header.run.clone(),
            scenarios,
            jobs: self.args.jobs.unwrap_or(JOBS) as usize,
            out: dir.to_owned(),
            seed: self.args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
            components: request.clone(),
            ends,
            eso_values: self.args.eso_values.clone(),
            keep: false,
            plane: Where::Embedded,
        };
        make_out(dir)?;
        let aftermath = through(&order, header, self.screen)?;
        self.flaws.left |= !aftermath.left.is_empty();
        self.flaws.leaked |= !aftermath.leaks.is_empty();
        let verdict = judge::of_files(dir)?;
        judge::write(&verdict, dir)?;
        Ok(verdict)
    }

    fn answer(&self, found: &Comparison) -> Result<Exit, Failure> {
        let failed = |error: handover_reports::WriteError| Failure::environment(&error);
        write_atomically(&self.out.join(JSON), comparison::to_json(found)).map_err(failed)?;
        write_atomically(&self.out.join(MARKDOWN), comparison::markdown(found)).map_err(failed)?;
        let exit = match &self.flaws {
            Flaws { left: false, leaked: false } => exit_of_comparison(found.outcome()),
            Flaws { .. } => Exit::LeftBehind,
        };
        self.screen.out(&match self.args.format {
            Summary::Human => comparison::terminal(found, exit, &self.screen.style),
            Summary::Markdown => comparison::markdown(found),
            Summary::Json => comparison::to_json(found),
        });
        self.screen.remark(&format!("evidence in {}", self.out.display()));
        Ok(exit)
    }
}

/// What a flag names, each component once.
fn named(words: &[String], flag: &str) -> Result<Vec<Override>, Failure> {
    let mut named: Vec<Override> = Vec::new();
    for word in words {
        let one = Override::parse(word)
            .map_err(|error| Failure::usage(chain(&error).replacen("--component", flag, 1)))?;
        if named.iter().any(|known| known.component == one.component) {
            return Err(Failure::usage(format!("{flag} names {} twice", one.component)));
        }
        named.push(one);
    }
    Ok(named)
}

/// The request with these in place of what it named for the same components and what belongs to them.
fn beside(base: &Request, named: &[Override]) -> Request {
    let parts: BTreeSet<Component> = named.iter().flat_map(|one| family(one.component)).collect();
    let kept = |component: Component| component == Component::Helm || !parts.contains(&component);
    let overrides = base.overrides.without(|component| !kept(component));
    let overrides = named.iter().fold(overrides, |all, one| Overrides::with(&all, one.clone()));
    Request { overrides, ..base.clone() }
}

/// The components that are replaced: those that are named, ESO where a part of it is.
fn replaced<'a>(named: impl Iterator<Item = &'a Override>) -> Result<Vec<Component>, Failure> {
    let mut components = BTreeSet::new();
    for one in named {
        components.insert(match one.component {
            Component::EsoCrds | Component::EsoChart | Component::Helm => Component::Eso,
            other => other,
        });
    }
    if components.is_empty() {
        return Err(Failure::usage("nothing is upgraded: give --from NAME=VERSION and --to NAME=VERSION"));
    }
    Ok(components.into_iter().collect())
}

/// Resolves one side, as its plays will.
fn obtain(request: &Request, screen: &Screen) -> Result<Arc<ResolvedSet>, Failure> {
    let show = screen.live(&[]);
    let halt = Halt::default();
    let resolved = runtime()?.block_on(async {
        let heeding = tokio::spawn(signals::heed(halt.clone()));
        let resolved = tokio::select! {
            resolved = resolve(request.clone(), show.obtaining()) => Some(resolved),
            _ = halt.halted() => None,
        };
        heeding.abort();
        resolved
    });
    match resolved {
        Some(Ok(set)) => Ok(Arc::new(set)),
        Some(Err(error)) => Err(Failure::environment(&error)),
        None => Err(Failure { exit: Exit::Interrupted, message: "interrupted".into() }),
    }
}

/// A duration of the command line.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::language::duration::parse(text).map_err(|error| error.to_string())
}
