//! The users that a team finds in its databases, and the roles by which OpenBao manages them.

use std::collections::BTreeMap;

use handover_fixtures::cause::chain;
use handover_fixtures::database::{Refused, Rights};
use handover_fixtures::openbao;
use handover_fixtures::plane::{Peer, Server};
use handover_harness::secret::Secret;

use super::super::PlayError;
use super::super::stage::{DATABASE_MOUNT, Stage, server};
use crate::language::scenario::{Database, DatabaseKind, FirstPassword};

/// What OpenBao is called in every database.
pub(in crate::play) const OPENBAO: &str = "openbao";

/// Makes the users of every database, each with a first password, and OpenBao's own, who may rotate others.
pub(super) async fn users(stage: &Stage<'_>) -> Result<(), PlayError> {
    let mut openbao: BTreeMap<DatabaseKind, Secret> = BTreeMap::new();
    for database in &stage.scenario.databases {
        for user in &database.users {
            let password = make_user(stage, database.kind, &stage.user(user), false).await?;
            stage.keep_first(&database.name, user, password);
        }
        // All databases of a kind are on one server, where there is one of this name.
        let password = match openbao.get(&database.kind) {
            Some(password) => password.clone(),
            None => make_user(stage, database.kind, &stage.user(OPENBAO), true).await?,
        };
        stage.keep_first(&database.name, OPENBAO, password.clone());
        openbao.insert(database.kind, password);
    }
    Ok(())
}

/// Mounts the database engine, where the scenario has a database.
pub(super) async fn mount(stage: &Stage<'_>) -> Result<(), PlayError> {
    if stage.scenario.databases.is_empty() {
        return Ok(());
    }
    Ok(stage.openbao.mount(DATABASE_MOUNT, openbao::Mount::Database { tick: None }).await?)
}

/// Tells OpenBao how to get into every database, and makes the roles.
pub(super) async fn roles(stage: &Stage<'_>) -> Result<(), PlayError> {
    for database in &stage.scenario.databases {
        let connection = connection(stage, database)?;
        let (name, prefix) = (&database.name, stage.prefix());
        stage.openbao.configure_database(DATABASE_MOUNT, name, &connection, prefix).await?;
    }
    for role in stage.scenario.static_roles.iter().filter(|role| !role.later) {
        stage.make_static_role(role).await?;
    }
    for role in &stage.scenario.dynamic_roles {
        let engine = match stage.database(&role.database).kind {
            DatabaseKind::Mysql => openbao::Engine::Mysql,
            DatabaseKind::Postgres => openbao::Engine::Postgres,
            DatabaseKind::Valkey => openbao::Engine::Valkey,
        };
        let definition = openbao::DynamicRole {
            database: role.database.clone(),
            creation: match role.creation_statements.as_slice() {
                [] => engine.creation(),
                said => said.to_vec(),
            },
            revocation: engine.revocation(),
            ttl: role.ttl,
            max_ttl: role.max_ttl,
        };
        stage.openbao.create_dynamic_role(DATABASE_MOUNT, &role.name, &definition).await?;
    }
    Ok(())
}

/// A user as a team finds it before OpenBao manages it, or OpenBao's own.
async fn make_user(
    stage: &Stage<'_>,
    kind: DatabaseKind,
    user: &str,
    rotates: bool,
) -> Result<Secret, PlayError> {
    let password = Secret::random(20);
    stage.scribe.masker().learn(&password);
    let rights = if rotates { Rights::Rotate } else { Rights::LogIn };
    let administrator = stage.house.plane.administrator(server(kind))?;
    let failed = |error: Refused| PlayError::Database { server: kind.word(), why: chain(&*error) };
    administrator.create_user(user, &password, rights).await.map_err(failed)?;
    Ok(password)
}

/// How OpenBao gets into a database: as a user of its own that may rotate others.
fn connection(stage: &Stage<'_>, database: &Database) -> Result<openbao::Database, PlayError> {
    let plane = &stage.house.plane;
    let kind = Peer::Server(server(database.kind));
    let address = plane.address(Peer::Server(Server::Openbao), kind)?;
    let (host, port) = (address.ip().to_string(), address.port());
    let username = stage.user(OPENBAO);
    let own = FirstPassword { database: database.name.clone(), user: OPENBAO.to_owned() };
    let password = stage.first(&own)["password"].clone();
    Ok(match database.kind {
        DatabaseKind::Mysql => {
            let ca_pem = plane.ca_pem().to_owned();
            openbao::Database::Mysql { host, port, username, password, ca_pem }
        }
        DatabaseKind::Postgres => openbao::Database::Postgres { host, port, username, password },
        DatabaseKind::Valkey => openbao::Database::Valkey { host, port, username, password, ca_pem: None },
    })
}
