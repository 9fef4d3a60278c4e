//! The table of exit codes, and which of several wins.

use handover_harness::compare::{Outcome, compare};
use handover_harness::verdict::{RunVerdict, Verdict};
use handover_reports::{Exit, exit_of, exit_of_comparison, exit_of_upgrade};

use crate::{compared, samples};

fn run_of(verdicts: &[Verdict]) -> RunVerdict {
    let scenario = |&verdict| {
        let mut scenario = samples::scenario("a/b", Vec::new());
        scenario.verdict = verdict;
        scenario
    };
    samples::run(verdicts.iter().map(scenario).collect())
}

#[test]
fn codes_are_those_of_the_readme() {
    let codes: Vec<u8> = Exit::ALL.into_iter().map(Exit::code).collect();
    assert_eq!(codes, [143, 130, 2, 6, 1, 5, 3, 4, 0], "in order of precedence");
    assert!(Exit::ALL.is_sorted());
}

#[test]
fn the_first_that_applies_is_the_exit() {
    use Verdict::{Error, Fail, Inconclusive, Pass, Skipped};
    for (verdicts, leftovers, leak, exit) in [
        (&[Pass, Pass][..], false, false, Exit::Passed),
        (&[Pass, Skipped], false, false, Exit::Passed),
        (&[], false, false, Exit::NothingRan),
        (&[Skipped, Skipped], false, false, Exit::NothingRan),
        (&[Pass, Inconclusive], false, false, Exit::Inconclusive),
        (&[Inconclusive, Error], false, false, Exit::Environment),
        (&[Inconclusive, Error, Fail], false, false, Exit::Failed),
        (&[Fail, Error], true, false, Exit::LeftBehind),
        (&[Pass], false, true, Exit::LeftBehind),
        (&[], true, true, Exit::LeftBehind),
    ] {
        assert_eq!(exit_of(&run_of(verdicts), leftovers, leak), exit, "{verdicts:?} {leftovers} {leak}");
    }
}

#[test]
fn an_interruption_wins() {
    for (signal, code) in [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 130)] {
        let mut run = run_of(&[Verdict::Fail, Verdict::Error]);
        run.interrupted = Some(signal.to_owned());
        assert_eq!(exit_of(&run, true, true).code(), code, "{signal}");
    }
}

#[test]
fn what_befalls_the_run_counts_too() {
    let mut run = run_of(&[]);
    run.broke = Some("etcd exited at once".to_owned());
    assert_eq!(exit_of(&run, false, false), Exit::Environment, "outranks that nothing ran");
    let mut run = run_of(&[Verdict::Pass]);
    run.torn = true;
    assert_eq!(exit_of(&run, false, false), Exit::Inconclusive, "a killed run never passes");
}

#[test]
fn a_comparison_fails_only_where_something_got_worse() {
    let outcomes = [Outcome::Nothing, Outcome::Changed, Outcome::Worse, Outcome::CannotTell];
    assert_eq!(outcomes.map(|outcome| exit_of_comparison(outcome).code()), [0, 0, 1, 3]);
}

#[test]
fn an_upgrade_of_which_a_run_broke_is_no_answer_unless_something_got_worse() {
    let same = compare(&[run_of(&[Verdict::Pass])], &[run_of(&[Verdict::Pass])]);
    assert_eq!(same.outcome(), Outcome::Nothing);
    assert_eq!(exit_of_upgrade(&same, false, false, false), Exit::Passed);
    assert_eq!(exit_of_upgrade(&same, true, false, false), Exit::Environment);
    assert_eq!(exit_of_upgrade(&same, true, true, false), Exit::LeftBehind);
    let worse = compared::regeneration();
    assert_eq!(exit_of_upgrade(&worse, true, false, false), Exit::Failed, "it hides nothing");
    let mut hop = worse.crossing.clone().expect("it has one");
    hop.moved.clear();
    hop.lag.clear();
    hop.verdict = Verdict::Error;
    assert_eq!(exit_of_upgrade(&same.crossed(hop), false, false, false), Exit::Environment);
}
