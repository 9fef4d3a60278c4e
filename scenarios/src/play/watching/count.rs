//! What is counted while a scenario is played: objects of a kind, and calls of others to a path.

use handover_fixtures::kubernetes::watch::{Counted, count_objects};
use handover_fixtures::openbao::AuditEntry;
use handover_harness::event::What;
use kube::api::{Api, DynamicObject};

use super::{Watching, until};
use crate::play::PlayError;
use crate::play::stage::Stage;

impl Watching {
    pub(super) async fn count(&self, stage: &Stage<'_>) -> Result<(), PlayError> {
        for counter in &stage.scenario.objects {
            let api: Api<DynamicObject> =
                stage.house.applier.api_of_kind(&counter.kind, &stage.namespace).await?;
            let (scribe, name, stop) = (stage.scribe.clone(), counter.counter.clone(), self.stop.clone());
            self.tasks.spawn(count_objects(api, stop, move |counted| {
                let name = name.clone();
                scribe.record(match counted {
                    Counted::Are(value) => What::Count { counter: name, value },
                    Counted::Gap(from, why) => What::Gap { probe: name, from, why: scribe.mask(&why) },
                });
            }));
        }
        for counter in &stage.scenario.calls {
            let mut audit = stage.house.plane.audit().subscribe(&stage.namespace);
            let (scribe, counter, stop) = (stage.scribe.clone(), counter.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                let mut value = 0;
                let tell = |value| scribe.record(What::Count { counter: counter.counter.clone(), value });
                tell(value);
                let counts = |entry: &AuditEntry| entry.path == counter.path && entry.is_call_by_others();
                while let Some(entry) = until(&stop, audit.recv()).await {
                    if counts(&entry) {
                        value += 1;
                        tell(value);
                    }
                }
            });
        }
        Ok(())
    }
}
