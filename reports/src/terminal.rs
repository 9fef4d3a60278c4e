//! The report for people, at the end of a run.
//!
//! The worst comes last, right above the totals: that is where the eyes are when a run is over. A
//! scenario that passed is a line, its margins and its hop table; one that did not is explained before its table.

use std::path::Path;

use handover_harness::plan::Evidence;
use handover_harness::verdict::{Finding, RunVerdict, ScenarioVerdict, Verdict};

use crate::exit::Exit;
use crate::page::Page;
use crate::style::{Ink, Style};
use crate::text::{line, wrap};
use crate::{explain, figures, table};

/// The whole report. `exit` is what the program will end with, `out_dir` where the evidence lies.
pub fn render(run: &RunVerdict, exit: Exit, out_dir: &Path, style: &Style) -> String {
    let mut page = Page::new(style);
    page.head(run);
    let mut scenarios: Vec<&ScenarioVerdict> = run.scenarios.iter().collect();
    scenarios.sort_by_key(|scenario| scenario.verdict);
    for scenario in scenarios {
        page.scenario(scenario);
    }
    page.foot(run, exit, out_dir);
    page.text
}

impl Page<'_> {
    fn head(&mut self, run: &RunVerdict) {
        let on = run.on.as_ref();
        let program = on.map_or("handover".to_owned(), |on| {
            format!("handover {} on {}, seed {}", line(&on.handover), line(&on.plane), on.seed)
        });
        self.push(&self.style.paint(Ink::Strong, &program));
        self.labelled(0, "run", &format!("{}, {}, took {}", run.run, run.wall, run.took_us), None);
        let components = on.map(|on| on.components.iter().map(explain::component).collect());
        self.listed(0, "components", components.unwrap_or_default(), None);
        self.listed(0, "error bar", explain::error_bar(run), None);
    }

    fn scenario(&mut self, scenario: &ScenarioVerdict) {
        self.push("");
        let mut word = scenario.verdict.word().to_uppercase();
        if scenario.verdict == Verdict::Pass && scenario.findings.iter().any(|f| f.pinned.is_some()) {
            word.push_str(" (pinned)");
        }
        let name = self.style.paint(Ink::Strong, &line(&scenario.scenario));
        let took = if scenario.verdict == Verdict::Skipped {
            String::new()
        } else {
            format!("  {}", scenario.took_us)
        };
        self.push(&format!("{}  {name}{took}", self.style.paint(ink(scenario.verdict), &word)));
        let to_explain = worst_first(scenario);
        if to_explain.is_empty() {
            for row in wrap(&scenario.summary, self.style.width.saturating_sub(2)) {
                self.push(&format!("  {row}"));
            }
        }
        for finding in to_explain {
            self.finding(finding, &scenario.file);
        }
        self.joined(2, "pinned", &pinned(scenario));
        self.listed(2, "margins", margins(scenario), None);
        for (index, projection) in scenario.projections.iter().enumerate() {
            self.labelled(2, if index == 0 { "scaled" } else { "" }, &projection.text, None);
        }
        if scenario.evidence != Evidence::Real {
            self.labelled(2, "evidence", scenario.evidence.word(), None);
        }
        self.joined(2, "covers", &scenario.covers);
        for claim in &scenario.claims {
            for (label, text) in explain::claim(claim) {
                let ink = (label == "stands").then_some(Ink::Strong);
                self.labelled(2, label, &text, ink);
            }
        }
        self.listed(2, "probes", unwell_probes(scenario), Some(Ink::Unsure));
        for (index, row) in table::hop_table(&scenario.hops).iter().enumerate() {
            let row = if index == 0 { self.style.paint(Ink::Faint, row) } else { row.clone() };
            self.push(&format!("    {row}"));
        }
    }

    /// One that did not pass, in full.
    fn finding(&mut self, finding: &Finding, file: &str) {
        let word = format!("{} {}", mark(finding.verdict), line(&finding.verb));
        self.push(&format!("  {}", self.style.paint(ink(finding.verdict), &word)));
        let said = [("expected", finding.expected.clone()), ("seen", finding.seen.clone())];
        for (label, text) in said.into_iter().chain(explain::finding(finding, file)) {
            self.labelled(4, label, &text, None);
        }
    }

    fn foot(&mut self, run: &RunVerdict, exit: Exit, out_dir: &Path) {
        self.push("");
        if let Some(trouble) = explain::run_trouble(run) {
            // A server's last words are lines of their own.
            for row in trouble.lines().flat_map(|part| wrap(part, self.style.width)) {
                self.push(&self.style.paint(Ink::Bad, &row));
            }
        }
        self.listed(0, "servers", servers(run), None);
        let outcome = if exit == Exit::Passed { Ink::Good } else { Ink::Bad };
        let meaning = format!("exit {}: {}", exit.code(), exit.meaning());
        self.push(&format!("{}  {}", totals(run), self.style.paint(outcome, &meaning)));
        // Not wrapped: a path is there to be copied.
        self.push(&format!("evidence in {}", line(&out_dir.display().to_string())));
    }
}

fn ink(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Pass => Ink::Good,
        Verdict::Skipped => Ink::Faint,
        Verdict::Inconclusive => Ink::Unsure,
        Verdict::Error | Verdict::Fail => Ink::Bad,
    }
}

/// Tells verdicts apart without colour, too.
fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Skipped => "–",
        Verdict::Inconclusive => "?",
        Verdict::Error => "!",
        Verdict::Fail => "✗",
    }
}

/// The findings that a reader wants explained. Of a skip, the summary is the explanation.
fn worst_first(scenario: &ScenarioVerdict) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = scenario
        .findings
        .iter()
        .filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Skipped))
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

/// How far what passed was from its limits: `propagates 4.61 s of 7.00 s; outage 12–33 ms of 7.00 s`.
fn margins(scenario: &ScenarioVerdict) -> Vec<String> {
    // What is pinned is beyond its limit: that is why it is pinned.
    let passed = scenario
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Pass && finding.pinned.is_none());
    let margin = |finding: &Finding| {
        let (measured, limit) = (finding.measured_us?, finding.limit_us?);
        Some(format!("{} {} of {limit}", finding.verb, figures::bounds(measured)))
    };
    passed.filter_map(margin).collect()
}

/// The known defects that are still there: `a retried rotation kills the overlap (outage at least 9.80 s, …)`.
fn pinned(scenario: &ScenarioVerdict) -> Vec<String> {
    let passed = scenario.findings.iter().filter(|finding| finding.verdict == Verdict::Pass);
    let said = passed.filter_map(|finding| {
        let defect = finding.pinned.as_ref()?;
        let measured = finding.measured_us.map(|measured| format!(" {}", figures::bounds(measured)));
        Some(format!("{defect} ({}{})", finding.verb, measured.unwrap_or_default()))
    });
    said.collect()
}

/// Probes that did not do all that was planned: figures of their hops are coarser than they look.
fn unwell_probes(scenario: &ScenarioVerdict) -> Vec<String> {
    let unwell = scenario.probes.iter().filter(|probe| probe.missed > 0 || probe.gaps > 0);
    let said = unwell.map(|probe| {
        format!(
            "{} at {}: {} answers, {} missed, {} watch gaps, up to {} late",
            probe.probe, probe.hop, probe.answered, probe.missed, probe.gaps, probe.latest_us
        )
    });
    said.collect()
}

/// `mysql 12 % of a core and 480 MiB`.
fn servers(run: &RunVerdict) -> Vec<String> {
    let said = run.servers.iter().map(|server| {
        let share = 100.0 * server.cpu_us.0 as f64 / server.over_us.0.max(1) as f64;
        format!("{} {share:.0} % of a core and {} MiB", server.name, server.rss_bytes >> 20)
    });
    said.collect()
}

/// `6 scenarios: 5 pass, 1 fail`.
fn totals(run: &RunVerdict) -> String {
    let verdicts = [Verdict::Pass, Verdict::Skipped, Verdict::Inconclusive, Verdict::Error, Verdict::Fail];
    let counted = verdicts.into_iter().filter_map(|verdict| {
        let count = run.scenarios.iter().filter(|scenario| scenario.verdict == verdict).count();
        let is_pinned = |scenario: &&ScenarioVerdict| {
            scenario.verdict == verdict && scenario.findings.iter().any(|finding| finding.pinned.is_some())
        };
        let pinned = match run.scenarios.iter().filter(is_pinned).count() {
            pinned if pinned > 0 && verdict == Verdict::Pass => format!(" ({pinned} pinned)"),
            _ => String::new(),
        };
        (count > 0).then(|| format!("{count} {verdict}{pinned}"))
    });
    let counted = counted.collect::<Vec<_>>().join(", ");
    match run.scenarios.len() {
        0 => "no scenario".to_owned(),
        1 => format!("1 scenario: {counted}"),
        n => format!("{n} scenarios: {counted}"),
    }
}
