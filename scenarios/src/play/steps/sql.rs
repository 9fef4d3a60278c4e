//! `sql`: statements on a database, as its administrator.

use handover_harness::event::Phase;

use super::failed;
use crate::play::PlayError;
use crate::play::stage::Stage;

pub(super) async fn play(stage: &Stage<'_>, database: &str, statements: &[String]) -> Phase {
    match run(stage, database, statements).await {
        Ok(()) => Phase::Done,
        Err(error) => failed(stage, &error),
    }
}

/// Runs the statements, names of users and their first passwords filled in.
pub(super) async fn run(stage: &Stage<'_>, database: &str, statements: &[String]) -> Result<(), PlayError> {
    let database = stage.database(database);
    let statements: Vec<String> =
        statements.iter().map(|statement| stage.filled(database, statement)).collect();
    stage.ask(database, &statements).await
}
