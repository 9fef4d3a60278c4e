//! The comparison for people, as golden files; for programs, there and back.

use std::path::Path;

use handover_harness::compare::{Comparison, Outcome, compare};
use handover_harness::verdict::{Defect, Standing, Verdict};
use handover_reports::comparison::{from_json, headline, markdown, schema, terminal, to_json};
use handover_reports::{Exit, Style, Unreadable, exit_of_comparison, write_atomically};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::compared::{claiming, of, on, pinning, regeneration, timed, upgraded};

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;

fn shown(comparison: &Comparison, style: Style) -> String {
    terminal(comparison, exit_of_comparison(comparison.outcome()), &style)
}

/// Both for people, one above the other.
fn both(comparison: &Comparison) -> String {
    let line = "─".repeat(100);
    format!(
        "{}{line}\n{}",
        shown(comparison, Style::default()),
        markdown(comparison).replace('\u{200b}', "⎵")
    )
}

fn nothing_changed_at_all() -> Comparison {
    let side = || {
        vec![timed("kv/refresh", &[4_000, 4_100]), claiming(Standing::Holds), pinning(Defect::Known, PASS)]
    };
    upgraded(side(), side())
}

/// One of each way a verdict can change, and what only pins did to one.
fn both_ways() -> Comparison {
    let slow = |from: u64| timed("kv/slow", &(0..5).map(|i| from + 10 * i).collect::<Vec<_>>());
    let a = vec![
        of("x/fixed", FAIL),
        of("x/broken", PASS),
        of("x/same", FAIL),
        pinning(Defect::Known, PASS),
        slow(4_000),
    ];
    let b = vec![
        of("x/fixed", PASS),
        of("x/broken", FAIL),
        of("x/same", FAIL),
        pinning(Defect::Gone, FAIL),
        slow(4_900),
    ];
    upgraded(a, b)
}

#[test]
fn nothing_changed() {
    insta::assert_snapshot!(both(&nothing_changed_at_all()));
}

#[test]
fn generated_values_move() {
    insta::assert_snapshot!(both(&regeneration()));
}

#[test]
fn generated_values_move_in_colour_and_narrow() {
    let style = Style { colour: true, width: 72 };
    insta::assert_snapshot!(shown(&regeneration(), style).replace('\u{1b}', "␛"));
}

#[test]
fn cannot_tell() {
    let mut broken = on("30-bbbb", "v0.20.4", vec![of("x/late", Verdict::Inconclusive), of("x/same", PASS)]);
    broken.broke = Some("openbao died: exit status 2".to_owned());
    let sound = on("00-aaaa", "v0.16.1", vec![of("x/late", PASS), of("x/same", PASS)]);
    insta::assert_snapshot!(both(&compare(&[sound], &[broken])));
}

#[test]
fn verdicts_change_both_ways() {
    insta::assert_snapshot!(both(&both_ways()));
}

#[test]
fn changed_and_nothing_for_the_worse() {
    let a = vec![of("x/fixed", FAIL), claiming(Standing::Holds), pinning(Defect::Known, PASS)];
    let b = vec![of("x/fixed", PASS), claiming(Standing::Unsettled), pinning(Defect::Spread, FAIL)];
    insta::assert_snapshot!(both(&upgraded(a, b)));
}

#[test]
fn unsteady() {
    let round =
        |id: &str, verdict| on(id, "v0.20.4", vec![of("x/flaky", verdict), timed("kv/refresh", &[4_000])]);
    let a = [round("00-aaaa", PASS), round("20-cccc", FAIL)];
    let b = [round("10-bbbb", PASS), round("30-dddd", PASS)];
    insta::assert_snapshot!(both(&compare(&a, &b)));
}

#[test]
fn only_one_side_played() {
    let a = on("00-aaaa", "v0.20.4", vec![of("x/first", PASS), of("x/both", PASS)]);
    let mut b = on("30-bbbb", "v0.20.4", vec![of("x/both", PASS), of("x/second", PASS)]);
    b.on.as_mut().unwrap().plane = "kind".to_owned();
    insta::assert_snapshot!(both(&compare(&[a], &[b])));
}

#[test]
fn headlines() {
    for (comparison, outcome, said) in [
        (nothing_changed_at_all(), Outcome::Nothing, "nothing changed between eso v0.16.1 and v0.20.4"),
        (
            regeneration(),
            Outcome::Worse,
            "3 values that should stand still move (2 of them by a known defect) and 1 time is longer when eso v0.16.1 \
             becomes v0.20.4",
        ),
        (
            both_ways(),
            Outcome::Worse,
            "1 scenario fails that passed and 1 time is longer when eso v0.16.1 becomes v0.20.4",
        ),
        (compare(&[], &[]), Outcome::CannotTell, "cannot tell: A: there is no run, and 2 reasons more"),
    ] {
        assert_eq!((comparison.outcome(), headline(&comparison).as_str()), (outcome, said));
    }
}

#[test]
fn another_exit_says_its_own_meaning() {
    let shown = terminal(&regeneration(), Exit::LeftBehind, &Style::default());
    assert!(
        shown.ends_with("exit 6: something was left behind, or a secret was found in an artifact\n"),
        "{shown}"
    );
}

#[test]
fn the_committed_schema_of_a_comparison_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("comparison.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        write_atomically(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "comparison.schema.json: UPDATE_SCHEMA=1 cargo test -p handover-reports schema"
    );
}

#[test]
fn a_comparison_comes_back_as_it_went() {
    for comparison in [regeneration(), both_ways(), compare(&[], &[])] {
        let json = to_json(&comparison);
        let back = from_json(&json).unwrap();
        assert_eq!((&back, to_json(&back)), (&comparison, json));
    }
    let error = from_json(r#"{"format": 99}"#).unwrap_err();
    assert!(matches!(error, Unreadable::Format { found: 99, .. }), "{error}");
    assert!(matches!(from_json(r#"{"format": 1}"#).unwrap_err(), Unreadable::Damaged { .. }));
}

#[test]
fn a_long_comparison_fits_a_comment() {
    let long = |verdict| (0..500).map(|i| of(&format!("x/{i}-{}", "long ".repeat(60)), verdict)).collect();
    let posted = markdown(&upgraded(long(PASS), long(FAIL)));
    assert!(posted.chars().count() < 65_536, "{}", posted.chars().count());
    assert!(
        posted.contains("more are in comparison.json") && posted.contains("rows more, in comparison.json")
    );
}

/// The comparison with this in the place of every text that others wrote.
fn spoken(text: &str) -> Comparison {
    let mut comparison = regeneration();
    let crossing = comparison.crossing.as_mut().unwrap();
    for moved in &mut crossing.moved {
        (moved.what, moved.known, moved.phase) = (text.into(), Some(text.into()), text.into());
    }
    for phase in &mut crossing.phases {
        phase.name = text.into();
    }
    crossing.limits = vec![text.into()];
    for row in &mut comparison.claims {
        (row.claim, row.source, row.seen) = (text.into(), text.into(), text.into());
    }
    for row in &mut comparison.verdicts {
        row.scenario = text.into();
    }
    comparison.sides.b.label = text.into();
    comparison.sides.b.troubles = vec![text.into()];
    comparison
}

/// Where Markdown would see this character and not only show it.
fn bare(line: &str, wanted: char) -> usize {
    let mut count = 0;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == wanted => count += 1,
            _ => {}
        }
    }
    count
}

#[track_caller]
fn harmless(text: &str) -> Result<(), proptest::test_runner::TestCaseError> {
    let (plain, posted) = (markdown(&spoken("x")), markdown(&spoken(text)));
    prop_assert_eq!(plain.lines().count(), posted.lines().count());
    for (plain, posted) in plain.lines().zip(posted.lines()) {
        for c in ['|', '<', '`', '[', '!', '~', '$'] {
            prop_assert_eq!(bare(plain, c), bare(posted, c), "{:?} in {}", c, posted);
        }
        let mut pairs = posted.chars().zip(posted.chars().skip(1));
        prop_assert!(!pairs.any(|(c, next)| matches!(c, '@' | '#') && next.is_alphanumeric()), "{posted}");
    }
    Ok(())
}

#[test]
fn what_would_draw_or_call_is_shown() {
    for text in [
        "</details><script>alert(1)</script>",
        "| a | b |\n|---|---|",
        "`x` ``` ~~~",
        "@team look at #12 ![i](http://e.example/x.png)",
        "\\| \\\\| \\`",
        "a\r\n# b\n- c",
    ] {
        harmless(text).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn foreign_text_cannot_steer_what_is_posted(text in r"[a-z@#<>|`\\\n!\[\]~$ \t-]{1,20}") {
        // A text of nothing but white space is no text, and leaves its line as it is.
        harmless(&text)?;
    }

    #[test]
    fn nor_the_terminal(text in any::<String>(), width in 0usize..200) {
        let comparison = spoken(&format!("\u{1b}]0;x\u{7}{text}\u{1b}[2J"));
        let shown = shown(&comparison, Style { colour: false, width });
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
