//! Where a manifest takes a value from, or puts it, and whether this harness can be that place.

use handover_fixtures::kubernetes::rewrite::login_of;
use serde_json::Value;

use crate::language::manifest::Object;
use crate::play::stage::DATABASE_MOUNT;

/// The kinds of generators that make a value themselves, and ask nobody.
const LOCAL: [&str; 4] = ["Password", "UUID", "SSHKey", "Fake"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A path of a KV v2 engine, and the properties that are asked for; none: all that is there.
    Kv(KvPath, Option<String>),
    /// A static role of the database engine.
    StaticRole(String),
    /// A dynamic role of it: a new user at each read.
    DynamicRole(String),
    /// A generator: a new value at each call. Its name as people know it, and the key that it makes where that is
    /// certain.
    Fresh { generator: String, key: Option<&'static str> },
}

/// A path of a KV v2 engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KvPath {
    /// Where the engine is mounted.
    pub(super) mount: String,
    /// The path below it.
    pub(super) path: String,
}

/// A reference that a manifest makes, as it stands in it.
pub(super) struct References<'o> {
    objects: &'o [Object],
    /// The namespace of the object that makes it.
    namespace: Option<&'o str>,
}

impl<'o> References<'o> {
    /// Those of one of these objects.
    pub(super) fn of(objects: &'o [Object], object: &'o Object) -> Self {
        Self { objects, namespace: object.manifest.namespace.as_deref() }
    }

    /// What a store answers for a `remoteRef`.
    ///
    /// # Errors
    /// Why it cannot be watched here, in words.
    pub(super) fn fetched(&self, store: &Value, remote: &Value) -> Result<Origin, String> {
        let Some(key) = remote["key"].as_str() else { return Err("it names no key".to_owned()) };
        if let Some(other) = remote["decodingStrategy"].as_str().filter(|other| *other != "None") {
            return Err(format!("decodingStrategy {other}: what the harness writes is not encoded"));
        }
        let vault = self.store(store)?;
        let mount = vault["path"].as_str().unwrap_or_default();
        let bare = key.strip_prefix(&format!("{mount}/")).unwrap_or(key);
        let whole = if mount.is_empty() { bare.to_owned() } else { format!("{mount}/{bare}") };
        if let Some(role) = database(&whole) {
            return role;
        }
        let path = self.kv(vault, bare)?;
        Ok(Origin::Kv(path, remote["property"].as_str().map(str::to_owned)))
    }

    /// The path to which a store pushes a remote key.
    ///
    /// # Errors
    /// As [`fetched`](Self::fetched).
    pub(super) fn pushed(&self, store: &Value, key: &str) -> Result<KvPath, String> {
        let vault = self.store(store)?;
        let mount = vault["path"].as_str().unwrap_or_default();
        self.kv(vault, key.strip_prefix(&format!("{mount}/")).unwrap_or(key))
    }

    /// What a generator makes.
    ///
    /// # Errors
    /// As [`fetched`](Self::fetched).
    pub(super) fn generated(&self, reference: &Value) -> Result<Origin, String> {
        let (kind, name) = named(reference, "Password");
        let found = self.find(kind, name).ok_or_else(|| missing(kind, name))?;
        let spec = &found.manifest.object["spec"];
        let (inner, spec) = match kind {
            "ClusterGenerator" => (spec["kind"].as_str().unwrap_or_default(), &spec["generator"]),
            _ => (kind, spec),
        };
        if inner == "VaultDynamicSecret" {
            let spec = if kind == inner { spec } else { &spec["vaultDynamicSecretSpec"] };
            let path = spec["path"].as_str().unwrap_or_default();
            if login_of(&found.manifest.object).is_none() {
                return Err(format!("{} does not log in by kubernetes auth", found.title()));
            }
            return database(path).unwrap_or_else(|| Err(format!("{path} is no role of a database here")));
        }
        if !LOCAL.contains(&inner) {
            return Err(format!("{} asks somebody who is not here", found.title()));
        }
        let key = match inner {
            "Password" => Some("password"),
            "UUID" => Some("uuid"),
            _ => None,
        };
        Ok(Origin::Fresh { generator: found.title(), key })
    }

    /// The Vault provider of a store.
    fn store(&self, reference: &Value) -> Result<&'o Value, String> {
        let (kind, name) = named(reference, "SecretStore");
        let found = self.find(kind, name).ok_or_else(|| missing(kind, name))?;
        let vault = &found.manifest.object["spec"]["provider"]["vault"];
        if vault.is_null() {
            return Err(format!("{} is of a provider that is not OpenBao", found.title()));
        }
        if login_of(&found.manifest.object).is_none() {
            return Err(format!(
                "{} does not log in by kubernetes auth with a serviceAccountRef",
                found.title()
            ));
        }
        Ok(vault)
    }

    fn kv(&self, vault: &Value, path: &str) -> Result<KvPath, String> {
        let mount = vault["path"].as_str().unwrap_or_default();
        if vault["version"].as_str().unwrap_or("v2") != "v2" {
            return Err(format!("{mount}/{path} is read as KV v1, which the harness does not keep"));
        }
        let sound =
            |path: &str| !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "..");
        if !sound(mount) || !sound(path) {
            return Err(format!("`{path}` at mount `{mount}` is no path"));
        }
        Ok(KvPath { mount: mount.to_owned(), path: path.to_owned() })
    }

    fn find(&self, kind: &str, name: &str) -> Option<&'o Object> {
        self.objects.iter().find(|object| {
            let manifest = &object.manifest;
            let same = manifest.kind == kind && manifest.name == name;
            same && (kind.starts_with("Cluster") || manifest.namespace.as_deref() == self.namespace)
        })
    }
}

fn named<'v>(reference: &'v Value, kind: &'v str) -> (&'v str, &'v str) {
    (reference["kind"].as_str().unwrap_or(kind), reference["name"].as_str().unwrap_or_default())
}

fn missing(kind: &str, name: &str) -> String {
    format!("{kind} {name} is not among these files")
}

/// The role behind a path of the database engine; none where the path is of another kind.
fn database(path: &str) -> Option<Result<Origin, String>> {
    let role = |word: &str| path.split_once(&format!("/{word}/"));
    let (found, made): (_, fn(String) -> Origin) = match (role("static-creds"), role("creds")) {
        (Some(found), _) => (found, Origin::StaticRole),
        (None, Some(found)) => (found, Origin::DynamicRole),
        (None, None) => return None,
    };
    Some(match found {
        (DATABASE_MOUNT, name) => Ok(made(name.to_owned())),
        (mount, _) => {
            Err(format!("{path}: the database engine is mounted at {DATABASE_MOUNT} here, not at {mount}"))
        }
    })
}
