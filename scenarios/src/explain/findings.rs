//! What looks wrong in manifests, before anything runs.

use super::consumers::{Consumer, Reads, reading};
use super::ways::{Carrier, From, To, lifetime};
use super::{Finding, namespace, text};
use crate::language::duration::spoken;
use crate::language::names::listed;

/// Everything that looks wrong.
pub(super) fn of(ways: &[Carrier<'_>], consumers: &[Consumer<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for carrier in ways {
        match &carrier.to {
            To::Secret(secret) => {
                stands_still(carrier, &mut findings);
                outlives(carrier, &mut findings);
                churns(carrier, &mut findings);
                deletes(carrier, &mut findings);
                if let Some(finding) = twice(ways, carrier, secret) {
                    findings.push(finding);
                }
                findings.extend(reading(consumers, carrier.object, secret).into_iter().filter_map(frozen));
            }
            To::Paths(_) => regenerates(carrier, &mut findings),
        }
    }
    findings
}

/// A new value at the source that never arrives.
fn stands_still(carrier: &Carrier<'_>, findings: &mut Vec<Finding>) {
    if carrier.every.is_some() || carrier.unclear {
        return;
    }
    for source in &carrier.sources {
        let what = match &source.from {
            From::StaticRole(path) => format!("OpenBao rotates {path}"),
            From::Dynamic(path) => format!("the lease of {path} ends"),
            From::Kv(_) | From::Fresh | From::Secret(_) | From::Unknown => continue,
        };
        let spec = carrier.object.node.at(&["spec", "refreshInterval"]);
        let at = spec.map_or(&carrier.object.span, |node| &node.span);
        let text = format!(
            "{} does not refresh by itself ({}): when {what}, the Secret keeps a dead value",
            carrier.object.title(),
            carrier.said
        );
        findings.push(Finding::at(at, text));
    }
}

/// A lease that ends before the next refresh.
fn outlives(carrier: &Carrier<'_>, findings: &mut Vec<Finding>) {
    for source in &carrier.sources {
        let (From::Dynamic(path), Some(generator)) = (&source.from, source.generator) else { continue };
        let ttl = lifetime(generator, "ttl");
        if let (Some(every), Some(ttl)) = (carrier.every, ttl)
            && every > ttl
        {
            let text = format!(
                "{} refreshes every {}, a lease of {path} lives {}: nobody gets in for {} of each round",
                carrier.object.title(),
                spoken(every),
                spoken(ttl),
                spoken(every - ttl)
            );
            findings.push(Finding::at(&carrier.object.span, text));
        }
        if let (Some(token), Some(ttl)) = (lifetime(generator, "token_ttl"), ttl)
            && token < ttl
        {
            let text = format!(
                "the token that {} logs in with lives {}, the lease {}: the credential dies with the token",
                generator.title(),
                spoken(token),
                spoken(ttl)
            );
            findings.push(Finding::at(&generator.span, text));
        }
    }
}

/// Fields of a static role that move by themselves, taken into the Secret.
fn churns(carrier: &Carrier<'_>, findings: &mut Vec<Finding>) {
    const MOVING: [&str; 2] = ["ttl", "last_vault_rotation"];
    let Some(source) = carrier.sources.iter().find(|source| matches!(source.from, From::StaticRole(_)))
    else {
        return;
    };
    let node = &carrier.object.node;
    let title = carrier.object.title();
    match node.at(&["spec", "target", "template"]) {
        Some(template) => {
            let said = template.json().to_string();
            let taken = MOVING.into_iter().filter(|field| said.contains(&format!(".{field}")));
            let taken: Vec<_> = taken.collect();
            if !taken.is_empty() {
                let text = format!(
                    "the template of {title} takes {}: the Secret moves at each refresh",
                    listed(taken)
                );
                findings.push(Finding::at(&template.span, text));
            }
        }
        None if node.at(&["spec", "dataFrom"]).is_some() => {
            let text = format!(
                "{title} takes all that the static role answers, ttl and last_vault_rotation as well: the Secret \
                 moves at each refresh; name username and password in a template"
            );
            findings.push(Finding::at(&source.span, text));
        }
        None => {}
    }
}

/// A Secret that a wiped store would take along.
fn deletes(carrier: &Carrier<'_>, findings: &mut Vec<Finding>) {
    let Some(policy) = carrier.object.node.at(&["spec", "target", "deletionPolicy"]) else { return };
    if policy.text() == Some("Delete") {
        let text = format!(
            "deletionPolicy Delete: a store that was wiped, restored without this path or whose engine is not \
             mounted answers 404, and {} deletes the Secret",
            carrier.object.title()
        );
        findings.push(Finding::at(&policy.span, text));
    }
}

/// Another ExternalSecret that writes the same Secret; told once, at the later one.
fn twice(ways: &[Carrier<'_>], carrier: &Carrier<'_>, secret: &str) -> Option<Finding> {
    let owns = |carrier: &Carrier<'_>| {
        text(&carrier.object.node, &["spec", "target", "creationPolicy"])
            .is_none_or(|policy| policy != "Merge")
    };
    let before = ways.iter().take_while(|other| !std::ptr::eq(*other, carrier));
    let mut before = before.filter(|other| matches!(&other.to, To::Secret(name) if name == secret));
    let other = before.find(|other| namespace(other.object) == namespace(carrier.object))?;
    (owns(carrier) && owns(other)).then(|| {
        let text = format!(
            "{} writes Secret {secret}, which {} writes too",
            carrier.object.title(),
            other.object.placed()
        );
        Finding::at(&carrier.object.span, text)
    })
}

/// A generator that makes a new value at each refresh, whether anybody asked or not.
fn regenerates(carrier: &Carrier<'_>, findings: &mut Vec<Finding>) {
    let Some(every) = carrier.every else { return };
    for source in carrier.sources.iter().filter(|source| source.from == From::Fresh) {
        let text = format!(
            "{} asks its generator for a new value every {}: each one is pushed; with \"0\" it pushes once",
            carrier.object.title(),
            spoken(every)
        );
        findings.push(Finding::at(&source.span, text));
    }
}

/// Somebody who reads the value once and is never restarted.
fn frozen(consumer: &Consumer<'_>) -> Option<Finding> {
    let frozen = match consumer.reads {
        Reads::Environment | Reads::SubPath => !consumer.is_job() && !consumer.is_reloaded(),
        Reads::Volume => false,
    };
    frozen.then(|| {
        let text = format!(
            "{} reads Secret {} by {} and nothing restarts it when that moves: a Reloader annotation is missing",
            consumer.object.title(),
            consumer.secret,
            consumer.said
        );
        Finding::at(&consumer.span, text)
    })
}
