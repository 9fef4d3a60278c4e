//! `handover doctor`: what this machine has and lacks.

use comfy_table::{ContentArrangement, Table, presets};
use handover_fixtures::cause::chain;
use handover_fixtures::components::doctor::{Check, Verdict, checks as components};
use handover_fixtures::components::{Component, Request};
use handover_kind::docker::doctor::Seen;
use handover_kind::docker::{self, Wish};
use handover_kind::image::OFFICIAL;
use handover_reports::Exit;

use super::{Failure, PlaneName, Screen, With, run};

/// `handover doctor`
pub(super) fn doctor(plane: PlaneName, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let mut request = with.request()?;
    let (mut checks, mut parts) = (Vec::new(), Vec::new());
    if plane == PlaneName::Kind {
        let seen = docker(&request)?;
        checks = seen.checks;
        request.wanted.extend([Component::Kind]);
        request.wanted.extend(seen.own.then_some(Component::Docker));
        if !seen.image {
            parts = checks_of(&request.clone().only(Component::NODE))?;
        }
    }
    checks.extend(checks_of(&request)?);
    checks.extend(if_made(parts, &checks));
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

fn checks_of(request: &Request) -> Result<Vec<Check>, Failure> {
    components(request).map_err(|error| Failure::environment(&error))
}

/// What an image of a node is made of is needed only where the official one cannot be had, which nobody knows before it
/// is pulled: what is missing for it, and not said already, is a warning.
fn if_made(parts: Vec<Check>, said: &[Check]) -> Vec<Check> {
    let lacking = parts.into_iter().filter(|check| check.verdict != Verdict::Ok);
    let new = lacking
        .filter(|check| !said.iter().any(|said| said.what == check.what && said.verdict != Verdict::Ok));
    new.map(|check| Check {
        verdict: Verdict::Warn,
        advice: format!("only if {OFFICIAL} cannot be pulled: {}", check.advice),
        ..check
    })
    .collect()
}

/// What there is of Docker, and what will be done about the rest.
fn docker(request: &Request) -> Result<Seen, Failure> {
    run::runtime()?.block_on(async {
        let wish = Wish::of_process().await.map_err(|error| Failure::usage(chain(&error)))?;
        Ok(docker::doctor::examine(&request.cache, &wish).await)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, verdict: Verdict, advice: &str) -> Check {
        Check {
            what: what.into(),
            found: String::new(),
            needed: String::new(),
            verdict,
            advice: advice.into(),
        }
    }

    #[test]
    fn what_only_an_own_image_of_a_node_lacks_is_a_warning() {
        let said = [check("disk", Verdict::Missing, "free some"), check("go", Verdict::Ok, "")];
        let parts = vec![
            check("disk", Verdict::Missing, "free some"),
            check("go", Verdict::Ok, ""),
            check("debian mirror", Verdict::Missing, "name one"),
        ];
        let told = if_made(parts, &said);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].what.as_str(), told[0].verdict), ("debian mirror", Verdict::Warn));
        assert!(told[0].advice.ends_with("cannot be pulled: name one"));
    }
}
