//! A password that the harness sets by itself, as a person with a runbook would.

use handover_fixtures::cause::chain;
use handover_harness::secret::Secret;

use super::PlayError;
use super::stage::{Stage, Values};
use crate::language::scenario::{DatabaseKind, FirstPassword};

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
        let plane = &self.house.plane;
        let one = [statement.expose().to_owned()];
        let set = match database.kind {
            DatabaseKind::Mysql => plane.mysql()?.sql(&one).await.map_err(|error| chain(&error)),
            DatabaseKind::Postgres => plane.postgres()?.sql(&one).await.map_err(|error| chain(&error)),
            DatabaseKind::Valkey => plane.valkey()?.run(&one).await.map_err(|error| chain(&error)),
        };
        set.map_err(|why| PlayError::Database { server: database.kind.word(), why })
    }
}
