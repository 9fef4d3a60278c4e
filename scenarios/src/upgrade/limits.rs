//! What two releases of ESO serve, and what the harness does otherwise because of it.

use std::collections::BTreeSet;

use handover_fixtures::components::{Component, ResolvedSet};
use handover_fixtures::eso::chart::{Kinds, kinds};

use super::Ends;
use crate::language::manifest::Object;

/// The API version that the harness's own manifests are written in.
const OWN: &str = "external-secrets.io/v1\n";

/// What people have to know of this pair of releases, a sentence each.
pub(super) fn of(objects: &[Object], ends: &Ends) -> Vec<String> {
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
    let gone: BTreeSet<&String> = old.served.difference(&new.served).collect();
    for api in &gone {
        let users = objects.iter().filter(|object| api_of(object) == **api);
        let users: Vec<String> = users.map(Object::placed).collect();
        let told = match users.split_first() {
            None => "none of these files uses it".to_owned(),
            Some((first, [])) => format!("{first} uses it, and cannot be applied any more"),
            Some((first, more)) => {
                format!("{first} and {} more use it, and cannot be applied any more", more.len())
            }
        };
        limits.push(format!("eso {to} no longer serves {api}: {told}"));
    }
    limits
}

/// The harness's own manifests in an API version that both releases serve, as far as there is one.
pub(super) fn served_by_both(text: &str, ends: &Ends) -> String {
    let served = |set: &ResolvedSet| release(set).map(|(_, kinds)| kinds.served);
    let sides: Vec<_> = [&ends.from, &ends.to].into_iter().filter_map(|set| served(set)).collect();
    let usable = ["v1", "v1beta1"].into_iter().find(|version| {
        sides.iter().all(|served| served.contains(&format!("ExternalSecret of external-secrets.io/{version}")))
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
