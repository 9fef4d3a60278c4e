//! A finding in words: what was measured, where it stopped, where the evidence lies.
//!
//! The terminal and JUnit say the same words; they only lay them out differently.

use handover_harness::event::{ComponentInfo, Quantiles};
use handover_harness::verdict::{ClaimFinding, Finding, RunVerdict, Stopped};

use crate::figures;

/// What a report says about one finding beside what was expected and seen: labels and texts.
pub(crate) fn finding(finding: &Finding, file: &str) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    match (finding.measured_us, finding.limit_us) {
        (Some(measured), Some(limit)) => {
            said.push(("measured", format!("{}; limit {limit}", figures::both_bounds(measured))));
        }
        (Some(measured), None) => said.push(("measured", figures::both_bounds(measured))),
        (None, Some(limit)) => said.push(("limit", limit.to_string())),
        (None, None) => {}
    }
    if let Some(stopped) = &finding.stopped {
        let arrived = finding.measured_us.is_some_and(|bounds| bounds.at_most.is_some());
        said.push(("stopped", stopped_where(stopped, arrived)));
        if let Some(error) = &stopped.last_error {
            said.push(("last error", error.clone()));
        }
    }
    if let Some(defect) = &finding.pinned {
        said.push(("pinned", defect.clone()));
    }
    if !finding.evidence.is_empty() {
        said.push(("evidence", evidence(&finding.evidence)));
    }
    if let Some(line) = finding.line {
        said.push(("stated at", format!("{file}:{line}")));
    }
    said
}

/// The hop that stopped it, or, where it arrived after all, the first that was late.
fn stopped_where(stopped: &Stopped, arrived: bool) -> String {
    match (stopped.after, arrived) {
        (Some(after), false) => format!("seen last at {after}, not at {}", stopped.at),
        (None, false) => format!("seen nowhere; {} is the first hop where it should have been", stopped.at),
        (Some(after), true) => format!("in time at {after}, late from {} on", stopped.at),
        (None, true) => format!("late from the first hop on, {}", stopped.at),
    }
}

/// Everything that a report says about one claim.
pub(crate) fn claim(claim: &ClaimFinding) -> Vec<(&'static str, String)> {
    let mut said = vec![
        ("claim", format!("“{}” ({})", claim.claim, claim.source)),
        ("stands", claim.summary.clone()),
        ("seen", claim.seen.clone()),
    ];
    if !claim.evidence.is_empty() {
        said.push(("evidence", evidence(&claim.evidence)));
    }
    said
}

fn evidence(seqs: &[u64]) -> String {
    format!("events.jsonl {}", figures::events(seqs))
}

/// What befell the run as a whole, if anything did.
pub(crate) fn run_trouble(run: &RunVerdict) -> Option<String> {
    if let Some(signal) = &run.interrupted {
        return Some(format!("the run was interrupted by {signal}"));
    }
    if let Some(why) = &run.broke {
        return Some(format!("the environment broke: {why}"));
    }
    run.torn
        .then(|| "events.jsonl ends in the middle: the run was killed, and its end is not known".to_owned())
}

/// `eso v0.20.4 (go, sha256 0123456789ab)`: enough of the digest to tell two builds apart. Of an image it is
/// the image's digest that others can look up: `eso v0.20.4 (image sha256 0123456789ab)`.
pub(crate) fn component(component: &ComponentInfo) -> String {
    let ComponentInfo { name, version, source, sha256, image } = component;
    let of_image = image.as_ref().and_then(|image| image.rsplit_once("@sha256:"));
    let (between, digest) = match of_image {
        Some((_, digest)) => ("", digest),
        None => (",", sha256.as_str()),
    };
    let digest: String = digest.chars().take(12).collect();
    format!("{name} {version} ({source}{between} sha256 {digest})")
}

/// What this host can resolve, item by item: no figure of the report is better than this.
pub(crate) fn error_bar(run: &RunVerdict) -> Vec<String> {
    let Some(calibration) = &run.calibration else { return Vec::new() };
    let (watch, sent) = (calibration.watch_delivery, calibration.watch_from_sent);
    let item = |what: &str, spread: Quantiles| format!("{what} p50 {}, p99 {}", spread.p50, spread.p99);
    let mut items = vec![
        format!("{} (from sent {}, {})", item("watch delivery", watch), sent.p50, sent.p99),
        item("probe lateness", calibration.probe_lateness),
    ];
    items.extend(
        calibration.logins.iter().map(|(server, login)| item(&format!("idle {server} login"), *login)),
    );
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_own_digest() {
        let mut eso = ComponentInfo {
            name: "eso".to_owned(),
            version: "v0.20.4".to_owned(),
            source: "go".to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            image: None,
        };
        assert_eq!(component(&eso), "eso v0.20.4 (go, sha256 0123456789ab)");
        eso.source = "image".to_owned();
        eso.image = Some(format!("ghcr.io/x/y:v0.20.4@sha256:{}", "fedcba9876543210".repeat(4)));
        assert_eq!(component(&eso), "eso v0.20.4 (image sha256 fedcba987654)");
    }
}
