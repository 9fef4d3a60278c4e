//! One credential's track: its generations, the rotations ordered of it, and everything seen of it.
//!
//! Generations get their numbers here, in the order in which they were first heard of, and nowhere else.

use std::fmt;

use super::drift::Drift;
use crate::clock::Micros;
use crate::event::{Hop, Observation, Order, OrderKind, Outcome, ProbeName, ReplicaName};
use crate::fingerprint::{FieldName, Sighting};
use crate::mask::Masked;

/// The n-th distinct value of one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub usize);

/// `g0`, `g1`, …
impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("g{}", self.0))
    }
}

/// Everything known of one credential of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// What is known of each generation, by its number.
    pub generations: Vec<Sighting>,
    /// The rotations that were ordered, or happened by themselves: r1 is at index 0.
    pub rotations: Vec<Rotation>,
    /// What was seen, in the order of the file.
    pub samples: Vec<Sample>,
    /// The fields that make a generation; empty: all of them.
    fields: Vec<FieldName>,
    /// What was last read back where a rotation was ordered, and when that was recorded.
    written: Option<(Micros, Generation)>,
    /// How it moves by itself, where it does.
    pub(super) drift: Drift,
}

/// A rotation that was ordered, or happened by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The event that orders it, or that first showed that it had happened.
    pub seq: u64,
    /// When it was ordered; where nobody did, the earliest moment at which it can have happened.
    pub ordered: Micros,
    /// The same moment; where nobody ordered it, the latest at which it can have happened.
    pub certain: Micros,
    /// How.
    pub kind: OrderKind,
    /// The generation that stood before; none where nobody had seen one.
    pub from: Option<Generation>,
    /// The generation that it set; none where (or as long as) it was not learnt.
    pub set: Option<Generation>,
    /// When that was read back, where it was.
    pub(super) read: Option<Micros>,
}

/// One observation, with generations in place of fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The event.
    pub seq: u64,
    /// Where.
    pub hop: Hop,
    /// By which probe.
    pub probe: ProbeName,
    /// Which of several replicas reported it.
    pub by: Option<ReplicaName>,
    /// When it should have been asked.
    pub due: Micros,
    /// When it was asked.
    pub asked: Micros,
    /// When the answer came.
    pub answered: Micros,
    /// The answer.
    pub answer: Answer,
}

/// What a probe learnt. No generation: none of the fields that make one was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This generation stands there.
    Shows(Option<Generation>),
    /// A login with it was let in.
    Accepted(Option<Generation>),
    /// A login with it was turned away because of it.
    Refused(Option<Generation>),
    /// A login with it was turned away because the account is locked, which says nothing of the value.
    Locked(Option<Generation>),
    /// Nobody answered.
    Unreachable(Masked),
    /// Somebody answered, but it says nothing about the value.
    Unclear(Masked),
    /// It was due, and could not be asked.
    Missed,
}

impl Sample {
    /// The generation that stands at the hop, where the answer says it: shown, or let in.
    pub fn shows(&self) -> Option<Generation> {
        match &self.answer {
            Answer::Shows(generation) | Answer::Accepted(generation) => *generation,
            Answer::Refused(_) | Answer::Locked(_) => None,
            Answer::Unreachable(_) | Answer::Unclear(_) | Answer::Missed => None,
        }
    }

    /// The generation that it speaks of, whatever it says of it.
    pub fn generation(&self) -> Option<Generation> {
        match &self.answer {
            Answer::Shows(generation) | Answer::Accepted(generation) | Answer::Refused(generation) => {
                *generation
            }
            Answer::Locked(_) => None,
            Answer::Unreachable(_) | Answer::Unclear(_) | Answer::Missed => None,
        }
    }

    /// Whether a login was let in, with whatever generation.
    pub fn accepted(&self) -> bool {
        matches!(self.answer, Answer::Accepted(_))
    }

    /// Whether a login was turned away, with whatever generation.
    pub fn refused(&self) -> bool {
        matches!(self.answer, Answer::Refused(_))
    }

    /// Whether a login did not get in, be it for its value or because the account is locked.
    pub fn turned_away(&self) -> bool {
        matches!(self.answer, Answer::Refused(_) | Answer::Locked(_))
    }

    /// Whether it speaks of what the checking server thinks of a value.
    pub fn login_like(&self) -> bool {
        matches!(self.hop, Hop::Origin | Hop::Login) && (self.accepted() || self.refused())
    }

    /// The complaint, where it is one.
    pub fn complaint(&self) -> Option<&Masked> {
        match &self.answer {
            Answer::Unreachable(text) | Answer::Unclear(text) => Some(text),
            Answer::Shows(_) | Answer::Accepted(_) | Answer::Refused(_) | Answer::Locked(_) => None,
            Answer::Missed => None,
        }
    }
}

impl Track {
    /// An empty track of a credential whose generations are made by these fields, and which moves by itself,
    /// where it does, at this hop first.
    pub(super) fn of(fields: Vec<FieldName>, moves_at: Option<Hop>) -> Self {
        Self { fields, drift: Drift::at(moves_at), ..Self::default() }
    }

    /// Takes in that a rotation is ordered.
    pub(super) fn order(&mut self, seq: u64, at: Micros, order: &Order) {
        let from = self.current();
        let kind = order.kind;
        self.rotations.push(Rotation { seq, ordered: at, certain: at, kind, from, set: None, read: None });
        self.owns_the_next_move();
    }

    /// Takes in what the latest rotation set.
    pub(super) fn write(&mut self, at: Micros, sighting: &Sighting) {
        let Some(generation) = self.number(sighting) else { return };
        self.written = Some((at, generation));
        self.read_back(at, generation);
    }

    /// Takes in an observation. `told`: of news that came by watch, when it may have happened at the earliest.
    pub(super) fn see(&mut self, seq: u64, seen: &Observation, told: Option<Micros>) {
        let answer = match &seen.outcome {
            Outcome::Shows(sighting) => Answer::Shows(self.number(sighting)),
            Outcome::Accepted(sighting) => Answer::Accepted(self.number(sighting)),
            Outcome::Refused(sighting) => Answer::Refused(self.number(sighting)),
            Outcome::Locked(sighting) => Answer::Locked(self.number(sighting)),
            Outcome::Unreachable(why) => Answer::Unreachable(why.clone()),
            Outcome::Unclear(why) => Answer::Unclear(why.clone()),
            Outcome::Missed => Answer::Missed,
        };
        self.samples.push(Sample {
            seq,
            hop: seen.hop,
            probe: seen.probe.clone(),
            by: seen.by.clone(),
            due: seen.due,
            asked: seen.asked,
            answered: seen.answered,
            answer,
        });
        self.drifts(told);
    }

    /// The number of the generation that was sighted, a new one where none agrees.
    ///
    /// Several may agree where only a part was sighted: then the one of which most was sighted, and
    /// among those the latest. What is new in the sighting is kept, so that a later value that shares
    /// only a part of it is told apart.
    fn number(&mut self, sighting: &Sighting) -> Option<Generation> {
        let makes = |field: &FieldName| self.fields.is_empty() || self.fields.contains(field);
        let sighting = Sighting(
            sighting.0.iter().filter(|(f, _)| makes(f)).map(|(f, p)| (f.clone(), p.clone())).collect(),
        );
        if sighting.0.is_empty() {
            return None;
        }
        let shared =
            |known: &Sighting| sighting.0.keys().filter(|field| known.0.contains_key(*field)).count();
        let known = self.generations.iter().enumerate().filter(|(_, known)| known.agrees_with(&sighting));
        let best = known.max_by_key(|(number, known)| (shared(known), *number)).map(|(number, _)| number);
        let number = best.unwrap_or_else(|| {
            self.generations.push(Sighting::default());
            self.generations.len() - 1
        });
        self.generations[number].0.extend(sighting.0);
        Some(Generation(number))
    }

    /// The generation that stands now, asked as far upstream as anything is known: what the store shows
    /// since the last write, that write, what the store showed before, and only then the hops behind it.
    fn current(&self) -> Option<Generation> {
        let at = |hop: Hop, since: Micros| {
            let here = self.samples.iter().filter(move |sample| sample.hop == hop && sample.asked >= since);
            here.filter_map(|sample| Some((sample.answered, sample.shows()?)))
                .max_by_key(|(answered, _)| *answered)
        };
        let store = match self.written {
            Some((since, generation)) => at(Hop::Store, since).or(Some((since, generation))),
            None => at(Hop::Store, Micros(0)),
        };
        let behind = [Hop::Secret, Hop::Login, Hop::Workload, Hop::Sync, Hop::Origin];
        store
            .or_else(|| behind.into_iter().find_map(|hop| at(hop, Micros(0))))
            .map(|(_, generation)| generation)
    }
}
