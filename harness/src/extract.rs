//! Where a credential is inside a text: in a URL, a DSN, JSON, base64, a file of `KEY=VALUE` lines.
//!
//! `DATABASE_URL` changes with the host as well as with the password; a fingerprint is to be taken of the
//! credential and not of the text around it. Steps are chained: `base64 | json:/auths/*/password`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::secret::Secret;

mod dsn;
mod read;

#[cfg(test)]
mod tests;

/// How one value is taken out of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Url(UrlPart),
    Dsn(DsnPart),
    /// A JSON pointer; `*` stands for any one key or index.
    Json(Vec<String>),
    Base64,
    DockerConfig(DockerPart),
    Env(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum UrlPart {
    Username,
    Password,
    Host,
    Port,
    Path,
    Query(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DsnPart {
    User,
    Password,
    Host,
    Port,
    Dbname,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DockerPart {
    Username,
    Password,
}

/// What can be written, for messages and pages.
pub const WORDS: [&str; 16] = [
    "url.password",
    "url.username",
    "url.host",
    "url.port",
    "url.path",
    "url.query.NAME",
    "dsn.password",
    "dsn.user",
    "dsn.host",
    "dsn.port",
    "dsn.dbname",
    "json:/POINTER",
    "base64",
    "dockerconfigjson.password",
    "dockerconfigjson.username",
    "env:NAME",
];

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadExtract {
    /// Nothing at all, or nothing beside a `|`.
    #[error("a step is empty")]
    Empty,
    /// `url.pasword`
    #[error("`{0}` is no way to extract")]
    Unknown(String),
    /// `json:auths`
    #[error("`{0}` is no JSON pointer: it begins with `/`")]
    Pointer(String),
    /// `env:`, `url.query.`
    #[error("`{0}` names nothing")]
    Nameless(String),
}

/// Why there is nothing to take: which step, and what kind of text it met. Never the text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{step}` finds nothing: {why}")]
pub struct NotFound {
    step: String,
    why: String,
}

impl Extract {
    /// Reads an expression: `url.password`, `base64 | json:/auths/*/password`.
    ///
    /// # Errors
    /// Which step is none.
    pub fn parse(text: &str) -> Result<Self, BadExtract> {
        text.split('|').map(|step| step.trim().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Takes the value out of a text.
    ///
    /// # Errors
    /// Which step finds nothing, and what kind of text it met.
    pub fn extract(&self, text: &Secret) -> Result<Secret, NotFound> {
        self.0.iter().try_fold(text.clone(), |text, step| {
            step.take(text.expose()).map_err(|why| NotFound { step: step.to_string(), why })
        })
    }
}

/// As it is written.
impl fmt::Display for Extract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { " | " };
            write!(f, "{between}{step}")?;
        }
        Ok(())
    }
}

impl FromStr for Step {
    type Err = BadExtract;

    fn from_str(text: &str) -> Result<Self, BadExtract> {
        let unknown = || BadExtract::Unknown(text.to_owned());
        let named = |name: &str| match name {
            "" => Err(BadExtract::Nameless(text.to_owned())),
            name => Ok(name.to_owned()),
        };
        if text.is_empty() {
            return Err(BadExtract::Empty);
        }
        if let Some(pointer) = text.strip_prefix("json:") {
            let keys = pointer.strip_prefix('/').ok_or_else(|| BadExtract::Pointer(pointer.to_owned()))?;
            // As RFC 6901 has it: `~1` is a slash inside a key, `~0` a tilde.
            let key = |key: &str| key.replace("~1", "/").replace("~0", "~");
            return Ok(Self::Json(keys.split('/').map(key).collect()));
        }
        if let Some(name) = text.strip_prefix("env:") {
            return named(name).map(Self::Env);
        }
        if let Some(name) = text.strip_prefix("url.query.") {
            return named(name).map(|name| Self::Url(UrlPart::Query(name)));
        }
        Ok(match text {
            "url.username" => Self::Url(UrlPart::Username),
            "url.password" => Self::Url(UrlPart::Password),
            "url.host" => Self::Url(UrlPart::Host),
            "url.port" => Self::Url(UrlPart::Port),
            "url.path" => Self::Url(UrlPart::Path),
            "dsn.user" => Self::Dsn(DsnPart::User),
            "dsn.password" => Self::Dsn(DsnPart::Password),
            "dsn.host" => Self::Dsn(DsnPart::Host),
            "dsn.port" => Self::Dsn(DsnPart::Port),
            "dsn.dbname" => Self::Dsn(DsnPart::Dbname),
            "base64" => Self::Base64,
            "dockerconfigjson.username" => Self::DockerConfig(DockerPart::Username),
            "dockerconfigjson.password" => Self::DockerConfig(DockerPart::Password),
            _ => return Err(unknown()),
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Json(keys) => {
                let keys: String = keys
                    .iter()
                    .map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1")))
                    .collect();
                return write!(f, "json:{keys}");
            }
            Self::Env(name) => return write!(f, "env:{name}"),
            Self::Url(UrlPart::Query(name)) => return write!(f, "url.query.{name}"),
            Self::Url(UrlPart::Username) => "url.username",
            Self::Url(UrlPart::Password) => "url.password",
            Self::Url(UrlPart::Host) => "url.host",
            Self::Url(UrlPart::Port) => "url.port",
            Self::Url(UrlPart::Path) => "url.path",
            Self::Dsn(DsnPart::User) => "dsn.user",
            Self::Dsn(DsnPart::Password) => "dsn.password",
            Self::Dsn(DsnPart::Host) => "dsn.host",
            Self::Dsn(DsnPart::Port) => "dsn.port",
            Self::Dsn(DsnPart::Dbname) => "dsn.dbname",
            Self::Base64 => "base64",
            Self::DockerConfig(DockerPart::Username) => "dockerconfigjson.username",
            Self::DockerConfig(DockerPart::Password) => "dockerconfigjson.password",
        };
        f.write_str(word)
    }
}

/// A key of a Secret that holds a field, and where in its text the field is.
#[derive(Clone, PartialEq, Eq)]
pub struct Spot {
    /// The key.
    pub key: String,
    /// Where in it; none where the whole text is the value.
    pub extract: Option<Extract>,
}

/// The whole text behind a key.
impl<T: Into<String>> From<T> for Spot {
    fn from(key: T) -> Self {
        Self { key: key.into(), extract: None }
    }
}

/// `DATABASE_URL url.password`
impl fmt::Debug for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.extract {
            Some(extract) => write!(f, "{:?} {extract}", self.key),
            None => write!(f, "{:?}", self.key),
        }
    }
}
