//! Which servers differ between the two sides, and what befell their runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Differs, Side, Sides};
use crate::event::ComponentInfo;
use crate::verdict::RunVerdict;

/// So many servers are named where more differ.
const NAMED: usize = 3;

/// Digits of a digest: enough to tell two builds apart.
const DIGITS: usize = 12;

/// What is compared.
pub(super) fn of(a: &[RunVerdict], b: &[RunVerdict]) -> Sides {
    let (on_a, on_b) = (components(a), components(b));
    let names: BTreeSet<&str> = on_a.keys().chain(on_b.keys()).copied().collect();
    let differ = names.into_iter().filter_map(|name| {
        let (a, b) = (on_a.get(name).copied(), on_b.get(name).copied());
        (a != b).then(|| Differs { name: name.to_owned(), a: a.cloned(), b: b.cloned() })
    });
    let differ: Vec<Differs> = differ.collect();
    // A side of which no server is known differs in nothing that could name it.
    let differ = if on_a.is_empty() || on_b.is_empty() { Vec::new() } else { differ };
    let planes = match (plane(a), plane(b)) {
        (Some(a), Some(b)) if a != b => (Some(a), Some(b)),
        _ => (None, None),
    };
    Sides {
        a: side(a, label(a, planes.0, &differ, |differs| (differs.a.as_ref(), differs.b.as_ref()))),
        b: side(b, label(b, planes.1, &differ, |differs| (differs.b.as_ref(), differs.a.as_ref()))),
        differ,
    }
}

/// The same where one took the other's place: that tells the sides apart, and no run is missed.
pub(super) fn crossed(sides: &mut Sides, changes: &[Differs]) {
    let played = !sides.a.runs.is_empty() || !sides.b.runs.is_empty();
    let words = |of: fn(&Differs) -> (Option<&ComponentInfo>, Option<&ComponentInfo>)| {
        let named = changes.iter().map(|change| match of(change) {
            // The same version once more needs no digest to be told from itself.
            (Some(here), Some(there)) if here == there => format!("{} {}", change.name, here.version),
            pair => named(&change.name, pair),
        });
        named.collect::<Vec<_>>().join(" and ")
    };
    if !changes.is_empty() {
        sides.a.label = words(|change| (change.a.as_ref(), change.b.as_ref()));
        sides.b.label = words(|change| (change.b.as_ref(), change.a.as_ref()));
        sides.differ = changes.iter().filter(|change| change.a != change.b).cloned().collect();
    }
    if !played {
        sides.a.troubles.clear();
        sides.b.troubles.clear();
    }
}

/// Where a side was played, as its first run that knows says.
fn plane(runs: &[RunVerdict]) -> Option<&str> {
    runs.iter().find_map(|run| run.on.as_ref()).map(|on| on.plane.as_str())
}

/// The servers of a side, by name, as its first run that knows them says.
fn components(runs: &[RunVerdict]) -> BTreeMap<&str, &ComponentInfo> {
    let on = runs.iter().find_map(|run| run.on.as_ref());
    let all = on.map_or(&[] as &[_], |on| on.components.as_slice());
    all.iter().map(|component| (component.name.as_str(), component)).collect()
}

fn side(runs: &[RunVerdict], label: String) -> Side {
    let on = runs.iter().find_map(|run| run.on.as_ref());
    let mut troubles: Vec<String> = runs.iter().flat_map(troubles_of).collect();
    if runs.is_empty() {
        troubles.push("there is no run".to_owned());
    }
    let first = components(runs);
    let other = runs.iter().filter(|run| run.on.is_some() && components(std::slice::from_ref(run)) != first);
    troubles.extend(other.map(|run| format!("run {} played on other servers than the first", run.run)));
    Side {
        label,
        runs: runs.iter().map(|run| run.run.clone()).collect(),
        plane: on.map(|on| on.plane.clone()),
        handover: on.map(|on| on.handover.clone()),
        troubles,
    }
}

fn troubles_of(run: &RunVerdict) -> Option<String> {
    let id = &run.run;
    if let Some(signal) = &run.interrupted {
        return Some(format!("run {id} was interrupted by {signal}"));
    }
    if let Some(why) = &run.broke {
        return Some(format!("the environment of run {id} broke: {why}"));
    }
    run.torn.then(|| format!("run {id} was killed, and its end is not known"))
}

/// What tells a side from the other: the plane, where that is another, and the servers. `of` gives this side's server
/// and the other's.
fn label<'a>(
    runs: &[RunVerdict],
    plane: Option<&str>,
    differ: &'a [Differs],
    of: impl Fn(&'a Differs) -> (Option<&'a ComponentInfo>, Option<&'a ComponentInfo>),
) -> String {
    // What another plane does not have, or brings itself, is no difference of its own.
    let telling = |differs: &&Differs| plane.is_none() || differs.a.is_some() && differs.b.is_some();
    let telling: Vec<&Differs> = differ.iter().filter(telling).collect();
    let mut parts: Vec<String> =
        telling.iter().take(NAMED).map(|differs| named(&differs.name, of(differs))).collect();
    if telling.len() > NAMED {
        parts.push(format!("{} more", telling.len() - NAMED));
    }
    if let Some(plane) = plane {
        parts.insert(0, format!("plane {plane}"));
    }
    match runs {
        _ if !parts.is_empty() => parts.join(" and "),
        [] => "nothing".to_owned(),
        [run] => format!("run {}", run.run),
        [first, ..] => format!("run {} and {} more", first.run, runs.len() - 1),
    }
}

/// `eso v0.16.1`; where both have the same version, its digest too.
fn named(name: &str, (here, there): (Option<&ComponentInfo>, Option<&ComponentInfo>)) -> String {
    match (here, there) {
        (None, _) => format!("no {name}"),
        (Some(here), Some(there)) if here.version == there.version => {
            let digest: String = here.sha256.chars().take(DIGITS).collect();
            format!("{name} {} (sha256 {digest})", here.version)
        }
        (Some(here), _) => format!("{name} {}", here.version),
    }
}
