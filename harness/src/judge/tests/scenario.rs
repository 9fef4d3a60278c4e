//! A whole scenario: its verdict, its summary, its hop table, and what the harness itself finds.

use super::scenario;
use crate::event::{Ending, Event, Hop, Outcome, Phase, What};
use crate::judge::judge;
use crate::mask::Masked;
use crate::plan::{Always, Bounds, Counted, Expectation, Orders, Refresh, Who};
use crate::timeline::fold;
use crate::timeline::sketch::{Sketch, ms, span, value};
use crate::verdict::Verdict;

/// A static role, rotated after a second, that reaches whoever logs in three seconds later.
fn planned(limit: u64) -> Sketch {
    let credential = || "app".to_owned();
    let moves = Counted::Moves { credential: credential(), at: Hop::Secret };
    Sketch::app()
        .expect(Expectation::Arrival {
            credential: credential(),
            at: Hop::Store,
            within: span(1_000),
            who: Who::Every,
            orders: Orders::All,
        })
        .expect(Expectation::Arrival {
            credential: credential(),
            at: Hop::Secret,
            within: span(limit),
            who: Who::Every,
            orders: Orders::All,
        })
        .expect(Expectation::Outage { of: "web".into(), at_most: span(limit), who: Who::Every })
        .expect(Expectation::Always(Always::Retired { credential: credential(), within: span(1_000) }))
        .expect(Expectation::Count { of: moves, at_least: Some(1), at_most: Some(1) })
        .expect(Expectation::Order { credential: credential(), at: Hop::Secret })
        .begin()
}

/// What the probes see when the rotation is ordered at 1 s, or never.
fn played(sketch: Sketch, rotates: bool) -> Sketch {
    let sketch = (0..50).fold(sketch.news(0, "a"), |s, i| s.accepted("web", i * 20, i * 20 + 3, "a"));
    let sketch = (0..5).fold(sketch, |s, i| s.shows("store", i * 200, i * 200 + 2, "a"));
    let sketch = if rotates { sketch.rotate(1_000, "b") } else { sketch };
    let sketch = (0..150).fold(sketch, |s, i| s.refused("web", 1_000 + i * 20, 1_000 + i * 20 + 3, "a"));
    let sketch = (0..25).fold(sketch, |s, i| s.shows("store", 1_000 + i * 200, 1_000 + i * 200 + 2, "b"));
    let sketch = (0..50).fold(sketch, |s, i| s.refused("old", 1_000 + i * 100, 1_000 + i * 100 + 2, "a"));
    let sketch = sketch.news(3_990, "b");
    (0..100).fold(sketch, |s, i| s.accepted("web", 4_000 + i * 20, 4_000 + i * 20 + 3, "b"))
}

fn good() -> Sketch {
    played(planned(7_000), true).finish(6_000)
}

/// The findings that are no pass: verb, verdict, and what was seen.
fn troubles(sketch: &Sketch) -> Vec<(String, Verdict, String)> {
    let findings = scenario(sketch).findings.into_iter().filter(|finding| finding.verdict != Verdict::Pass);
    findings.map(|finding| (finding.verb, finding.verdict, finding.seen)).collect()
}

#[test]
fn a_pass_says_the_most_telling_numbers() {
    let verdict = scenario(&good());
    assert_eq!(troubles(&good()), []);
    assert_eq!(verdict.verdict, Verdict::Pass);
    assert_eq!(verdict.summary, "secret after 2.98–2.99 s; logins refused 2.98–3.02 s; 1 rotation");
    assert_eq!(verdict.took_us, span(6_000));
    assert_eq!(verdict.findings.len(), 6);
    assert_eq!((verdict.findings[2].limit_us, verdict.findings[2].line), (Some(span(7_000)), Some(12)));
}

#[test]
fn an_impossible_limit_fails_with_bounds_and_says_where_it_stopped() {
    let verdict = scenario(&played(planned(50), true).finish(6_000));
    assert_eq!(verdict.verdict, Verdict::Fail);
    assert_eq!(verdict.summary, "expectation 11: r1 (g0 → g1) at secret after 2.98–2.99 s");
    let stopped = verdict.findings[1].stopped.clone().unwrap();
    assert_eq!((stopped.after, stopped.at), (Some(Hop::Store), Hop::Secret));
    let outage = &verdict.findings[2];
    assert_eq!(outage.verdict, Verdict::Fail);
    let bounds = Bounds { at_least: span(2_977), at_most: Some(span(3_023)) };
    assert_eq!(outage.measured_us, Some(bounds));
}

#[test]
fn without_its_rotation_it_never_passes() {
    let quiet = (0..300).fold(planned(7_000).news(0, "a"), |s, i| s.accepted("web", i * 20, i * 20 + 3, "a"));
    let quiet = (0..30).fold(quiet, |s, i| s.shows("store", i * 200, i * 200 + 2, "a"));
    let quiet = (0..60).fold(quiet, |s, i| s.refused("old", i * 100, i * 100 + 2, "x")).finish(6_000);
    let verdict = scenario(&quiet);
    assert!(
        verdict.findings.iter().all(|finding| finding.verdict != Verdict::Pass),
        "{:?}",
        verdict.findings
    );
    let spurious = scenario(&played(planned(7_000), false).finish(6_000));
    assert_eq!(spurious.verdict, Verdict::Fail, "it moved, and nobody had ordered that");
}

#[test]
fn the_hop_table_names_every_hop_on_the_way() {
    let rows = scenario(&good()).hops;
    let row = |row: &crate::verdict::HopRow| {
        let at = row.at_us.map(|at| at.0 / 1_000);
        (row.hop, row.moves.clone(), at, row.since_previous_us.map(|since| since / 1_000))
    };
    let text = || "g0 → g1".to_owned();
    let expected = [
        (Hop::Origin, text(), Some(1_002), None),
        (Hop::Store, text(), Some(1_002), Some(0)),
        (Hop::Secret, text(), Some(3_990), Some(2_988)),
        (Hop::Login, text(), Some(4_003), Some(13)),
    ];
    assert_eq!(rows.iter().map(row).collect::<Vec<_>>(), expected);
    let login = Bounds { at_least: span(2_980), at_most: Some(span(3_003)) };
    assert_eq!(rows[3].since_rotation_us, Some(login));
    assert!(rows.iter().all(|row| row.evidence.is_some() && row.rotation == 1));
    let mut skipping = good();
    skipping.events.retain(|e| !matches!(&e.what, What::Seen(o) if o.probe == "secret"));
    let rows = scenario(&skipping).hops;
    assert_eq!((rows[2].at_us, rows[3].since_previous_us), (None, Some(3_001_000)), "since the store");
    let never = scenario(&planned(7_000).rotate(1_000, "b").finish(2_000)).hops;
    assert!(
        never
            .iter()
            .all(|row| row.at_us.is_none() && row.since_rotation_us.is_none() && row.moves == "? → g0")
    );
}

#[test]
fn steps_that_went_wrong() {
    let ended =
        |phase| played(planned(7_000), true).step(6_000, phase).with(6_000, What::End(Ending::Finished));
    let text = || Masked::own("last");
    let out = ended(Phase::OutOfTime(text()));
    assert_eq!(scenario(&out).verdict, Verdict::Inconclusive);
    assert_eq!(scenario(&out).summary, "step 1: rotate app: out of time; last seen: last");
    assert_eq!(scenario(&ended(Phase::Moved(text()))).verdict, Verdict::Fail);
    assert_eq!(scenario(&ended(Phase::Failed(text()))).verdict, Verdict::Error);
    let late = played(planned(50), true)
        .step(6_000, Phase::OutOfTime(text()))
        .with(6_000, What::End(Ending::Finished));
    assert_eq!(scenario(&late).verdict, Verdict::Fail, "an expectation fails anyway");
}

#[test]
fn steps_that_were_not_played() {
    let mut sketch = planned(7_000);
    sketch.plan.steps = 2;
    let plan = What::Plan(Box::new(sketch.plan.clone()));
    sketch.events.iter_mut().filter(|e| matches!(e.what, What::Plan(_))).for_each(|e| e.what = plan.clone());
    let sketch = played(sketch, true).finish(6_000);
    let expected = ("evidence".to_owned(), Verdict::Inconclusive, "1 of 2 steps were done".to_owned());
    assert_eq!(troubles(&sketch), [expected]);
}

#[test]
fn ends_that_are_none() {
    let sketch = played(planned(7_000), true).step(6_000, Phase::Done);
    let ends = |ending| scenario(&sketch.clone().with(6_000, What::End(ending)));
    assert_eq!(ends(Ending::Broke(Masked::own("etcd died"))).verdict, Verdict::Error);
    assert_eq!(ends(Ending::Interrupted("SIGINT".into())).verdict, Verdict::Inconclusive);
    let skipped = ends(Ending::Skipped(Masked::own("needs kind")));
    assert_eq!((skipped.verdict, skipped.summary.as_str()), (Verdict::Skipped, "needs kind"));
    assert_eq!(troubles(&sketch)[0].2, "the run was killed before the scenario ended");

    let mut torn = sketch.file();
    torn.truncate(torn.len() - 5);
    let verdict = judge(&fold(&*torn).unwrap());
    assert!(verdict.torn && verdict.scenarios[0].verdict == Verdict::Inconclusive);

    let mut broken = sketch.clone();
    let (seq, at) = (broken.events.len() as u64 + 1, ms(6_000));
    let what = What::End(Ending::Broke(Masked::own("etcd died")));
    broken.events.push(Event { seq, at, scenario: None, what });
    let verdict = judge(&broken.timeline());
    assert_eq!((verdict.broke.as_deref(), verdict.scenarios[0].verdict), (Some("etcd died"), Verdict::Error));
}

#[test]
fn expecting_nothing_passes_nothing() {
    let sketch = Sketch::kv().begin().finish(9);
    assert!(troubles(&sketch).iter().any(|(_, _, seen)| seen == "nothing is expected, so nothing can pass"));
    assert_eq!(scenario(&sketch).verdict, Verdict::Inconclusive);
}

#[test]
fn probes_that_did_not_do_their_work() {
    let seen = |sketch: &Sketch| troubles(sketch).pop().expect("a trouble").2;
    let mut missing = good();
    let mut n = 0;
    for event in &mut missing.events {
        if let What::Seen(observation) = &mut event.what
            && observation.probe == "web"
        {
            n += 1;
            if n % 5 == 0 {
                observation.outcome = Outcome::Missed;
            }
        }
    }
    assert!(seen(&missing).contains("of 300 due times 60 were missed"), "{}", seen(&missing));
    let silence = || Outcome::Unreachable(Masked::own("no answer within 2s"));
    // Where a server hangs, so many questions wait for it that no more are asked; on a busy machine they come back.
    let hangs = |outcome: Outcome, answered: u64| {
        let mut sketch = good();
        let mut n = 0;
        for event in &mut sketch.events {
            if let What::Seen(observation) = &mut event.what
                && observation.probe == "web"
                && (ms(4_400)..ms(5_600)).contains(&observation.due)
            {
                n += 1;
                observation.outcome = if n <= 8 {
                    observation.answered = ms(5_600);
                    if n <= answered { observation.outcome.clone() } else { outcome.clone() }
                } else {
                    Outcome::Missed
                };
            }
        }
        sketch
    };
    assert_eq!(troubles(&hangs(silence(), 0)), []);
    let unclear = Outcome::Unclear(Masked::own("too many connections"));
    for slow in [hangs(unclear, 0), hangs(silence(), 1)] {
        assert!(seen(&slow).contains("of 300 due times 52 were missed"), "{}", seen(&slow));
    }
    let mut silent = good();
    silent.events.retain(|e| !matches!(&e.what, What::Seen(o) if o.probe == "web" && o.asked > ms(3_900)));
    assert_eq!(seen(&silent), "it fell silent 2.10 s before the last step was done");
    // However short: nobody knows what it met by then.
    let why = Masked::own("the log of pod web-1 broke off before its end");
    let torn = What::Gap { probe: "web".into(), from: ms(2_900), why };
    let torn = played(planned(7_000), true).with(3_000, torn).finish(6_000);
    assert_eq!(seen(&torn), "nothing was heard for 100 ms: the log of pod web-1 broke off before its end");
    let mut slower = good();
    slower
        .events
        .retain(|e| !matches!(&e.what, What::Seen(o) if o.probe == "old" && o.asked.0 % 500_000 != 0));
    assert_eq!(troubles(&slower), [], "a probe may change its period");
    let mut mute = good();
    mute.events.retain(|e| !matches!(&e.what, What::Seen(o) if o.probe == "store"));
    assert_eq!(seen(&mute), "it never had an answer");
    let health = scenario(&missing).probes;
    let web = health.iter().find(|probe| probe.probe == "web").unwrap();
    assert_eq!((web.answered, web.missed, web.every_us), (240, 60, Some(span(20))));
}

#[test]
fn a_scale_projects_what_was_measured_to_the_real_interval() {
    let refresh = Refresh { real: span(3_600_000), played: span(2_000) };
    let mut sketch = Sketch::app();
    sketch.plan.scale = Some("1/1800".to_owned());
    sketch.plan.credentials.get_mut("app").expect("it is planned").refresh = Some(refresh);
    let verdict = scenario(&played(sketch.begin(), true).finish(6_000));
    let hops: Vec<_> = verdict.projections.iter().map(|one| one.hop).collect();
    assert_eq!(hops, [Hop::Secret, Hop::Login]);
    let [secret, _] = verdict.projections.as_slice() else { panic!("two hops") };
    assert!(secret.measured_us >= span(2_980) && secret.measured_us <= span(3_000), "{secret:?}");
    assert_eq!(secret.excess_us, secret.measured_us - span(2_000));
    assert_eq!(secret.projected_us, span(3_600_000) + secret.excess_us);
    assert!(secret.text.contains("with your 1 h, up to 1 h 9"), "{}", secret.text);
    assert_eq!(scenario(&good()).projections, []);
}

#[test]
fn a_forced_sync_waits_for_no_interval() {
    let projected = |began: u64| {
        let mut sketch = Sketch::app();
        sketch.plan.scale = Some("1/1800".to_owned());
        let planned = sketch.plan.credentials.get_mut("app").expect("it is planned");
        planned.refresh = Some(Refresh { real: span(3_600_000), played: span(2_000) });
        planned.forced_by = vec![1];
        let verdict = scenario(&played(sketch.begin(), true).begins(began, 1).finish(6_000));
        verdict.projections.into_iter().find(|one| one.hop == Hop::Secret).expect("it arrived")
    };
    let forced = projected(1_500);
    assert!(forced.forced && forced.excess_us == span(0), "{forced:?}");
    assert_eq!(forced.projected_us, forced.measured_us);
    assert!(forced.text.ends_with("with your 1 h, the same"), "{}", forced.text);
    for elsewhere in [500, 5_000] {
        assert!(!projected(elsewhere).forced, "it was forced before or after the rotation's way");
    }
}

#[test]
fn a_workload_that_was_scaled_away_is_not_silent() {
    let silent = |sketch: Sketch| {
        let mut sketch = sketch;
        sketch
            .events
            .retain(|e| !matches!(&e.what, What::Seen(o) if o.probe == "web" && o.asked > ms(3_000)));
        troubles(&sketch).iter().any(|(_, _, seen)| seen.contains("fell silent"))
    };
    let there = played(planned(7_000), true).replica(5, "one", true);
    assert!(silent(there.clone().finish(6_000)));
    assert!(!silent(there.clone().replica(3_000, "one", false).finish(6_000)));
    let other = there.replica(10, "two", true).replica(3_000, "one", false).finish(6_000);
    assert!(silent(other), "one of them is still there");
}

#[test]
fn a_replica_that_falls_silent_does_not_hide_behind_another() {
    let replicas = |until: u64, gone: Option<u64>| {
        let sketch = played(planned(7_000), true).replica(5, "one", true).replica(6, "two", true);
        let both = (0..300).fold(sketch, |s, i| {
            let (asked, set) = (i * 20, if i < 150 { "a" } else { "b" });
            let login = |s: Sketch, name| s.by(name, "web", asked, asked + 3, Outcome::Accepted(value(set)));
            let s = login(s, "one");
            if asked < until { login(s, "two") } else { s }
        });
        let both = gone.into_iter().fold(both, |s, at| s.replica(at, "two", false)).finish(6_000);
        let silent = troubles(&both).into_iter().map(|(.., seen)| seen);
        silent.filter(|seen| seen.contains("fell silent")).collect::<Vec<_>>()
    };
    assert_eq!(replicas(3_000, None), ["two fell silent 3.02 s before the last step was done"]);
    assert_eq!(replicas(3_000, Some(3_100)), Vec::<String>::new(), "it left");
    assert_eq!(replicas(6_000, None), Vec::<String>::new());
}

#[test]
fn a_probe_that_is_refused_to_the_end_did_its_work() {
    let dead = (0..200)
        .fold(played(planned(7_000), true), |s, i| s.refused("web", 6_000 + i * 20, 6_000 + i * 20 + 3, "b"));
    let own =
        scenario(&dead.finish(10_000)).findings.into_iter().filter(|finding| finding.verb == "evidence");
    let web: Vec<_> = own.filter(|finding| finding.expected.starts_with("web")).collect();
    assert_eq!(web, []);
}

#[test]
fn the_hop_table_counts_replicas_and_names_what_nobody_ordered() {
    let sketch = planned(7_000);
    let mut sketch = Sketch { events: Vec::new(), ..sketch }.moving_itself(Hop::Store).begin();
    sketch = sketch.shows("store", 0, 1, "a");
    for (name, at, word) in [("one", 50, "a"), ("two", 60, "a"), ("one", 300, "b"), ("two", 400, "b")] {
        if at == 300 {
            sketch = sketch.shows("store", 200, 201, "b");
        }
        sketch = sketch.by(name, "web", at, at + 4, Outcome::Accepted(crate::timeline::sketch::value(word)));
    }
    let rows = scenario(&sketch.finish(2_000)).hops;
    let login = rows.iter().find(|row| row.hop == Hop::Login).unwrap();
    assert_eq!(login.kind, crate::event::OrderKind::Scheduled);
    assert_eq!(login.replicas, Some(crate::verdict::ReplicaCount { reached: 2, of: 2 }));
    assert_eq!(login.at_us, Some(span(404)));
    assert!(rows.iter().filter(|row| row.hop != Hop::Login).all(|row| row.replicas.is_none()));
}
