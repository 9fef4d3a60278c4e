//! `handover upgrade`: what moves when one version takes another's place. From manifests to the scenario that shows
//! it, and to what has to be known to read its outcome.

mod back;
mod found;
mod limits;
mod origin;
mod story;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use handover_fixtures::components::{Component, ResolvedSet};
use handover_harness::clock::Micros;
use handover_harness::compare::{Asked, AskedCalls, Differs, Known, Watched};
use handover_harness::event::ScenarioId;
use handover_harness::plan::{Always, Expectation};
use serde_json::json;

use self::found::Found;
pub use self::story::Pace;
pub use self::turns::{Part, turns};
use crate::language::error::Sink;
use crate::language::gather::{Gathered, several};
use crate::language::manifest::{self, Object};
use crate::language::scenario::{Manifest, Scenario};
use crate::language::source::Source;
use crate::language::{Catalogue, Problems, catalogue, load_all};
use crate::play::run::component_info;

/// The two releases between which it goes.
pub struct Ends {
    /// What runs now.
    pub from: Arc<ResolvedSet>,
    /// What is to come.
    pub to: Arc<ResolvedSet>,
    /// What takes the place of another; of ESO its kinds come with it.
    pub components: Vec<Component>,
}

/// A crossing that can be played.
pub struct Crossing {
    /// What is played.
    pub scenario: Scenario,
    /// What has to be known to read its outcome.
    pub asked: Asked,
    /// What may be wrong with the manifests.
    pub warned: Option<Problems>,
}

/// Writes the scenario for these manifests; for the program's own, where none are named.
///
/// # Errors
/// What cannot be read, all of it.
pub fn crossing(paths: &[PathBuf], ends: &Ends, pace: Pace) -> Result<Crossing, Problems> {
    let sink = Sink::default();
    let sources = if paths.is_empty() {
        vec![Source::new("upgrade/everything.yaml", include_str!("../../upgrade/everything.yaml"))]
    } else {
        paths.iter().flat_map(|path| gather(path, &sink)).collect()
    };
    let objects: Vec<Object> = sources.iter().flat_map(|source| manifest::read(source, &sink).0).collect();
    let ((), warned) = sink.finish(())?;
    let found = Found::of(&objects);
    let steady = Source::new(
        "upgrade/steady.yaml",
        limits::served_by_both(include_str!("../../upgrade/steady.yaml"), ends),
    );
    let text = story::text(&found, &ends.components, &back::those(ends), pace);
    let files = vec![(story::FOUND, sources), (story::STEADY, vec![steady])];
    let mut loaded = load_all(&Catalogue::written(text, files), &BTreeMap::new())?;
    let mut scenario = loaded.pop().expect("one file holds one scenario");
    let own = |manifest: &Manifest| manifest.file == "upgrade/steady.yaml";
    scenario.manifests.retain(|manifest| own(manifest) || found.kept.contains(&key(manifest)));
    add_accounts(&mut scenario);
    let asked = asked(&found, &objects, ends);
    Ok(Crossing { scenario, asked, warned })
}

fn key(manifest: &Manifest) -> found::Key {
    (manifest.kind.clone(), manifest.namespace.clone(), manifest.name.clone())
}

fn gather(path: &std::path::Path, sink: &Sink) -> Vec<Arc<Source>> {
    let one = || {
        let text = catalogue::read_text(path).map_err(|why| format!("cannot be read: {why}"))?;
        let sources = vec![Source::new(path.display().to_string(), text)];
        Ok(Gathered { sources, unreadable: Vec::new() })
    };
    let found = several(path).and_then(|found| found.map_or_else(one, Ok));
    let Gathered { sources, unreadable } = found.unwrap_or_else(|why| Gathered {
        sources: Vec::new(),
        unreadable: vec![(path.display().to_string(), why)],
    });
    for (file, why) in unreadable {
        sink.report_file(file, why);
    }
    sources
}

/// A store's ServiceAccount that stands in no file: on a platform somebody else may make it.
fn add_accounts(scenario: &mut Scenario) {
    let logins: Vec<_> = scenario
        .manifests
        .iter()
        .filter_map(|manifest| handover_fixtures::kubernetes::rewrite::login_of(&manifest.object))
        .collect();
    for login in logins {
        let known = scenario.manifests.iter().any(|manifest| {
            let same = manifest.kind == "ServiceAccount" && manifest.name == login.service_account;
            same && manifest.namespace == login.namespace
        });
        if known {
            continue;
        }
        let mut object = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": login.service_account}});
        if let Some(namespace) = &login.namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let manifest = Manifest {
            file: "made for a store that names it".to_owned(),
            line: 1,
            kind: "ServiceAccount".to_owned(),
            name: login.service_account,
            namespace: login.namespace,
            object,
        };
        scenario.manifests.insert(0, manifest);
    }
}

fn asked(found: &Found, objects: &[Object], ends: &Ends) -> Asked {
    let watched = found.values.iter().map(|value| {
        let moves = value.moves.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        Watched {
            credential: value.name.clone(),
            at: value.at.hop(),
            what: format!("{}{moves}", value.what),
            source: value.source.clone(),
            stands_still: value.moves.is_none(),
        }
    });
    let calls = story::called(found).into_iter().map(|path| {
        let ticking = path.ends_with(story::TICKING);
        let interval = ticking.then(|| Micros::from(story::TICK));
        AskedCalls { counter: format!("calls:{path}"), what: path, interval }
    });
    Asked {
        scenario: ScenarioId::from(story::ID),
        watched: watched.collect(),
        unwatched: found.unwatched.clone(),
        calls: calls.collect(),
        paced: Some(story::PACED.to_owned()),
        known: known(ends),
        limits: limits::of(ends).into_iter().chain(back::limits(ends)).collect(),
        findings: limits::unserved(objects, ends).into_iter().collect(),
        changes: changes(ends),
    }
}

/// What takes the place of what.
fn changes(ends: &Ends) -> Vec<Differs> {
    let info = |set: &ResolvedSet, component| set.get(component).map(component_info);
    let change = |component: &Component| Differs {
        name: component.to_string(),
        a: info(&ends.from, *component),
        b: info(&ends.to, *component),
    };
    ends.components.iter().map(change).collect()
}

/// The defects of this hop that the catalogue knows: where a generated value moves that should not.
fn known(ends: &Ends) -> Vec<Known> {
    let version = |set: &ResolvedSet, component| Some(set.get(component)?.version.clone());
    let hops: Vec<String> = ends
        .components
        .iter()
        .filter_map(|component| {
            let versions = [version(&ends.from, *component)?, version(&ends.to, *component)?];
            Some(format!("{component} {} -> {}", versions[0], versions[1]))
        })
        .collect();
    let scenarios = load_all(&Catalogue::embedded(), &BTreeMap::new()).unwrap_or_default();
    let pins = scenarios.iter().flat_map(|scenario| &scenario.plan.pinned);
    pins.filter(|pin| hops.contains(&pin.on))
        .filter_map(|pin| match &pin.fails.expectation {
            Expectation::Always(Always::HoldsStill { at, .. }) => Some(Known {
                at: *at,
                what: found::GENERATED.to_owned(),
                defect: format!("{} ({})", pin.defect, pin.source),
            }),
            _ => None,
        })
        .collect()
}
