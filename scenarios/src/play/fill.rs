//! Names in statements and requests: `{fleet}` is a database user as the server knows it, `{fleet.password}`
//! the password that the user was made with.

use serde_json::Value;

use super::given::databases::OPENBAO;
use super::stage::Stage;
use crate::language::placeholders::{Piece, split};
use crate::language::scenario::{Database, DatabaseKind, FirstPassword};

impl Stage<'_> {
    /// A statement for a database, strings written as the server wants them.
    pub(in crate::play) fn filled(&self, database: &Database, text: &str) -> String {
        let quoted = |text: &str| self.quoted(database, text);
        let name = |user: &str| match database.kind {
            DatabaseKind::Mysql => format!("{}@'%'", quoted(&self.user(user))),
            DatabaseKind::Postgres => format!("\"{}\"", self.user(user).replace('"', "\"\"")),
            DatabaseKind::Valkey => self.user(user),
        };
        let meaning = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::User(user) => name(user),
            Piece::Password(user) => quoted(&self.first_password(user, Some(database))),
        };
        split(text, &self.users()).into_iter().map(meaning).collect()
    }

    /// A string as the server's statements write it.
    pub(in crate::play) fn quoted(&self, database: &Database, text: &str) -> String {
        match database.kind {
            DatabaseKind::Mysql => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            DatabaseKind::Postgres => format!("'{}'", text.replace('\'', "''")),
            DatabaseKind::Valkey => text.to_owned(),
        }
    }

    /// Any other text.
    pub(in crate::play) fn told(&self, text: &str) -> String {
        let meaning = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::User(user) => self.user(user),
            Piece::Password(user) => self.first_password(user, None),
        };
        split(text, &self.users()).into_iter().map(meaning).collect()
    }

    /// The same for every string of a document.
    pub(in crate::play) fn told_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.told(text)),
            Value::Array(items) => items.iter().map(|item| self.told_in(item)).collect(),
            Value::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), self.told_in(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn users(&self) -> Vec<&str> {
        let databases = self.scenario.databases.iter();
        databases.flat_map(|database| database.users.iter().map(String::as_str)).chain([OPENBAO]).collect()
    }

    fn first_password(&self, user: &str, of: Option<&Database>) -> String {
        let has = |database: &&Database| user == OPENBAO || database.users.iter().any(|known| known == user);
        let database = of.or_else(|| self.scenario.databases.iter().find(has));
        let database = database.expect("placeholders are resolved when the file is loaded").name.clone();
        self.first(&FirstPassword { database, user: user.to_owned() })["password"].expose().to_owned()
    }
}
