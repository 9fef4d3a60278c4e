//! What the harness itself found: steps that went wrong, an end that is none, probes that did not do
//! their work. These keep a scenario from passing on evidence that is not there.

use crate::clock::Micros;
use crate::event::{Ending, Hop, Phase};
use crate::plan::ProbePlan;
use crate::probe::IN_FLIGHT;
use crate::timeline::{Answer, Story, Timeline};
use crate::verdict::{Finding, ProbeHealth, Verdict};

/// One in so many due times may be missed; and for so many periods a probe may be silent.
const TOLERATED: u64 = 10;
/// A silence that is no longer than this says nothing, however short the period.
const SILENCE: Micros = Micros(2_000_000);

/// That a scenario was not played, and why.
pub(super) fn skipped(why: &str) -> Finding {
    Finding::own("environment", Verdict::Skipped, "the scenario is played", why)
}

/// All that the harness itself found about a scenario that was played.
pub(super) fn findings(timeline: &Timeline, story: &Story) -> Vec<Finding> {
    let mut findings: Vec<Finding> = steps(story).collect();
    findings.extend(ending(timeline, story));
    if story.plan.expectations.is_empty() && story.plan.pinned.is_empty() {
        let seen = "nothing is expected, so nothing can pass";
        findings.push(Finding::own("evidence", Verdict::Inconclusive, "something is expected", seen));
    }
    if findings.is_empty() && !story.complete() {
        let done = story.steps.values().filter(|step| step.phase == Phase::Done).count();
        let seen = format!("{done} of {} steps were done", story.plan.steps);
        findings.push(Finding::own("evidence", Verdict::Inconclusive, "every step is played", seen));
    }
    findings
        .extend(story.plan.probes.iter().filter_map(|(name, planned)| probe_worked(story, name, planned)));
    findings
}

/// The steps that did not do what they should.
fn steps(story: &Story) -> impl Iterator<Item = Finding> {
    story.steps.iter().filter_map(|(index, step)| {
        let (verdict, seen) = match &step.phase {
            Phase::Started | Phase::Done => return None,
            Phase::OutOfTime(last) => (Verdict::Inconclusive, format!("out of time; last seen: {last}")),
            Phase::Moved(what) => (Verdict::Fail, what.to_string()),
            Phase::Failed(why) => (Verdict::Error, why.to_string()),
        };
        let expected = format!("step {}: {}", index + 1, step.text);
        Some(Finding { evidence: vec![step.seq], ..Finding::own("step", verdict, expected, seen) })
    })
}

/// An end that is none.
fn ending(timeline: &Timeline, story: &Story) -> Option<Finding> {
    let own = story.ended.as_ref().map(|(_, ending)| ending);
    let (verdict, seen) = match own.or(timeline.ending.as_ref().map(|(_, ending)| ending)) {
        Some(Ending::Broke(how)) => (Verdict::Error, how.to_string()),
        Some(Ending::Interrupted(signal)) => (Verdict::Inconclusive, format!("interrupted by {signal}")),
        Some(Ending::Finished | Ending::Skipped(_)) if own.is_some() => return None,
        Some(Ending::Finished | Ending::Skipped(_)) => {
            (Verdict::Inconclusive, "the run ended before the scenario did".to_owned())
        }
        None => (Verdict::Inconclusive, "the run was killed before the scenario ended".to_owned()),
    };
    Some(Finding::own("environment", verdict, "the scenario is played to its end", seen))
}

/// How each probe did its work.
pub(super) fn health(story: &Story) -> Vec<ProbeHealth> {
    story.plan.probes.iter().map(|(name, planned)| health_of(story, name, planned)).collect()
}

fn health_of(story: &Story, name: &str, planned: &ProbePlan) -> ProbeHealth {
    let (mut answered, mut missed, mut latest_us) = (0, 0, Micros(0));
    for sample in story.samples_by(name) {
        match sample.answer {
            Answer::Shows(_) | Answer::Accepted(_) | Answer::Refused(_) | Answer::Locked(_) => answered += 1,
            Answer::Unclear(_) => answered += 1,
            Answer::Unreachable(_) => {}
            Answer::Missed => {
                missed += 1;
                continue;
            }
        }
        latest_us = latest_us.max(sample.asked - sample.due);
    }
    ProbeHealth {
        probe: name.to_owned(),
        hop: planned.hop,
        every_us: planned.every,
        answered,
        missed,
        gaps: story.gaps.iter().filter(|gap| gap.probe == name).count() as u64,
        latest_us,
    }
}

/// Whether a periodic probe was answered at all, asked when it was due, and went on until the steps were done.
fn probe_worked(story: &Story, name: &str, planned: &ProbePlan) -> Option<Finding> {
    let every = planned.every?;
    let expected = format!("{name} asks {} again and again", planned.hop);
    let inconclusive = |seen| Some(Finding::own("evidence", Verdict::Inconclusive, expected, seen));
    let health = health_of(story, name, planned);
    if health.answered == 0 {
        return inconclusive("it never had an answer".to_owned());
    }
    let due = story.samples_by(name).count() as u64;
    let missed = health.missed - hung(story, name);
    if missed * TOLERATED > due {
        return inconclusive(format!("the machine was saturated: of {due} due times {missed} were missed"));
    }
    // Its period may change while it runs, so only a silence that no period explains counts.
    let last = story.samples_by(name).map(|sample| sample.due).max()?;
    let until = story.steps.values().filter_map(|step| step.ended).max().unwrap_or(story.end());
    let until = until.min(last_there(story, name).unwrap_or(until));
    if planned.hop == Hop::Login
        && let Some(gap) = story.gaps.iter().find(|gap| gap.probe == name && gap.from < until)
    {
        return inconclusive(format!("nothing was heard for {}: {}", gap.until - gap.from, gap.why));
    }
    let bearable = Micros(every.0.saturating_mul(TOLERATED)).max(SILENCE);
    if until - last > bearable {
        return inconclusive(format!("it fell silent {} before the last step was done", until - last));
    }
    // Nor does one replica hide behind another that goes on.
    let lives = story.lives_of(name);
    let silent = lives.iter().filter(|life| life.gone.is_none()).find_map(|life| {
        let last = life.samples.iter().map(|sample| sample.due).max()?;
        (until - last > bearable).then_some((life.name?, until - last))
    });
    silent.and_then(|(replica, silence)| {
        inconclusive(format!("{replica} fell silent {silence} before the last step was done"))
    })
}

/// How many due times were missed because the server did not answer: [`IN_FLIGHT`] questions or more were on their way, and
/// none of them came to anything. A machine that has too much to do is another thing: it asks late, and is answered.
fn hung(story: &Story, probe: &str) -> u64 {
    let (missed, asked): (Vec<_>, Vec<_>) =
        story.samples_by(probe).partition(|sample| sample.answer == Answer::Missed);
    let by_silence = |due: Micros| {
        let mut on_their_way = 0;
        let waiting = asked.iter().filter(|sample| sample.asked <= due && due < sample.answered);
        let in_vain = waiting
            .inspect(|_| on_their_way += 1)
            .all(|sample| matches!(sample.answer, Answer::Unreachable(_)));
        in_vain && on_their_way >= IN_FLIGHT
    };
    missed.iter().filter(|sample| by_silence(sample.due)).count() as u64
}

/// When the last replica of a workload was gone, where all of them are: nobody is left to ask anything.
fn last_there(story: &Story, probe: &str) -> Option<Micros> {
    let presences = story.replicas.get(probe)?;
    let mut there = std::collections::BTreeSet::new();
    for presence in presences {
        if presence.there {
            there.insert(&presence.name);
        } else {
            there.remove(&presence.name);
        }
    }
    presences.last().filter(|_| there.is_empty()).map(|last| last.at)
}
