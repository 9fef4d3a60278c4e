//! How a pod template hands a Secret on to a container: as environment variables, as files, or not at all.

use std::collections::BTreeMap;

use serde_json::Value;

/// A container of a pod template.
pub(crate) struct Container<'o> {
    pub(crate) name: &'o str,
    pub(crate) image: &'o str,
    spec: &'o Value,
}

/// What a container gets of one Secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consumed {
    /// The variables that hold its keys.
    pub(crate) env: Option<Variables>,
    /// The files that hold its keys.
    pub(crate) files: Option<Files>,
}

/// A Secret as environment variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    /// By key.
    named: BTreeMap<String, String>,
    /// Where all keys are variables of their names: what the names begin with.
    prefix: Option<String>,
}

impl Variables {
    /// The variable that holds a key, if one does.
    pub(crate) fn variable(&self, key: &str) -> Option<String> {
        let prefixed = || self.prefix.as_ref().map(|prefix| format!("{prefix}{key}"));
        self.named.get(key).cloned().or_else(prefixed)
    }
}

/// A Secret as files.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// Where the whole volume is mounted, and the paths of its keys where the volume names them.
    mounts: Vec<Mount>,
}

#[derive(Clone, Debug)]
struct Mount {
    path: String,
    sub_path: Option<String>,
    items: Option<BTreeMap<String, String>>,
}

impl Files {
    /// The file that holds a key, if one does.
    pub(crate) fn file(&self, key: &str) -> Option<String> {
        self.mounts.iter().find_map(|mount| {
            let file = match &mount.items {
                Some(items) => items.get(key)?.as_str(),
                None => key,
            };
            match &mount.sub_path {
                // The one file is mounted as the path itself.
                Some(sub) => (sub == file).then(|| mount.path.clone()),
                None => Some(format!("{}/{file}", mount.path.trim_end_matches('/'))),
            }
        })
    }
}

/// The container of this name, or the only one.
pub(crate) fn container<'o>(object: &'o Value, wanted: Option<&str>) -> Result<Container<'o>, String> {
    let all = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let all: Vec<Container<'o>> = all.into_iter().flatten().filter_map(named).collect();
    let names = || all.iter().map(|container| container.name).collect::<Vec<_>>().join(", ");
    let position = match (wanted, all.as_slice()) {
        (_, []) => return Err("its pod template has no container with a name and an image".to_owned()),
        (None, [_]) => Some(0),
        (None, _) => {
            return Err(format!("it has several containers; say which with `container`: {}", names()));
        }
        (Some(wanted), _) => all.iter().position(|container| container.name == wanted),
    };
    match position {
        Some(position) => Ok(all.into_iter().nth(position).expect("its position was just found")),
        None => Err(format!("it has no container `{}`, but {}", wanted.unwrap_or_default(), names())),
    }
}

fn named(spec: &Value) -> Option<Container<'_>> {
    Some(Container { name: spec["name"].as_str()?, image: spec["image"].as_str()?, spec })
}

/// What the container gets of the Secret.
pub(crate) fn secret(object: &Value, container: &Container<'_>, secret: &str) -> Consumed {
    Consumed { env: env(container, secret), files: files(object, container, secret) }
}

fn env(container: &Container<'_>, secret: &str) -> Option<Variables> {
    let list = |key: &str| container.spec[key].as_array().into_iter().flatten();
    let whole = list("envFrom").find(|from| from["secretRef"]["name"] == secret);
    let prefix = whole.map(|from| from["prefix"].as_str().unwrap_or_default().to_owned());
    let named = list("env").filter_map(|variable| {
        let from = &variable["valueFrom"]["secretKeyRef"];
        let pair = || Some((from["key"].as_str()?.to_owned(), variable["name"].as_str()?.to_owned()));
        (from["name"] == secret).then(pair)?
    });
    let named: BTreeMap<_, _> = named.collect();
    (prefix.is_some() || !named.is_empty()).then_some(Variables { named, prefix })
}

fn files(object: &Value, container: &Container<'_>, secret: &str) -> Option<Files> {
    let volumes = object.pointer("/spec/template/spec/volumes").and_then(Value::as_array);
    let mut mounts = Vec::new();
    for volume in volumes.into_iter().flatten() {
        let Some(items) = secret_items(volume, secret) else { continue };
        let of_it = |mount: &&Value| mount["name"] == volume["name"];
        let all = container.spec["volumeMounts"].as_array().into_iter().flatten();
        mounts.extend(all.filter(of_it).filter_map(|mount| {
            let sub_path = mount["subPath"].as_str().map(str::to_owned);
            Some(Mount { path: mount["mountPath"].as_str()?.to_owned(), sub_path, items: items.clone() })
        }));
    }
    (!mounts.is_empty()).then_some(Files { mounts })
}

/// The file in which the container finds a token of its ServiceAccount: one that a projected volume makes for
/// somebody else than the API server where there is one, because OpenBao wants one that is made for it.
pub(crate) fn token_file(object: &Value, container: &Container<'_>) -> String {
    const OWN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    projected_token(object, container).unwrap_or_else(|| OWN.to_owned())
}

/// The file in which a projected volume of the pod's own makes a token, where one does.
pub(crate) fn projected_token(object: &Value, container: &Container<'_>) -> Option<String> {
    let volumes = object.pointer("/spec/template/spec/volumes").and_then(Value::as_array);
    volumes.into_iter().flatten().find_map(|volume| {
        let sources = volume.pointer("/projected/sources")?.as_array()?;
        let token = sources.iter().find_map(|source| source["serviceAccountToken"]["path"].as_str())?;
        let mounts = container.spec["volumeMounts"].as_array()?;
        let mount = mounts.iter().find(|mount| mount["name"] == volume["name"])?;
        Some(format!("{}/{token}", mount["mountPath"].as_str()?.trim_end_matches('/')))
    })
}

/// Where a volume is of this Secret: the paths of its keys, or none where each key is a file of its name.
#[allow(clippy::option_option, reason = "that it is not of this Secret is another thing than naming no keys")]
fn secret_items(volume: &Value, secret: &str) -> Option<Option<BTreeMap<String, String>>> {
    let direct = &volume["secret"];
    let projected = volume.pointer("/projected/sources").and_then(Value::as_array);
    let source = match direct["secretName"] == secret {
        true => Some(direct),
        false => {
            projected.into_iter().flatten().map(|source| &source["secret"]).find(|s| s["name"] == secret)
        }
    }?;
    let items = source["items"].as_array().map(|items| {
        let pair = |item: &Value| Some((item["key"].as_str()?.to_owned(), item["path"].as_str()?.to_owned()));
        items.iter().filter_map(pair).collect()
    });
    Some(items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({"spec": {"template": {"spec": {
            "containers": [{"name": "web", "image": "web:1",
                "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                    {"name": "OTHER", "value": "x"}],
                "envFrom": [{"secretRef": {"name": "all"}, "prefix": "A_"}],
                "volumeMounts": [{"name": "v", "mountPath": "/etc/db/"},
                    {"name": "i", "mountPath": "/run/pw", "subPath": "pw"}]},
                {"name": "side", "image": "side:1"}],
            "volumes": [{"name": "v", "secret": {"secretName": "db"}},
                {"name": "i", "projected": {"sources": [
                    {"secret": {"name": "p", "items": [{"key": "password", "path": "pw"}]}}]}}]}}}})
    }

    #[test]
    fn every_way_is_found() {
        let object = deployment();
        let web = container(&object, Some("web")).expect("a container");
        let db = secret(&object, &web, "db");
        assert_eq!(db.env.and_then(|env| env.variable("password")), Some("DB_PASSWORD".into()));
        let all = secret(&object, &web, "all").env.expect("variables");
        assert_eq!(all.variable("user"), Some("A_user".into()));
        assert_eq!(db.files.and_then(|files| files.file("password")), Some("/etc/db/password".into()));
        let projected = secret(&object, &web, "p").files.expect("files");
        assert_eq!(projected.file("password"), Some("/run/pw".into()));
        assert_eq!(projected.file("username"), None);
        assert!(secret(&object, &web, "nope").env.is_none());
    }

    #[test]
    fn which_container_must_be_clear() {
        let object = deployment();
        let said = |wanted| container(&object, wanted).err().expect("an error");
        assert!(said(None).contains("say which") && said(Some("x")).contains("web, side"));
        assert!(container(&json!({}), None).is_err());
    }
}
