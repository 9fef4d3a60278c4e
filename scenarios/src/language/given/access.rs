//! `policy` and `login`: who may do what in OpenBao, where the scenario says more than the manifests do.

use super::super::draft::Draft;
use super::super::form::{self, Form, text};
use super::super::room::{Entry, Verb};
use super::super::scenario::{LoginRole, Policy};
use super::super::shape::{self, shape};
use super::super::words::{DurationExpression, FilePath, NewName};
use super::dynamic_role::seconds;

pub(super) const POLICY: Verb<()> = Verb {
    word: "policy",
    read: policy,
    shape: shape::of::<PolicyShape>,
    example: "- policy: { name: app, rules: 'path \"secret/data/app\" { capabilities = [\"read\"] }' }",
};

pub(super) const LOGIN: Verb<()> = Verb {
    word: "login",
    read: login,
    shape: shape::of::<LoginShape>,
    example: "- login: { role: fleet, token_ttl: 15s }",
};

shape! {
    /// An ACL policy of OpenBao. Without one, the logins of the manifests may use what the scenario is given.
    struct PolicyShape {
        /// Its name.
        name: NewName,
        /// Its rules, in HCL.
        rules: Option<String>,
        /// A file with its rules, instead.
        file: Option<FilePath>,
    }

    /// More about a kubernetes login of the manifests: which policies its role has, and how long its tokens live.
    struct LoginShape {
        /// The role, as stores and generators name it.
        role: NewName,
        /// A ServiceAccount that it is bound to beside those of the manifests: that of an agent.
        service_account: Option<NewName>,
        /// Its policies; they need not exist. What the scenario is given unless said otherwise.
        policies: Option<Vec<NewName>>,
        /// How long its tokens live, in whole seconds.
        token_ttl: Option<DurationExpression>,
        /// How long they live with every renewal.
        token_max_ttl: Option<DurationExpression>,
    }
}

fn policy(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<PolicyShape>(draft.sink, entry.verb, entry.node) else { return };
    let name = form.name("name");
    let rules = match (form.get("rules"), form.get("file")) {
        (Some(node), None) => text(draft.sink, node).map(str::to_owned),
        (None, Some(node)) => draft.sibling(node).map(|source| source.text().to_owned()),
        (Some(_), Some(both)) => {
            draft.sink.report(&both.span, "give `rules` or `file`, not both");
            None
        }
        (None, None) => {
            draft.sink.report(&form.head.span, "a policy needs `rules` or `file`");
            None
        }
    };
    if let (Some(name), Some(rules)) = (name, rules) {
        draft.policies.push(Policy { name: name.text, rules });
    }
}

fn login(draft: &mut Draft<'_>, entry: &Entry<'_>) {
    let Some(form) = Form::open::<LoginShape>(draft.sink, entry.verb, entry.node) else { return };
    let role = form.name("role");
    let policies = form.optional("policies", |node| form::names(draft.sink, node));
    let of = role.as_ref().map_or("", |role| &role.text);
    let mut time = |key| match form.has(key) {
        true => seconds(draft, &form, key, of).map(Some),
        false => Some(None),
    };
    let (token_ttl, token_max_ttl) = (time("token_ttl"), time("token_max_ttl"));
    let service_account = form.optional("service_account", |node| form::name(draft.sink, node));
    let login = (|| {
        let service_account = service_account?.map(|name| name.text);
        let policies = policies?.map(|names| names.into_iter().map(|name| name.text).collect());
        let (token_ttl, token_max_ttl) = (token_ttl?, token_max_ttl?);
        Some(LoginRole { name: role?.text, service_account, policies, token_ttl, token_max_ttl })
    })();
    draft.logins.extend(login);
}
