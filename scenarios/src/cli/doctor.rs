//! `handover doctor`: what this machine has and lacks.

use comfy_table::{ContentArrangement, Table, presets};
use handover_fixtures::components::doctor::{Verdict, checks};
use handover_reports::Exit;

use super::{Failure, Screen, With};

/// `handover doctor`
pub(super) fn doctor(with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let checks = checks(&with.request()?).map_err(|error| Failure::environment(&error))?;
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(screen.style.width).unwrap_or(100))
        .set_header(["what", "needed", "found", "", "what to do"]);
    for check in &checks {
        let word = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Missing => "MISSING",
        };
        let advice = check.advice.clone();
        table.add_row([check.what.clone(), check.needed.clone(), check.found.clone(), word.into(), advice]);
    }
    screen.line(&table.to_string());
    let missing = checks.iter().any(|check| check.verdict == Verdict::Missing);
    Ok(if missing { Exit::Environment } else { Exit::Passed })
}
