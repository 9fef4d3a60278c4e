//! What a server is asked for as its administrator: `sql` and `bao`, in `given` and in `steps` alike.

use super::draft::Draft;
use super::form::{Form, text};
use super::names::{did_you_mean, listed};
use super::node::{Node, Value};
use super::placeholders::braced;
use super::room::Entry;
use super::scenario::{BaoCall, BaoMethod, Request};
use super::shape::shape;
use super::words::{AnyMapping, BaoPath, DatabaseName, OneOrMore, Statement};

shape! {
    /// Runs SQL as the database's administrator (for Valkey: commands, a line each). `{fleet}` stands for the
    /// user `fleet` as the server knows it, `{fleet.password}` for the password that it was made with.
    pub(super) struct Sql {
        /// Which database.
        on: DatabaseName,
        /// The statements.
        run: OneOrMore<Statement>,
    }

    /// One request to OpenBao, as its administrator, in the scenario's OpenBao namespace: exactly one of
    /// `read`, `write`, `delete`, `list` and `policy`.
    pub(super) struct Bao {
        /// A path that is read; what it answers is not kept.
        read: Option<BaoPath>,
        /// A path that is written, with `data`.
        write: Option<BaoPath>,
        /// A path that is deleted.
        delete: Option<BaoPath>,
        /// A path that is listed.
        list: Option<BaoPath>,
        /// An ACL policy that is written, with `rules` or `file`.
        policy: Option<BaoPath>,
        /// What is written.
        data: Option<AnyMapping>,
        /// The policy's rules, in HCL.
        rules: Option<String>,
        /// A file with the data (YAML or JSON) or the policy's rules (HCL), relative to the scenario's file.
        file: Option<String>,
        /// The HTTP status with which OpenBao must refuse it.
        refused: Option<u16>,
    }
}

/// Reads `sql`; how a person would say it, and what it is.
pub(super) fn sql(draft: &Draft<'_>, entry: &Entry<'_>) -> Option<(String, Request)> {
    let form = Form::open::<Sql>(draft.sink, entry.verb, entry.node)?;
    let database = form.need("on").and_then(|node| draft.databases.find(draft.sink, node));
    let run = form.need("run")?;
    let statements: Vec<_> = run
        .items()
        .iter()
        .map(|node| {
            let statement = text(draft.sink, node)?;
            // OpenBao's own user may be spoken of too: it may need more rights.
            let users: Vec<&str> = database?.users.iter().map(String::as_str).chain(["openbao"]).collect();
            known_users(draft, node, statement, &users)?;
            Some(statement.trim().to_owned())
        })
        .collect();
    let (database, statements) =
        (database?.name.clone(), statements.into_iter().collect::<Option<Vec<_>>>()?);
    if statements.is_empty() {
        draft.sink.report(&run.span, "there is no statement to run");
        return None;
    }
    let said = format!("on {database}: {}", statements.join("; "));
    Some((said, Request::Sql { database, statements }))
}

/// A word in single braces must be a user: it would be sent as it stands, and mean nothing.
fn known_users(draft: &Draft<'_>, node: &Node, statement: &str, users: &[&str]) -> Option<()> {
    for (_, word) in braced(statement) {
        let user = word.strip_suffix(".password").unwrap_or(word);
        if !users.contains(&user) {
            let message = format!("no user `{user}`{}", did_you_mean(user, users.iter().copied()));
            let hint = format!("users of the database: {}", listed(users.iter().copied()));
            draft.sink.report_with(&node.span, message, hint);
            return None;
        }
    }
    Some(())
}

/// Reads `bao`; how a person would say it, and what it is.
pub(super) fn bao(draft: &Draft<'_>, entry: &Entry<'_>) -> Option<(String, Request)> {
    const WORDS: [(&str, BaoMethod); 5] = [
        ("read", BaoMethod::Read),
        ("write", BaoMethod::Write),
        ("delete", BaoMethod::Delete),
        ("list", BaoMethod::List),
        ("policy", BaoMethod::Write),
    ];
    let form = Form::open::<Bao>(draft.sink, entry.verb, entry.node)?;
    let said: Vec<_> = WORDS.iter().filter(|(word, _)| form.has(word)).collect();
    let [(word, method)] = said.as_slice() else {
        let message = format!("`bao` does exactly one thing, found {}", said.len());
        let hint = format!("it takes one of {}", listed(WORDS.iter().map(|(word, _)| *word)));
        draft.sink.report_with(&entry.verb.span, message, hint);
        return None;
    };
    let path = form.need(word).and_then(|node| path(draft, node));
    let refused = form.optional("refused", |node| status(draft, node));
    let data = match *word {
        "policy" => Some(rules(draft, &form)),
        _ => form.optional("data", |node| data(draft, node)).map(|data| data.or_else(|| file(draft, &form))),
    };
    let (path, refused, data) = (path?, refused?, data?);
    let (path, data) = match *word {
        "policy" => (format!("sys/policies/acl/{path}"), Some(data?)),
        _ => (path, data),
    };
    let verb = if *word == "policy" { "write" } else { word };
    let told = refused.map_or_else(String::new, |status| format!(", which must be refused with {status}"));
    let call = BaoCall { method: *method, path: path.clone(), data, refused };
    Some((format!("{verb} {path} in OpenBao{told}"), Request::Bao(call)))
}

fn path(draft: &Draft<'_>, node: &Node) -> Option<String> {
    let path = text(draft.sink, node)?;
    if path.is_empty() || path.starts_with('/') || path.starts_with("v1/") || path.contains("..") {
        let hint = "as OpenBao's own command line takes it: `database/roles/fleet`";
        draft.sink.report_with(&node.span, format!("`{path}` is not a path"), hint);
        return None;
    }
    Some(path.trim_end_matches('/').to_owned())
}

fn status(draft: &Draft<'_>, node: &Node) -> Option<u16> {
    let status = match node.value {
        Value::Int(number) => u16::try_from(number).ok().filter(|status| (400..600).contains(status)),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            None
        }
    };
    if status.is_none() {
        draft.sink.report(&node.span, "a refusal is an HTTP status from 400 to 599");
    }
    status
}

fn data(draft: &Draft<'_>, node: &Node) -> Option<serde_json::Value> {
    if node.map().is_none() {
        draft.sink.report(&node.span, format!("`data` is a mapping, found {}", node.what()));
        return None;
    }
    Some(node.json())
}

fn file(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<serde_json::Value> {
    let source = draft.sibling(form.get("file")?)?;
    let documents = super::node::documents(&source, draft.sink).nodes;
    data(draft, documents.first()?)
}

fn rules(draft: &Draft<'_>, form: &Form<'_, '_>) -> Option<serde_json::Value> {
    let rules = match (form.get("rules"), form.get("file")) {
        (Some(node), None) => text(draft.sink, node)?.to_owned(),
        (None, Some(node)) => draft.sibling(node)?.text().to_owned(),
        (Some(_), Some(both)) => {
            draft.sink.report(&both.span, "give `rules` or `file`, not both");
            return None;
        }
        (None, None) => {
            draft.sink.report(&form.head.span, "a policy needs `rules` or `file`");
            return None;
        }
    };
    Some(serde_json::json!({ "policy": rules }))
}
