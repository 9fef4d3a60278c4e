//! The leases of a dynamic role, and the database users that they stand for, counted again and again.
//!
//! Counted are levels: `issued` is every lease ever seen, `live` those that OpenBao has now, `leaked` the users
//! that are in the database although no lease stands for them any more.

use std::collections::BTreeSet;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_harness::clock::Micros;
use handover_harness::event::What;

use super::Watching;
use crate::language::scenario::LeaseCounter;
use crate::play::PlayError;
use crate::play::stage::{DATABASE_MOUNT, Stage, server};

/// How often they are counted.
const EVERY: Duration = Duration::from_millis(250);

impl Watching {
    pub(super) fn count_leases(&self, stage: &Stage<'_>, counter: &LeaseCounter) -> Result<(), PlayError> {
        let database = stage.database(&stage.dynamic_role(&counter.role).database);
        let administrator = stage.house.plane.administrator(server(database.kind))?;
        let prefix = stage.dynamic_prefix(&counter.role);
        let openbao = stage.openbao.clone();
        let path = format!("{DATABASE_MOUNT}/creds/{}", counter.role);
        let (scribe, name, stop) = (stage.scribe.clone(), counter.counter.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let (mut ever, mut told) = (BTreeSet::new(), [None; 3]);
            let mut blind: Option<(Micros, String)> = None;
            loop {
                // Users first: one whose lease is made in between is not taken for leaked.
                let counted = async {
                    let users = administrator.users(&prefix).await.map_err(|error| chain(&*error))?;
                    let live = openbao.live_leases(&path).await.map_err(|error| chain(&error))?;
                    Ok::<_, String>((users.len() as u64, live))
                };
                match counted.await {
                    Ok((users, live)) => {
                        if let Some((from, why)) = blind.take() {
                            scribe.record(What::Gap { probe: name.clone(), from, why: scribe.mask(&why) });
                        }
                        let count = live.len() as u64;
                        ever.extend(live);
                        let now = [ever.len() as u64, count, users.saturating_sub(count)];
                        for (index, kind) in ["issued", "live", "leaked"].into_iter().enumerate() {
                            if told[index].replace(now[index]) != Some(now[index]) {
                                let counter = format!("{name}:{kind}");
                                scribe.record(What::Count { counter, value: now[index] });
                            }
                        }
                    }
                    Err(why) => {
                        blind.get_or_insert_with(|| (Micros::now(), why));
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = stop.cancelled() => break,
                }
            }
        });
        Ok(())
    }
}
