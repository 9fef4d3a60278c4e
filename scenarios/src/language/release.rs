//! Another release of a component, as a scenario names it: `component: eso, with: v0.20.4`.

use super::draft::Draft;
use super::form::{self, Form};
use super::names::{did_you_mean, listed};
use super::node::Node;
use super::room::Entry;
use super::scenario::ReleaseRef;

/// What can be replaced: the components that run as long as the plane does, and the kinds that ESO serves.
pub(crate) const REPLACED: [&str; 9] = [
    "openbao",
    "mysql",
    "postgres",
    "valkey",
    "eso",
    "eso-crds",
    "kube-apiserver",
    "kube-controller-manager",
    "etcd",
];

/// Those of them that a plane has where a scenario needs them.
pub(super) const SERVERS: &[&str] = REPLACED.split_at(4).0;

/// Reads `component` and `with`.
pub(super) fn read(draft: &Draft<'_>, entry: &Entry<'_>, form: &Form<'_, '_>) -> Option<ReleaseRef> {
    let component = form.need("component").and_then(|node| component(draft, entry, node));
    let with = form.need("with").and_then(|node| with(draft, node));
    Some(ReleaseRef { component: component?, with: with? })
}

fn component(draft: &Draft<'_>, entry: &Entry<'_>, node: &Node) -> Option<String> {
    let name = form::text(draft.sink, node)?;
    if !REPLACED.contains(&name) {
        let message = format!("no component `{name}`{}", did_you_mean(name, REPLACED));
        let hint = format!("`{}` takes {}", entry.verb.text, listed(REPLACED));
        draft.sink.report_with(&node.span, message, hint);
        return None;
    }
    if !draft.exclusive {
        let message = format!(
            "`{}` takes `{name}` away from every scenario that plays beside this one",
            entry.verb.text
        );
        draft.sink.report_with(&entry.verb.span, message, "add `exclusive: true` at the top");
        return None;
    }
    Some(name.to_owned())
}

/// A version, an image, one of the two releases of an upgrade, or a path that is there.
fn with(draft: &Draft<'_>, node: &Node) -> Option<String> {
    let said = form::text(draft.sink, node)?;
    if said.starts_with("image:") || is_version(said) || ReleaseRef::ENDS.contains(&said) {
        return Some(said.to_owned());
    }
    let (path, version) = match said.rsplit_once('@') {
        Some((path, version)) if !version.contains('/') => (path, Some(version)),
        Some(_) | None => (said, None),
    };
    let there = |word: &str| draft.siblings.path(word).and_then(|path| path.canonicalize().ok());
    // A path may hold an `@` of its own.
    let found = there(said).map(|path| (path, None)).or_else(|| there(path).map(|path| (path, version)));
    let Some((path, version)) = found else {
        let hint = "give a version (`v0.20.4`), `image:REFERENCE`, or a path relative to the scenario's file \
                    (`PATH` or `PATH@VERSION`)";
        draft.sink.report_with(&node.span, format!("there is no `{said}`"), hint);
        return None;
    };
    let path = path.display();
    Some(version.map_or_else(|| path.to_string(), |version| format!("{path}@{version}")))
}

/// `v0.20.4`, `2.7.2`, `9.7`
fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix('v').unwrap_or(text);
    let mut parts = numbers.split('.');
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    // What stands behind the numbers (`-rc1`, `+build`) is part of the last one.
    let last = |part: &str| number(part.split(['-', '+']).next().unwrap_or_default());
    parts.next().is_some_and(number) && numbers.contains('.') && parts.all(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_paths() {
        assert!(["v0.20.4", "2.7.2", "9.7", "v2.0.0-rc1", "1.2.3+x"].into_iter().all(is_version));
        assert!(["v2", "to", "./v1.2", "1.2.x", "eso", "", "."].into_iter().all(|word| !is_version(word)));
    }
}
