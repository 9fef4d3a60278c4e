//! The grid for people, as golden files; its exit; and its schema.

use std::path::Path;

use handover_harness::verdict::{Defect, RunVerdict, ScenarioVerdict, Verdict};
use handover_reports::matrix::{
    Asked, Came, Choice, Mark, Matrix, fold, headline, markdown, schema, terminal, to_json,
};
use handover_reports::{Exit, Style, exit_of, write_atomically};

use crate::compared::{of, on, pinning};

const PASS: Verdict = Verdict::Pass;
const FAIL: Verdict = Verdict::Fail;

fn asked(eso: &str, valkey: &str, plane: &str) -> Asked {
    let choice = |component: &str, given: &str| Choice { component: component.into(), given: given.into() };
    Asked {
        dir: format!("eso-{eso}_valkey-{valkey}_{plane}"),
        plane: plane.into(),
        choices: vec![choice("eso", eso), choice("valkey", valkey)],
    }
}

fn played(verdict: RunVerdict, kept: bool) -> Came {
    let exit = exit_of(&verdict, false, false);
    Came::Played { verdict: Box::new(verdict), exit, kept }
}

const SCENARIOS: [&str; 4] = ["generators/claims", "kv/refresh", "x/broken", "x/open"];

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn run(eso: &str, verdicts: [Verdict; 3], pinned: bool) -> RunVerdict {
    let first = if pinned { pinning(Defect::Known, PASS) } else { of(SCENARIOS[0], PASS) };
    let pins = ScenarioVerdict { scenario: SCENARIOS[0].into(), ..first };
    let others = SCENARIOS[1..].iter().zip(verdicts).map(|(name, verdict)| of(name, verdict));
    on("00-aaaa", eso, std::iter::once(pins).chain(others).collect())
}

/// Two versions of ESO on two planes, of which one is not there, and one combination is left out.
fn mixed() -> Matrix {
    let cells = vec![
        (
            asked("v0.16.1", "pinned", "embedded"),
            played(run("v0.16.1", [PASS, PASS, Verdict::Inconclusive], false), true),
        ),
        (
            asked("v0.20.4", "pinned", "embedded"),
            played(run("v0.20.4", [PASS, FAIL, Verdict::Inconclusive], true), false),
        ),
        (
            asked("v0.16.1", "pinned", "kind"),
            Came::LeftOut("the CRDs of v0.16.1 need a conversion webhook there".into()),
        ),
        (
            asked("v0.20.4", "pinned", "kind"),
            Came::NotRun("there is no plane `kind`; there is embedded".into()),
        ),
    ];
    fold("eso against databases", &ids(&SCENARIOS), &cells, None)
}

fn sound() -> Matrix {
    let all = || run("v0.20.4", [PASS; 3], false);
    let cells = vec![
        (asked("v0.20.4", "pinned", "embedded"), played(all(), true)),
        (asked("v0.20.4", "9.1.0", "embedded"), played(all(), false)),
    ];
    fold("two of valkey", &ids(&SCENARIOS), &cells, None)
}

fn both(matrix: &Matrix) -> String {
    let line = "─".repeat(100);
    let posted = markdown(matrix).replace('\u{200b}', "⎵");
    format!("{}{line}\n{posted}", terminal(matrix, matrix.exit(), &Style::default()))
}

#[test]
fn cells_that_differ() {
    insta::assert_snapshot!(both(&mixed()));
}

#[test]
fn cells_that_differ_in_colour_and_narrow() {
    let style = Style { colour: true, width: 60 };
    let matrix = mixed();
    insta::assert_snapshot!(terminal(&matrix, matrix.exit(), &style).replace('\u{1b}', "␛"));
}

#[test]
fn cells_that_differ_as_json() {
    insta::assert_snapshot!(to_json(&mixed()));
}

#[test]
fn cells_that_all_pass() {
    insta::assert_snapshot!(both(&sound()));
}

#[test]
fn headlines() {
    let none = fold("x", &ids(&["a/b"]), &[(asked("v1", "v1", "kind"), Came::NotRun("no".into()))], None);
    let mut stopped = mixed();
    stopped.interrupted = Some("SIGINT".into());
    for (matrix, said) in [
        (mixed(), "4 cells: 2 do not pass, 1 was not run, 1 is left out; 2 of 4 scenarios differ"),
        (sound(), "2 cells: 2 pass; no scenario of 4 differs"),
        (none, "1 cell: 1 was not run"),
        (
            stopped,
            "4 cells: 2 do not pass, 1 was not run, 1 is left out; 2 of 4 scenarios differ; interrupted by SIGINT",
        ),
    ] {
        assert_eq!(headline(&matrix), said);
    }
}

#[test]
fn where_cells_differ_comes_first_and_what_was_not_run_says_nothing() {
    let matrix = mixed();
    let rows: Vec<_> = matrix.rows.iter().map(|row| (row.scenario.as_str(), row.differs)).collect();
    assert_eq!(
        rows,
        [("x/broken", true), ("generators/claims", true), ("x/open", false), ("kv/refresh", false)]
    );
    let marks: Vec<_> = matrix.rows[1].said.iter().map(|said| said.mark).collect();
    assert_eq!(marks, [Mark::Pass, Mark::Pinned, Mark::NotRun, Mark::NotRun]);
}

/// A cell that broke off before it came to a scenario has not run that one.
#[test]
fn what_a_cell_did_not_come_to_was_not_run() {
    let mut broken = on("00-aaaa", "v0.20.4", vec![of("kv/refresh", PASS)]);
    broken.broke = Some("etcd ended by itself".into());
    let cells = vec![(asked("v1", "pinned", "embedded"), played(broken, false))];
    let matrix = fold("x", &ids(&["kv/refresh", "x/open"]), &cells, None);
    let of = |name: &str| matrix.rows.iter().find(|row| row.scenario == name).unwrap().said[0].mark;
    assert_eq!(
        (of("kv/refresh"), of("x/open"), matrix.exit()),
        (Mark::Pass, Mark::NotRun, Exit::Environment)
    );
}

#[test]
fn the_first_exit_of_all_cells_is_the_exit() {
    let cell = |exit| {
        let verdict = Box::new(run("v0.20.4", [PASS; 3], false));
        Came::Played { verdict, exit, kept: false }
    };
    let not_run = || Came::NotRun("no".into());
    let left_out = || Came::LeftOut("because".into());
    let exit = |came: Vec<Came>, signal: Option<&str>| {
        let cells: Vec<_> = came.into_iter().map(|came| (asked("v1", "v1", "embedded"), came)).collect();
        fold("x", &ids(&SCENARIOS), &cells, signal.map(str::to_owned)).exit()
    };
    for (cells, signal, expected) in [
        (vec![cell(Exit::Passed), cell(Exit::Passed)], None, Exit::Passed),
        // A lock-out is not hidden by what broke elsewhere.
        (vec![cell(Exit::Environment), cell(Exit::Failed), not_run()], None, Exit::Failed),
        (vec![cell(Exit::Failed), cell(Exit::LeftBehind)], None, Exit::LeftBehind),
        // A grid with a hole is not decided; one that somebody wanted, with a reason, is.
        (vec![cell(Exit::Passed), not_run()], None, Exit::Inconclusive),
        (vec![not_run()], None, Exit::Inconclusive),
        (vec![cell(Exit::Passed), left_out()], None, Exit::Passed),
        (vec![left_out()], None, Exit::NothingRan),
        (vec![cell(Exit::Passed), cell(Exit::NothingRan)], None, Exit::NothingRan),
        (vec![cell(Exit::LeftBehind), not_run()], Some("SIGINT"), Exit::Interrupted),
        (vec![cell(Exit::Passed)], Some("SIGTERM"), Exit::Terminated),
    ] {
        assert_eq!(exit(cells.clone(), signal), expected, "{cells:?} {signal:?}");
    }
}

#[test]
fn a_large_grid_fits_a_comment_and_a_terminal() {
    let names: Vec<String> = (0..300).map(|i| format!("x/{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let verdict = |verdict| on("0", "v1", names.iter().map(|name| of(name, verdict)).collect());
    let cells = (0..12).map(|i| {
        let came = played(verdict(if i % 2 == 0 { FAIL } else { PASS }), false);
        (asked(&format!("image:registry.example/{}:v{i}", "long/".repeat(20)), "pinned", "embedded"), came)
    });
    let matrix = fold("x", &ids(&names), &cells.collect::<Vec<_>>(), None);
    let posted = markdown(&matrix);
    assert!(posted.chars().count() < 65_536, "{}", posted.chars().count());
    assert!(posted.contains("more are in matrix.json"));
    let shown = terminal(&matrix, matrix.exit(), &Style::default());
    let table = shown.lines().filter(|row| row.starts_with("≠ x/10 ")).count();
    assert_eq!(table, 2, "six cells side by side are as many as there is room for");
}

#[test]
fn the_committed_schema_of_a_grid_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("matrix.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        write_atomically(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema(),
        "matrix.schema.json: UPDATE_SCHEMA=1 cargo test -p handover-reports schema"
    );
}

#[test]
fn foreign_text_draws_nothing() {
    let hostile = "</details> | `x` @team [a](http://e.example) \u{1b}[2J\r\n# b";
    let mut asked = asked(hostile, hostile, hostile);
    asked.dir = hostile.into();
    let matrix = fold(hostile, &ids(&SCENARIOS), &[(asked, Came::NotRun(hostile.into()))], None);
    let posted = markdown(&matrix);
    assert!(!posted.contains("@team") && !posted.contains("[a](") && !posted.contains("\n# b"), "{posted}");
    assert_eq!(posted.matches("</details>").count(), 1, "its own: {posted}");
    let shown = terminal(&matrix, matrix.exit(), &Style::default());
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown}");
}
