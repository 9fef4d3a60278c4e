//! `workload: { name, deployment, reads, logs_in_to, by?, connects?, … }`: processes that use a credential.

use std::collections::BTreeMap;
use std::time::Duration;

use handover_harness::extract::{Extract, Spot};
use handover_harness::fingerprint::FieldName;

use super::super::consumes::{self, Consumed};
use super::super::draft::{Draft, Held};
use super::super::form::{self, Form};
use super::super::names::{did_you_mean, listed};
use super::super::node::Node;
use super::super::room::{Entry, Verb};
use super::super::scenario::{Connects, Database, Door, ObjectRef, Place, Reads, Store, Workload};
use super::super::shape::{self, shape};
use super::super::source::Span;
use super::super::words::{CredentialName, DatabaseName, DurationExpression, NewName, ObjectPlace};
use super::reader::fits;

pub(super) const VERB: Verb<()> = Verb {
    word: "workload",
    read,
    shape: shape::of::<Shape>,
    example: "- workload: { name: app, deployment: deployment/web, reads: fleet, logs_in_to: db, connects: pool }",
};

shape! {
    /// The processes of a Deployment of the manifests. Where the plane has no program for the image, a consumer of
    /// ours stands in for it: it reads the credential where the pod gets it, logs in, and reports each attempt with
    /// the fingerprint of what it used.
    struct Shape {
        /// What the rest of the file calls it.
        name: NewName,
        /// The Deployment.
        deployment: ObjectPlace,
        /// The credential that it reads.
        reads: CredentialName,
        /// The database that it logs in to; with a token (`token_of`) it is `openbao`.
        logs_in_to: DatabaseName,
        /// Which container, where there are several.
        container: Option<String>,
        /// How it reads: found in the manifest where there is only one way.
        by: Option<By>,
        /// How it connects; `fresh` unless said otherwise.
        connects: Option<How>,
        /// How old a pooled connection may get; 10 s unless said otherwise.
        max_lifetime: Option<DurationExpression>,
        /// How often each of its processes tries; 100 ms unless said otherwise.
        every: Option<DurationExpression>,
        /// How late a Secret volume may be rendered anew; drawn between nothing and this. The kubelet of a real
        /// cluster takes up to about 90 s; here it is 1 s unless said otherwise.
        volume_delay: Option<DurationExpression>,
        /// The role of OpenBao's kubernetes login, where it reads OpenBao itself or logs in to it.
        role: Option<NewName>,
        /// The file that it reads, as the container sees it, where that is not of a Secret volume: `KEY=VALUE` lines
        /// with the fields' names in capitals, as an agent renders them.
        file: Option<String>,
        /// Whether what it says is heard; it is unless this is false. A consumer that nobody watches is found in the
        /// server's log.
        watched: Option<bool>,
    }

    /// How a workload reads.
    #[schemars(rename_all = "snake_case")]
    enum By {
        /// Environment variables: read once, at the start.
        Env,
        /// Files of a Secret volume, again at each use.
        File,
        /// Files of a Secret volume, again when they change.
        FileWatch,
        /// Files of a Secret volume, once at the start.
        FileOnce,
        /// OpenBao itself, once at the start.
        Openbao,
    }

    /// How a workload connects.
    #[schemars(rename_all = "snake_case")]
    enum How {
        /// A new connection for each use.
        Fresh,
        /// A connection that is used until it has reached its maximum lifetime.
        Pool,
        /// One connection until it breaks.
        Session,
    }
}

const WAYS: [&str; 5] = ["env", "file", "file_watch", "file_once", "openbao"];
const EVERY: Duration = Duration::from_millis(100);
const MAX_LIFETIME: Duration = Duration::from_secs(10);
const VOLUME_DELAY: Duration = Duration::from_secs(1);
/// What a token opens.
const OPENBAO: &str = "openbao";
/// Where kubernetes logins are unless the manifests say otherwise.
const LOGIN_MOUNT: &str = "kubernetes";

fn read(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<Shape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let deployment = form.need("deployment").and_then(|node| deployment(draft, node));
    let held = draft.credential(&form, "reads");
    let door = held.as_ref().and_then(|held| door(draft, &form, held));
    let connects = connects(draft, &form, held.as_ref());
    let time = |key, default| match form.has(key) {
        true => draft.duration(&form, key, held.as_ref()),
        false => Some(default),
    };
    let watched = form.flag("watched", true);
    let (every, volume_delay) = (time("every", EVERY), time("volume_delay", VOLUME_DELAY));
    let Some(name) = name else { return };
    let workload = (|| {
        let (held, door, deployment) = (held?, door?, deployment?);
        let (container, image, reads) = reads(draft, &form, &held, &deployment)?;
        Some(Workload {
            name: name.text.clone(),
            deployment,
            container,
            image,
            credential: held.credential.name,
            reads,
            connects: connects?,
            door,
            every: every?,
            watched: watched?,
            volume_delay: volume_delay?,
        })
    })();
    draft.workloads.bind(draft.sink, name, workload);
}

/// What it logs in to: with a token OpenBao, with all else a database.
fn door(draft: &Draft<'_>, form: &Form<'_, '_>, held: &Held) -> Option<Door> {
    let node = form.need("logs_in_to")?;
    if held.credential.token_of.is_none() {
        let Database { name, .. } = database(draft, form, held, node)?;
        return Some(Door::Database(name.clone()));
    }
    if form::text(draft.sink, node)? != OPENBAO {
        draft.sink.report(&node.span, "a token of a ServiceAccount opens `openbao`, and no database");
        return None;
    }
    let role = form::text(draft.sink, form.need("role")?)?.to_owned();
    Some(Door::Openbao { mount: LOGIN_MOUNT.to_owned(), role })
}

fn database<'d>(draft: &'d Draft<'_>, form: &Form<'_, '_>, held: &Held, node: &Node) -> Option<&'d Database> {
    let database = draft.databases.find(draft.sink, node)?;
    if held.credential.secret.is_some() {
        fits(draft, form, &held.credential, database)?;
    }
    Some(database)
}

fn deployment(draft: &Draft<'_>, node: &Node) -> Option<ObjectRef> {
    let object = draft.object(node)?;
    if object.kind != "Deployment" {
        draft.sink.report(&node.span, format!("a workload is a Deployment, not a {}", object.kind));
        return None;
    }
    Some(object)
}

fn connects(draft: &Draft<'_>, form: &Form<'_, '_>, of: Option<&Held>) -> Option<Connects> {
    let max_lifetime = match form.has("max_lifetime") {
        true => draft.duration(form, "max_lifetime", of)?,
        false => MAX_LIFETIME,
    };
    let Some(node) = form.get("connects") else { return Some(Connects::Fresh) };
    match form::text(draft.sink, node)? {
        "fresh" => Some(Connects::Fresh),
        "pool" => Some(Connects::Pool { max_lifetime }),
        "session" => Some(Connects::Session),
        word => {
            let ways = ["fresh", "pool", "session"];
            let message = format!("nothing connects by `{word}`{}", did_you_mean(word, ways));
            draft.sink.report_with(&node.span, message, format!("it can be {}", listed(ways)));
            None
        }
    }
}

/// The container, its image, and how it reads.
fn reads(
    draft: &Draft<'_>,
    form: &Form<'_, '_>,
    held: &Held,
    deployment: &ObjectRef,
) -> Option<(String, String, Reads)> {
    let object = draft.manifest(deployment)?;
    let at = &form.need("deployment")?.span;
    let wanted = form.optional("container", |node| form::text(draft.sink, node))?;
    let container = match consumes::container(&object.manifest.object, wanted) {
        Ok(container) => container,
        Err(why) => {
            draft.sink.report(at, why);
            return None;
        }
    };
    let (name, image) = (container.name.to_owned(), container.image.to_owned());
    let by = match form.get("by") {
        Some(node) => Some((form::text(draft.sink, node)?, node)),
        None => None,
    };
    if let Some(of) = &held.credential.token_of {
        if of != deployment {
            let message = format!("`{}` is in the pod of {of}, not of {deployment}", held.credential.name);
            draft.sink.report(&form.need("reads")?.span, message);
            return None;
        }
        let Some(file) = consumes::projected_token(&object.manifest.object, &container) else {
            let message = format!("container `{name}` mounts no projected `serviceAccountToken`");
            draft.sink.report(at, message);
            return None;
        };
        let place = |field: &FieldName| (field.clone(), Place { at: file.clone(), extract: None });
        let fields = held.credential.fields.iter().map(place).collect();
        return Some((
            name,
            image,
            file_by(draft, by.map_or(at, |(_, node)| &node.span), by.map(|(word, _)| word), fields)?,
        ));
    }
    if let Some(("openbao", _)) = by {
        let token_file = consumes::token_file(&object.manifest.object, &container);
        return Some((name, image, openbao(draft, form, held, token_file)?));
    }
    if let Some(node) = form.get("file") {
        let file = form::text(draft.sink, node)?;
        let place = |field: &FieldName| {
            let extract = Extract::parse(&format!("env:{}", field.to_uppercase()));
            let extract = Some(extract.expect("a field's name is the name of a variable"));
            (field.clone(), Place { at: file.to_owned(), extract })
        };
        let fields = held.credential.fields.iter().map(place).collect();
        return Some((name, image, file_by(draft, &node.span, by.map(|(word, _)| word), fields)?));
    }
    let Some(secret) = held.credential.secret.as_ref() else {
        let message = format!("`{}` is in no Secret that `{name}` could get", held.credential.name);
        draft.sink.report_with(&form.need("reads")?.span, message, "say which with `in: secret/NAME`");
        return None;
    };
    let consumed = consumes::secret(&object.manifest.object, &container, &secret.name);
    let place = |found: &Consumed| -> Option<BTreeMap<FieldName, Place>> {
        secret.keys.iter().map(|(field, spot)| Some((field.clone(), place(found, spot)?))).collect()
    };
    let env = consumed.env.as_ref().and_then(|_| place(&Consumed { files: None, ..consumed.clone() }));
    let files = consumed.files.as_ref().and_then(|_| place(&Consumed { env: None, ..consumed.clone() }));
    let keys = || listed(secret.keys.values().map(|spot| spot.key.as_str()));
    let lacks = |what: &str| {
        let message =
            format!("container `{name}` does not get {} of Secret `{}` {what}", keys(), secret.name);
        let hint = format!("{} must hand it on", object.placed());
        draft.sink.report_with(at, message, hint);
    };
    let reads = match (by.map(|(word, _)| word), env, files) {
        (Some("env") | None, Some(env), None) | (Some("env"), Some(env), Some(_)) => Reads::Env(env),
        (Some("file") | None, None, Some(files)) | (Some("file"), Some(_), Some(files)) => Reads::File(files),
        (Some("file_watch"), _, Some(files)) => Reads::FileWatch(files),
        (Some("file_once"), _, Some(files)) => Reads::FileOnce(files),
        (None, Some(_), Some(_)) => {
            let message = format!("container `{name}` gets Secret `{}` in two ways", secret.name);
            draft.sink.report_with(at, message, "say which it reads: `by: env` or `by: file`");
            return None;
        }
        (Some("env"), None, _) => {
            lacks("as environment variables");
            return None;
        }
        (Some("file" | "file_watch" | "file_once"), _, None) => {
            lacks("as files");
            return None;
        }
        (None, None, None) => {
            lacks("at all");
            return None;
        }
        (Some(word), _, _) => {
            let message = format!("nothing reads by `{word}`{}", did_you_mean(word, WAYS));
            draft.sink.report_with(&form.need("by")?.span, message, format!("it can be {}", listed(WAYS)));
            return None;
        }
    };
    Some((name, image, reads))
}

/// How a file is read that is of no Secret.
fn file_by(
    draft: &Draft<'_>,
    at: &Span,
    by: Option<&str>,
    fields: BTreeMap<FieldName, Place>,
) -> Option<Reads> {
    match by {
        Some("file") | None => Some(Reads::File(fields)),
        Some("file_watch") => Some(Reads::FileWatch(fields)),
        Some("file_once") => Some(Reads::FileOnce(fields)),
        Some(_) => {
            draft.sink.report(at, "this file is read by `file`, `file_watch` or `file_once`");
            None
        }
    }
}

/// Where a key of the Secret is seen in the container.
fn place(found: &Consumed, spot: &Spot) -> Option<Place> {
    let key = &spot.key;
    let at = match (&found.env, &found.files) {
        (Some(env), _) => env.variable(key)?,
        (None, Some(files)) => files.file(key)?,
        (None, None) => return None,
    };
    Some(Place { at, extract: spot.extract.clone() })
}

fn openbao(draft: &Draft<'_>, form: &Form<'_, '_>, held: &Held, token_file: String) -> Option<Reads> {
    let role = form::text(draft.sink, form.need("role")?)?.to_owned();
    let path = match &held.credential.store {
        Some(Store::StaticRole(role)) => format!("database/static-creds/{role}"),
        Some(Store::DynamicRole(role)) => format!("database/creds/{role}"),
        Some(Store::Kv(name)) => draft.kv(name).map(|kv| format!("{}/data/{}", kv.mount, kv.path))?,
        Some(Store::Secret(_)) | None => {
            let message = format!("`{}` is not in OpenBao", held.credential.name);
            draft.sink.report(&form.need("reads")?.span, message);
            return None;
        }
    };
    Some(Reads::Openbao { mount: LOGIN_MOUNT.to_owned(), role, path, token_file })
}
