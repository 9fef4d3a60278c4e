//! Sums and products of durations: `refresh_interval + 2s`, `5 * 3s + 1s`, `limit`.

use std::ops::Range;
use std::time::Duration;

use super::duration;
use super::error::Sink;
use super::names::{did_you_mean, listed};
use super::node::{Node, Value};
use super::source::Span;

/// Longer ones are not meant seriously; it bounds the depth of the tree as well.
const MAX_LENGTH: usize = 200;

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Number(u64),
    Span(Duration),
}

/// An expression whose names all mean something.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) span: Span,
    pub(crate) term: Term,
}

#[derive(Clone, Debug)]
pub(crate) enum Term {
    Value(Quantity),
    Name(String),
    Of(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

/// Shown where somebody did not know what to write.
const EXAMPLES: &str =
    "write it as `250ms`, `5s`, `1m30s`, `refresh_interval + 2s` or `3 * refresh_interval`";

/// A scalar as text: YAML reads `5` as a number.
pub(crate) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.trim().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// Reads a node in which these names mean something.
pub(crate) fn parse(sink: &Sink, node: &Node, names: &[&str]) -> Option<Expression> {
    let Some(text) = scalar(node) else {
        sink.report_with(&node.span, format!("expected a duration, found {}", node.what()), EXAMPLES);
        return None;
    };
    if text.len() > MAX_LENGTH {
        sink.report(&node.span, format!("an expression has {MAX_LENGTH} characters at most"));
        return None;
    }
    let mut parser = Parser { names, sink, node, text: &text, at: 0 };
    let expression = parser.sum()?;
    if parser.peek().is_some() {
        let rest = text[parser.at..].to_owned();
        return parser.fail(parser.at..text.len(), format!("`{rest}` is not expected here"), EXAMPLES);
    }
    Some(expression)
}

struct Parser<'a> {
    names: &'a [&'a str],
    sink: &'a Sink,
    node: &'a Node,
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn sum(&mut self) -> Option<Expression> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[('+', Operator::Plus), ('-', Operator::Minus)]) {
            left = self.join(operator, left, Self::product)?;
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Expression> {
        let mut left = self.atom()?;
        while let Some(operator) = self.operator(&[('*', Operator::Times), ('/', Operator::Over)]) {
            left = self.join(operator, left, Self::atom)?;
        }
        Some(left)
    }

    fn join(
        &mut self,
        operator: Operator,
        left: Expression,
        next: fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let right = next(self)?;
        let range = left.span.range.start..right.span.range.end;
        let span = Span::new(&left.span.source, range);
        Some(Expression { span, term: Term::Of(operator, Box::new(left), Box::new(right)) })
    }

    fn atom(&mut self) -> Option<Expression> {
        let Some(first) = self.peek() else {
            let end = self.text.len();
            return self.fail(end..end, "the expression breaks off".to_owned(), EXAMPLES);
        };
        let start = self.at;
        if first == '(' {
            self.at += 1;
            let inner = self.sum()?;
            if self.peek() != Some(')') {
                return self.fail(start..start + 1, "`(` is never closed".to_owned(), EXAMPLES);
            }
            self.at += 1;
            return Some(inner);
        }
        let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let rest = &self.text[start..];
        let word = &rest[..rest.find(|c: char| !inside(c)).unwrap_or(rest.len())];
        let range = start..start + word.len();
        self.at = range.end;
        if word.is_empty() {
            return self.fail(
                start..start + first.len_utf8(),
                format!("`{first}` is not expected here"),
                EXAMPLES,
            );
        }
        let term = if first.is_ascii_digit() { self.literal(word, &range) } else { self.name(word, &range) };
        Some(Expression { span: self.span(range), term: term? })
    }

    fn literal(&mut self, word: &str, range: &Range<usize>) -> Option<Term> {
        if let Ok(number) = word.parse() {
            return Some(Term::Value(Quantity::Number(number)));
        }
        match duration::parse(word) {
            Ok(span) => Some(Term::Value(Quantity::Span(span))),
            Err(error) => self.fail(range.clone(), error.to_string(), &error.hint()),
        }
    }

    fn name(&mut self, word: &str, range: &Range<usize>) -> Option<Term> {
        if self.names.contains(&word) {
            return Some(Term::Name(word.to_owned()));
        }
        let known = || self.names.iter().copied();
        let message = format!("`{word}` means nothing here{}", did_you_mean(word, known()));
        self.fail(range.clone(), message, &format!("known names: {}", listed(known())))
    }

    fn operator(&mut self, known: &[(char, Operator)]) -> Option<Operator> {
        let next = self.peek()?;
        let (sign, operator) = known.iter().find(|(sign, _)| *sign == next)?;
        self.at += sign.len_utf8();
        Some(*operator)
    }

    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// Points into the text where the file has it letter by letter, else at the whole of it.
    fn span(&self, range: Range<usize>) -> Span {
        let whole = &self.node.span;
        match whole.text().find(self.text) {
            Some(start) => whole.part(start + range.start..start + range.end),
            None => whole.clone(),
        }
    }

    fn fail<T>(&self, range: Range<usize>, message: String, hint: &str) -> Option<T> {
        self.sink.report_with(&self.span(range), message, hint);
        None
    }
}

/// What two quantities come to, or why they come to nothing.
pub(crate) fn apply(operator: Operator, left: Quantity, right: Quantity) -> Result<Quantity, &'static str> {
    use Quantity::{Number, Span};
    const TOO_BIG: &str = "this is too big";
    const BELOW_ZERO: &str = "this is less than nothing";
    let factor = |number: u64| u32::try_from(number).map_err(|_| TOO_BIG);
    match (operator, left, right) {
        (Operator::Plus, Number(a), Number(b)) => a.checked_add(b).map(Number).ok_or(TOO_BIG),
        (Operator::Plus, Span(a), Span(b)) => a.checked_add(b).map(Span).ok_or(TOO_BIG),
        (Operator::Minus, Number(a), Number(b)) => a.checked_sub(b).map(Number).ok_or(BELOW_ZERO),
        (Operator::Minus, Span(a), Span(b)) => a.checked_sub(b).map(Span).ok_or(BELOW_ZERO),
        (Operator::Plus | Operator::Minus, Number(_), Span(_))
        | (Operator::Plus | Operator::Minus, Span(_), Number(_)) => {
            Err("a duration and a number cannot be added: the number needs a unit")
        }
        (Operator::Times, Number(a), Number(b)) => a.checked_mul(b).map(Number).ok_or(TOO_BIG),
        (Operator::Times, Span(span), Number(number)) | (Operator::Times, Number(number), Span(span)) => {
            span.checked_mul(factor(number)?).map(Span).ok_or(TOO_BIG)
        }
        (Operator::Times, Span(_), Span(_)) => Err("a duration times a duration is none"),
        (Operator::Over, Number(a), Number(b)) => a.checked_div(b).map(Number).ok_or("this divides by zero"),
        (Operator::Over, Span(a), Number(b)) => {
            a.checked_div(factor(b)?).map(Span).ok_or("this divides by zero")
        }
        (Operator::Over, Number(_) | Span(_), Span(_)) => Err("only a number can stand below the line"),
    }
}
