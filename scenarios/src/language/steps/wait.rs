//! `wait`: until a hop shows what the latest rotate step set, until objects have synced, until a condition is so.

use super::super::draft::{Draft, Held};
use super::super::duration::spoken;
use super::super::expect::subject;
use super::super::form::{Form, text};
use super::super::names::{did_you_mean, listed};
use super::super::room::{Entry, Verb};
use super::super::scenario::{Action, ObjectRef};
use super::super::shape::{self, shape};
use super::super::words::{
    ByWord, ConditionStatus, CredentialName, DurationExpression, HopWord, NumberExpression, ObjectPlace,
};
use super::Said;

pub(super) const VERB: Verb<Said> = Verb {
    word: "wait",
    read,
    shape: shape::of::<Shape>,
    example: "- wait: { credential: fleet, at: secret, within: 30s }",
};

shape! {
    /// Waits for a level. With `credential`: until a hop shows what the latest `rotate` set, or later, or until the
    /// value has moved so often by itself (`moves`). With `every`: until all objects of a kind have synced again.
    /// With `object`: until it has synced again, or until one of its conditions is so.
    #[schemars(extend("oneOf" = [
        { "required": ["credential", "at"] }, { "required": ["every"] }, { "required": ["object"] }
    ]))]
    struct Shape {
        /// How long at most; after that the scenario is inconclusive, not a failure.
        within: DurationExpression,
        /// Which credential.
        credential: Option<CredentialName>,
        /// Where it must be seen.
        at: Option<HopWord>,
        /// What it waits for; there is one word only.
        reaches: Option<Reaches>,
        /// So many moves since the scenario began, for values that move by themselves.
        moves: Option<NumberExpression>,
        /// Of several replicas.
        by: Option<ByWord>,
        /// All objects of this kind.
        every: Option<Synced>,
        /// One object.
        object: Option<ObjectPlace>,
        /// A condition of the object.
        condition: Option<String>,
        /// The condition's status, in quotes; `"True"` unless said otherwise.
        is: Option<ConditionStatus>,
    }

    /// What a hop reaches.
    #[schemars(inline, rename_all = "lowercase")]
    enum Reaches {
        Next,
    }

    /// Objects that sync.
    #[schemars(inline, rename_all = "lowercase")]
    enum Synced {
        ExternalSecret,
        PushSecret,
    }
}

const SYNCED: [&str; 2] = ["ExternalSecret", "PushSecret"];

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) -> Said {
    let form = Form::open::<Shape>(draft.sink, entry.verb, entry.node)?;
    let subjects: Vec<_> =
        ["credential", "every", "object"].into_iter().filter(|key| form.has(key)).collect();
    match subjects.as_slice() {
        ["every"] => every(draft, &form),
        ["object"] => object(draft, &form),
        // What it lacks is told in the words of the commonest form.
        ["credential"] | [] => credential(draft, &form),
        several => {
            let message = format!("`wait` waits for one thing, not for {}", listed(several.iter().copied()));
            draft.sink.report(&form.head.span, message);
            None
        }
    }
}

fn credential(draft: &Draft<'_>, form: &Form<'_, '_>) -> Said {
    let held = draft.credential(form, "credential");
    let at = draft.hop(form, "at", held.as_ref());
    let reaches = form.only("reaches", "next");
    let moves = form.optional("moves", |node| draft.vars.number(draft.sink, node));
    let who = subject::who(draft, form);
    let within = draft.duration(form, "within", held.as_ref());
    reaches?;
    let (Held { credential, .. }, at, who, within) = (held?, at?, who?, within?);
    let most = spoken(within);
    let credential = credential.name;
    Some(match moves? {
        Some(moves) => {
            let text = format!("wait until {credential} has moved {moves} times at {at}, for {most} at most");
            let moves = usize::try_from(moves).unwrap_or(usize::MAX);
            (text, Action::WaitMoves { credential, at, moves, within })
        }
        None => {
            let text = format!("wait until {credential} reaches {at}, for {most} at most");
            (text, Action::Wait { credential, at, who, within })
        }
    })
}

fn every(draft: &Draft<'_>, form: &Form<'_, '_>) -> Said {
    let node = form.need("every")?;
    let word = text(draft.sink, node)?;
    let words: Vec<String> = SYNCED.iter().map(|kind| kind.to_lowercase()).collect();
    let words = || words.iter().map(String::as_str);
    let Some(kind) = SYNCED.into_iter().find(|kind| kind.to_lowercase() == word) else {
        let message = format!("nothing syncs that is called `{word}`{}", did_you_mean(word, words()));
        draft.sink.report_with(&node.span, message, format!("`every` is {}", listed(words())));
        return None;
    };
    let objects: Vec<ObjectRef> = draft.all_of_kind(kind);
    if objects.is_empty() && !draft.blind {
        draft.sink.report(&node.span, format!("the manifests hold no {kind}"));
    }
    let within = draft.plain_duration(form, "within")?;
    let text = format!("wait until every {kind} has synced again, for {} at most", spoken(within));
    Some((text, Action::WaitSynced { objects, within }))
}

fn object(draft: &Draft<'_>, form: &Form<'_, '_>) -> Said {
    let object = form.need("object").and_then(|node| draft.object(node));
    let condition = form.optional("condition", |node| text(draft.sink, node));
    let is = form.optional("is", |node| text(draft.sink, node));
    let within = draft.plain_duration(form, "within");
    let (object, condition, is, within) = (object?, condition?, is?, within?);
    let most = spoken(within);
    if let Some(condition) = condition {
        let is = is.unwrap_or("True");
        let text = format!("wait until {object} is {condition} {is}, for {most} at most");
        let (condition, is) = (condition.to_owned(), is.to_owned());
        return Some((text, Action::WaitCondition { object, condition, is, within }));
    }
    if !SYNCED.contains(&object.kind.as_str()) {
        let message = format!("{object} does not sync; name a `condition`");
        draft.sink.report(&form.need("object")?.span, message);
        return None;
    }
    let text = format!("wait until {object} has synced again, for {most} at most");
    Some((text, Action::WaitSynced { objects: vec![object], within }))
}
