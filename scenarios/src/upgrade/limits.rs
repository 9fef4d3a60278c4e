//! What two releases of ESO serve, and what the harness does otherwise because of it.

use handover_fixtures::components::{Component, ResolvedSet};
use handover_fixtures::eso::chart::{Kinds, kinds};
use handover_harness::verdict::{Finding, Verdict};

use super::Ends;
use crate::language::manifest::Object;

/// The API version that the harness's own manifests are written in.
const OWN: &str = "external-secrets.io/v1\n";

/// What people have to know of this pair of releases, a sentence each.
pub(super) fn of(ends: &Ends) -> Vec<String> {
    let (Some((from, old)), Some((to, new))) = (release(&ends.from), release(&ends.to)) else {
        return Vec::new();
    };
    let mut limits = Vec::new();
    for (version, kinds) in [(&from, &old), (&to, &new)] {
        if kinds.converts {
            limits.push(format!(
                "the CRDs of eso {version} name a conversion webhook, which nobody serves here: it is left away, so a \
                 stored object of another version than the stored one is not converted"
            ));
        }
    }
    for stored in old.stored.difference(&new.named) {
        limits.push(format!(
            "eso {from} stores {stored}, which the CRDs of eso {to} do not name: the API server refuses them as long \
             as such objects are stored"
        ));
    }
    let gone: Vec<&str> = old.served.difference(&new.served).map(String::as_str).collect();
    if !gone.is_empty() {
        limits.push(format!("eso {to} no longer serves {}", gone.join(", ")));
    }
    limits
}

/// The manifests that cannot be applied any more when the new release has come.
pub(super) fn unserved(objects: &[Object], ends: &Ends) -> Option<Finding> {
    let (_, old) = release(&ends.from)?;
    let (to, new) = release(&ends.to)?;
    let gone =
        |object: &&Object| old.served.contains(&api_of(object)) && !new.served.contains(&api_of(object));
    let users: Vec<String> = objects
        .iter()
        .filter(gone)
        .map(|object| format!("{}: {}", object.placed(), api_of(object)))
        .collect();
    let (first, more) = users.split_first()?;
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    let expected = format!("eso {to} serves the API versions that these manifests are written in");
    let seen = format!("it does not serve that of {first}{more}");
    Some(Finding::own("served", Verdict::Fail, expected, seen))
}

/// The harness's own manifests in an API version that both releases serve, as far as there is one.
pub(super) fn served_by_both(text: &str, ends: &Ends) -> String {
    let served = |set: &ResolvedSet| release(set).map(|(_, kinds)| kinds.served);
    let sides: Vec<_> = [&ends.from, &ends.to].into_iter().filter_map(|set| served(set)).collect();
    let usable = ["v1", "v1beta1"].into_iter().find(|version| {
        sides
            .iter()
            .all(|served| served.contains(&format!("ExternalSecret of external-secrets.io/{version}")))
    });
    text.replace(OWN, &format!("external-secrets.io/{}\n", usable.unwrap_or("v1")))
}

fn api_of(object: &Object) -> String {
    let api = object.manifest.object["apiVersion"].as_str().unwrap_or_default();
    format!("{} of {api}", object.manifest.kind)
}

fn release(set: &ResolvedSet) -> Option<(String, Kinds)> {
    let version = set.get(Component::Eso)?.version.clone();
    let kinds = kinds(set.get(Component::EsoCrds)?.path()).ok()?;
    Some((version, kinds))
}
