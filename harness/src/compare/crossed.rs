//! From the timeline of a scenario in which one version took another's place to the [`Crossing`] that it was.

use super::{CallRate, Crossing, CrossingPhase, Differs, Lag, Moved, PhaseCalls, Shift, Unwatched, Watched};
use crate::clock::Micros;
use crate::event::{ComponentState, CounterName, CredentialName, Hop, OrderKind, ScenarioId};
use crate::timeline::{Change, Counting, Placed, Story, Timeline};
use crate::verdict::{Finding, HopRow, RunVerdict, ScenarioVerdict, Verdict};

/// What is known of a crossing before it is played.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The scenario that is played.
    pub scenario: ScenarioId,
    /// What takes the place of what.
    pub changes: Vec<Differs>,
    /// What is wrong for this pair of versions before anything is played.
    pub findings: Vec<Finding>,
    /// The values that are watched.
    pub watched: Vec<Watched>,
    /// Those that cannot be.
    pub unwatched: Vec<Unwatched>,
    /// The calls that are counted.
    pub calls: Vec<AskedCalls>,
    /// A credential that is written and synced at once, again and again, in each phase.
    pub paced: Option<CredentialName>,
    /// What is known to move.
    pub known: Vec<Known>,
    /// What cannot be done for these versions, or is done otherwise.
    pub limits: Vec<String>,
}

/// Values that are known to move when the new version comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where they are seen.
    pub at: Hop,
    /// A part of [`Watched::what`].
    pub what: String,
    /// The defect.
    pub defect: String,
}

/// Calls that are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCalls {
    /// The counter's name.
    pub counter: CounterName,
    /// What is called, as a person would say it.
    pub what: String,
    /// The refresh interval that the calls follow; none: none.
    pub interval: Option<Micros>,
}

/// Which of the two versions runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    From,
    /// The old one, on the kinds of the new one.
    Between,
    To,
}

/// A phase, and when it began and ended on the clock.
struct Phase {
    name: String,
    runs: Runs,
    began: Micros,
    ended: Micros,
    outage: Option<Micros>,
}

/// What the crossing was, which this run alone played. One that was not played, or whose environment broke, is an
/// error and says why: that nothing moved says nothing then.
pub fn crossed(timeline: &Timeline, run: &RunVerdict, asked: Asked) -> Crossing {
    let verdict = run.scenarios.iter().find(|verdict| verdict.scenario == asked.scenario);
    let story = timeline.stories.get(&asked.scenario);
    let mut crossing = match (story, verdict) {
        (Some(story), Some(verdict)) => played(timeline, story, verdict, asked),
        (None, _) | (_, None) => unplayed(asked),
    };
    let told = crossing.findings.iter().any(|finding| finding.verdict == Verdict::Error);
    let why = run.broke.as_deref().or(crossing.phases.is_empty().then_some("its run does not say why"));
    if let Some(why) = why.filter(|_| !told) {
        crossing.findings.push(Finding::own("environment", Verdict::Error, "it is played to its end", why));
        crossing.verdict = crossing.verdict.max(Verdict::Error);
    }
    crossing
}

/// What is known without a play.
fn unplayed(asked: Asked) -> Crossing {
    Crossing {
        changes: asked.changes,
        phases: Vec::new(),
        watched: asked.watched,
        moved: Vec::new(),
        calls: Vec::new(),
        lag: Vec::new(),
        unwatched: asked.unwatched,
        findings: asked.findings,
        verdict: Verdict::Error,
        limits: asked.limits,
    }
}

fn played(timeline: &Timeline, story: &Story, verdict: &ScenarioVerdict, asked: Asked) -> Crossing {
    let phases = phases(timeline, story);
    let moved = asked.watched.iter().flat_map(|watched| moved(story, &phases, watched, &asked.known));
    let moved: Vec<Moved> = moved.collect();
    // A value that moved is told as one; what else did not pass is told as it is.
    let told = |verb: &str| verb == "holds_still" && !moved.is_empty();
    let findings = verdict.findings.iter();
    let findings = findings.filter(|finding| finding.verdict != Verdict::Pass && !told(&finding.verb));
    let resolution = timeline.calibration.as_ref().map_or(Micros(0), |c| c.watch_delivery.p99);
    let starts = story.notes.iter().map(|note| note.text.text()).filter(|text| text.contains(LEFT_OUT));
    let mut limits = asked.limits;
    limits.extend(starts.map(str::to_owned));
    limits.dedup();
    Crossing {
        changes: asked.changes,
        moved: moved.clone(),
        calls: asked.calls.iter().filter_map(|calls| rate(story, &phases, calls)).collect(),
        lag: asked.paced.iter().filter_map(|of| lag(story, &phases, verdict, of, resolution)).collect(),
        findings: asked.findings.into_iter().chain(findings.cloned()).collect(),
        phases: phases.iter().map(|phase| phase.shown(story)).collect(),
        watched: asked.watched,
        unwatched: asked.unwatched,
        verdict: verdict.verdict,
        limits,
    }
}

/// How a note begins to say that a program was started without some of its flags.
const LEFT_OUT: &str = "started without";

/// The mark from which on nothing is new any more: what is made twice at its beginning has moved, but not by the crossing.
pub const STEADY: &str = "steady";

/// The kinds that a component serves, as a component of their own: `eso-crds`.
const KINDS: &str = "-crds";

impl Phase {
    fn holds(&self, moment: Micros) -> bool {
        self.began <= moment && moment < self.ended
    }

    fn shown(&self, story: &Story) -> CrossingPhase {
        CrossingPhase {
            name: self.name.clone(),
            began_us: self.began - story.began,
            ended_us: self.ended - story.began,
            outage_us: self.outage,
        }
    }
}

/// What ran when.
fn phases(timeline: &Timeline, story: &Story) -> Vec<Phase> {
    let steady = story.steps.values().find(|step| step.text == format!("mark {STEADY}"));
    let first = story.steps.values().map(|step| step.began).min();
    let began = steady.map(|step| step.began).or(first).unwrap_or(story.began);
    // What is cleaned up, and comes back, after the last look is no part of it.
    let last = story.steps.values().map(|step| step.ended.unwrap_or(story.end())).max();
    let looks = story.tracks.values().flat_map(|track| &track.samples).map(|sample| sample.answered);
    let over = looks.max().max(last).unwrap_or(story.end()) + Micros(1);
    let replaced = |placed: &&Placed| !placed.release.name.ends_with(KINDS);
    let first = story.releases.iter().find(replaced);
    let component = first.map_or("", |placed| placed.release.name.as_str());
    let known = timeline.run.iter().flat_map(|run| &run.components);
    let version = known.filter(|known| known.name == component).map(|known| known.version.as_str()).next();
    let mut running = format!("{component} {}", version.unwrap_or("of an unknown version"));
    let mut phases =
        vec![Phase { name: running.clone(), runs: Runs::From, began, ended: story.end(), outage: None }];
    let mut come = false;
    for placed in story.releases.iter().filter(|placed| (began..over).contains(&placed.at)) {
        let release = &placed.release;
        let kinds = release.name.ends_with(KINDS);
        if !kinds && release.name != component {
            continue;
        }
        let away = if kinds { None } else { away(&timeline.components, placed) };
        let (name, runs) = match (kinds, come) {
            (true, _) => (format!("CRDs of {}, {running}", release.version), Runs::Between),
            (false, true) => (format!("back on {component} {}", release.version), Runs::From),
            (false, false) => (format!("{component} {}", release.version), Runs::To),
        };
        // The same version once more is another phase all the same.
        let name = if phases.iter().any(|p| p.name == name) { format!("{name}, started anew") } else { name };
        if !kinds {
            running = format!("{component} {}", release.version);
            come = !come;
        }
        let began = away.map_or(placed.at, |(stopped, _)| stopped);
        let outage = away.and_then(|(stopped, ready)| Some(ready? - stopped));
        if let Some(before) = phases.last_mut() {
            before.ended = began;
        }
        phases.push(Phase { name, runs, began, ended: over, outage });
    }
    phases
}

/// From when on nobody ran, and when somebody was ready again.
fn away(changes: &[Change], placed: &Placed) -> Option<(Micros, Option<Micros>)> {
    let mine = || changes.iter().filter(|c| c.name == placed.release.name && c.seq > placed.seq);
    let stopped = mine().find(|change| change.state == ComponentState::Stopped)?.at;
    let ready = mine().find(|change| change.state == ComponentState::Ready && change.at >= stopped);
    Some((stopped, ready.map(|change| change.at)))
}

/// The moves of a value, those of one phase together.
fn moved(story: &Story, phases: &[Phase], watched: &Watched, known: &[Known]) -> Vec<Moved> {
    let moves = story.moves(&watched.credential, watched.at);
    let in_phase = |phase: &Phase| {
        let here: Vec<_> = moves.iter().filter(|moved| phase.holds(moved.at)).collect();
        let first = here.first()?;
        let is_known = |known: &&Known| known.at == watched.at && watched.what.contains(&known.what);
        let known = known.iter().filter(|_| phase.runs == Runs::To).find(is_known);
        Some(Moved {
            credential: watched.credential.clone(),
            at: watched.at,
            what: watched.what.clone(),
            moves: format!("{} → {}", first.from, first.to),
            phase: phase.name.clone(),
            since_phase_us: first.at - phase.began,
            since_start_us: first.at - story.began,
            times: here.len(),
            evidence: here.iter().map(|moved| moved.seq).collect(),
            known: known.map(|known| known.defect.clone()),
        })
    };
    phases.iter().filter_map(in_phase).collect()
}

fn rate(story: &Story, phases: &[Phase], asked: &AskedCalls) -> Option<CallRate> {
    let readings = story.counts.get(&asked.counter)?;
    let before = |moment: Micros| {
        let earlier = readings.iter().rfind(|reading: &&Counting| reading.at < moment);
        earlier.map_or(0, |reading| reading.value)
    };
    // Who has just started asks for everything once: what follows no interval is compared between such phases alone.
    let alike = phases.iter().filter(|phase| asked.interval.is_some() || phase.outage.is_some());
    let per_phase = alike.map(|phase| {
        let calls = before(phase.ended).saturating_sub(before(phase.began));
        let per = asked.interval.unwrap_or(MINUTE).0 as f64;
        let length = (phase.ended - phase.began).0 as f64;
        let rate = if length > 0.0 { calls as f64 * per / length } else { 0.0 };
        PhaseCalls { phase: phase.name.clone(), calls, rate }
    });
    Some(CallRate { what: asked.what.clone(), interval_us: asked.interval, per_phase: per_phase.collect() })
}

const MINUTE: Micros = Micros(60_000_000);

/// How long a written value took to the Secret on either version.
fn lag(
    story: &Story,
    phases: &[Phase],
    verdict: &ScenarioVerdict,
    credential: &str,
    resolution: Micros,
) -> Option<Lag> {
    let rows = || verdict.hops.iter().filter(|row| row.credential == credential && row.hop == Hop::Secret);
    let on = |runs: Runs| -> Vec<Micros> {
        let phase = |row: &&HopRow| {
            let at = row.at_us.map(|at| at + story.began);
            at.is_some_and(|at| phases.iter().any(|phase| phase.runs == runs && phase.holds(at)))
        };
        let ordered = rows().filter(|row| row.kind != OrderKind::Scheduled).filter(phase);
        ordered.filter_map(middle).collect()
    };
    let (from, to) = (on(Runs::From), on(Runs::To));
    if from.is_empty() && to.is_empty() {
        return None;
    }
    let what = "a written value, synced at once, reaches its Secret".to_owned();
    Some(Lag { what, shift: Shift::between(&from, &to, resolution) })
}

/// Between the two bounds of a time.
fn middle(row: &HopRow) -> Option<Micros> {
    let bounds = row.since_rotation_us?;
    let most = bounds.at_most?;
    Some(Micros(bounds.at_least.0 + (most.0 - bounds.at_least.0.min(most.0)) / 2))
}
