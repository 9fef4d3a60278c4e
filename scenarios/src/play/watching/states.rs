//! Conditions of objects, watched: each change is a state that an expectation can ask for.

use handover_fixtures::kubernetes::apply::condition;
use handover_fixtures::kubernetes::watch::{News, watch_object};
use handover_harness::event::What;
use handover_harness::mask::Masked;

use super::Watching;
use crate::language::scenario::WatchedCondition;
use crate::play::PlayError;
use crate::play::stage::Stage;

/// The state of a condition that nobody has set, or of an object that is not there.
const ABSENT: &str = "absent";

impl Watching {
    pub(super) async fn watch_condition(
        &self,
        stage: &Stage<'_>,
        watched: &WatchedCondition,
    ) -> Result<(), PlayError> {
        let object = &watched.object;
        let applier = &stage.house.applier;
        let (api, _) = applier.api(&object.api_version, &object.kind, stage.namespace_of(object)).await?;
        let (scribe, stop, name) = (stage.scribe.clone(), self.stop.clone(), object.name.clone());
        let (kind, state) = (watched.condition.clone(), watched.state.clone());
        self.tasks.spawn(async move {
            let mut last = None;
            watch_object(api, &name, stop, |_, news| {
                let is = match &news {
                    News::Is(object) => condition(Some(object), &kind).map(|(status, _)| status.to_owned()),
                    News::Absent => None,
                    News::Gap(from, why) => {
                        let why = scribe.mask(why);
                        scribe.record(What::Gap { probe: state.clone(), from: *from, why });
                        return;
                    }
                };
                let is = is.unwrap_or_else(|| ABSENT.to_owned());
                if last.as_ref() != Some(&is) {
                    scribe.record(What::State { state: state.clone(), is: Masked::own(is.clone()) });
                    last = Some(is);
                }
            })
            .await;
        });
        Ok(())
    }
}
