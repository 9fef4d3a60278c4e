//! One scenario, from its plan to its end.

use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::kubernetes::KubeError;
use handover_harness::event::{Ending, What};
use handover_harness::plan::Evidence;
use handover_harness::verdict::Verdict;
use handover_harness::wait::Progress;
use kube::api::DynamicObject;
use serde_json::Value;

use super::halt::Halt;
use super::stage::Stage;
use super::watching::Watching;
use super::{PlayError, given, needs, schedule, steps};

/// How long the evidence may take to decide once the last step is done, and what is counted from there is over.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// For what must stay as it is, one look more than the first is the least.
const SETTLES_AT_LEAST: Duration = Duration::from_millis(250);

/// How long ESO may take to let go of what is deleted.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Told what a scenario is doing.
pub type Tell<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Plays one scenario and records how it ended. `halt` ends it early, wherever it is.
pub async fn play(stage: &Stage<'_>, tell: &Tell<'_>, halt: &Halt) {
    let mut plan = stage.scenario.plan.clone();
    if !stage.house.plane.models_pods() {
        plan.evidence = Evidence::Real;
    }
    stage.scribe.record(What::Plan(Box::new(plan)));
    let mut watching = Watching::new();
    let ending = tokio::select! {
        ending = through(stage, tell, &mut watching) => ending,
        ending = halt.halted() => ending,
    };
    // Before its end is recorded, nothing may still be observed: what is judged is what is in the file.
    watching.end().await;
    // What the manifests made is taken away while ESO still runs: its finalizers need it.
    if !halt.is_halted() {
        tell("cleaning up");
        if let Err(error) = steps::server::make_good(stage).await {
            stage.scribe.note(&format!("starting what the scenario has ended: {}", chain(&error)));
            halt.halt(Ending::Broke(stage.scribe.mask(&chain(&error))));
        }
        let applied = std::mem::take(&mut *stage.applied());
        if let Err(error) = clean_up(stage, &applied).await {
            stage.scribe.note(&format!("cleaning up: {}", chain(&error)));
        }
        // Where everything goes with this scenario, nobody is left for whom another release would be in the way.
        if !stage.house.goes_with_scenario
            && let Err(error) = steps::server::put_back(stage).await
        {
            stage.scribe.note(&format!("putting the run's own release back: {}", chain(&error)));
            halt.halt(Ending::Broke(stage.scribe.mask(&chain(&error))));
        }
    }
    stage.scribe.record(What::End(ending));
}

async fn through(stage: &Stage<'_>, tell: &Tell<'_>, watching: &mut Watching) -> Ending {
    tell("setting the stage");
    let broke = |error: PlayError| match error {
        error @ (PlayError::Lacks(_) | PlayError::Release { .. }) => {
            Ending::Skipped(stage.scribe.mask(&chain(&error)))
        }
        error => Ending::Broke(stage.scribe.mask(&chain(&error))),
    };
    // Before anything of it is there.
    if let Err(lacks) = needs::meets(&*stage.house.plane, stage.scenario) {
        return broke(lacks.into());
    }
    // Everything that follows is to be made by the release on which the scenario begins; and who cannot have one that a
    // later step wants is not begun at all.
    for release in stage.scenario.wanted_releases() {
        if let Err(why) = stage.house.releases.find(release) {
            return broke(PlayError::Release { release: release.to_string(), why });
        }
    }
    for release in &stage.scenario.releases {
        if let Err(error) = steps::server::put(stage, release).await {
            return broke(error);
        }
    }
    if let Some(replicas) = stage.scenario.replicas
        && let Err(error) = steps::server::replicate(stage, replicas).await
    {
        return broke(error);
    }
    // Before anything is applied: the first words of a pod are part of the story.
    if let Err(error) = watching.host_workloads(stage) {
        return broke(error);
    }
    if let Err(error) = given::make(stage).await {
        return broke(error);
    }
    tell("waiting until everything is in place");
    let there = match watching.begin(stage).await {
        Ok(()) => watching.baseline(stage).await,
        Err(error) => Err(error),
    };
    if let Err(error) = there {
        return broke(error);
    }
    for (index, step) in stage.scenario.steps.iter().enumerate() {
        tell(&handover_reports::live::step(index, stage.scenario.steps.len(), &step.text));
        if !steps::play(stage, watching, index, step).await {
            return Ending::Finished;
        }
    }
    tell("waiting for the evidence to decide");
    settle(stage).await;
    Ending::Finished
}

/// Deletes what was applied, the latest first. Whatever keeps its name is waited for: the next scenario may
/// use the same name, and would apply to an object that is going away.
async fn clean_up(stage: &Stage<'_>, applied: &[Value]) -> Result<(), KubeError> {
    let applier = &stage.house.applier;
    for object in applied.iter().rev() {
        applier.delete(object, &stage.namespace).await?;
    }
    for object in applied.iter().filter(|object| schedule::keeps_its_name(object)) {
        let gone = |found: Option<&DynamicObject>| match found {
            None => Progress::There(()),
            Some(_) => Progress::NotYet("its finalizers are not done".into()),
        };
        applier.wait_for(object, &stage.namespace, "gone", GONE_WITHIN, gone).await?;
    }
    Ok(())
}

/// Lets the probes go on until no expectation is left open, or it is clear that none will decide.
async fn settle(stage: &Stage<'_>) {
    let began = tokio::time::Instant::now();
    let plan = &stage.scenario.plan;
    let pinned = plan.pinned.iter().map(|pinned| &pinned.fails);
    let expected = plan.expectations.iter().chain(pinned);
    let counted = expected.map(|expected| expected.expectation.after_the_last_step()).max();
    let within = SETTLES_WITHIN + counted.unwrap_or_default().duration();
    let decided = stage.scribe.recorder().wait_for("not decided", within, |timeline| {
        let Some(story) = timeline.stories.get(&stage.scenario.id) else {
            return Progress::NotYet(String::new());
        };
        let pinned = story.plan.pinned.iter().map(|pinned| &pinned.fails);
        let mut expected = story.plan.expectations.iter().chain(pinned);
        let open = expected.any(|expected| expected.judge(story).verdict == Verdict::Inconclusive);
        if open || began.elapsed() < SETTLES_AT_LEAST {
            Progress::NotYet(String::new())
        } else {
            Progress::There(())
        }
    });
    // Whether it decided is the judge's to say, from the file.
    let _ = decided.await;
}
