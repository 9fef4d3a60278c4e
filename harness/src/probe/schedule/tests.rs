//! No due time is lost, none is asked twice, and nobody catches up in bursts.

use proptest::prelude::*;

use super::*;

/// A wake-up: how long after the one before, how many questions are unanswered, and a new period perhaps.
fn wakes() -> impl Strategy<Value = Vec<(u64, usize, Option<u64>)>> {
    let period = prop_oneof![8 => Just(None), 1 => (1_000..300_000u64).prop_map(Some)];
    prop::collection::vec((0..100_000u64, 0..12usize, period), 1..60)
}

/// What came of a due time.
fn dues(turn: &Turn) -> Vec<(Micros, bool)> {
    turn.missed().map(|due| (due, false)).chain(turn.ask.map(|due| (due, true))).collect()
}

proptest! {
    #[test]
    fn every_due_time_is_dealt_with_once(start in 0..1_000_000u64, period in 1..50_000u64, wakes in wakes()) {
        let mut schedule = Schedule::new(Micros(start), Micros(period), 8);
        let (mut now, mut seen) = (0, Vec::new());
        for (pause, unanswered, _) in wakes {
            now += pause;
            let turn = schedule.turn(Micros(now), unanswered);
            prop_assert!(turn.ask.is_none() || unanswered < 8);
            if let Some(ask) = turn.ask {
                prop_assert!(ask <= Micros(now) && Micros(now) - ask < Micros(period), "late by whole periods");
            }
            seen.extend(dues(&turn));
        }
        let expected: Vec<Micros> =
            (0..).map(|n| Micros(start + n * period)).take_while(|due| *due <= Micros(now)).collect();
        prop_assert_eq!(seen.iter().map(|(due, _)| *due).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn whoever_wakes_in_time_and_has_room_misses_nothing(period in 1..50_000u64, late in 0..1_000u64) {
        let mut schedule = Schedule::new(Micros(0), Micros(period), 8);
        for _ in 0..50 {
            let due = schedule.next();
            let turn = schedule.turn(due + Micros(late % period), 7);
            prop_assert_eq!(dues(&turn), [(due, true)]);
        }
    }

    #[test]
    fn a_new_period_loses_nothing_and_invents_nothing(start in 0..100_000u64, wakes in wakes()) {
        let mut schedule = Schedule::new(Micros(start), Micros(20_000), 8);
        let (mut now, mut seen, mut changes) = (0, Vec::new(), vec![(Micros(0), Micros(20_000))]);
        for (pause, unanswered, period) in wakes {
            now += pause;
            let turn = match period {
                Some(period) => {
                    changes.push((Micros(now), Micros(period)));
                    schedule.set_period(Micros(now), Micros(period), unanswered)
                }
                None => schedule.turn(Micros(now), unanswered),
            };
            seen.extend(dues(&turn));
            let next = schedule.next();
            prop_assert!(next >= Micros(now), "what was not due is not missed");
            let in_force = changes.last().unwrap().1;
            prop_assert!(next <= Micros(now.max(start)) + in_force.max(Micros(20_000)), "{next:?} is too far away");
        }
        for pair in seen.windows(2) {
            let [(before, _), (after, _)] = pair else { unreachable!() };
            let shortest = changes.iter().map(|(_, period)| *period).min().unwrap();
            prop_assert!(before < after, "each once and in order");
            prop_assert!(*after - *before >= shortest.min(Micros(1)), "never in bursts");
        }
    }
}

#[test]
fn hurrying_asks_at_once_where_the_new_period_is_over_already() {
    let mut schedule = Schedule::new(Micros(0), Micros(250_000), 8);
    assert_eq!(schedule.turn(Micros(0), 0).ask, Some(Micros(0)));
    assert_eq!(dues(&schedule.set_period(Micros(100_000), Micros(20_000), 0)), []);
    assert_eq!(schedule.next(), Micros(100_000));
    assert_eq!(dues(&schedule.turn(Micros(100_100), 0)), [(Micros(100_000), true)]);
    schedule.set_period(Micros(105_000), Micros(250_000), 0);
    assert_eq!(schedule.next(), Micros(350_000), "counted from the last due time");
}

#[test]
fn a_thread_that_slept_long_asks_once() {
    let mut schedule = Schedule::new(Micros(0), Micros(20_000), 8);
    let turn = schedule.turn(Micros(1_010_000), 0);
    assert_eq!((turn.missed().count(), turn.ask), (50, Some(Micros(1_000_000))));
    let full = schedule.turn(Micros(1_020_000), 8);
    assert_eq!(dues(&full), [(Micros(1_020_000), false)]);
}
