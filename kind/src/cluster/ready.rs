//! Waiting until an object is as it should be (a node): by watch, for as long as it may come to that.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use handover_harness::wait::WaitError;
use k8s_openapi::api::core::v1::Node;
use kube::api::Api;
use kube::runtime::{WatchStreamExt, watcher};
use serde::de::DeserializeOwned;

/// How long a broken watch rests before it is begun anew: an API server that comes up breaks some.
const PAUSE: Duration = Duration::from_millis(50);

/// Watches one object until `judge` says that it is as it should be. `dead` ends when it never will be, and
/// says why.
///
/// # Errors
/// [`WaitError`].
pub(crate) async fn watch<Kind>(
    api: Api<Kind>,
    name: &str,
    what: &str,
    within: Duration,
    judge: impl Fn(&Kind) -> Result<(), String>,
    dead: impl Future<Output = String>,
) -> Result<(), WaitError>
where
    Kind: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let mut last = "no answer at all".to_owned();
    let watching = async {
        loop {
            let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
            let mut news = watcher(api.clone(), config).applied_objects().boxed();
            loop {
                match news.try_next().await {
                    Ok(Some(object)) => match judge(&object) {
                        Ok(()) => return,
                        Err(seen) => last = seen,
                    },
                    Ok(None) => break,
                    Err(error) => {
                        last = handover_fixtures::cause::chain(&error);
                        break;
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        end = tokio::time::timeout(within, watching) => match end {
            Ok(()) => Ok(()),
            Err(_) => Err(WaitError::OutOfTime { what: what.to_owned(), within, last }),
        },
        why = dead => Err(WaitError::Dead { what: what.to_owned(), why }),
    }
}

/// Whether a node is ready, or what it says instead.
pub(super) fn node_is_ready(node: &Node) -> Result<(), String> {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    match ready.next() {
        Some(condition) if condition.status == "True" => Ok(()),
        Some(condition) => Err(condition.message.clone().unwrap_or_else(|| condition.status.clone())),
        None => Err("it says nothing about itself yet".to_owned()),
    }
}
