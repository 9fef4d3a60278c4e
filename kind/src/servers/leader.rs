//! Whoever leads of several replicas of ESO, as a component: killed as when it crashes, or stopped as when its pod is
//! evicted. Either way it is done when another one leads.

use std::time::Duration;

use futures::future::BoxFuture;
use handover_fixtures::cause::chain;
use handover_fixtures::eso::chart;
use handover_fixtures::plane::{Control, ControlError, Order, Tell};
use handover_fixtures::process::Signal;
use handover_harness::event::ComponentState;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams};
use tokio::time::Instant;

use super::member::Base;
use super::pods::lasting;
use crate::cluster::ready;

/// What it is called as a component.
pub const NAME: &str = "eso-leader";
/// The Lease that names it, as ESO calls it.
const LEASE: &str = "external-secrets-controller";
/// How long another one may take to lead: the Lease is of 15 s, and asked for every two seconds or so.
const WITHIN: Duration = Duration::from_secs(60);

/// Whoever leads.
pub struct Leader {
    base: Base,
    /// One order after the other.
    turn: tokio::sync::Mutex<()>,
}

/// How it ends.
#[derive(Clone, Copy)]
enum End {
    Killed,
    Stopped,
}

impl Leader {
    /// Of the replicas that stand on this.
    pub fn new(base: Base) -> Self {
        Self { base, turn: tokio::sync::Mutex::default() }
    }

    async fn change(&self, end: End, tell: &Tell<'_>) -> Result<String, ControlError> {
        let leases: Api<Lease> = Api::namespaced(self.base.applier.client().clone(), chart::NAMESPACE);
        let lease = leases.get_opt(LEASE).await.map_err(|error| refused(chain(&error)))?;
        let Some(before) = lease.as_ref().and_then(holder).map(str::to_owned) else {
            return Err(ControlError::Single { name: NAME.to_owned() });
        };
        let pod = pod_of(&before);
        match end {
            End::Killed => self.kill(pod).await?,
            End::Stopped => {
                let pods: Api<Pod> = Api::namespaced(self.base.applier.client().clone(), chart::NAMESPACE);
                let deleted = pods.delete(pod, &DeleteParams::default()).await;
                deleted.map_err(|error| refused(chain(&error)))?;
            }
        }
        let ended = Instant::now();
        tell(ComponentState::Stopped);
        let another = |lease: &Lease| match holder(lease) {
            Some(now) if now != before => Ok(()),
            Some(_) => Err(format!("the Lease is still {before}'s")),
            None => Err("nobody has the Lease".to_owned()),
        };
        let what = format!("nobody led in the place of {pod}");
        ready::watch(leases.clone(), LEASE, &what, WITHIN, another, std::future::pending())
            .await
            .map_err(|error| refused(chain(&error)))?;
        let took = ended.elapsed();
        tell(ComponentState::Ready);
        let lease = leases.get(LEASE).await.map_err(|error| refused(chain(&error)))?;
        Ok(told(end, &before, &lease, took))
    }

    async fn kill(&self, pod: &str) -> Result<(), ControlError> {
        let containers: Vec<String> = {
            let known = self.base.known.borrow();
            let found = known.get(&(chart::NAMESPACE.to_owned(), pod.to_owned()));
            found
                .into_iter()
                .flat_map(|pod| lasting(pod))
                .filter_map(|status| status.container_id.clone())
                .collect()
        };
        if containers.is_empty() {
            return Err(refused(format!("no container of {pod}, which leads, is known")));
        }
        self.base.meant.add(containers.iter().cloned());
        for id in containers {
            let sent = self.base.node.signal(&id, Signal::KILL.as_raw()).await;
            sent.map_err(|error| refused(chain(&error)))?;
        }
        Ok(())
    }
}

fn refused(why: String) -> ControlError {
    ControlError::Cluster { name: NAME.to_owned(), why }
}

/// Who has a Lease.
fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// The pod of a holder, who is called after it: `<pod>_<something drawn>`.
fn pod_of(holder: &str) -> &str {
    holder.rsplit_once('_').map_or(holder, |(pod, _)| pod)
}

/// What is said of a change.
fn told(end: End, before: &str, lease: &Lease, took: Duration) -> String {
    let how = match end {
        End::Killed => "was killed",
        End::Stopped => "was stopped",
    };
    let (before, now) = (pod_of(before), holder(lease).map_or("nobody", pod_of));
    let now = match now == before {
        true => "it leads again, as another process".to_owned(),
        false => format!("{now} leads"),
    };
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    format!("{before} led and {how}; {took:.1?} later {now} (a Lease of {seconds} s)")
}

impl Control for Leader {
    fn order<'a>(
        &'a self,
        order: Order,
        tell: &'a Tell<'a>,
    ) -> BoxFuture<'a, Result<Vec<String>, ControlError>> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let end = match order {
                Order::Kill => End::Killed,
                Order::Stop => End::Stopped,
                Order::Signal(_) | Order::Start | Order::Restart | Order::Replace(_) | Order::Replicas(_) => {
                    return Err(ControlError::NotThat { name: NAME.to_owned(), can: "stopped or killed" });
                }
            };
            Ok(vec![self.change(end, tell).await?])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lease(holder: &str) -> Lease {
        let lease = json!({"spec": {"holderIdentity": holder, "leaseDurationSeconds": 15}});
        serde_json::from_value(lease).expect("a Lease")
    }

    #[test]
    fn a_lease_that_was_given_back_has_nobody() {
        assert_eq!(holder(&lease("")), None);
        assert_eq!(holder(&Lease::default()), None);
        assert_eq!(holder(&lease("eso-7d-x_1f0c")), Some("eso-7d-x_1f0c"));
        assert_eq!(pod_of("eso-7d-x_1f0c"), "eso-7d-x");
    }

    #[test]
    fn a_container_that_came_back_in_its_pod_is_another_process() {
        let took = Duration::from_millis(16_340);
        let said = told(End::Killed, "a_1", &lease("b_2"), took);
        assert_eq!(said, "a led and was killed; 16.3s later b leads (a Lease of 15 s)");
        let said = told(End::Stopped, "a_1", &lease("a_2"), took);
        assert!(said.contains("was stopped; 16.3s later it leads again, as another process"), "{said}");
    }
}
