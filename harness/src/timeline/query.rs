//! Questions to a story that do not depend on when exactly something arrived.

use super::replicas::Life;
use super::story::{Blind, Story};
use super::track::{Generation, Rotation, Sample};
use crate::clock::Micros;
use crate::event::{Ending, Hop, Phase};
use crate::plan::Since;

/// The value at a hop moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When the new value was seen.
    pub at: Micros,
    /// The event that shows it.
    pub seq: u64,
    /// From what.
    pub from: Generation,
    /// To what.
    pub to: Generation,
}

impl Story {
    /// When it ended; where it did not, when it was last heard of.
    pub fn end(&self) -> Micros {
        self.ended.as_ref().map_or(self.last_at, |(at, _)| *at)
    }

    /// Whether it was played to its end: every step of its plan done, and then finished.
    pub fn complete(&self) -> bool {
        let done = self.steps.values().filter(|step| step.phase == Phase::Done).count();
        matches!(self.ended, Some((_, Ending::Finished))) && done >= self.plan.steps
    }

    /// When a moment of the plan was; none where its step never began.
    pub fn moment(&self, since: Since) -> Option<Micros> {
        match since {
            Since::Began => self.steps.values().map(|step| step.began).min().or(Some(self.began)),
            Since::Step(index) => self.steps.get(&index).map(|step| step.began),
        }
    }

    /// The rotations ordered of a credential: r1 is at index 0.
    pub fn rotations(&self, credential: &str) -> &[Rotation] {
        self.tracks.get(credential).map_or(&[], |track| &track.rotations)
    }

    /// Everything seen of a credential, in the order of the file.
    pub fn samples(&self, credential: &str) -> &[Sample] {
        self.tracks.get(credential).map_or(&[], |track| &track.samples)
    }

    /// Everything seen of a credential at a hop, in the order of the file.
    pub fn samples_at(&self, credential: &str, hop: Hop) -> impl Iterator<Item = &Sample> {
        self.samples(credential).iter().filter(move |sample| sample.hop == hop)
    }

    /// Everything that one probe of the plan reported, in the order of the file.
    pub fn samples_by(&self, probe: &str) -> impl Iterator<Item = &Sample> {
        let credential = self.plan.probes.get(probe).map(|planned| planned.credential.as_str());
        let samples = credential.map_or(&[] as &[Sample], |credential| self.samples(credential));
        samples.iter().filter(move |sample| sample.probe == probe)
    }

    /// The latest answer about a credential at a hop, whatever it says; not one that was missed.
    pub fn latest(&self, credential: &str, hop: Hop) -> Option<&Sample> {
        self.samples_at(credential, hop)
            .filter(|sample| sample.answer != super::Answer::Missed)
            .max_by_key(|sample| (sample.answered, sample.seq))
    }

    /// The generation that stood at a hop when it was last seen.
    pub fn standing(&self, credential: &str, hop: Hop) -> Option<Generation> {
        self.standing_before(credential, hop, Micros(u64::MAX))
    }

    /// The generation that stood at a hop when it was last asked before this moment.
    pub(super) fn standing_before(&self, credential: &str, hop: Hop, moment: Micros) -> Option<Generation> {
        self.samples_at(credential, hop)
            .filter(|sample| sample.asked < moment)
            .filter_map(|sample| Some((sample.answered, sample.seq, sample.shows()?)))
            .max()
            .map(|(_, _, generation)| generation)
    }

    /// Whether what the latest ordered rotation set is at the hop, or has been since it was ordered. No,
    /// where none was ordered or what it set is not known yet.
    pub fn reached(&self, credential: &str, hop: Hop) -> bool {
        let Some(latest) = self.rotations(credential).len().checked_sub(1) else { return false };
        self.arrival(credential, hop, latest).seen.is_some()
    }

    /// The generation that the latest ordered rotation moved away from.
    pub fn previous(&self, credential: &str) -> Option<Generation> {
        self.rotations(credential).last()?.from
    }

    /// The moves of the value at a hop. Of several replicas, those that brought it to a generation which no
    /// other had brought it to before: one that only follows the others makes no move of its own.
    ///
    /// Answers may overlap: then an older value that was asked for earlier and came back later would look
    /// like a move back. So only what was asked after the value that stands had been seen is a move, and
    /// there were certainly no fewer moves than these.
    pub fn moves(&self, credential: &str, hop: Hop) -> Vec<Move> {
        let lives = self.lives_at(credential, hop);
        match lives.as_slice() {
            [] => Vec::new(),
            [only] => moves_among(only.samples.iter().copied()),
            several => moves_in_front(several),
        }
    }

    /// Whether anything watches the hop, rather than asks it again and again.
    pub fn watched(&self, credential: &str, hop: Hop) -> bool {
        self.plan.probes.values().any(|p| p.credential == credential && p.hop == hop && p.every.is_none())
    }

    /// Until when somebody watched the hop of what was seen at `since` and next at `until`: the watch may have been blind
    /// for the rest.
    pub fn sighted(&self, credential: &str, hop: Hop, since: Micros, until: Micros) -> Micros {
        let blind = self.gaps_at(credential, hop).filter(|gap| gap.from >= since).map(|gap| gap.from).min();
        blind.map_or(until, |from| until.min(from))
    }

    /// When the watches of a hop were blind.
    pub fn gaps_at(&self, credential: &str, hop: Hop) -> impl Iterator<Item = &Blind> {
        self.gaps.iter().filter(move |gap| {
            self.plan.probes.get(&gap.probe).is_some_and(|p| p.credential == credential && p.hop == hop)
        })
    }
}

/// The moves that these samples of one hop, or of one replica, show.
pub(crate) fn moves_among<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<Move> {
    let mut shown: Vec<_> = samples.filter(|sample| sample.shows().is_some()).collect();
    shown.sort_by_key(|sample| (sample.answered, sample.seq));
    let mut moves = Vec::new();
    let mut standing: Option<(Generation, Micros)> = None;
    for sample in shown {
        let to = sample.shows().expect("only what shows a generation was kept");
        match standing {
            Some((from, _)) if from == to => {}
            Some((_, since)) if sample.asked < since => {}
            Some((from, _)) => {
                moves.push(Move { at: sample.answered, seq: sample.seq, from, to });
                standing = Some((to, sample.answered));
            }
            None => standing = Some((to, sample.answered)),
        }
    }
    moves
}

/// The moves of the replica that is in front. A replica moves from the front to somewhere else, or comes
/// with what nobody had before; whoever is behind only follows.
fn moves_in_front(lives: &[Life<'_>]) -> Vec<Move> {
    let births = lives.iter().filter_map(|life| {
        let shown = life.samples.iter().filter(|sample| sample.shows().is_some());
        let first = shown.min_by_key(|sample| (sample.answered, sample.seq))?;
        Some((first.answered, first.seq, None, first.shows()?))
    });
    let moves = lives.iter().flat_map(|life| moves_among(life.samples.iter().copied()));
    let moves = moves.map(|moved| (moved.at, moved.seq, Some(moved.from), moved.to));
    let mut all: Vec<_> = births.chain(moves).collect();
    all.sort_unstable();
    let mut history: Vec<Generation> = Vec::new();
    let mut front = Vec::new();
    for (at, seq, from, to) in all {
        match history.last() {
            None => history.push(to),
            Some(first) if *first == to => {}
            Some(first) if from == Some(*first) || !history.contains(&to) => {
                front.push(Move { at, seq, from: *first, to });
                history.push(to);
            }
            Some(_) => {}
        }
    }
    front
}
