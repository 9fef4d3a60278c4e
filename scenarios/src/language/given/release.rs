//! `release: { component, with }`: the release of a component on which the scenario begins.

use super::super::draft::Draft;
use super::super::form::Form;
use super::super::release;
use super::super::room::{Entry, Verb};
use super::super::shape::{self, shape};
use super::super::words::{ComponentName, ReleaseWord};

pub(super) const VERB: Verb<()> = Verb {
    word: "release",
    read,
    shape: shape::of::<Shape>,
    example: "- release: { component: eso, with: v0.16.1 }",
};

shape! {
    /// The release of a component on which the scenario begins, where that is not the run's. It is put in place
    /// before anything else is given, and the run's comes back when the scenario is over, unless the plane goes with it.
    /// Needs `exclusive: true`.
    struct Shape {
        /// Which component.
        component: ComponentName,
        /// Which release.
        with: ReleaseWord,
    }
}

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let Some(release) = release::read(draft, entry, &form) else { return };
    if draft.releases.iter().any(|known| known.component == release.component) {
        let message = format!("`{}` begins on two releases", release.component);
        draft.sink.report(&entry.verb.span, message);
        return;
    }
    draft.releases.push(release);
}
