//! A password that the harness sets by itself, as a person with a runbook would.

use handover_fixtures::cause::chain;
use handover_fixtures::database::Refused;
use handover_harness::secret::Secret;

use super::PlayError;
use super::stage::{Stage, Values, server};
use crate::language::scenario::{Database, DatabaseKind, FirstPassword};

impl Stage<'_> {
    /// Sets a user's password; `keeps` leaves the one before accepted.
    pub(in crate::play) async fn set_password(
        &self,
        of: &FirstPassword,
        values: &Values,
        keeps: bool,
    ) -> Result<(), PlayError> {
        let database = self.database(&of.database);
        let user = format!("{{{}}}", of.user);
        let password = self.quoted(database, values["password"].expose());
        let statement = match (database.kind, keeps) {
            (DatabaseKind::Mysql, false) => format!("ALTER USER {user} IDENTIFIED BY {password}"),
            (DatabaseKind::Mysql, true) => {
                format!("ALTER USER {user} IDENTIFIED BY {password} RETAIN CURRENT PASSWORD")
            }
            (DatabaseKind::Postgres, false) => format!("ALTER ROLE {user} PASSWORD {password}"),
            (DatabaseKind::Postgres, true) => {
                let why = "PostgreSQL has one password for each role".to_owned();
                return Err(PlayError::Database { server: database.kind.word(), why });
            }
            (DatabaseKind::Valkey, false) => format!("ACL SETUSER {user} resetpass >{password}"),
            (DatabaseKind::Valkey, true) => format!("ACL SETUSER {user} >{password}"),
        };
        let statement = Secret::new(self.filled(database, &statement));
        self.ask(database, &[statement.expose().to_owned()]).await
    }

    /// Has a database's administrator carry out statements.
    pub(in crate::play) async fn ask(
        &self,
        database: &Database,
        statements: &[String],
    ) -> Result<(), PlayError> {
        let administrator = self.house.plane.administrator(server(database.kind))?;
        let failed =
            |error: Refused| PlayError::Database { server: database.kind.word(), why: chain(&*error) };
        administrator.run(statements).await.map_err(failed)
    }
}
