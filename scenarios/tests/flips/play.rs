//! Plays flips side by side, in one run, and says what came of each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use super::support::{Cache, Done, Run, Scratch, array, edited, package};
use super::table::{Flip, PINNED};

/// How many play at once: they mostly wait, but two cores are busy with more.
const JOBS: &str = "4";

/// Plays these, each with its place in the table; what comes of each is what the table has.
pub(crate) fn play(flips: &[(usize, &Flip)]) {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let files: Vec<PathBuf> = flips.iter().map(|(place, flip)| flip.written(*place, &scratch)).collect();
    let words =
        ["--jobs".as_ref(), JOBS.as_ref()].into_iter().chain(files.iter().map(|file| file.as_os_str()));
    let done = Run::start(&cache, &scratch.at("out"), words).end();
    let count = flips.len();
    let amiss: Vec<String> = flips.iter().filter_map(|(place, flip)| flip.amiss(*place, &done)).collect();
    assert!(amiss.is_empty(), "{} of {count} went otherwise:\n{}", amiss.len(), amiss.join("\n\n"));
    done.exits(1).leaves_nothing(&cache);
}

impl Flip {
    /// Whether its file is a flip as it stands.
    fn is_own(&self) -> bool {
        self.edits.is_empty()
    }

    /// What its scenario is called.
    fn id(&self, place: usize) -> String {
        if self.is_own() { self.of.to_owned() } else { format!("flip-{place}/{}", self.of) }
    }

    /// Writes it, with everything that stands beside it in the catalogue, and answers with the scenario's file.
    pub(crate) fn written(&self, place: usize, scratch: &Scratch) -> PathBuf {
        if self.is_own() {
            return package().join(format!("{}.yaml", self.of));
        }
        let (folder, own) = self.of.split_once('/').expect("FOLDER/NAME");
        let mut applied = 0;
        let file =
            edited(self.of, &scratch.at(place.to_string()), &format!("flip-{place}"), |name, mut text| {
                let own = name.strip_suffix(".yaml") == Some(own);
                let path = format!("{folder}/{name}");
                for edit in self.edits.iter().filter(|edit| edit.0 == path || (edit.0.is_empty() && own)) {
                    assert_eq!(text.matches(edit.1).count(), 1, "`{}` is in {path} once", edit.1);
                    text = text.replace(edit.1, edit.2);
                    applied += 1;
                }
                let about = |line: &str| match line.starts_with("about: ") {
                    true => format!("about: {:?}\n", format!("Flip: {}", self.about)),
                    false => format!("{line}\n"),
                };
                if own { text.lines().map(about).collect() } else { text }
            });
        assert_eq!(applied, self.edits.len(), "every edit of {} found its file", self.of);
        file
    }

    /// What came otherwise than the table has it.
    fn amiss(&self, place: usize, done: &Done) -> Option<String> {
        let scenario = done.scenario(&self.id(place));
        // That a machine is busy says nothing of what fails all the same.
        let saturated = |finding: &Value| {
            finding["seen"].as_str().is_some_and(|seen| seen.starts_with("the machine was saturated"))
        };
        let open =
            |finding: &&Value| !saturated(finding) && !self.open.iter().any(|verb| finding["verb"] == *verb);
        let findings = array(&scenario["findings"]);
        let bad: Vec<&Value> =
            findings.iter().filter(|finding| finding["verdict"] != "pass").filter(open).collect();
        let as_said = bad.len() == self.fails.len()
            && bad.iter().zip(self.fails).all(|(finding, fails)| {
                let stopped = match fails.stopped {
                    Some((after, at)) => {
                        finding["stopped"]["after"] == after && finding["stopped"]["at"] == at
                    }
                    None => true,
                };
                let seen = finding["seen"].as_str().is_some_and(|seen| seen.contains(fails.seen));
                finding["verdict"] == "fail" && finding["verb"] == fails.verb && seen && stopped
            });
        let kinds: BTreeSet<&str> = bad
            .iter()
            .flat_map(|finding| [finding["verb"].as_str(), finding["pinned"].as_str().map(|_| PINNED)])
            .flatten()
            .collect();
        let stands = self.stands_for.iter().all(|kind| kinds.contains(kind));
        if as_said && stands && scenario["verdict"] == "fail" {
            return None;
        }
        let about = if self.is_own() { &scenario["about"] } else { &Value::from(self.about) };
        let told: Vec<String> = bad.iter().map(|finding| format!("{finding:#}")).collect();
        Some(format!("{} ({about}): {}\n{}", self.of, scenario["verdict"], told.join("\n")))
    }
}
