//! The hop table: where each rotation was seen, and when.

use handover_harness::event::OrderKind;
use handover_harness::verdict::{HopRow, ReplicaCount};

use crate::figures;
use crate::text::line;

const HEADINGS: [&str; 6] = ["rotation", "hop", "at", "since rotation", "since previous", "event"];

/// Of so many rotations at each end of a long table the rows are shown.
const SHOWN: usize = 4;

/// The table as lines of plain text, its headings first; no lines where there are no rows. Of many rotations
/// those in the middle are left out, and counted: `verdict.json` has them all.
pub(crate) fn hop_table(rows: &[HopRow]) -> Vec<String> {
    let rotations: Vec<&[HopRow]> = rows.chunk_by(same_rotation).collect();
    // One that is left out saves nothing where a line says so.
    if rotations.len() <= 2 * SHOWN + 1 {
        return laid_out_all(rows.iter().collect());
    }
    let (head, rest) = rotations.split_at(SHOWN);
    let (middle, tail) = rest.split_at(rest.len() - SHOWN);
    let shown: Vec<&HopRow> = head.iter().chain(tail).copied().flatten().collect();
    let before: usize = head.iter().map(|rows| rows.len()).sum();
    let mut lines = laid_out_all(shown);
    let left_out = format!("… {} rotations more, in verdict.json", middle.len());
    lines.insert(1 + before, left_out);
    lines
}

fn same_rotation(above: &HopRow, row: &HopRow) -> bool {
    (&above.credential, above.rotation) == (&row.credential, row.rotation)
}

fn laid_out_all(rows: Vec<&HopRow>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut cells = vec![HEADINGS.map(str::to_owned)];
    let mut above: Option<&HopRow> = None;
    for row in rows {
        let same = above.is_some_and(|above| same_rotation(above, row));
        cells.push(cells_of(row, same));
        above = Some(row);
    }
    let widths: [usize; 6] = std::array::from_fn(|column| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    cells.iter().map(|row| laid_out(row, widths)).collect()
}

fn cells_of(row: &HopRow, same_rotation: bool) -> [String; 6] {
    let rotation = if same_rotation {
        String::new()
    } else {
        format!("{} r{} {} {}", line(&row.credential), row.rotation, line(&row.moves), kind(row.kind))
    };
    let dash = || "–".to_owned();
    [
        rotation,
        hop(row),
        row.at_us.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        row.since_rotation_us.map_or_else(dash, figures::bounds),
        row.since_previous_us.map_or_else(dash, figures::signed),
        row.evidence.map_or_else(dash, |seq| format!("#{seq}")),
    ]
}

/// `login (2 of 2 replicas)`.
fn hop(row: &HopRow) -> String {
    match row.replicas {
        None => row.hop.to_string(),
        Some(ReplicaCount { reached, of: 1 }) => format!("{} ({reached} of 1 replica)", row.hop),
        Some(ReplicaCount { reached, of }) => format!("{} ({reached} of {of} replicas)", row.hop),
    }
}

/// Words to the left, figures to the right.
fn laid_out(row: &[String; 6], widths: [usize; 6]) -> String {
    let [rotation, hop, at, since, previous, event] = row;
    let [w0, w1, w2, w3, w4, w5] = widths;
    format!("{rotation:<w0$}  {hop:<w1$}  {at:>w2$}  {since:>w3$}  {previous:>w4$}  {event:>w5$}")
}

fn kind(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Forced => "forced",
        OrderKind::Written => "written",
        OrderKind::RolledBack => "rolled back",
        OrderKind::Scheduled => "scheduled",
    }
}
