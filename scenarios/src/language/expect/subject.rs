//! Whom an expectation speaks of: one credential or all (`"*"`), every replica of a workload or any.

use handover_harness::event::{Hop, ProbeName};
use handover_harness::plan::{Expectation, Since, Who};

use super::super::draft::{Draft, Held};
use super::super::form::{Form, text};
use super::super::names::{did_you_mean, listed};

/// Stands for everything that was found.
const ALL: &str = "*";

/// The credentials that an expectation speaks of.
pub(in super::super) struct Subject {
    pub(in super::super) held: Vec<Held>,
    all: bool,
}

impl Subject {
    /// As the beginning of a sentence.
    pub(in super::super) fn name(&self) -> &str {
        match self.held.as_slice() {
            [one] if !self.all => &one.credential.name,
            _ => "every credential",
        }
    }

    /// Whose `refresh_interval` is meant: that of the one, or of the first of all.
    pub(in super::super) fn first(&self) -> Option<&Held> {
        self.held.first()
    }

    /// One expectation of each: as it is where there is one, else all of them.
    pub(in super::super) fn each(&self, of: impl FnMut(&Held) -> Expectation) -> Expectation {
        let mut each: Vec<Expectation> = self.held.iter().map(of).collect();
        match each.pop() {
            Some(only) if each.is_empty() => only,
            last => Expectation::Every(each.into_iter().chain(last).collect()),
        }
    }
}

/// The credential that a key names, or all.
pub(in super::super) fn credentials(draft: &Draft<'_>, form: &Form<'_, '_>, key: &str) -> Option<Subject> {
    let node = form.need(key)?;
    if node.text() != Some(ALL) {
        let held = draft.credentials.find(draft.sink, node)?.clone();
        return Some(Subject { held: vec![held], all: false });
    }
    let held: Vec<Held> = draft.credentials.iter().cloned().collect();
    if held.is_empty() {
        draft.sink.report(&node.span, "there is no credential");
        return None;
    }
    Some(Subject { held, all: true })
}

/// The hop that a key names; of all credentials those are meant that are seen there.
pub(in super::super) fn at(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    key: &str,
    subject: Option<&mut Subject>,
) -> Option<Hop> {
    let Some(subject) = subject else { return draft.hop(form, key, None) };
    if !subject.all {
        return draft.hop(form, key, subject.first());
    }
    let node = form.need(key)?;
    let word = text(draft.sink, node)?;
    let words = || Hop::ALL.into_iter().map(Hop::word);
    let Some(hop) = Hop::ALL.into_iter().find(|hop| hop.word() == word) else {
        let message = format!("no hop `{word}`{}", did_you_mean(word, words()));
        draft.sink.report_with(&node.span, message, format!("hops: {}", listed(words())));
        return None;
    };
    subject.held.retain(|held| draft.hops(&held.credential).contains(&hop));
    if subject.held.is_empty() {
        draft.sink.report(&node.span, format!("no credential is seen at `{word}`"));
        return None;
    }
    Some(hop)
}

/// Of several replicas: every one unless `by: any`.
pub(in super::super) fn who(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<Who> {
    let Some(node) = form.get("by") else { return Some(Who::Every) };
    match text(draft.sink, node)? {
        "every" => Some(Who::Every),
        "any" => Some(Who::Any),
        word => {
            let message = format!("no `{word}` of replicas{}", did_you_mean(word, ["every", "any"]));
            draft.sink.report_with(&node.span, message, "`by` is `every` or `any`");
            None
        }
    }
}

/// The readers and workloads that a key names, or all.
pub(in super::super) fn probes(draft: &Draft<'_>, form: &Form<'_, '_>, key: &str) -> Option<Vec<ProbeName>> {
    let node = form.need(key)?;
    let all = || {
        let readers = draft.readers.iter().map(|reader| reader.name.clone());
        readers.chain(draft.workloads.iter().map(|workload| workload.name.clone())).collect::<Vec<_>>()
    };
    let word = text(draft.sink, node)?;
    if word == ALL {
        let all = all();
        if all.is_empty() {
            draft.sink.report(&node.span, "there is no reader and no workload");
            return None;
        }
        return Some(all);
    }
    if draft.workloads.knows(word) {
        return draft.workloads.get(word).map(|workload| vec![workload.name.clone()]);
    }
    if draft.readers.knows(word) || draft.workloads.count() == 0 {
        return draft.readers.find(draft.sink, node).map(|reader| vec![reader.name.clone()]);
    }
    let names = all();
    let names = || names.iter().map(String::as_str);
    let message = format!("no reader or workload `{word}`{}", did_you_mean(word, names()));
    draft.sink.report_with(&node.span, message, format!("given: {}", listed(names())));
    None
}

/// From when on: a mark, or the beginning.
pub(in super::super) fn since(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<Since> {
    match form.get("after") {
        Some(node) => draft.marks.find(draft.sink, node).map(|step| Since::Step(*step)),
        None if form.has("after") => None,
        None => Some(Since::Began),
    }
}
