//! The releases that scenarios put in place of the run's: obtained before anything is started, so that no scenario
//! waits for a download.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, Override, Request, ResolvedSet};
use handover_kind::contained::ContainedError;

use crate::language::scenario::{ReleaseRef, Scenario};

/// The two releases of an upgrade, by the words that a scenario has for them.
pub type Ends = BTreeMap<&'static str, Request>;

/// Releases that are there, and why others are not.
#[derive(Debug, Default)]
pub struct Releases {
    /// The run's own.
    own: Arc<ResolvedSet>,
    others: BTreeMap<ReleaseRef, Result<Arc<ResolvedSet>, String>>,
}

impl Releases {
    /// Obtains what these scenarios ask for. What cannot be had is no error here: whoever needs it is skipped.
    pub async fn obtain(
        own: Arc<ResolvedSet>,
        request: &Request,
        ends: &Ends,
        scenarios: &[Scenario],
        obtain: impl AsyncFn(Request) -> Result<ResolvedSet, ContainedError>,
    ) -> Self {
        let wanted: BTreeSet<&ReleaseRef> = scenarios.iter().flat_map(Scenario::wanted_releases).collect();
        let mut others = BTreeMap::new();
        for release in wanted {
            let found = match asked(release, request, ends) {
                Ok(request) => obtain(request).await.map_err(|error| chain(&error)),
                Err(why) => Err(why),
            };
            others.insert(release.clone(), found.map(Arc::new));
        }
        Self { own, others }
    }

    /// One of them.
    ///
    /// # Errors
    /// Why it could not be obtained.
    pub fn find(&self, release: &ReleaseRef) -> Result<&Arc<ResolvedSet>, String> {
        match self.others.get(release) {
            Some(Ok(found)) => Ok(found),
            Some(Err(why)) => Err(why.clone()),
            None => Err("nobody asked for it before the run began".to_owned()),
        }
    }

    /// The run's own.
    pub fn own(&self) -> &Arc<ResolvedSet> {
        &self.own
    }
}

/// How a release is obtained: as the run's, but for the component and what belongs to it.
fn asked(release: &ReleaseRef, request: &Request, ends: &Ends) -> Result<Request, String> {
    let component: Component = release.component.parse().map_err(|unknown| format!("{unknown}"))?;
    let family = family(component);
    if ReleaseRef::ENDS.contains(&release.with.as_str()) {
        let end = ends.get(release.with.as_str()).cloned();
        let end = end.ok_or_else(|| format!("`{}` is known to `handover upgrade` alone", release.with))?;
        return Ok(end.only(family));
    }
    let named = Override::parse(&format!("{component}={}", release.with)).map_err(|error| chain(&error))?;
    Ok(beside(request, &[component], &[named]).only(family))
}

/// The request with these in place of whatever it named for some components: what the user named for another
/// release, or for what belongs to it, is not for these.
pub fn beside(request: &Request, components: &[Component], named: &[Override]) -> Request {
    let parts: BTreeSet<Component> = components.iter().flat_map(|component| family(*component)).collect();
    let overrides = request.overrides.without(|part| part != Component::Helm && parts.contains(&part));
    let overrides = named.iter().fold(overrides, |all, one| all.with(one.clone()));
    Request { overrides, ..request.clone() }
}

/// A component with what belongs to its release.
pub fn family(component: Component) -> Vec<Component> {
    match component {
        Component::Eso => {
            vec![Component::Eso, Component::EsoCrds, Component::EsoChart, Component::Helm]
        }
        Component::Etcd
        | Component::KubeApiserver
        | Component::KubeControllerManager
        | Component::EsoCrds
        | Component::EsoChart
        | Component::Helm
        | Component::Openbao
        | Component::Mysql
        | Component::Valkey
        | Component::Postgres
        | Component::KubeScheduler
        | Component::KubeProxy
        | Component::Kubelet
        | Component::Kubeadm
        | Component::Kubectl
        | Component::Coredns
        | Component::NodeRoot
        | Component::Kind
        | Component::Docker
        | Component::Registry => vec![component],
    }
}
