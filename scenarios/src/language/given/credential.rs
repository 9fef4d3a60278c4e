//! `credential: { name, store?, in?, fields?, key?, extract? }`: the thing that rotates, and what the manifests say of its way.

use std::fmt;
use std::time::Duration;

use super::super::draft::{Draft, GivenStore, Held};
use super::super::form::{self, Form};
use super::super::manifest::{Carrier, Object, Way};
use super::super::names::{did_you_mean, listed};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Credential, InSecret, Inference, Kv, Store};
use super::super::shape::{self, shape};
use super::super::source::Span;
use super::super::vars::Interval;
use super::super::words::{self, ExtractExpression, NewName, ObjectPlace, StoreName};
use super::fields::{self, Field, Fields};

pub(super) const VERB: Verb<()> = Verb {
    word: "credential",
    read,
    shape: shape::of::<Shape>,
    example: "- credential: { name: fleet, store: fleet, in: secret/fleet-mysql }",
};

shape! {
    /// The thing that rotates. It lives in OpenBao (`store`), in a Kubernetes Secret (`in`), or in both; which
    /// ExternalSecret or PushSecret carries it is found in the manifests.
    /// Or it is a token that the kubelet makes and renews by itself (`token_of`), which only its pod ever sees.
    #[schemars(extend("anyOf" = [
        { "required": ["store"] }, { "required": ["in"] }, { "required": ["token_of"] }
    ]))]
    struct Shape {
        /// What the rest of the file calls it.
        name: NewName,
        /// Where OpenBao keeps it: the name of a `kv`, `static_role` or `dynamic_role`; or a `secret`.
        store: Option<StoreName>,
        /// Where a step writes it, where that is not the store: the name of a `secret`.
        from: Option<StoreName>,
        /// Whether it is not there before the first step.
        later: Option<bool>,
        /// Whether the value that is left is tried again and again where it is checked; it is unless this is false.
        /// Where an account is locked after refusals, the harness must not be who locks it.
        tried: Option<bool>,
        /// The Secret that holds it.
        r#in: Option<words::SecretPlace>,
        /// The Deployment of one replica in whose pod a volume projects it: the token of a ServiceAccount.
        token_of: Option<ObjectPlace>,
        /// The fields that make a generation; those of the store unless said otherwise. `"*"` means every key that
        /// the Secret has.
        fields: Option<Fields>,
        /// The key of the Secret that holds the only field, where that is all there is to say: `password`, or the
        /// field that the store has.
        #[schemars(length(min = 1))]
        key: Option<String>,
        /// Where in that key's text it is.
        extract: Option<ExtractExpression>,
    }
}

/// How often the origin is asked where `watch` says nothing.
const EVERY: Duration = Duration::from_millis(250);

/// What a token is to whoever logs in with it.
const TOKEN_FIELD: &str = "password";

/// What `database/static-creds/…` answers; the first two make a generation unless the file says otherwise.
const STATIC_FIELDS: [&str; 5] = ["username", "password", "ttl", "rotation_period", "last_vault_rotation"];

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let held = whole(draft, &form, name.as_ref().map_or("", |name| &name.text));
    if let Some(name) = name {
        draft.credentials.bind(draft.sink, name, held);
    }
}

fn whole(draft: &mut Draft<'_>, form: &Form<'_, '_>, name: &str) -> Option<Held> {
    if form.has("token_of") {
        return token(draft, form, name);
    }
    if !form.has("store") && !form.has("in") {
        let message = format!("`{name}` lives nowhere: give `store`, `in` or both");
        let hint = "`store` names a kv or a static_role, `in` a Secret as `secret/NAME`";
        draft.sink.report_with(&form.head.span, message, hint);
        return None;
    }
    // Each for itself as far as it goes, so that whatever is wrong is reported.
    let store = form.optional("store", |node| draft.stores.find(draft.sink, node).cloned());
    let from = form.optional("from", |node| source(draft, node));
    let (later, tried) = (form.flag("later", false), form.flag("tried", true));
    let place = form.optional("in", |node| place(draft, node));
    let known = store.as_ref().and_then(Option::as_ref);
    let fields = fields::said(draft, form, known);
    let fields = match &store {
        Some(store) => fields.and_then(|fields| checked(draft, form, fields, store.as_ref())),
        None => None,
    };
    let pushed = match &store {
        Some(Some(GivenStore::Kv(kv))) => feeding(draft, form, name, kv),
        Some(Some(GivenStore::StaticRole(_) | GivenStore::DynamicRole(_) | GivenStore::Secret(_)) | None) => {
            Some(None)
        }
        None => None,
    };
    let written = match &place {
        Some(Some(place)) => writing(draft, form, name, place, fields.as_deref().unwrap_or_default()),
        Some(None) => Some(None),
        None => None,
    };
    let (store, place, fields, pushed, written) = (store?, place?, fields?, pushed?, written?);
    let secret = place.map(|place| InSecret {
        namespace: place.namespace,
        name: place.secret,
        keys: fields.iter().map(|field| (field.name.clone(), field.spot.clone())).collect(),
        external_secret: written.as_ref().map(|writer| writer.name.clone()),
    });
    let interval = interval(draft, name, written.as_ref(), pushed.as_ref());
    let refresh_interval = match &interval {
        Interval::Every(span) => Some(*span),
        Interval::Never(_) | Interval::Unknown => None,
    };
    let credential = Credential {
        name: name.to_owned(),
        fields: fields.into_iter().map(|field| field.name).collect(),
        store: store.map(|store| match store {
            GivenStore::Kv(kv) => Store::Kv(kv.name),
            GivenStore::StaticRole(role) => Store::StaticRole(role.name),
            GivenStore::DynamicRole(role) => Store::DynamicRole(role.name),
            GivenStore::Secret(secret) => Store::Secret(secret.name),
        }),
        from: from?,
        later: later?,
        tried: tried?,
        secret,
        token_of: None,
        // Who reads it is known later.
        hops: Vec::new(),
        every: EVERY,
        refresh_interval,
        real_interval: written.as_ref().or(pushed.as_ref()).and_then(|carried| carried.real),
    };
    Some(Held { credential, interval })
}

/// A token that the kubelet projects into the pod of a Deployment.
fn token(draft: &Draft<'_>, form: &Form<'_, '_>, name: &str) -> Option<Held> {
    if let Some(key) =
        ["store", "from", "in", "fields", "key", "extract"].into_iter().find(|key| form.has(key))
    {
        let message = format!("a token is in its pod and nowhere else: it has no `{key}`");
        draft.sink.report(&form.need("token_of")?.span, message);
        return None;
    }
    let node = form.need("token_of")?;
    let of = draft.object(node)?;
    let manifest = &draft.manifest(&of)?.manifest.object;
    if of.kind != "Deployment" || manifest["spec"]["replicas"] != 1 {
        let hint = "each pod has a token of its own, so there is one credential for each";
        let message = format!("{of} is no Deployment with `replicas: 1`");
        draft.sink.report_with(&node.span, message, hint);
        return None;
    }
    let credential = Credential {
        name: name.to_owned(),
        fields: vec![TOKEN_FIELD.to_owned()],
        store: None,
        from: None,
        later: false,
        tried: false,
        secret: None,
        token_of: Some(of),
        hops: Vec::new(),
        every: EVERY,
        refresh_interval: None,
        real_interval: None,
    };
    let never = format!("`{name}` is renewed by the kubelet, and no manifest says when");
    Some(Held { credential, interval: Interval::Never(never) })
}

/// The given Secret that a credential comes from.
fn source(draft: &Draft<'_>, node: &Node) -> Option<String> {
    match draft.stores.find(draft.sink, node)? {
        GivenStore::Secret(secret) => Some(secret.name.clone()),
        GivenStore::Kv(_) | GivenStore::StaticRole(_) | GivenStore::DynamicRole(_) => {
            draft.sink.report(&node.span, "a credential comes `from` a secret; the others are its `store`");
            None
        }
    }
}

/// `[NAMESPACE/]secret/NAME`
#[derive(PartialEq)]
struct SecretPlace {
    namespace: Option<String>,
    secret: String,
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/secret/{}", self.secret),
            None => write!(f, "secret/{}", self.secret),
        }
    }
}

fn place(draft: &Draft<'_>, node: &Node) -> Option<SecretPlace> {
    let text = form::text(draft.sink, node)?;
    let (namespace, secret) = match text.split('/').collect::<Vec<_>>().as_slice() {
        ["secret", name] => (None, (*name).to_owned()),
        [namespace, "secret", name] if !namespace.is_empty() => {
            (Some((*namespace).to_owned()), (*name).to_owned())
        }
        _ => (None, String::new()),
    };
    if secret.is_empty() {
        let hint = "write `secret/NAME` or `NAMESPACE/secret/NAME`";
        draft.sink.report_with(&node.span, format!("`{text}` is not the place of a Secret"), hint);
        return None;
    }
    Some(SecretPlace { namespace, secret })
}

/// The fields, or those that the store has where the file names none; each must be one that the store has.
fn checked(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    fields: Option<Vec<Field>>,
    store: Option<&GivenStore>,
) -> Option<Vec<Field>> {
    let (has, default): (Vec<&str>, usize) = match store {
        Some(GivenStore::Kv(kv)) => (kv.fields.iter().map(String::as_str).collect(), kv.fields.len()),
        Some(GivenStore::StaticRole(_)) => (STATIC_FIELDS.to_vec(), 2),
        Some(GivenStore::DynamicRole(_)) => (STATIC_FIELDS[..2].to_vec(), 2),
        Some(GivenStore::Secret(secret)) => {
            (secret.fields.iter().map(String::as_str).collect(), secret.fields.len())
        }
        None => (Vec::new(), 0),
    };
    let Some(fields) = fields else {
        if store.is_none() {
            let hint = "name the keys of the Secret that make a generation: `fields: [password]`";
            draft.sink.report_with(&form.head.span, "without a `store` the `fields` must be said", hint);
            return None;
        }
        let field = |name: &&str| {
            let span = form.head.span.clone();
            Field { name: (*name).to_owned(), spot: (*name).into(), span }
        };
        return Some(has.iter().take(default).map(field).collect());
    };
    if fields.is_empty() && store.is_some() {
        let hint = "name the fields, or leave them away: then they are those of the store";
        draft.sink.report_with(&form.need("fields")?.span, "`\"*\"` is for a Secret without a `store`", hint);
        return None;
    }
    let mut sound = true;
    for field in fields.iter().filter(|field| store.is_some() && !has.contains(&field.name.as_str())) {
        let guess = did_you_mean(&field.name, has.iter().copied());
        let message = format!("the store has no field `{}`{guess}", field.name);
        draft.sink.report_with(&field.span, message, format!("it has {}", listed(has.iter().copied())));
        sound = false;
    }
    sound.then_some(fields)
}

/// A manifest that carries the credential.
struct Carried {
    name: String,
    title: String,
    place: String,
    interval: Interval,
    real: Option<Duration>,
}

/// The ExternalSecret that writes the Secret; none where the manifests hold the Secret itself. The outer
/// none: it cannot be told, which was reported.
fn writing(
    draft: &mut Draft<'_>,
    form: &Form<'_, '_>,
    name: &str,
    place: &SecretPlace,
    fields: &[Field],
) -> Option<Option<Carried>> {
    let at = &form.need("in")?.span;
    let SecretPlace { namespace, secret } = place;
    let found: Vec<_> =
        draft.objects.iter().filter(|object| writes(object).as_ref() == Some(place)).collect();
    let writer = match found.as_slice() {
        [one] => *one,
        [] => {
            let holds = |Object { manifest, .. }: &Object| {
                manifest.kind == "Secret" && manifest.name == *secret && manifest.namespace == *namespace
            };
            let given = draft.secret(secret).is_some_and(|given| given.namespace == *namespace);
            if given || draft.objects.iter().any(holds) {
                return Some(None);
            }
            if !draft.blind {
                nobody_writes(draft, at, place);
            }
            return None;
        }
        many => {
            several(draft, at, &format!("Secret `{secret}`"), many);
            return None;
        }
    };
    let carrier = writer.carrier.as_ref()?;
    if let Way::Writes { keys: Some(keys), .. } = &carrier.way {
        let mut sound = true;
        for field in fields.iter().filter(|field| !keys.contains(&field.spot.key)) {
            let key = &field.spot.key;
            let guess = did_you_mean(key, keys.iter().map(String::as_str));
            let message = format!("Secret `{secret}` gets no key `{key}`{guess}");
            let hint = format!("{} writes {}", writer.placed(), listed(keys.iter().map(String::as_str)));
            draft.sink.report_with(&field.span, message, hint);
            sound = false;
        }
        if !sound {
            return None;
        }
    }
    let (carried, inference) = concluded(writer, carrier, &format!("{name} is carried by"));
    draft.inferences.push(inference);
    Some(Some(carried))
}

fn writes(object: &Object) -> Option<SecretPlace> {
    match &object.carrier.as_ref()?.way {
        Way::Writes { secret, .. } => {
            Some(SecretPlace { namespace: object.manifest.namespace.clone(), secret: secret.clone() })
        }
        Way::Feeds(_) => None,
    }
}

fn nobody_writes(draft: &Draft<'_>, at: &Span, wanted: &SecretPlace) {
    let wanted = wanted.to_string();
    let there: Vec<_> = draft.objects.iter().filter_map(writes).map(|place| place.to_string()).collect();
    let there = || there.iter().map(String::as_str);
    let message = format!("no ExternalSecret writes `{wanted}`{}", did_you_mean(&wanted, there()));
    let hint = match there().next() {
        Some(_) => format!("the manifests write {}", listed(there())),
        None => "the manifests hold no ExternalSecret; name their file with `apply`".to_owned(),
    };
    draft.sink.report_with(at, message, hint);
}

/// Nobody can tell which of them it is.
fn several(draft: &Draft<'_>, at: &Span, what: &str, objects: &[&Object]) {
    let all: Vec<_> = objects.iter().map(|object| object.placed()).collect();
    let message = format!("{} manifests write {what}", objects.len());
    draft.sink.report_with(at, message, listed(all.iter().map(String::as_str)));
}

/// The PushSecret that writes the path, where there is one. The outer none: it cannot be told.
fn feeding(draft: &mut Draft<'_>, form: &Form<'_, '_>, name: &str, kv: &Kv) -> Option<Option<Carried>> {
    // A remote key may repeat the mount, with or without the API's `data`.
    let names =
        [kv.path.clone(), format!("{}/{}", kv.mount, kv.path), format!("{}/data/{}", kv.mount, kv.path)];
    let feeds = |object: &&Object| match object.carrier.as_ref().map(|carrier| &carrier.way) {
        Some(Way::Feeds(paths)) => paths.iter().any(|path| names.contains(path)),
        Some(Way::Writes { .. }) | None => false,
    };
    let found: Vec<&Object> = draft.objects.iter().filter(feeds).collect();
    let feeder = match found.as_slice() {
        [] => return Some(None),
        [one] => *one,
        many => {
            several(draft, &form.need("store")?.span, &format!("kv `{}`", kv.name), many);
            return None;
        }
    };
    let carrier = feeder.carrier.as_ref()?;
    let (carried, inference) = concluded(feeder, carrier, &format!("{name} is fed by"));
    draft.inferences.push(inference);
    Some(Some(carried))
}

fn concluded(object: &Object, carrier: &Carrier, what: &str) -> (Carried, Inference) {
    let (manifest, title) = (&object.manifest, object.title());
    let text = format!("{what} {title}, refreshInterval {}", carrier.refresh);
    let inference = Inference { text, file: manifest.file.clone(), line: manifest.line };
    let (name, place, interval) = (manifest.name.clone(), object.span.place(), carrier.interval.clone());
    (Carried { name, title, place, interval, real: carrier.real }, inference)
}

/// What `refresh_interval` means for it: the last carrier before whoever reads it counts.
fn interval(draft: &Draft<'_>, name: &str, written: Option<&Carried>, pushed: Option<&Carried>) -> Interval {
    match written.or(pushed) {
        Some(Carried { interval: Interval::Never(why), title, place, .. }) => {
            Interval::Never(format!("{title} ({place}) does not refresh by itself: {why}"))
        }
        Some(carried) => carried.interval.clone(),
        None if draft.blind => Interval::Unknown,
        None => Interval::Never(format!("no ExternalSecret or PushSecret carries `{name}`")),
    }
}
