//! The replicas of a workload, each with what it reported, and when a rotation had arrived at them.
//!
//! A replica that leaves before it shows a value is not missed: until it left, somebody held the old one.
//! A replica that comes counts while others are still on their way; one that comes later, with nothing but
//! the new value, cannot undo an arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::arrival::{Arrival, Seen};
use super::story::{Presence, Story};
use super::track::Sample;
use crate::clock::Micros;
use crate::event::{Hop, ReplicaName};
use crate::plan::{Bounds, Who};

/// A replica from its coming to its going, and what it reported meanwhile.
#[derive(Clone, Debug)]
pub struct Life<'a> {
    /// Its name; none where there is only one, which has none.
    pub name: Option<&'a str>,
    /// When it was first heard of.
    pub came: Micros,
    /// The event that says that it is gone, and when that was recorded.
    pub gone: Option<(u64, Micros)>,
    /// What it reported, in the order of the file.
    pub samples: Vec<&'a Sample>,
}

/// When a rotation had arrived at the replicas of a hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// When, and what shows it.
    pub arrival: Arrival,
    /// How many replicas it speaks of; those that left before they showed it are not counted.
    pub of: usize,
    /// How many of them showed it.
    pub reached: usize,
    /// How many left before they showed it.
    pub left: usize,
    /// The replica that decided, where it has a name.
    pub by: Option<ReplicaName>,
    /// When each of those that showed it was seen to do so, since the rotation, in order; empty where nothing is known
    /// by a name.
    pub each: Vec<Micros>,
}

impl Story {
    /// The replicas that reported at a hop of a credential, or are known to a probe that looks there. One
    /// workload has several hops: what one of its probes knows of a replica that reports here counts here.
    pub fn lives_at(&self, credential: &str, hop: Hop) -> Vec<Life<'_>> {
        let samples: Vec<&Sample> = self.samples_at(credential, hop).collect();
        let here: BTreeSet<&str> = samples.iter().filter_map(|sample| sample.by.as_deref()).collect();
        let probes = self.plan.probes.iter().filter(|(_, planned)| planned.credential == credential);
        let presences = probes.flat_map(|(probe, planned)| {
            let known = self.replicas.get(probe).into_iter().flatten();
            let here = &here;
            known.filter(move |presence| planned.hop == hop || here.contains(presence.name.as_str()))
        });
        let mut presences: Vec<&Presence> = presences.collect();
        presences.sort_by_key(|presence| presence.seq);
        lives(samples, presences)
    }

    /// The replicas of one probe.
    pub fn lives_of(&self, probe: &str) -> Vec<Life<'_>> {
        let presences = self.replicas.get(probe).into_iter().flatten().collect();
        lives(self.samples_by(probe).collect(), presences)
    }

    /// Whether anything at a hop is known by the name of a replica.
    fn names_replicas(&self, credential: &str, hop: Hop) -> bool {
        let mut probes = self.plan.probes.iter().filter(|(_, p)| p.credential == credential && p.hop == hop);
        probes.any(|(probe, _)| self.replicas.contains_key(probe))
            || self.samples_at(credential, hop).any(|sample| sample.by.is_some())
    }

    /// When a rotation (by index) of a credential had arrived at all or at any of the replicas of a hop.
    pub fn reach(&self, credential: &str, hop: Hop, rotation: usize, who: Who) -> Reach {
        let rotations = self.rotations(credential);
        let (true, Some(ordered)) =
            (self.names_replicas(credential, hop), rotations.get(rotation).map(|r| r.ordered))
        else {
            let arrival = self.arrival_of_all(credential, hop, rotation);
            let reached = usize::from(arrival.seen.is_some());
            return Reach { arrival, of: 1, reached, left: 0, by: None, each: Vec::new() };
        };
        let lives = self.lives_at(credential, hop);
        let concerned = lives.iter().filter(|life| life.gone.is_none_or(|(_, gone)| gone > ordered));
        let each = concerned
            .map(|life| One::of(life, self.arrival_among(credential, rotation, &life.samples), ordered));
        let mut each: Vec<One<'_>> = each.collect();
        each.sort_by_key(|one| one.life.came);
        match who {
            Who::Every => every(each, ordered),
            Who::Any => any(&each),
        }
    }
}

/// The lives of all replicas that are named by these samples and presences.
fn lives<'a>(samples: Vec<&'a Sample>, presences: Vec<&'a Presence>) -> Vec<Life<'a>> {
    let mut named: BTreeMap<Option<&str>, (Vec<&Sample>, Vec<&Presence>)> = BTreeMap::new();
    for sample in samples {
        named.entry(sample.by.as_deref()).or_default().0.push(sample);
    }
    for presence in presences {
        named.entry(Some(&presence.name)).or_default().1.push(presence);
    }
    let lives = named.into_iter();
    lives.flat_map(|(name, (samples, presences))| lives_of_one(name, samples, &presences)).collect()
}

/// One name may come again after it was gone, and is another replica then.
fn lives_of_one<'a>(
    name: Option<&'a str>,
    samples: Vec<&'a Sample>,
    presences: &[&'a Presence],
) -> Vec<Life<'a>> {
    let life = |came| Life { name, came, gone: None, samples: Vec::new() };
    let mut lives: Vec<Life<'a>> = Vec::new();
    for presence in presences {
        let first = lives.is_empty();
        let open = lives.last_mut().filter(|life| life.gone.is_none());
        match (presence.there, open) {
            (true, Some(_)) => {}
            (true, None) => lives.push(life(presence.at)),
            (false, Some(open)) => open.gone = Some((presence.seq, presence.at)),
            (false, None) if first => {
                lives.push(Life { gone: Some((presence.seq, presence.at)), ..life(presence.at) });
            }
            (false, None) => {}
        }
    }
    if lives.is_empty() {
        lives.push(life(Micros(u64::MAX)));
    }
    let last = lives.len() - 1;
    for sample in samples {
        // What is heard of it after it was gone is its own, unless it came again.
        let gone = |life: &&Life<'_>| life.gone.is_some_and(|(_, gone)| gone < sample.asked);
        let index = lives.iter().filter(gone).count().min(last);
        let life = &mut lives[index];
        life.came = life.came.min(sample.asked);
        life.samples.push(sample);
    }
    lives
}

/// One replica, and when the rotation arrived at it.
struct One<'a> {
    life: &'a Life<'a>,
    arrival: Arrival,
    /// It left before it showed it.
    left: bool,
    /// It came since, and never showed anything older. One that is there and says nothing may hold anything.
    newborn: bool,
}

impl<'a> One<'a> {
    fn of(life: &'a Life<'a>, mut arrival: Arrival, ordered: Micros) -> Self {
        let silent = arrival.seen.is_none() && life.gone.is_none();
        let newborn = life.came > ordered && arrival.not_before.is_none() && !silent;
        let mut left = false;
        if let (None, Some((seq, gone))) = (arrival.seen, life.gone) {
            let heard = life.samples.iter().map(|sample| sample.answered).max().unwrap_or_default();
            let at = gone.max(heard);
            let at_most = at - ordered;
            left = true;
            arrival.seen = Some(Seen { seq, at });
            arrival.bounds =
                Bounds { at_least: arrival.bounds.at_least.min(at_most), at_most: Some(at_most) };
        }
        Self { life, arrival, left, newborn }
    }

    fn showed(&self) -> bool {
        self.arrival.seen.is_some() && !self.left
    }

    fn name(&self) -> Option<ReplicaName> {
        self.life.name.map(str::to_owned)
    }
}

/// When each of them was seen to show it, in order.
fn seen_after<'a>(each: impl Iterator<Item = &'a One<'a>>) -> Vec<Micros> {
    let showed = each.filter(|one| one.showed());
    let mut after: Vec<Micros> = showed.filter_map(|one| one.arrival.bounds.at_most).collect();
    after.sort_unstable();
    after
}

/// The last one decides. They must come in the order of their coming.
fn every(each: Vec<One<'_>>, ordered: Micros) -> Reach {
    let (newborn, old): (Vec<_>, Vec<_>) = each.into_iter().partition(|one| one.newborn);
    let mut counted = old;
    for one in newborn.into_iter().filter(|one| !one.left) {
        let done = counted.iter().map(|one| one.arrival.bounds.at_most).reduce(|a, b| Some(a?.max(b?)));
        let over = done.flatten().is_some_and(|done| ordered + done < one.life.came);
        if !(over && counted.iter().any(One::showed)) {
            counted.push(one);
        }
    }
    let (of, reached) =
        (counted.iter().filter(|one| !one.left).count(), counted.iter().filter(|one| one.showed()).count());
    let left = counted.len() - of;
    let slowest = counted.iter().max_by_key(|one| {
        let Bounds { at_least, at_most } = one.arrival.bounds;
        (at_most.unwrap_or(Micros(u64::MAX)), at_least)
    });
    let held_last = counted.iter().max_by_key(|one| one.arrival.bounds.at_least);
    let (Some(slowest), Some(held_last)) = (slowest, held_last) else { return Reach::default() };
    // Where all of them left, nobody ever showed it.
    let shown = reached > 0 && reached == of;
    let arrival = Arrival {
        bounds: Bounds {
            at_least: held_last.arrival.bounds.at_least,
            at_most: slowest.arrival.bounds.at_most.filter(|_| shown),
        },
        seen: slowest.arrival.seen.filter(|_| shown),
        not_before: held_last.arrival.not_before,
    };
    Reach { arrival, of, reached, left, by: slowest.name(), each: seen_after(counted.iter()) }
}

/// The first one decides. Of one that came since, nobody knows that it did not have it from the beginning.
fn any(each: &[One<'_>]) -> Reach {
    let at_least = each.iter().map(|one| one.arrival.bounds.at_least).min().unwrap_or_default();
    let showed = || each.iter().filter(|one| one.showed());
    let first = showed().min_by_key(|one| one.arrival.bounds.at_most);
    let of = each.iter().filter(|one| !one.left).count();
    let (reached, left) = (showed().count(), each.len() - of);
    let Some(first) = first else {
        let still = each.iter().min_by_key(|one| one.arrival.bounds.at_least);
        let not_before = still.and_then(|one| one.arrival.not_before);
        let arrival = Arrival { bounds: Bounds { at_least, at_most: None }, seen: None, not_before };
        return Reach { arrival, of, reached, left, by: None, each: Vec::new() };
    };
    let arrival = Arrival { bounds: Bounds { at_least, ..first.arrival.bounds }, ..first.arrival };
    Reach { arrival, of, reached, left, by: first.name(), each: seen_after(each.iter()) }
}
