//! What a flip is, and all of them: one for each scenario of the catalogue at the least, and what must come of it.

mod secrets;
mod servers;
mod verbs;

/// A scenario in which one thing is otherwise.
pub(crate) struct Flip {
    /// A file of the catalogue, or of `scenarios/flips`, which is a flip already.
    pub(crate) of: &'static str,
    /// What is otherwise; takes the place of the scenario's `about`.
    pub(crate) about: &'static str,
    /// How the text comes to say so.
    pub(crate) edits: &'static [Edit],
    /// What fails, in the order of the findings; all else passes.
    pub(crate) fails: &'static [Fails],
    /// Verbs that may come to anything: the flip takes away what they speak of.
    pub(crate) open: &'static [&'static str],
    /// The kinds of expectation for which it is played by default.
    pub(crate) stands_for: &'static [&'static str],
}

/// A piece of a file that is there once, and what stands there instead. No file: the scenario's own.
pub(crate) struct Edit(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

/// A finding that fails.
pub(crate) struct Fails {
    pub(crate) verb: &'static str,
    /// A piece of what it says was seen.
    pub(crate) seen: &'static str,
    /// For an arrival, the last hop that was reached, and the first that was not.
    pub(crate) stopped: Option<(&'static str, &'static str)>,
}

const fn fails(verb: &'static str, seen: &'static str) -> Fails {
    Fails { verb, seen, stopped: None }
}

const fn stops(verb: &'static str, seen: &'static str, after: &'static str, at: &'static str) -> Fails {
    Fails { verb, seen, stopped: Some((after, at)) }
}

/// A pin that is gone.
const fn gone(verb: &'static str) -> Fails {
    fails(verb, "a pinned defect is gone")
}

/// How a pin that is gone is called among the kinds of expectation.
pub(crate) const PINNED: &str = "pinned";

/// MySQL keeps the password before each rotation.
const KEEPS: Edit = Edit(
    "",
    "rotation_period: 1h",
    "rotation_period: 1h, rotation_statements: \"ALTER USER '{{username}}'@'%' IDENTIFIED BY '{{password}}' \
     RETAIN CURRENT PASSWORD\"",
);

/// Pods are run by a model of ours.
const MODELLED: Edit = Edit("", "needs: [kubelet]\n", "evidence: model\n");

/// A limit of few seconds, which a busy machine may miss, and of which the flip says nothing.
const LATE: &[&str] = &["propagates"];

/// All of them.
pub(crate) fn flips() -> impl Iterator<Item = &'static Flip> {
    secrets::FLIPS.iter().chain(servers::FLIPS).chain(verbs::FLIPS)
}
