//! `handover list`: what there is to play, and the claims that it settles.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use handover_fixtures::plane::Server;
use handover_harness::verdict::RunVerdict;
use handover_reports::Exit;

use super::run::RUNS;
use super::{Failure, ListArgs, Screen, judge, scenarios};
use crate::language::duration::spoken;
use crate::language::estimate::expected;
use crate::language::scenario::Scenario;
use crate::play::needs::lacking;

/// `handover list`
pub(super) fn list(args: &ListArgs, screen: &Screen) -> Result<Exit, Failure> {
    let found = scenarios::load(&args.which, screen)?;
    if found.is_empty() {
        return Err(scenarios::nothing(&args.which));
    }
    if args.claims {
        return claims(&found, args.out.as_deref(), screen);
    }
    for scenario in &found {
        screen.line(&format!("{}\n    {}\n    {}", scenario.id, scenario.about, traits(scenario)));
        if let Some(only) = only(&scenario.needs) {
            screen.line(&format!("    {only}"));
        }
        for claim in &scenario.plan.claims {
            screen.line(&format!("    settles: {} ({})", claim.claim, claim.source));
        }
    }
    Ok(Exit::Passed)
}

/// Where a scenario plays, if that is not everywhere.
fn only(needs: &BTreeSet<String>) -> Option<String> {
    let [embedded, kind] = [false, true].map(|has_kubelet| lacking(needs, &Server::ALL, has_kubelet));
    match (embedded.as_slice(), kind.as_slice()) {
        ([], _) => None,
        (embedded, []) => {
            let lacks = embedded.join(", ");
            Some(format!("plays with --plane kind only: the embedded plane has no {lacks}"))
        }
        (_, kind) => Some(format!("cannot play: no plane has {}", kind.join(", "))),
    }
}

fn traits(scenario: &Scenario) -> String {
    let needs: Vec<_> = scenario.needs.iter().map(String::as_str).collect();
    let mut traits = vec![format!("needs {}", needs.join(", "))];
    let rounded = std::time::Duration::from_secs(expected(scenario).as_secs() + 1);
    traits.push(format!("about {}", spoken(rounded)));
    if let Some(scale) = &scenario.plan.scale {
        traits.push(format!("scale {scale}"));
    }
    if scenario.exclusive {
        traits.push("plays alone".to_owned());
    }
    if scenario.slow {
        traits.push("slow".to_owned());
    }
    if !scenario.tags.is_empty() {
        traits.push(format!("tags {}", scenario.tags.join(", ")));
    }
    traits.join("; ")
}

/// Each claim, who made it, and how it stood in a run.
fn claims(scenarios: &[Scenario], out: Option<&Path>, screen: &Screen) -> Result<Exit, Failure> {
    let run = match out.map(Path::to_path_buf).or_else(latest) {
        Some(dir) => Some((judge::of_files(&dir)?, dir)),
        None => None,
    };
    for scenario in scenarios {
        for claim in &scenario.plan.claims {
            let about = claim.about.as_ref().map(|about| format!(", about {about}")).unwrap_or_default();
            screen.line(&format!("{}\n    {} ({}{about})", scenario.id, claim.claim, claim.source));
            screen.line(&format!(
                "    {}",
                standing(run.as_ref().map(|(run, _)| run), &scenario.id, &claim.claim)
            ));
        }
    }
    match run {
        Some((run, dir)) => screen.remark(&format!("by the run of {} in {}", run.wall, dir.display())),
        None => screen.remark(&format!("no run below {RUNS}; `handover run` settles them")),
    }
    Ok(Exit::Passed)
}

fn standing(run: Option<&RunVerdict>, id: &str, claim: &str) -> String {
    let Some(run) = run else { return "not settled yet".to_owned() };
    let scenario = run.scenarios.iter().find(|scenario| scenario.scenario == id);
    let found = scenario.and_then(|scenario| scenario.claims.iter().find(|found| found.claim == claim));
    match found {
        Some(found) => format!("{}: {}", found.standing.word(), found.summary),
        None => "unsettled: not played in that run".to_owned(),
    }
}

/// The run that was written last.
fn latest() -> Option<PathBuf> {
    let written =
        |dir: &PathBuf| fs::metadata(dir.join("events.jsonl")).and_then(|file| file.modified()).ok();
    let dirs = fs::read_dir(RUNS).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    dirs.filter_map(|dir| Some((written(&dir)?, dir))).max().map(|(_, dir)| dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn where_a_scenario_plays_is_said_if_it_is_not_everywhere() {
        let said = |needs: &[&str]| only(&needs.iter().map(|need| (*need).to_owned()).collect());
        assert_eq!(said(&["eso", "mysql"]), None);
        let kubelet = "plays with --plane kind only: the embedded plane has no real kubelet";
        assert_eq!(said(&["eso", "kubelet"]).as_deref(), Some(kubelet));
        assert_eq!(said(&["kubelet", "proxy"]).as_deref(), Some("cannot play: no plane has proxy"));
    }

    #[test]
    fn a_claim_stands_as_the_run_says() {
        let claim = json!({"claim": "it rotates", "source": "a page", "standing": "refuted",
            "summary": "refuted on eso v0.20.4", "seen": "it does not", "evidence": []});
        let scenario = json!({"scenario": "a/b", "about": "x", "file": "a.yaml", "verdict": "pass", "summary": "",
            "took_us": 1, "findings": [], "hops": [], "claims": [claim], "probes": []});
        let run = json!({"format": 1, "run": "r", "wall": "w", "on": null, "calibration": null, "took_us": 1,
            "interrupted": null, "broke": null, "torn": false, "scenarios": [scenario], "servers": []});
        let run: RunVerdict = serde_json::from_value(run).expect("it is a run");
        assert_eq!(standing(Some(&run), "a/b", "it rotates"), "refuted: refuted on eso v0.20.4");
        assert_eq!(standing(Some(&run), "a/b", "another"), "unsettled: not played in that run");
        assert_eq!(standing(Some(&run), "a/c", "it rotates"), "unsettled: not played in that run");
        assert_eq!(standing(None, "a/b", "it rotates"), "not settled yet");
    }
}
