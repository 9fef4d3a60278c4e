//! The hop table, and where a rotation stopped on its way.

use super::words;
use crate::clock::Micros;
use crate::event::Hop;
use crate::plan::Who;
use crate::timeline::{Sample, Story};
use crate::verdict::{HopRow, ReplicaCount, Stopped};

/// Whether a server checks the credential.
pub(super) fn checked(story: &Story, credential: &str) -> bool {
    story.plan.credentials.get(credential).is_some_and(|planned| planned.checked_by.is_some())
}

/// The hops of a credential in the order in which a rotation passes them.
pub(super) fn path(story: &Story, credential: &str) -> Vec<Hop> {
    let Some(planned) = story.plan.credentials.get(credential) else { return Vec::new() };
    let origin = planned.checked_by.is_some();
    Hop::ALL.into_iter().filter(|hop| planned.hops.contains(hop) || origin && *hop == Hop::Origin).collect()
}

/// One row for every rotation at every hop of its credential.
pub(super) fn table(story: &Story) -> Vec<HopRow> {
    let mut rows = Vec::new();
    for credential in story.plan.credentials.keys() {
        for (index, rotation) in story.rotations(credential).iter().enumerate() {
            let mut previous: Option<Micros> = None;
            for hop in path(story, credential) {
                let reach = story.reach(credential, hop, index, Who::Every);
                let arrival = reach.arrival;
                let (reached, of) = (reach.reached, reach.of);
                let at = arrival.seen.map(|seen| seen.at);
                rows.push(HopRow {
                    credential: credential.clone(),
                    rotation: index + 1,
                    kind: rotation.kind,
                    moves: words::moves(rotation),
                    hop,
                    replicas: reach.by.map(|_| ReplicaCount { reached, of }),
                    at_us: at.map(|at| at - story.began),
                    since_rotation_us: at.map(|_| arrival.bounds),
                    since_previous_us: at.zip(previous).map(|(at, previous)| difference(at, previous)),
                    evidence: arrival.seen.map(|seen| seen.seq),
                });
                previous = at.or(previous);
            }
        }
    }
    rows
}

/// A difference that may be negative.
fn difference(later: Micros, earlier: Micros) -> i64 {
    i64::try_from(i128::from(later.0) - i128::from(earlier.0)).expect("times of one run lie close together")
}

/// Where a rotation that was not at the hop in time stopped on its way there.
pub(super) fn stopped(story: &Story, credential: &str, index: usize, at: Hop, within: Micros) -> Stopped {
    let in_time = |hop: Hop| {
        let arrival = story.arrival(credential, hop, index);
        arrival.seen.is_some() && arrival.bounds.at_least <= within
    };
    // A hop of which nothing was ever seen says nothing about where it stopped.
    let seen = |hop: Hop| match hop == Hop::Origin && checked(story, credential) {
        true => story.samples(credential).iter().any(Sample::login_like),
        false => story.samples_at(credential, hop).next().is_some(),
    };
    let way: Vec<Hop> = path(story, credential).into_iter().filter(|hop| *hop < at && seen(*hop)).collect();
    let passed = way.iter().take_while(|hop| in_time(**hop)).count();
    let stopped_at = way.get(passed).copied().unwrap_or(at);
    let ordered = story.rotations(credential).get(index).map_or(Micros(0), |rotation| rotation.ordered);
    // What the operator complains of stands in the status of its object, whatever hop it holds up.
    let complaints = story
        .samples(credential)
        .iter()
        .filter(|sample| (sample.hop == stopped_at || sample.hop == Hop::Sync) && sample.answered >= ordered);
    let last_error = complaints.filter_map(|sample| Some((sample.answered, sample.seq, sample.complaint()?)));
    Stopped {
        after: passed.checked_sub(1).map(|last| way[last]),
        at: stopped_at,
        last_error: last_error.max_by_key(|(at, seq, _)| (*at, *seq)).map(|(_, _, text)| text.to_string()),
    }
}
