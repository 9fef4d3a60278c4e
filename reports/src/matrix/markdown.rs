//! A grid for a pull request: the cells, where they differ and what did not pass in the open, the rest folded away.

use super::words::{WHOLE, cells, not_run, scenarios, told};
use super::{Matrix, Row, headline};
use crate::posted::{ALL, escaped, fill};
use crate::text::many;

/// So many bytes are for what is in the open.
const OPEN: usize = ALL / 3 * 2;

/// The whole report, safe to post whatever the texts within say.
pub fn markdown(matrix: &Matrix) -> String {
    let mut text = format!("### {}\n\n{}\n", escaped(&matrix.title), escaped(&headline(matrix)));
    let all = 0..matrix.cells.len();
    let rows = |differs: bool| matrix.rows.iter().filter(move |row: &&Row| row.differs == differs);
    for table in [cells(matrix), scenarios(rows(true), all.clone())].into_iter().flatten() {
        table.post(&mut text);
    }
    let not_run = not_run(matrix).into_iter().map(|(cell, why)| format!("- {cell}: {}\n", escaped(&why)));
    listed(&mut text, "not run", not_run.collect());
    let told = told(matrix).into_iter();
    let told =
        told.map(|(head, mark, said)| format!("- {} {}: {}\n", mark.sign(), escaped(&head), escaped(&said)));
    listed(&mut text, "did not pass", told.collect());
    if let Some(table) = scenarios(rows(false), all) {
        text.push_str("\n<details>\n<summary>Of these scenarios all cells say the same</summary>\n");
        table.post(&mut text);
        text.push_str("\n</details>\n");
    }
    text
}

fn listed(text: &mut String, title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    text.push_str(&format!("\n**{title}**\n\n"));
    let count = items.len();
    let left_out = count - fill(text, OPEN, items.into_iter());
    if left_out > 0 {
        text.push_str(&format!("- … {} in {WHOLE}\n", many(left_out, "more is", "more are")));
    }
}
