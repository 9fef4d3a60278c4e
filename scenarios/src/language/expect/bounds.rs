//! `exactly`, `at_least`, `at_most`: how many.

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::shape::shape;
use super::super::words::NumberExpression;

shape! {
    /// How many: `exactly`, or `at_least` and `at_most`.
    #[schemars(extend("anyOf" = [
        { "required": ["exactly"] }, { "required": ["at_least"] }, { "required": ["at_most"] }
    ]))]
    pub(super) struct Shape {
        /// So many, neither more nor less.
        exactly: Option<NumberExpression>,
        /// So many or more.
        at_least: Option<NumberExpression>,
        /// So many or fewer.
        at_most: Option<NumberExpression>,
    }
}

/// The keys that say how many.
const KEYS: [&str; 3] = ["exactly", "at_least", "at_most"];

/// How many, at least one of the two said.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) at_least: Option<u64>,
    pub(super) at_most: Option<u64>,
}

/// Reads them from the keys of a form.
pub(super) fn read(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<Bounds> {
    let sink = draft.sink;
    if !KEYS.iter().any(|key| form.has(key)) {
        let message = format!("`{}` does not say how many", form.head.text);
        sink.report_with(&form.head.span, message, "add `exactly`, `at_least` or `at_most`");
        return None;
    }
    // All three, so that all are reported.
    let [exactly, at_least, at_most] =
        KEYS.map(|key| form.optional(key, |node| draft.vars.number(sink, node)));
    let (exactly, mut bounds) = (exactly?, Bounds { at_least: at_least?, at_most: at_most? });
    if exactly.is_some() {
        if let Some(other) = form.get("at_least").or(form.get("at_most")) {
            sink.report(&other.span, "`exactly` says how many; this would say it again");
            return None;
        }
        bounds = Bounds { at_least: exactly, at_most: exactly };
    }
    if let (Some(least), Some(most)) = (bounds.at_least, bounds.at_most)
        && least > most
    {
        let message = format!("at least {least} and at most {most} cannot both be");
        sink.report(&form.need("at_most")?.span, message);
        return None;
    }
    Some(bounds)
}

impl Bounds {
    /// `exactly 1`, `4 to 6`, `at least 4`, `at most 6`
    pub(super) fn numbers(self) -> String {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least == most => format!("exactly {least}"),
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => "any number of".to_owned(),
        }
    }

    /// `exactly 1 time`, `4 to 6 times`, `at least 4 times`, `at most 6 times`
    pub(super) fn times(self) -> String {
        let times = |number: u64| if number == 1 { "time" } else { "times" };
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least == most => format!("exactly {least} {}", times(least)),
            (Some(least), Some(most)) => format!("{least} to {most} times"),
            (Some(least), None) => format!("at least {least} {}", times(least)),
            (None, Some(most)) => format!("at most {most} {}", times(most)),
            (None, None) => "any number of times".to_owned(),
        }
    }
}
