//! What expressions mean: the scenario's own `vars`, and what the manifests say.

use std::collections::BTreeMap;
use std::time::Duration;

use super::duration::BadDuration;
use super::error::Sink;
use super::expression::{self, Expression, Quantity, Term, apply, scalar};
use super::names;
use super::node::{Key, Node, Value};
use super::source::{Source, Span};

/// What the manifests say about the credential that a duration speaks of.
const REFRESH_INTERVAL: &str = "refresh_interval";

/// How often a credential is refreshed.
#[derive(Clone, Debug)]
pub(crate) enum Interval {
    Every(Duration),
    /// Never, and why.
    Never(String),
    /// What it hangs on is broken; that was reported.
    Unknown,
}

/// The scenario's own words for durations and numbers.
#[derive(Debug, Default)]
pub(crate) struct Vars {
    /// In the order of the file; none where one could not be understood.
    defined: Vec<(String, Option<Expression>)>,
    /// What each is, after `--set`.
    pub(crate) texts: BTreeMap<String, String>,
}

impl Vars {
    /// Reads the mapping `vars`. A var may use those above it, so that none goes round in circles.
    pub(crate) fn read(sink: &Sink, node: Option<&Node>, sets: &BTreeMap<String, String>) -> Self {
        let mut vars = Self::default();
        let Some(node) = node.filter(|node| !node.is_null()) else { return vars };
        let Some(entries) = node.map() else {
            sink.report_with(&node.span, "`vars` needs a mapping", "write NAME: EXPRESSION");
            return vars;
        };
        for (key, value) in entries {
            let sound = vars.check_name(sink, key);
            let replaced = sets.get(&key.text).map(|text| {
                let source = Source::new(format!("--set {}", key.text), text.as_str());
                Node { span: Span::new(&source, 0..text.len()), value: Value::Text(text.clone()) }
            });
            let value = replaced.as_ref().unwrap_or(value);
            let expression = vars.parse(sink, value).filter(|_| sound);
            vars.texts.insert(key.text.clone(), scalar(value).unwrap_or_default());
            vars.defined.push((key.text.clone(), expression));
        }
        vars
    }

    fn check_name(&self, sink: &Sink, key: &Key) -> bool {
        if key.text == REFRESH_INTERVAL {
            sink.report(
                &key.span,
                format!("`{REFRESH_INTERVAL}` is what the manifests say; take another name"),
            );
            return false;
        }
        if !key.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            || !key.text.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let hint = "letters, digits and `_`, beginning with a letter";
            sink.report_with(&key.span, format!("`{}` cannot be the name of a var", key.text), hint);
            return false;
        }
        names::check(sink, &key.text, &key.span)
    }

    /// What a node comes to for somebody who is refreshed like this.
    pub(crate) fn quantity(&self, sink: &Sink, node: &Node, interval: &Interval) -> Option<Quantity> {
        let expression = self.parse(sink, node)?;
        Evaluation { vars: self, sink, interval }.of(&expression, None)
    }

    /// The same where only a duration makes sense.
    pub(crate) fn duration(&self, sink: &Sink, node: &Node, interval: &Interval) -> Option<Duration> {
        match self.quantity(sink, node, interval)? {
            Quantity::Span(span) => Some(span),
            Quantity::Number(number) => {
                let error = BadDuration::NoUnit(number.to_string());
                sink.report_with(&node.span, "expected a duration, found a number", error.hint());
                None
            }
        }
    }

    /// The same where only a number makes sense.
    pub(crate) fn number(&self, sink: &Sink, node: &Node) -> Option<u64> {
        let interval = Interval::Never("a number is expected here".to_owned());
        match self.quantity(sink, node, &interval)? {
            Quantity::Number(number) => Some(number),
            Quantity::Span(_) => {
                sink.report(&node.span, "expected a number, found a duration");
                None
            }
        }
    }

    fn parse(&self, sink: &Sink, node: &Node) -> Option<Expression> {
        let vars = self.defined.iter().map(|(name, _)| name.as_str());
        let names: Vec<_> = vars.chain([REFRESH_INTERVAL]).collect();
        expression::parse(sink, node, &names)
    }
}

struct Evaluation<'a> {
    vars: &'a Vars,
    sink: &'a Sink,
    interval: &'a Interval,
}

impl Evaluation<'_> {
    /// `used` is where the scenario uses the var that this stands in.
    fn of(&self, expression: &Expression, used: Option<&Span>) -> Option<Quantity> {
        match &expression.term {
            Term::Value(quantity) => Some(*quantity),
            Term::Name(name) if name == REFRESH_INTERVAL => match self.interval {
                Interval::Every(span) => Some(Quantity::Span(*span)),
                Interval::Never(why) => {
                    let at = used.unwrap_or(&expression.span);
                    self.sink.report_with(at, "there is no `refresh_interval` here", why.as_str());
                    None
                }
                Interval::Unknown => None,
            },
            Term::Name(name) => {
                let (_, body) = self.vars.defined.iter().find(|(known, _)| known == name)?;
                self.of(body.as_ref()?, Some(used.unwrap_or(&expression.span)))
            }
            Term::Of(operator, left, right) => {
                // Both, so that both are reported.
                let (left, right) = (self.of(left, used), self.of(right, used));
                match apply(*operator, left?, right?) {
                    Ok(quantity) => Some(quantity),
                    Err(why) => {
                        self.sink.report(&expression.span, why);
                        None
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        let source = Source::new("f", text);
        Node { span: Span::new(&source, 0..text.len()), value: Value::Text(text.to_owned()) }
    }

    fn evaluate(text: &str, interval: &Interval) -> Result<Quantity, String> {
        let sink = Sink::default();
        let quantity = Vars::default().quantity(&sink, &node(text), interval);
        sink.finish(quantity)
            .map(|(quantity, _)| quantity.unwrap())
            .map_err(|problems| problems.as_slice()[0].to_string())
    }

    fn seconds(text: &str) -> Result<u64, String> {
        match evaluate(text, &Interval::Every(Duration::from_secs(5)))? {
            Quantity::Span(span) => Ok(span.as_secs()),
            Quantity::Number(number) => Err(number.to_string()),
        }
    }

    #[test]
    fn arithmetic() {
        for (text, expected) in [
            ("refresh_interval + 2s", 7),
            ("5 * 3s + 1s", 16),
            ("1s + 3 * 5s", 16),
            ("3 * (refresh_interval - 1s)", 12),
            ("refresh_interval*2", 10),
            ("1m30s", 90),
            ("10s / 2 / 5", 1),
            (" ( 4s ) ", 4),
            ("10s - 4s - 3s", 3),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, message) in [
            ("5s +", "f:1:5: the expression breaks off"),
            ("5s 2s", "f:1:4: `2s` is not expected here"),
            ("5s + 1d", "f:1:6: `1d` has a unit that does not exist: `d`"),
            (
                "refresh_intervall",
                "f:1:1: `refresh_intervall` means nothing here, did you mean `refresh_interval`?",
            ),
            ("(5s", "f:1:1: `(` is never closed"),
            ("5s + 2", "f:1:1: a duration and a number cannot be added: the number needs a unit"),
            ("1s + 2s * 3s", "f:1:6: a duration times a duration is none"),
            ("2s - 5s", "f:1:1: this is less than nothing"),
            ("5s / 0", "f:1:1: this divides by zero"),
            ("5s / 2s", "f:1:1: only a number can stand below the line"),
            ("9999999999 * 9999999h", "f:1:14: `9999999h` is too long"),
            ("99999999999 * 5s", "f:1:1: this is too big"),
            ("-5s", "f:1:1: `-` is not expected here"),
            ("é", "f:1:1: `é` means nothing here"),
            ("5s § 1s", "f:1:4: `§ 1s` is not expected here"),
            ("", "f:1:1: the expression breaks off"),
            ("1.5 * 2s", "f:1:1: `1.5` has no unit"),
        ] {
            assert_eq!(seconds(text), Err(message.to_owned()), "{text}");
        }
        let long = format!("1s{}", " + 1s".repeat(50));
        assert!(seconds(&long).is_err());
    }

    #[test]
    fn without_an_interval_the_reason_is_said() {
        let sink = Sink::default();
        let never = Interval::Never("it never refreshes".to_owned());
        assert_eq!(Vars::default().quantity(&sink, &node("1s + refresh_interval"), &never), None);
        let problems = sink.finish(()).unwrap_err();
        assert_eq!(problems.as_slice()[0].to_string(), "f:1:6: there is no `refresh_interval` here");
        assert_eq!(problems.as_slice()[0].hint.as_deref(), Some("it never refreshes"));
    }

    /// Whatever is written, reading it ends with an answer or a problem.
    #[test]
    fn any_text_is_answered() {
        let pieces = ["5s", "2", "+", "-", "*", "/", "(", ")", " ", "refresh_interval", "1d", "é", ".", "0s"];
        let mut state = 7u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..state % 9 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let sink = Sink::default();
            let interval = Interval::Every(Duration::from_secs(5));
            let quantity = Vars::default().quantity(&sink, &node(&text), &interval);
            assert_eq!(quantity.is_none(), sink.finish(()).is_err(), "{text}");
        }
    }
}
