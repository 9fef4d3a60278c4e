//! `watch: DURATION`: lets the probes go on for a time.

use super::super::draft::Draft;
use super::super::duration::spoken;
use super::super::room::{Entry, Verb};
use super::super::scenario::Action;
use super::super::shape::{self, shape};
use super::super::vars::Interval;
use super::super::words::DurationExpression;
use super::Said;

pub(super) const VERB: Verb<Said> =
    Verb { word: "watch", read, shape: shape::of::<Watch>, example: "- watch: 5s" };

shape! {
    /// Lets the probes go on for a time: for what must not happen, or happens by itself.
    #[schemars(transparent)]
    struct Watch(DurationExpression);
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let interval = Interval::Never("no credential is spoken of".to_owned());
    let time = draft.vars.duration(draft.sink, entry.node, &interval)?;
    Some((format!("watch for {}", spoken(time)), Action::Watch { time }))
}
