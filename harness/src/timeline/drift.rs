//! Rotations that nobody ordered: derived from what the hop shows where they are seen first.
//!
//! Such a rotation happened between the last moment at which the hop still showed the value before it and
//! the moment at which it showed the new one. It counts as ordered at the first of the two, so that nothing
//! that follows from it looks faster than it was, and as certain at the second, so that nothing looks slower.
//!
//! A rotation that was ordered and is not read back yet owns the next move; once it is read back, whatever
//! else the hop showed meanwhile had moved by itself, before it or after it.

use super::track::{Generation, Rotation, Sample, Track};
use crate::clock::Micros;
use crate::event::{Hop, OrderKind};

/// What is needed to tell the moves that nobody ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drift {
    /// Where they are seen first; none: the credential moves only when that is ordered.
    at: Option<Hop>,
    /// What stands there.
    standing: Option<Standing>,
    /// How many of the rotations that place has passed.
    passed: usize,
    /// The ordered rotation (by index) that was not read back yet, and the move that it owns so far.
    unread: Option<(usize, Option<Noticed>)>,
    /// A rotation (by index) that happened by itself, and of which it is not sure yet that it happened
    /// before the one behind it.
    unsure: Option<(usize, Noticed)>,
}

/// What stands at the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    generation: Generation,
    /// When it was first known to stand.
    since: Micros,
    /// The latest asking that still showed it.
    asked: Micros,
}

/// A move, as it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Noticed {
    seq: u64,
    asked: Micros,
    after: Micros,
    by: Micros,
}

impl Drift {
    /// Of a credential that moves by itself at this hop first, or never.
    pub(super) fn at(at: Option<Hop>) -> Self {
        Self { at, ..Self::default() }
    }
}

impl Track {
    /// Takes in that the latest rotation was ordered by somebody.
    pub(super) fn owns_the_next_move(&mut self) {
        if self.drift.at.is_some() {
            self.drift.unread = self.rotations.len().checked_sub(1).map(|latest| (latest, None));
        }
    }

    /// Takes in a sample that was just kept. `told` is when a watch's news may have happened at the earliest.
    pub(super) fn drifts(&mut self, told: Option<Micros>) {
        let Some(sample) = self.samples.last() else { return };
        let (Some(to), true) = (sample.shows(), self.drift.at == Some(sample.hop)) else { return };
        let now = Standing { generation: to, since: sample.answered, asked: sample.asked };
        let Some(stood) = &mut self.drift.standing else {
            self.drift.standing = Some(now);
            return;
        };
        if stood.generation == to {
            stood.asked = stood.asked.max(sample.asked);
            let asked = sample.asked;
            return self.still_there(asked);
        }
        // What was asked before the value that stands had been seen may be an older answer that came late.
        if sample.asked < stood.since {
            return;
        }
        let stood = *stood;
        self.drift.standing = Some(now);
        let noticed = self.noticed(stood, told);
        self.drift.unsure = None;
        let passed = &self.rotations[self.drift.passed..];
        if let Some(ahead) = passed.iter().position(|rotation| rotation.set == Some(to)) {
            self.drift.passed += ahead + 1;
            return;
        }
        // What was asked before a later rotation was read back speaks of the time before it, unless it
        // was still under way.
        let before = |rotation: &Rotation| rotation.read.is_some_and(|read| read > noticed.asked);
        if let Some(ahead) = passed.iter().position(before) {
            return self.happened_before(self.drift.passed + ahead, noticed, stood.generation, to);
        }
        match &mut self.drift.unread {
            Some((index, owned @ None)) => {
                *owned = Some(noticed);
                self.rotations[*index].set = Some(to);
            }
            Some((_, Some(_))) | None => {
                // Whether it came after the one in flight is known when that is read back.
                let settled = self.rotations.last().filter(|_| self.drift.unread.is_none());
                let earliest = settled.map_or(Micros(0), |rotation| rotation.ordered);
                self.rotations.push(noticed.rotation(stood.generation, to, earliest));
            }
        }
        self.drift.passed = self.rotations.len();
    }

    /// Takes in a move that nobody ordered, and that happened before this rotation did.
    fn happened_before(&mut self, index: usize, noticed: Noticed, from: Generation, to: Generation) {
        let mut rotation = noticed.rotation(from, to, Micros(0));
        rotation.ordered = rotation.ordered.min(self.rotations[index].ordered);
        self.rotations[index].from = Some(to);
        self.rotations.insert(index, rotation);
        self.drift.passed = index + 1;
        self.drift.unsure = Some((index, noticed));
        if let Some((unread, _)) = &mut self.drift.unread {
            *unread += 1;
        }
    }

    /// Takes in that the value that stands was shown again, asked at this moment: where the rotation before
    /// which it was thought to have come had been read back by then, it came after it.
    fn still_there(&mut self, asked: Micros) {
        let Some((index, noticed)) = self.drift.unsure else { return };
        if self.rotations[index + 1].read.is_none_or(|read| asked < read) {
            return;
        }
        self.drift.unsure = None;
        self.rotations.swap(index, index + 1);
        let first = &mut self.rotations[index];
        let (set, ordered) = (first.set, first.ordered);
        let second = &mut self.rotations[index + 1];
        let before = std::mem::replace(&mut second.from, set);
        second.ordered = noticed.after.max(ordered).min(noticed.by.max(ordered));
        second.certain = second.certain.max(second.ordered);
        self.rotations[index].from = before;
        self.drift.passed = index + 2;
    }

    /// When the move that the latest sample shows happened: after the value before it was last shown, and
    /// by the time that the new one was first shown anywhere.
    fn noticed(&self, stood: Standing, told: Option<Micros>) -> Noticed {
        let sample = self.samples.last().expect("a move is shown by a sample");
        let shows_it = |other: &&Sample| other.shows() == sample.shows() && other.asked >= stood.since;
        let by = self.samples.iter().filter(shows_it).map(|other| other.answered).min();
        let by = by.unwrap_or(sample.answered);
        let after = told.map_or(stood.asked, |told| told.min(sample.asked));
        Noticed { seq: sample.seq, asked: sample.asked, after: after.min(by), by }
    }

    /// Takes in what the ordered rotation set, read back at this moment: whatever else it was thought to
    /// have set moved by itself.
    pub(super) fn read_back(&mut self, at: Micros, generation: Generation) {
        let read = Some(at);
        let Some((index, owned)) = self.drift.unread.take() else {
            let mut backwards = self.rotations.iter_mut().rev();
            if let Some(latest) = backwards.find(|rotation| rotation.kind != OrderKind::Scheduled) {
                (latest.set, latest.read) = (Some(generation), read);
            }
            return;
        };
        let Some(noticed) = owned else {
            (self.rotations[index].set, self.rotations[index].read) = (Some(generation), read);
            return;
        };
        let moved: Vec<Generation> =
            self.rotations[index..].iter().filter_map(|rotation| rotation.set).collect();
        let place = moved.iter().position(|set| *set == generation);
        let by_themselves = place.unwrap_or(moved.len());
        if by_themselves == 0 {
            self.rotations[index].read = read;
            let ordered = self.rotations[index].ordered;
            self.rotations[index + 1..].iter_mut().for_each(|later| later.not_before(ordered));
            return;
        }
        let ordered = self.rotations.remove(index);
        let first = noticed.rotation(ordered.from.unwrap_or(moved[0]), moved[0], Micros(0));
        // Those that moved by themselves were seen before it was, so they count as no later than it.
        let first = Rotation { from: ordered.from, ordered: first.ordered.min(ordered.ordered), ..first };
        let mut rest = self.rotations.split_off(index);
        self.rotations.push(first);
        if let Some(place) = place {
            rest.remove(place - 1);
        }
        let mut later = rest.split_off((by_themselves - 1).min(rest.len()));
        for earlier in &mut rest {
            earlier.ordered = earlier.ordered.min(ordered.ordered);
        }
        self.rotations.append(&mut rest);
        later.iter_mut().for_each(|later| later.not_before(ordered.ordered));
        let from = Some(moved[by_themselves - 1]);
        self.rotations.push(Rotation { from, set: Some(generation), read, ..ordered });
        self.rotations.extend(later);
        if place.is_none() {
            // The place has not shown it yet.
            self.drift.passed = self.rotations.len() - 1;
        }
    }
}

impl Rotation {
    /// It came after one that was ordered at this moment.
    fn not_before(&mut self, moment: Micros) {
        self.ordered = self.ordered.max(moment);
        self.certain = self.certain.max(self.ordered);
    }
}

impl Noticed {
    fn rotation(self, from: Generation, to: Generation, earliest: Micros) -> Rotation {
        let ordered = self.after.max(earliest).min(self.by.max(earliest));
        Rotation {
            seq: self.seq,
            ordered,
            certain: self.by.max(ordered),
            kind: OrderKind::Scheduled,
            from: Some(from),
            set: Some(to),
            read: None,
        }
    }
}
