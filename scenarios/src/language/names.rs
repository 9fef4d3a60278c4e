//! Names: which are allowed, what they are bound to, and which one was probably meant.

use super::error::Sink;
use super::node::Node;
use super::source::Span;

/// What YAML 1.1 tools read as a boolean.
const BOOLEANS: [&str; 8] = ["y", "yes", "n", "no", "on", "off", "true", "false"];

/// The candidate that a word was probably meant to be.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = match word.chars().count() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= reach && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `, did you mean `rotate`?`, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(word, candidates).map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default()
}

/// `a, b and c`
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Whether a word can name something. Names become parts of paths, users and file names.
pub(crate) fn check(sink: &Sink, word: &str, span: &Span) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = word.starts_with(|c: char| c.is_ascii_alphanumeric());
    if BOOLEANS.contains(&word.to_ascii_lowercase().as_str()) {
        sink.report(span, format!("`{word}` cannot be a name: YAML 1.1 tools read it as a boolean"));
        return false;
    }
    if !starts || !word.chars().all(allowed) || word.len() > 63 {
        let hint = "letters, digits, `-`, `_` and `.`, beginning with a letter or digit, 63 at most";
        sink.report_with(span, format!("`{word}` cannot be a name"), hint);
        return false;
    }
    true
}

/// A name and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// The things of one sort that have names.
///
/// A name whose thing is broken stays bound to nothing: who uses it is not blamed for that.
pub(crate) struct Bound<T> {
    what: &'static str,
    things: Vec<(Name, Option<T>)>,
    excused: Vec<String>,
}

impl<T> Bound<T> {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, things: Vec::new(), excused: Vec::new() }
    }

    pub(crate) fn bind(&mut self, sink: &Sink, name: Name, thing: Option<T>) {
        if let Some((first, _)) = self.things.iter().find(|(known, _)| known.text == name.text) {
            let message = format!("{} `{}` is given twice", self.what, name.text);
            sink.report_with(&name.span, message, format!("first on line {}", first.span.line()));
        } else {
            self.things.push((name, thing));
        }
    }

    /// Something of this name was meant to be given, nobody knows what: who uses it is not blamed either.
    pub(crate) fn excuse(&mut self, name: &str) {
        self.excused.push(name.to_owned());
    }

    /// What the node names; reports a name that nothing has.
    pub(crate) fn find(&self, sink: &Sink, node: &Node) -> Option<&T> {
        let word = node.text().unwrap_or_default();
        if let Some((_, thing)) = self.things.iter().find(|(name, _)| name.text == word) {
            return thing.as_ref();
        }
        if self.excused.iter().any(|name| name == word) {
            return None;
        }
        let names = || self.things.iter().map(|(name, _)| name.text.as_str());
        let what = self.what;
        if node.text().is_none() {
            sink.report(&node.span, format!("expected the name of a {what}, found {}", node.what()));
        } else if self.things.is_empty() {
            sink.report(&node.span, format!("no {what} `{word}`: the scenario gives none"));
        } else {
            let message = format!("no {what} `{word}`{}", did_you_mean(word, names()));
            sink.report_with(&node.span, message, format!("given: {}", listed(names())));
        }
        None
    }

    /// Whether the name is bound, be it to something broken.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.things.iter().any(|(known, _)| known.text == name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.things.iter().find(|(known, _)| known.text == name).and_then(|(_, thing)| thing.as_ref())
    }

    /// How many names are bound.
    pub(crate) fn count(&self) -> usize {
        self.things.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.iter().filter_map(|(_, thing)| thing.as_ref())
    }

    /// Whether something could not be understood, so that what follows from it is unknown.
    pub(crate) fn any_broken(&self) -> bool {
        self.things.iter().any(|(_, thing)| thing.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_found() {
        let verbs = ["rotate", "wait", "hold"];
        assert_eq!(closest("rotat", verbs), Some("rotate"));
        assert_eq!(closest("wiat", verbs), Some("wait"));
        assert_eq!(closest("propagates", verbs), None);
        assert_eq!(closest("x", ["a"]), None);
    }

    #[test]
    fn words_are_listed_as_people_do() {
        assert_eq!(listed([]), "nothing");
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed(["a", "b", "c"]), "a, b and c");
    }
}
