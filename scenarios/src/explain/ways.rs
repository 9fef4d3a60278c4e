//! The ways of credentials: which ExternalSecret fetches what from where, and which PushSecret feeds it.

use std::time::Duration;

use super::{items, namespace, text};
use crate::language::duration;
use crate::language::manifest::{Object, Way as Carried};
use crate::language::node::Node;
use crate::language::source::Span;
use crate::language::vars::Interval;

/// One object that carries a credential on.
pub(crate) struct Carrier<'o> {
    pub(crate) object: &'o Object,
    /// Where it takes the value from.
    pub(crate) sources: Vec<Source<'o>>,
    /// How often, and how the manifest says it.
    pub(crate) every: Option<Duration>,
    pub(crate) said: String,
    /// The manifest says how often, and what it says is no duration.
    pub(crate) unclear: bool,
    /// The Secret that it writes, or the paths that it feeds.
    pub(crate) to: To,
}

/// Where a carrier puts what it took.
pub(crate) enum To {
    Secret(String),
    Paths(Vec<String>),
}

/// Where a value comes from.
#[derive(Clone)]
pub(crate) struct Source<'o> {
    pub(crate) from: From,
    /// As a person would say it: `secret/app in OpenBao, by SecretStore openbao`.
    pub(crate) said: String,
    /// The line that says so.
    pub(crate) span: Span,
    /// The generator, where it is among the files.
    pub(crate) generator: Option<&'o Object>,
}

/// What kind of place a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A path of a KV engine.
    Kv(String),
    /// A static role: OpenBao rotates it, each read answers what it is now.
    StaticRole(String),
    /// A dynamic role or another path that makes a new credential and a lease on each read.
    Dynamic(String),
    /// A generator that makes a new value each time it is called.
    Fresh,
    /// A Kubernetes Secret.
    Secret(String),
    /// Something that these files do not tell.
    Unknown,
}

impl From {
    /// Whether each asking makes a new value.
    pub(crate) fn makes_new(&self) -> bool {
        match self {
            Self::Dynamic(_) | Self::Fresh => true,
            Self::Kv(_) | Self::StaticRole(_) | Self::Secret(_) | Self::Unknown => false,
        }
    }
}

impl Carrier<'_> {
    /// Whether a PushSecret feeds what this one fetches.
    pub(crate) fn fed_by<'c>(&self, all: &'c [Self]) -> Option<&'c Self> {
        let fetched = |path: &String| {
            self.sources.iter().any(|source| matches!(&source.from, From::Kv(known) if same(known, path)))
        };
        all.iter().find(|other| matches!(&other.to, To::Paths(paths) if paths.iter().any(fetched)))
    }

    /// The carrier that writes the Secret which this one pushes.
    pub(crate) fn pushes_from<'c>(&self, all: &'c [Self]) -> Option<&'c Self> {
        let pushed = self.sources.iter().find_map(|source| match &source.from {
            From::Secret(name) => Some(name),
            From::Kv(_) | From::StaticRole(_) | From::Dynamic(_) | From::Fresh | From::Unknown => None,
        })?;
        let writes = |other: &&Self| matches!(&other.to, To::Secret(name) if name == pushed);
        all.iter().filter(writes).find(|other| namespace(other.object) == namespace(self.object))
    }

    /// The carriers before this one and itself, the first one first.
    pub(crate) fn chain<'c>(&'c self, all: &'c [Self]) -> Vec<&'c Self> {
        let mut chain = vec![self];
        while let Some(before) = chain[0].fed_by(all).or_else(|| chain[0].pushes_from(all)) {
            // Somebody who pushes what they fetch goes round in circles.
            if chain.iter().any(|known| std::ptr::eq(*known, before)) {
                break;
            }
            chain.insert(0, before);
        }
        chain
    }
}

/// Whether two ways of writing a KV path mean the same: with or without the mount, with or without `data/`.
fn same(a: &str, b: &str) -> bool {
    let plain = |path: &str| path.replacen("/data/", "/", 1);
    let (a, b) = (plain(a), plain(b));
    a == b || a.ends_with(&format!("/{b}")) || b.ends_with(&format!("/{a}"))
}

/// All carriers of these objects.
pub(crate) fn of(objects: &[Object]) -> Vec<Carrier<'_>> {
    let mut carriers = Vec::new();
    for object in objects {
        let Some(carried) = &object.carrier else { continue };
        let every = match carried.interval {
            Interval::Every(span) => Some(span),
            Interval::Never(_) | Interval::Unknown => None,
        };
        let unclear = matches!(carried.interval, Interval::Unknown);
        let said = match &carried.interval {
            Interval::Never(why) => why.clone(),
            Interval::Every(_) | Interval::Unknown => format!("refreshInterval {}", carried.refresh),
        };
        let (sources, to) = match &carried.way {
            Carried::Writes { secret, .. } => (fetched(objects, object), To::Secret(secret.clone())),
            Carried::Feeds(paths) => (pushed(objects, object), To::Paths(paths.clone())),
        };
        carriers.push(Carrier { object, sources, every, said, unclear, to });
    }
    carriers
}

/// What an ExternalSecret fetches; each place once.
fn fetched<'o>(objects: &'o [Object], object: &'o Object) -> Vec<Source<'o>> {
    let node = &object.node;
    let default = node.at(&["spec", "secretStoreRef"]);
    let mut sources = Vec::new();
    for item in items(node, &["spec", "data"]) {
        let store = item.at(&["sourceRef", "storeRef"]).or(default);
        let generator = item.at(&["sourceRef", "generatorRef"]);
        sources.extend(source(objects, object, store, generator, item.at(&["remoteRef", "key"]), item));
    }
    for item in items(node, &["spec", "dataFrom"]) {
        let store = item.at(&["sourceRef", "storeRef"]).or(default);
        let generator = item.at(&["sourceRef", "generatorRef"]);
        let key = item.at(&["extract", "key"]).or(item.at(&["find", "path"]));
        sources.extend(source(objects, object, store, generator, key, item));
    }
    let mut seen = Vec::new();
    sources.retain(|source| {
        let new = !seen.contains(&source.said);
        seen.push(source.said.clone());
        new
    });
    sources
}

fn source<'o>(
    objects: &'o [Object],
    object: &Object,
    store: Option<&Node>,
    generator: Option<&Node>,
    key: Option<&Node>,
    item: &Node,
) -> Option<Source<'o>> {
    if let Some(generator) = generator {
        return Some(generated(objects, object, generator));
    }
    let key = key?;
    let path = key.text()?;
    let name = text(store?, &["name"])?;
    let kind = text(store?, &["kind"]).unwrap_or("SecretStore");
    let found = objects.iter().find(|other| {
        let same = other.manifest.kind == kind && other.manifest.name == name;
        same && (kind == "ClusterSecretStore" || namespace(other) == namespace(object))
    });
    let span = item.span.clone();
    let Some(found) = found else {
        let said = format!("{path}, by {kind} {name}, which is not among these files");
        return Some(Source { from: From::Kv(path.to_owned()), said, span, generator: None });
    };
    let by = format!("by {kind} {name} ({})", found.span.place());
    let Some(vault) = found.node.at(&["spec", "provider", "vault"]) else {
        let said = format!("{path} of a provider that is not OpenBao, {by}");
        return Some(Source { from: From::Unknown, said, span, generator: None });
    };
    let mount = text(vault, &["path"]).unwrap_or_default();
    let bare = path.strip_prefix(&format!("{mount}/")).unwrap_or(path);
    let whole = if mount.is_empty() { bare.to_owned() } else { format!("{mount}/{bare}") };
    // A store of version v1 over another engine reads whatever answers a GET.
    let from = of_path(&whole).unwrap_or(From::Kv(whole.clone()));
    Some(Source { from, said: format!("{whole} in OpenBao, {by}"), span, generator: None })
}

/// What a path of OpenBao that is no KV path answers.
fn of_path(path: &str) -> Option<From> {
    if path.contains("/static-creds/") {
        Some(From::StaticRole(path.to_owned()))
    } else if path.contains("/creds/") {
        Some(From::Dynamic(path.to_owned()))
    } else {
        None
    }
}

fn generated<'o>(objects: &'o [Object], object: &Object, reference: &Node) -> Source<'o> {
    let kind = text(reference, &["kind"]).unwrap_or_default();
    let name = text(reference, &["name"]).unwrap_or_default();
    let span = reference.span.clone();
    let found = objects.iter().find(|other| {
        let same = other.manifest.kind == kind && other.manifest.name == name;
        same && (kind == "ClusterGenerator" || namespace(other) == namespace(object))
    });
    let Some(generator) = found else {
        let said = format!("generator {kind} {name}, which is not among these files");
        let from = if kind == "VaultDynamicSecret" { From::Unknown } else { From::Fresh };
        return Source { from, said, span, generator: None };
    };
    let dynamic = ["spec", "generator", "vaultDynamicSecretSpec"];
    let spec = match kind {
        "VaultDynamicSecret" => generator.node.at(&["spec"]),
        _ => generator.node.at(&dynamic),
    };
    let by = format!("by {} ({})", generator.title(), generator.span.place());
    match spec.and_then(|spec| text(spec, &["path"])) {
        Some(path) => {
            let from = of_path(path).unwrap_or(From::Dynamic(path.to_owned()));
            Source { from, said: format!("{path} in OpenBao, {by}"), span, generator: Some(generator) }
        }
        None => {
            let said = format!("a new value each time it is asked for, {by}");
            Source { from: From::Fresh, said, span, generator: Some(generator) }
        }
    }
}

/// What a PushSecret pushes.
fn pushed<'o>(objects: &'o [Object], object: &'o Object) -> Vec<Source<'o>> {
    let node = &object.node;
    let selector = node.at(&["spec", "selector"]);
    let generator = selector.and_then(|selector| selector.at(&["generatorRef"]));
    if let Some(reference) = generator {
        return vec![generated(objects, object, reference)];
    }
    let name = selector.and_then(|selector| selector.at(&["secret", "name"]));
    let secret = |node: &Node| {
        let name = node.text()?;
        let said = format!("Secret {name}");
        Some(Source { from: From::Secret(name.to_owned()), said, span: node.span.clone(), generator: None })
    };
    name.and_then(secret).into_iter().collect()
}

/// How long what a generator asks for lives: its `parameters`, or a comment `# ttl: 1h` beside it.
pub(crate) fn lifetime(generator: &Object, key: &str) -> Option<Duration> {
    let parameter = text(&generator.node, &["spec", "parameters", key]);
    let mark = format!("# {key}:");
    // A mapping's place ends before the comments in it do: the document is what is meant.
    let rest = &generator.span.source.text()[generator.span.range.start..];
    let document = rest.lines().take_while(|line| !line.starts_with("---"));
    let comment = document.filter_map(|line| line.split_once(&mark)?.1.split_whitespace().next()).next();
    duration::parse(parameter.or(comment)?).ok()
}
