//! The leases of a dynamic role, and the database users that they stand for, counted again and again.
//!
//! Counted are levels: `issued` is every lease ever seen, `live` those that OpenBao has now, `leaked` the users
//! that are in the database although no lease stands for them any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use handover_fixtures::cause::chain;

use super::Watching;
use super::polled::Polled;
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
        let ask = move || {
            let (administrator, openbao) = (Arc::clone(&administrator), openbao.clone());
            let (prefix, path) = (prefix.clone(), path.clone());
            // Users first: one whose lease is made in between is not taken for leaked.
            async move {
                let users = administrator.users(&prefix).await.map_err(|error| chain(&*error))?;
                let live = openbao.live_leases(&path).await.map_err(|error| chain(&error))?;
                Ok((users.len() as u64, live))
            }
        };
        let (mut ever, mut before) = (BTreeSet::new(), 0);
        let read = move |(users, live): (u64, Vec<String>)| {
            let count = live.len() as u64;
            ever.extend(live);
            // A lease that comes or goes between the two questions is one too many or too few for one look.
            let now = users.saturating_sub(count);
            let leaked = now.min(std::mem::replace(&mut before, now));
            [ever.len() as u64, count, leaked]
        };
        let counters = ["issued", "live", "leaked"].map(|kind| format!("{}:{kind}", counter.counter));
        let polled = Polled::new(stage.scribe.clone(), counters);
        self.tasks.spawn(polled.poll(EVERY, self.stop.clone(), ask, read));
        Ok(())
    }
}
