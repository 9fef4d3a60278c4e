//! Which due times are asked and which are missed. Pure: knows no clock and no thread.
//!
//! Open loop: the due times are `start + n · period`, whatever became of the questions before. A due time is
//! dealt with exactly once. Whoever comes late by whole periods asks for the latest only: a burst that catches
//! up would load the server at the very moment at which it is slow.

use crate::clock::Micros;

/// The due times of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    next: Micros,
    period: Micros,
    in_flight: usize,
}

/// What to do with the due times that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    first_missed: Micros,
    period: Micros,
    missed: u64,
    /// The due time that is to be asked for now.
    pub ask: Option<Micros>,
}

impl Turn {
    /// The due times that nobody asks for any more, in order.
    pub fn missed(&self) -> impl Iterator<Item = Micros> + use<> {
        let Self { first_missed, period, missed, ask: _ } = *self;
        (0..missed).map(move |n| Micros(first_missed.0 + n * period.0))
    }
}

impl Schedule {
    /// First due at `start`, then every `period` (at least 1 µs). At most `in_flight` (at least 1) questions are
    /// unanswered at a time.
    pub fn new(start: Micros, period: Micros, in_flight: usize) -> Self {
        Self { next: start, period: at_least_1(period), in_flight: in_flight.max(1) }
    }

    /// When there is something to do next.
    pub fn next(&self) -> Micros {
        self.next
    }

    /// Deals with all due times up to `now`, while this many questions are unanswered.
    pub fn turn(&mut self, now: Micros, unanswered: usize) -> Turn {
        let come = if now < self.next { 0 } else { (now - self.next).0 / self.period.0 + 1 };
        let after = Micros(self.next.0 + come * self.period.0);
        let ask = (come > 0 && self.has_room(unanswered)).then(|| after - self.period);
        let missed = come - u64::from(ask.is_some());
        let turn = Turn { first_missed: self.next, period: self.period, missed, ask };
        self.next = after;
        turn
    }

    /// Whether one more question may be asked while this many are unanswered.
    pub fn has_room(&self, unanswered: usize) -> bool {
        unanswered < self.in_flight
    }

    /// Deals with all due times up to `now` like [`Self::turn`]; from then on the period (at least 1 µs) is
    /// another one, counted from the last due time. Where that lies in the past, the next due time is `now`:
    /// what was not due is not missed.
    pub fn set_period(&mut self, now: Micros, period: Micros, unanswered: usize) -> Turn {
        let turn = self.turn(now, unanswered);
        let last = self.next - self.period;
        self.period = at_least_1(period);
        self.next = (last + self.period).max(now);
        turn
    }
}

fn at_least_1(period: Micros) -> Micros {
    period.max(Micros(1))
}

#[cfg(test)]
mod tests;
