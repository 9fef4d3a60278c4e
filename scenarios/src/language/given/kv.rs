//! `kv: { name, path, fields, mount?, seeded?, holds? }`: a path of OpenBao's KV v2 engine.

use super::super::draft::{Draft, GivenStore};
use super::super::error::Sink;
use super::super::form::{Form, text};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Kv, Seed};
use super::super::shape::{self, shape};
use super::super::words::{BaoPath, FieldName, NewName};
use super::first;

pub(super) const VERB: Verb<()> = Verb {
    word: "kv",
    read,
    shape: shape::of::<Shape>,
    example: "- kv: { name: app, path: team/app, fields: [password] }",
};

shape! {
    /// A path of OpenBao's KV v2 engine.
    #[schemars(extend("anyOf" = [{ "required": ["fields"] }, { "required": ["holds"] }]))]
    struct Shape {
        /// What the rest of the file calls it.
        name: NewName,
        /// The path below the mount.
        path: BaoPath,
        /// The fields that the harness writes; `username` and `password` where it holds a user.
        #[schemars(length(min = 1))]
        fields: Option<Vec<FieldName>>,
        /// Where the engine is mounted; `secret` unless said otherwise.
        mount: Option<BaoPath>,
        /// Whether a first value is written before the manifests are applied; it is unless this is false.
        seeded: Option<bool>,
        /// The database user whose first credential is written instead of random values.
        holds: Option<first::Shape>,
    }
}

/// Where KV v2 is mounted unless the scenario says otherwise.
const MOUNT: &str = "secret";

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let path = form.need("path").and_then(|node| self::path(draft.sink, node));
    let mount = form.optional("mount", |node| self::path(draft.sink, node));
    let holds = form.optional("holds", |node| first::read(draft, &form, node));
    let fields = match form.has("fields") || !form.has("holds") {
        true => form.names("fields").map(|fields| fields.into_iter().map(|field| field.text).collect()),
        false => Some(first::FIELDS.map(str::to_owned).to_vec()),
    };
    let seeded = form.flag("seeded", true);
    let Some(name) = name else { return };
    let kv = (|| {
        let mount = mount?.unwrap_or_else(|| MOUNT.to_owned());
        let seed = match (holds?, seeded?) {
            (Some(first), _) => Seed::Holds(first),
            (None, true) => Seed::Random,
            (None, false) => Seed::Nothing,
        };
        Some(Kv { name: name.text.clone(), mount, path: path?, fields: fields?, seed })
    })();
    if let Some(kv) = &kv
        && let Some(other) = same_place(draft, kv)
    {
        let message = format!("kv `{other}` is at `{}/{}` already", kv.mount, kv.path);
        draft.sink.report(&entry.verb.span, message);
    }
    draft.stores.bind(draft.sink, name, kv.map(GivenStore::Kv));
}

fn same_place(draft: &Draft<'_>, kv: &Kv) -> Option<String> {
    draft.stores.iter().find_map(|store| match store {
        GivenStore::Kv(other) if other.mount == kv.mount && other.path == kv.path => Some(other.name.clone()),
        GivenStore::Kv(_)
        | GivenStore::StaticRole(_)
        | GivenStore::DynamicRole(_)
        | GivenStore::Secret(_) => None,
    })
}

/// A path as OpenBao writes it: no slash at its ends, none doubled.
fn path(sink: &Sink, node: &Node) -> Option<String> {
    let path = text(sink, node)?;
    if path.split('/').any(|part| part.is_empty() || part == "..") {
        sink.report(&node.span, format!("`{path}` is not a path; write it as `team/app`"));
        return None;
    }
    Some(path.to_owned())
}
