//! The small types that shapes are made of: they say more than `string`.

use std::borrow::Cow;

use handover_harness::event::Hop;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Declares types that are text.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($rule:tt)* })*) => {
        $(
            $(#[$about])*
            #[derive(JsonSchema)]
            #[allow(dead_code, reason = "it describes; nobody makes one")]
            pub(crate) struct $name(#[schemars($($rule)*)] String);
        )*
    };
}

words! {
    /// A name that is given here: letters, digits, `-`, `_` and `.`, beginning with a letter or digit, 63 at most.
    NewName { regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$") }
    /// A field of a credential: `password`.
    FieldName { regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$") }
    /// The name of a `credential`.
    CredentialName { length(min = 1) }
    /// The name of a `mysql`, `valkey` or `postgres`.
    DatabaseName { length(min = 1) }
    /// The name of a `kv` or `static_role`.
    StoreName { length(min = 1) }
    /// The name of a `reader`.
    ReaderName { length(min = 1) }
    /// A duration, or a sum over durations and vars: `250ms`, `1m30s`, `refresh_interval + 2s`, `3 * limit`.
    /// Units are h, m, s, ms and us. `refresh_interval` is what the manifests say of the credential.
    DurationExpression { length(min = 1) }
    /// A Secret: `secret/NAME`, or `NAMESPACE/secret/NAME` where the manifests name a namespace.
    SecretPlace { regex(pattern = r"^([^/]+/)?secret/[^/]+$") }
    /// A path of OpenBao, without slashes at its ends: `team/app`.
    BaoPath { regex(pattern = r"^[^/]+(/[^/]+)*$") }
    /// A kind of Kubernetes object, as manifests write it: `GeneratorState`.
    KindName { regex(pattern = r"^[A-Z][A-Za-z0-9]*$") }
    /// One over a whole number: `1/360`.
    ScaleWord { regex(pattern = r"^1/[1-9][0-9]*$") }
    /// Every key of a Secret, whatever it is called.
    EveryKey { regex(pattern = r"^\*$") }
    /// Where in a text the value is: `url.password`, `dsn.password`, `json:/POINTER`, `env:NAME`, `base64`,
    /// `dockerconfigjson.password`, or a chain of such: `base64 | json:/auths/*/password`. Of URLs there are
    /// username, password, host, port, path and query.NAME, of DSNs user, password, host, port and dbname.
    ExtractExpression { length(min = 1) }
    /// A Kubernetes object of the manifests: `externalsecret/app`, or `NAMESPACE/externalsecret/app`.
    ObjectPlace { regex(pattern = r"^([^/]+/)?[a-z]+/[^/]+$") }
    /// A component of the plane: `openbao`, `mysql`, `eso`, …
    ComponentName { length(min = 1) }
    /// A statement; `{fleet}` is the user `fleet` as the server knows it, `{fleet.password}` its first password.
    Statement { length(min = 1) }
    /// The name of a `mark`.
    MarkName { length(min = 1) }
    /// The name of a `reader` or `workload`.
    ProbeName { length(min = 1) }
    /// A release of a component: a version (`v0.20.4`), `image:REFERENCE`, a path relative to the scenario's file
    /// (`PATH` or `PATH@VERSION`), or, in what `handover upgrade` plays, `from` or `to`.
    ReleaseWord { length(min = 1) }
    /// A path relative to the scenario's file.
    FilePath { length(min = 1) }
}

/// A number, or a sum over numbers and vars.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "it describes; nobody makes one")]
pub(crate) enum NumberExpression {
    /// A number.
    Number(u64),
    /// A sum: `2 * replicas + 1`.
    Sum(String),
}

/// One, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[allow(dead_code, reason = "it describes; nobody makes one")]
pub(crate) enum OneOrMore<T> {
    /// One.
    One(T),
    /// A list.
    More(#[schemars(length(min = 1))] Vec<T>),
}

/// A mapping that is passed on as it stands.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[allow(dead_code, reason = "it describes; nobody makes one")]
pub(crate) struct AnyMapping(std::collections::BTreeMap<String, serde_json::Value>);

/// Of several replicas of a workload: every one (unless said otherwise), or any of them.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[allow(dead_code, reason = "it describes; nobody makes one")]
pub(crate) enum ByWord {
    /// The last of them decides, or the worst.
    Every,
    /// It is enough that one of them has it, or gets in.
    Any,
}

/// A condition's status.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it describes; nobody makes one")]
pub(crate) enum ConditionStatus {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Nobody can tell.
    Unknown,
}

/// A place where a credential can be seen.
pub(crate) struct HopWord;

impl JsonSchema for HopWord {
    fn schema_name() -> Cow<'static, str> {
        "HopWord".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = Hop::ALL.into_iter().map(Hop::word).collect();
        json_schema!({
            "description": "A place where a generation can be seen: `origin` is the server that checks it, `store` \
                OpenBao, `sync` the ExternalSecret's status, `secret` the Kubernetes Secret, `workload` what a \
                running process holds, `login` a process trying to get in.",
            "type": "string",
            "enum": words,
        })
    }
}
