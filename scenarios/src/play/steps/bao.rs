//! `bao`: one request to OpenBao, as its administrator, in the scenario's namespace.

use handover_fixtures::openbao::{ClientError, Method};
use handover_harness::event::Phase;

use super::{failed, own};
use crate::language::scenario::{BaoCall, BaoMethod};
use crate::play::PlayError;
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, call: &BaoCall) -> Phase {
    match make(stage, call).await {
        Ok(None) => Phase::Done,
        Ok(Some(instead)) => Phase::Failed(stage.scribe.mask(&instead)),
        Err(error) => failed(stage, &error),
    }
}

/// Makes the request. Answers with what happened where that is not what the scenario says must happen.
pub(super) async fn make(stage: &Stage<'_>, call: &BaoCall) -> Result<Option<String>, PlayError> {
    let method = match call.method {
        BaoMethod::Read => Method::Read,
        BaoMethod::Write => Method::Write,
        BaoMethod::Delete => Method::Delete,
        BaoMethod::List => Method::List,
    };
    let path = stage.told(&call.path);
    let data = call.data.as_ref().map(|data| stage.told_in(data));
    // What the answer holds is nobody's business here: it may be a credential.
    let answer = stage.openbao.call(method, &path, data.as_ref()).await;
    match (answer, call.refused) {
        (Ok(_), None) => Ok(None),
        (Ok(_), Some(status)) => Ok(Some(format!("{path} was answered; it should be refused with {status}"))),
        (Err(ClientError::Refused { status, .. }), Some(wanted)) if status == wanted => Ok(None),
        (Err(error), _) => Err(error.into()),
    }
}

/// A request that must be answered before the first step.
pub(super) async fn prepare(stage: &Stage<'_>, call: &BaoCall) -> Result<(), PlayError> {
    match make(stage, call).await? {
        None => Ok(()),
        Some(instead) => Err(PlayError::Baseline(own(instead).text().to_owned())),
    }
}
