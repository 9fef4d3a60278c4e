//! The users that a team finds in its databases, and the roles by which OpenBao manages them.

use handover_fixtures::cause::chain;
use handover_fixtures::plane::{Peer, Server};
use handover_fixtures::{mysql, openbao, postgres, valkey};
use handover_harness::secret::Secret;

use super::super::PlayError;
use super::super::stage::{DATABASE_MOUNT, Stage, server};
use crate::language::scenario::{Database, DatabaseKind};

/// Makes the users of every database, each with a first password.
pub(super) async fn users(stage: &Stage<'_>) -> Result<(), PlayError> {
    for database in &stage.scenario.databases {
        for user in &database.users {
            let password = make_user(stage, database.kind, &stage.user(user), false).await?;
            stage.keep_first(&database.name, user, password);
        }
    }
    Ok(())
}

/// Tells OpenBao how to get into every database, and makes the roles.
pub(super) async fn roles(stage: &Stage<'_>) -> Result<(), PlayError> {
    if stage.scenario.databases.is_empty() {
        return Ok(());
    }
    stage.openbao.mount(DATABASE_MOUNT, openbao::Mount::Database { tick: None }).await?;
    for database in &stage.scenario.databases {
        let connection = connection(stage, database).await?;
        stage.openbao.configure_database(DATABASE_MOUNT, &database.name, &connection).await?;
    }
    for role in stage.scenario.static_roles.iter().filter(|role| !role.later) {
        stage.make_static_role(role).await?;
    }
    for role in &stage.scenario.dynamic_roles {
        let definition = openbao::DynamicRole {
            database: role.database.clone(),
            creation_statements: match role.creation_statements.as_slice() {
                [] => default_creation(stage.database(&role.database).kind),
                said => said.to_vec(),
            },
            revocation_statements: Vec::new(),
            default_ttl: role.ttl,
            max_ttl: role.max_ttl,
        };
        stage.openbao.create_dynamic_role(DATABASE_MOUNT, &role.name, &definition).await?;
    }
    Ok(())
}

/// How OpenBao makes a user where the file does not say it: one that may log in, and nothing else.
fn default_creation(kind: DatabaseKind) -> Vec<String> {
    let statements: &[&str] = match kind {
        DatabaseKind::Mysql => &["CREATE USER '{{username}}'@'%' IDENTIFIED BY '{{password}}'"],
        DatabaseKind::Postgres => {
            &["CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"]
        }
        DatabaseKind::Valkey => &["~*", "+@read"],
    };
    statements.iter().map(|statement| (*statement).to_owned()).collect()
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
    let plane = &stage.house.plane;
    let made = match kind {
        DatabaseKind::Mysql => {
            let rights = if rotates { mysql::Rights::Rotate } else { mysql::Rights::LogIn };
            plane.mysql()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
        DatabaseKind::Postgres => {
            let rights = if rotates { postgres::Rights::Rotate } else { postgres::Rights::LogIn };
            plane.postgres()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
        DatabaseKind::Valkey => {
            let rights = if rotates { valkey::Rights::Rotate } else { valkey::Rights::Use };
            plane.valkey()?.create_user(user, &password, rights).await.map_err(|error| chain(&error))
        }
    };
    made.map_err(|why| PlayError::Database { server: kind.word(), why })?;
    Ok(password)
}

/// How OpenBao gets into a database: as a user of its own that may rotate others.
async fn connection(stage: &Stage<'_>, database: &Database) -> Result<openbao::Database, PlayError> {
    let plane = &stage.house.plane;
    let kind = Peer::Server(server(database.kind));
    let address = plane.address(Peer::Server(Server::Openbao), kind)?;
    let (host, port) = (address.ip().to_string(), address.port());
    let username = stage.user("openbao");
    let password = make_user(stage, database.kind, &username, true).await?;
    Ok(match database.kind {
        DatabaseKind::Mysql => {
            let ca_pem = plane.ca_pem().to_owned();
            openbao::Database::Mysql { host, port, username, password, ca_pem }
        }
        DatabaseKind::Postgres => {
            let ca_pem = plane.ca_pem().to_owned();
            openbao::Database::Postgres { host, port, username, password, ca_pem }
        }
        DatabaseKind::Valkey => openbao::Database::Valkey { host, port, username, password, ca_pem: None },
    })
}
