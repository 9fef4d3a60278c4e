//! `handover upgrade`: what changes when one version takes another's place.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, Override, Request, ResolvedSet};
use handover_fixtures::process::RunDir;
use handover_harness::compare::{self as sides, Comparison, crossed};
use handover_harness::event::Header;
use handover_harness::verdict::RunVerdict;
use handover_reports::{Exit, comparison, exit_of, exit_of_upgrade, write_atomically};

use super::obtain::until_stopped;
use super::run::{Session, default_out, header, make_out, runtime, side_by_side};
use super::{Failure, Screen, UpgradeArgs, With, compare, judge, scenarios};
use crate::language::scenario::Scenario;
use crate::play::planes::Where;
use crate::play::releases::{self, Ends as Named};
use crate::play::run::{Order, Show};
use crate::upgrade::{Crossing, Ends, Pace, Part, crossing, turns};

/// `handover upgrade`
pub(super) fn upgrade(args: &UpgradeArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let scenarios = if args.hop_only { Vec::new() } else { scenarios::load(&args.which, screen)? };
    if scenarios.is_empty() && !args.hop_only {
        return Err(scenarios::nothing(&args.which));
    }
    let (from, to) = (named(&args.from, "--from")?, named(&args.to, "--to")?);
    let base = with.request()?;
    let sides = Sides { from: beside(&base, &from), to: beside(&base, &to) };
    let plane = args.plane.own();
    let components = replaced(from.iter().chain(&to), &plane)?;
    for side in [&sides.from, &sides.to] {
        plane.takes(side).map_err(|error| Failure::usage(chain(&error)))?;
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(&header().run));
    if out.join(JSON).exists() {
        return Err(Failure::usage(format!(
            "{} holds an upgrade already; name another directory",
            out.display()
        )));
    }
    let ends = sides.obtain(components, &plane, screen)?;
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
    make_out(&out)?;
    let session = Session::new()?;
    let plays = Plays { args, sides: &sides, out: &out, screen, session, flaws: Flaws::default() };
    plays.through(crossing, &ends, &scenarios)
}

/// The content of the answer, for programs.
const JSON: &str = "comparison.json";
/// The same for a pull request.
const MARKDOWN: &str = "comparison.md";

/// The directory of the hop.
const CROSSING: &str = "crossing";

/// How the components of either side are obtained.
struct Sides {
    from: Request,
    to: Request,
}

impl Sides {
    /// The releases, as the plays will have them; nothing else of either side.
    fn obtain(&self, components: Vec<Component>, plane: &Where, screen: &Screen) -> Result<Ends, Failure> {
        let wrong = |error: &dyn std::error::Error| Failure::environment(error);
        // Of ESO it is looked up what it serves.
        let wanted =
            components.iter().chain([&Component::Eso]).flat_map(|component| releases::family(*component));
        let wanted: BTreeSet<Component> = wanted.collect();
        let (cache, id, runtime) = (&self.from.cache, header().run, runtime()?);
        let run = RunDir::create(&cache.root().join("runs"), &id).map_err(|error| wrong(&error))?;
        let containers = plane.containers(cache, &run, &id);
        let show = screen.live(&[]);
        let told = |text: &str| show.run(text);
        let found = runtime.block_on(until_stopped(async {
            plane.check(cache.root()).await.map_err(|error| wrong(&error))?;
            let one = async |side: &Request| {
                let side = side.clone().only(wanted.clone());
                let found = containers.obtain(side, show.obtaining(), &told).await;
                found.map(Arc::new).map_err(|error| wrong(&error))
            };
            Ok((one(&self.from).await?, one(&self.to).await?))
        }));
        let left = runtime.block_on(containers.fell());
        show.clear();
        for line in &left {
            screen.error(&format!("left behind: {line}"));
        }
        run.finish().map_err(|error| wrong(&error))?;
        let (from, to) = found?;
        Ok(Ends { from, to, components })
    }
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
    session: Session,
    flaws: Flaws,
}

impl Plays<'_> {
    fn through(mut self, crossing: Crossing, ends: &Ends, scenarios: &[Scenario]) -> Result<Exit, Failure> {
        let Crossing { scenario, asked, .. } = crossing;
        let heavy = matches!(self.args.plane.own(), Where::Kind { .. });
        let (mut a, mut b, mut across) = (Vec::new(), Vec::new(), Vec::new());
        let rounds = if scenarios.is_empty() { 0 } else { self.args.rounds };
        for turn in turns(rounds, heavy) {
            let orders = turn.iter().map(|part| match part {
                Part::From(round) => {
                    self.order("from", *round, &self.sides.from, Named::new(), scenarios.to_vec())
                }
                Part::To(round) => self.order("to", *round, &self.sides.to, Named::new(), scenarios.to_vec()),
                Part::Hop => {
                    let sides = [("from", self.sides.from.clone()), ("to", self.sides.to.clone())];
                    self.order(CROSSING, 1, &self.sides.from, Named::from(sides), vec![scenario.clone()])
                }
            });
            let orders = orders.collect();
            let said: Vec<String> = turn.iter().map(|part| said(*part, ends)).collect();
            self.screen.remark(&said.join(", and beside it "));
            let played = self.play(orders)?;
            if let Some(stopped) = played.iter().find(|verdict| verdict.interrupted.is_some()) {
                return Ok(exit_of(stopped, self.flaws.left, self.flaws.leaked));
            }
            for (part, verdict) in turn.iter().zip(played) {
                match part {
                    Part::From(_) => a.push(verdict),
                    Part::To(_) => b.push(verdict),
                    Part::Hop => across.push(verdict),
                }
            }
        }
        let hop = across.pop().expect("the hop is played once");
        let timeline = judge::timeline(&self.out.join(CROSSING))?;
        let broke = a.iter().chain(&b).chain([&hop]).any(|run| run.broke.is_some());
        let found = sides::compare(&a, &b).crossed(crossed(&timeline, &hop, asked));
        self.answer(&found, broke)
    }

    /// A run that begins now, whose files are called by `word`, and by the round where it is not the first.
    fn order(
        &self,
        word: &str,
        round: u64,
        request: &Request,
        ends: Named,
        scenarios: Vec<Scenario>,
    ) -> (Order, Header) {
        let (header, plane) = (header(), self.args.plane.own());
        let dir = self.out.join(if round == 1 { word.to_owned() } else { format!("{word}-{round}") });
        let order = Order {
            run: header.run.clone(),
            scenarios,
            jobs: self.args.jobs.unwrap_or(plane.jobs()) as usize,
            out: dir,
            seed: self.args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
            components: request.clone(),
            ends,
            eso_values: self.args.eso_values.clone(),
            keep: false,
            plane,
        };
        (order, header)
    }

    /// Plays these side by side; answers with the verdict of each.
    fn play(&mut self, orders: Vec<(Order, Header)>) -> Result<Vec<RunVerdict>, Failure> {
        for (order, _) in &orders {
            make_out(&order.out)?;
        }
        let playing = orders.iter().map(|(order, header)| (order, header.clone())).collect();
        let mut verdicts = Vec::new();
        for (verdict, aftermath) in side_by_side(playing, self.screen, &self.session)? {
            self.flaws.left |= !aftermath.left.is_empty();
            self.flaws.leaked |= !aftermath.leaks.is_empty();
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// Says what it comes to. `broke`: the environment of a run did.
    fn answer(&self, found: &Comparison, broke: bool) -> Result<Exit, Failure> {
        let failed = |error: handover_reports::WriteError| Failure::environment(&error);
        write_atomically(&self.out.join(JSON), comparison::to_json(found)).map_err(failed)?;
        write_atomically(&self.out.join(MARKDOWN), comparison::markdown(found)).map_err(failed)?;
        let exit = exit_of_upgrade(found, broke, self.flaws.left, self.flaws.leaked);
        compare::show(found, exit, self.args.format, self.screen);
        self.screen.remark(&format!("evidence in {}", self.out.display()));
        Ok(exit)
    }
}

/// What a run plays, for people.
fn said(part: Part, ends: &Ends) -> String {
    let catalogue = |set: &ResolvedSet| {
        let named = ends.components.iter().filter_map(|component| set.get(*component));
        let named: Vec<_> = named.map(|found| format!("{} {}", found.component, found.version)).collect();
        format!("the catalogue on {}", named.join(", "))
    };
    match part {
        Part::From(_) => catalogue(&ends.from),
        Part::To(_) => catalogue(&ends.to),
        Part::Hop => "the hop between the two".to_owned(),
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

/// The request with these in place of what it named for the same components.
fn beside(base: &Request, named: &[Override]) -> Request {
    let components: Vec<Component> = named.iter().map(|one| one.component).collect();
    releases::beside(base, &components, named)
}

/// The components that are replaced: those that are named, ESO where a part of it is.
fn replaced<'a>(named: impl Iterator<Item = &'a Override>, plane: &Where) -> Result<Vec<Component>, Failure> {
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
    for component in &components {
        plane.replaces(*component).map_err(Failure::usage)?;
    }
    Ok(components.into_iter().collect())
}

/// A duration of the command line.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::language::duration::parse(text).map_err(|error| error.to_string())
}
