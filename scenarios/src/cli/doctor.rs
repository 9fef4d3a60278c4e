//! `handover doctor`: what this machine has and lacks.

use comfy_table::{ContentArrangement, Table, presets};
use handover_fixtures::cause::chain;
use handover_fixtures::components::doctor::{Check, Verdict, checks as components};
use handover_fixtures::components::{Component, Request};
use handover_kind::docker::{self, Wish};
use handover_reports::Exit;

use super::{Failure, PlaneName, Screen, With, run};

/// `handover doctor`
pub(super) fn doctor(plane: PlaneName, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let mut request = with.request()?;
    let mut checks = Vec::new();
    if plane == PlaneName::Kind {
        checks = docker(&request)?;
        request.wanted.extend(Component::of_kind());
    }
    checks.extend(components(&request).map_err(|error| Failure::environment(&error))?);
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

/// What there is of Docker, and what will be done about the rest.
fn docker(request: &Request) -> Result<Vec<Check>, Failure> {
    run::runtime()?.block_on(async {
        let wish = Wish::of_process().await.map_err(|error| Failure::usage(chain(&error)))?;
        Ok(docker::doctor::checks(&request.cache, &wish).await)
    })
}
