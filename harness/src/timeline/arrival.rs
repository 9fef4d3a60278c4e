//! When a rotation arrived at a hop, with two bounds.
//!
//! Levels decide, not edges: a rotation has arrived as soon as the hop shows what it set, or what a
//! rotation ordered later set. After a rollback the value is an old one again, so only what was asked
//! after a rotation was ordered speaks of it.

use super::story::Story;
use super::track::{Answer, Generation, Rotation, Sample};
use crate::clock::Micros;
use crate::event::Hop;
use crate::plan::{Bounds, Who};

/// When a rotation arrived at a hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// How long after it was ordered. Without an upper bound where it was never seen to arrive.
    pub bounds: Bounds,
    /// The observation that shows it; none: it was never seen to arrive.
    pub seen: Option<Seen>,
    /// The last observation that shows that it had not arrived.
    pub not_before: Option<u64>,
}

/// An observation that shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The event.
    pub seq: u64,
    /// When the answer came.
    pub at: Micros,
}

impl Arrival {
    /// The events that show it.
    pub fn evidence(&self) -> impl Iterator<Item = u64> {
        self.not_before.into_iter().chain(self.seen.map(|seen| seen.seq))
    }
}

/// The latest moment at which it had certainly not arrived.
#[derive(Clone, Copy)]
struct NotYet {
    at: Micros,
    seq: Option<u64>,
}

impl NotYet {
    fn or_later(self, at: Micros, seq: Option<u64>) -> Self {
        if at > self.at { Self { at, seq } } else { self }
    }

    fn arrival(self, rotation: &Rotation, seen: Option<&Sample>) -> Arrival {
        let at_most = seen.map(|sample| sample.answered - rotation.ordered);
        let at_least = self.at - rotation.certain;
        Arrival {
            bounds: Bounds { at_least: at_most.map_or(at_least, |most| most.min(at_least)), at_most },
            seen: seen.map(|sample| Seen { seq: sample.seq, at: sample.answered }),
            not_before: self.seq,
        }
    }
}

impl Story {
    /// When a rotation (by index) of a credential arrived at a hop.
    ///
    /// The upper bound is the first answer that shows it. The lower bound is the last asking that still
    /// showed something else; where the news came by watch, the moment of the news less the error bar that
    /// the calibration measured, or the beginning of a gap in which it may have happened. At the origin of
    /// a credential that a server checks, the server's own answers to logins decide.
    pub fn arrival(&self, credential: &str, hop: Hop, rotation: usize) -> Arrival {
        self.reach(credential, hop, rotation, Who::Every).arrival
    }

    /// When a rotation arrived at a hop, all that is seen there taken as one series.
    pub(super) fn arrival_of_all(&self, credential: &str, hop: Hop, rotation: usize) -> Arrival {
        let checked =
            self.plan.credentials.get(credential).is_some_and(|planned| planned.checked_by.is_some());
        if hop == Hop::Origin && checked {
            return self.origin(credential, rotation);
        }
        let samples: Vec<&Sample> = self.samples_at(credential, hop).collect();
        let arrival = self.arrival_among(credential, rotation, &samples);
        let rotations = self.rotations(credential);
        let Some(since) = rotations.get(rotation).filter(|r| r.set.is_some() && arrival.seen.is_none())
        else {
            return arrival;
        };
        let not_yet = NotYet { at: since.certain + arrival.bounds.at_least, seq: arrival.not_before };
        let known = self.silent_until(credential, hop, &rotations[rotation..]);
        not_yet.or_later(known, not_yet.seq).arrival(since, None)
    }

    /// When a rotation was seen to arrive among these samples, which are of one hop.
    pub(super) fn arrival_among(&self, credential: &str, rotation: usize, samples: &[&Sample]) -> Arrival {
        let rotations = self.rotations(credential);
        let Some(this @ Rotation { ordered, set: Some(set), .. }) = rotations.get(rotation) else {
            return Arrival::default();
        };
        let before = samples.iter().filter(|sample| sample.asked < *ordered);
        let standing = before.filter_map(|sample| Some((sample.answered, sample.seq, sample.shows()?)));
        let standing = standing.max().map(|(_, _, generation)| generation);
        let mut not_yet = NotYet { at: *ordered, seq: None };
        let mut moved = false;
        for sample in since(samples.iter().copied(), *ordered) {
            let shows = sample.shows();
            // A value that has stood there all along shows nothing, even if a later rotation puts it back.
            moved |= shows.is_some() && shows != standing;
            if shows == Some(*set) || moved && overtakes(&rotations[rotation + 1..], sample) {
                let not_yet = self.news(sample, not_yet);
                return not_yet.arrival(this, Some(sample));
            }
            if under_way(&rotations[rotation + 1..], sample) {
                continue;
            }
            if shows.is_some() || sample.refused() {
                not_yet = not_yet.or_later(self.knows_of(sample), Some(sample.seq));
            }
        }
        not_yet.arrival(this, None)
    }

    /// When the server that checks a credential let the rotation count: the first login since the order
    /// in which it refused what stood before or accepted what was set (or set later).
    pub fn origin(&self, credential: &str, rotation: usize) -> Arrival {
        let rotations = self.rotations(credential);
        let Some(this @ &Rotation { ordered, from, set, .. }) = rotations.get(rotation) else {
            return Arrival::default();
        };
        let previous = from.filter(|_| from != set);
        // What was refused before the order already is not refused because of it.
        let was_refused = self.decided_before(credential, previous, ordered).is_some_and(Sample::refused);
        let mut not_yet = NotYet { at: ordered, seq: None };
        for sample in since(self.samples(credential).iter().filter(|s| s.login_like()), ordered) {
            let arrived = match sample.answer {
                Answer::Accepted(Some(generation)) => {
                    Some(generation) != previous && Some(generation) == set
                        || Some(generation) != previous && overtakes(&rotations[rotation + 1..], sample)
                }
                Answer::Refused(Some(generation)) => Some(generation) == previous && !was_refused,
                Answer::Accepted(None) | Answer::Refused(None) => false,
                Answer::Shows(_) | Answer::Locked(_) | Answer::Missed => false,
                Answer::Unreachable(_) | Answer::Unclear(_) => false,
            };
            if arrived {
                return not_yet.arrival(this, Some(sample));
            }
            if sample.accepted() && previous.is_some() && sample.shows() == previous {
                not_yet = not_yet.or_later(sample.asked, Some(sample.seq));
            }
        }
        not_yet.arrival(this, None)
    }

    /// The last login with this generation that was answered before the moment.
    pub(crate) fn decided_before(
        &self,
        credential: &str,
        generation: Option<Generation>,
        moment: Micros,
    ) -> Option<&Sample> {
        let generation = generation?;
        self.samples(credential)
            .iter()
            .filter(|sample| sample.login_like() && sample.answered <= moment)
            .filter(|s| matches!(s.answer, Answer::Accepted(Some(g)) | Answer::Refused(Some(g)) if g == generation))
            .max_by_key(|sample| (sample.answered, sample.seq))
    }

    /// The moment of which a sample speaks at the earliest: when it was asked; by a watch, the moment of
    /// its news less the error bar.
    fn knows_of(&self, sample: &Sample) -> Micros {
        if self.watches(&sample.probe) {
            self.error_bar.map_or(Micros(0), |bar| sample.asked - bar)
        } else {
            sample.asked
        }
    }

    /// Whether a probe watches, rather than asks again and again.
    fn watches(&self, probe: &str) -> bool {
        self.plan.probes.get(probe).is_some_and(|planned| planned.every.is_none())
    }

    /// What the news itself says about when it had not happened yet: a watch tells at once, unless it was
    /// blind since it last told anything.
    fn news(&self, sample: &Sample, not_yet: NotYet) -> NotYet {
        match self.told(&sample.probe, sample.asked) {
            Some(happened) => not_yet.or_later(happened, not_yet.seq),
            None => not_yet,
        }
    }

    /// When news that a watch told at this moment happened at the earliest: the error bar before it, or when
    /// the watch went blind since it last told anything. None for what is asked again and again, or where
    /// the error bar was not measured.
    pub(crate) fn told(&self, probe: &str, at: Micros) -> Option<Micros> {
        let bar = self.error_bar.filter(|_| self.watches(probe))?;
        let before = self.samples_by(probe).filter(|other| other.answered < at);
        let last_told = before.map(|other| other.answered).max();
        let blind = self.gaps.iter().filter(|gap| gap.probe == probe && gap.from < at);
        let blind =
            blind.filter(|gap| last_told.is_none_or(|told| gap.until > told)).map(|gap| gap.from).min();
        let happened = at - bar;
        Some(blind.map_or(happened, |blind| blind.min(happened)))
    }

    /// Until when the silence of the hop's watches shows that none of these rotations had arrived: to the
    /// end, or until one went blind for good, or until one of them set the very value that stood there.
    fn silent_until(&self, credential: &str, hop: Hop, rotations: &[Rotation]) -> Micros {
        let watches = self.plan.probes.iter().filter(|(_, planned)| {
            planned.credential == credential && planned.hop == hop && planned.every.is_none()
        });
        let known = watches.filter_map(|(probe, _)| {
            let told = self.samples_by(probe).map(|sample| sample.answered).max()?;
            let blind = self.gaps.iter().filter(|gap| gap.probe == *probe && gap.from >= told);
            Some(blind.map(|gap| gap.from).min().unwrap_or(self.end()))
        });
        let known = known.max().unwrap_or_default() - self.error_bar.unwrap_or_default();
        let standing = |rotation: &&Rotation| {
            let stood = self.standing_before(credential, hop, rotation.ordered);
            stood.is_some() && stood == rotation.set
        };
        rotations.iter().find(standing).map_or(known, |rotation| known.min(rotation.ordered))
    }
}

/// Those asked since a moment, in the order of their answers.
fn since<'a>(samples: impl Iterator<Item = &'a Sample>, moment: Micros) -> Vec<&'a Sample> {
    let mut samples: Vec<_> = samples.filter(|sample| sample.asked >= moment).collect();
    samples.sort_by_key(|sample| (sample.answered, sample.seq));
    samples
}

/// Whether a sample shows what one of these rotations set, asked since that one was ordered.
fn overtakes(later: &[Rotation], sample: &Sample) -> bool {
    let Some(shows) = sample.shows() else { return false };
    later.iter().any(|rotation| rotation.set == Some(shows) && rotation.ordered <= sample.asked)
}

/// Whether a sample shows what one of these rotations set, and was under way when that one was ordered: it
/// may speak of it, or of the time before.
fn under_way(later: &[Rotation], sample: &Sample) -> bool {
    let Some(shows) = sample.shows() else { return false };
    let spans = |moment: Micros| sample.asked < moment && moment <= sample.answered;
    later.iter().any(|rotation| rotation.set == Some(shows) && spans(rotation.ordered))
}
