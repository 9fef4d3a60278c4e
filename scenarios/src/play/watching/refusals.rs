//! Who is turned away, read where it happens: from the servers' own logs. That finds the consumer that nobody
//! knew of.

use std::collections::BTreeMap;

use handover_fixtures::plane::Peer;
use handover_harness::event::{Refusal, What};
use handover_harness::mask::Masked;

use super::{Watching, until};
use crate::play::stage::{Stage, server};

impl Watching {
    /// Hears every refusal of a user of the scenario's by somebody else than the harness, whose own probes try
    /// dead passwords on purpose.
    pub(super) fn hear_refusals(&self, stage: &Stage<'_>) {
        if stage.scenario.databases.is_empty() {
            return;
        }
        let users: BTreeMap<String, Option<String>> = stage.database_users();
        let servers: Vec<_> = stage.scenario.databases.iter().map(|database| server(database.kind)).collect();
        let mut refusals = stage.house.plane.refusals().subscribe();
        let (scribe, stop, prefix) = (stage.scribe.clone(), self.stop.clone(), stage.prefix().to_owned());
        for server in &servers {
            let state = format!("refusals:{}", server.word());
            scribe.record(What::State { state, is: Masked::own("heard") });
        }
        self.tasks.spawn(async move {
            while let Some(refusal) = until(&stop, refusals.recv()).await {
                let ours = refusal.user.starts_with(&prefix) && servers.contains(&refusal.server);
                if !ours || refusal.from == Some(Peer::Harness) {
                    continue;
                }
                let credential = users.get(&refusal.user).cloned().flatten();
                scribe.record(What::Refusal(Refusal {
                    server: refusal.server.word().to_owned(),
                    credential,
                    user: refusal.user.clone(),
                    from: refusal.from.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string()),
                }));
            }
        });
    }
}
