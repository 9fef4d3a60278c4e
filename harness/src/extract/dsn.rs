//! The two ways in which drivers write a data source: `user:password@tcp(host:port)/dbname` as Go's MySQL
//! driver does, and `user=… password=…` as libpq does.

use super::DsnPart;
use super::read::{Taken, kind, some};

/// One part of a data source.
pub(super) fn take(text: &str, part: DsnPart) -> Taken {
    let bare = text.trim();
    // In libpq's way a password may look like the other way; the other way round only a user could, `user=a`.
    let found = match libpq(bare).filter(|pairs| !pairs.is_empty()) {
        Some(pairs) => {
            let pair = pairs.into_iter().rev().find(|(key, _)| key == libpq_key(part));
            pair.map(|(_, value)| value)
        }
        None => {
            let source = go_sql(bare);
            source.ok_or_else(|| format!("this is no data source but {}", kind(text)))?.part(part)
        }
    };
    let key = libpq_key(part);
    some(found.ok_or_else(|| format!("the data source has no {key}"))?, &format!("its {key}"))
}

fn libpq_key(part: DsnPart) -> &'static str {
    match part {
        DsnPart::User => "user",
        DsnPart::Password => "password",
        DsnPart::Host => "host",
        DsnPart::Port => "port",
        DsnPart::Dbname => "dbname",
    }
}

/// `[user[:password]@][net[(address)]]/dbname[?params]`; the password is written as it is.
struct GoSql<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    address: Option<&'a str>,
    dbname: &'a str,
}

/// As the driver reads it: the last `/` begins the database's name, the last `@` before it ends the password.
fn go_sql(text: &str) -> Option<GoSql<'_>> {
    let (before, dbname) = text.rsplit_once('/')?;
    let dbname = dbname.split('?').next().unwrap_or_default();
    let (login, net) = match before.rsplit_once('@') {
        Some((login, net)) => (Some(login), net),
        None => (None, before),
    };
    let (net, address) = match net.split_once('(') {
        Some((net, rest)) => (net, Some(rest.strip_suffix(')')?)),
        None => (net, None),
    };
    // `mysql://u:p@h/d` would be a user `mysql` whose password begins with `//`.
    let url = address.is_none() && text.contains("://");
    if url || !net.chars().all(|c| c.is_ascii_alphanumeric()) || (login.is_none() && address.is_none()) {
        return None;
    }
    let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
        Some(Ok((user, password))) => (Some(user), Some(password)),
        Some(Err(user)) => (Some(user), None),
        None => (None, None),
    };
    Some(GoSql { user, password, address, dbname })
}

impl GoSql<'_> {
    fn part(&self, part: DsnPart) -> Option<String> {
        let port = |address: &str| {
            let (host, port) = address.rsplit_once(':')?;
            port.bytes().all(|byte| byte.is_ascii_digit()).then(|| (host.to_owned(), port.to_owned()))
        };
        match part {
            DsnPart::User => self.user.map(str::to_owned),
            DsnPart::Password => self.password.map(str::to_owned),
            DsnPart::Host => {
                self.address.map(|text| port(text).map_or_else(|| text.to_owned(), |(host, _)| host))
            }
            DsnPart::Port => self.address.and_then(port).map(|(_, port)| port),
            DsnPart::Dbname => Some(self.dbname.to_owned()),
        }
    }
}

/// `key = value` pairs; a value may stand in single quotes, `\'` and `\\` inside. None where it is none.
fn libpq(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let key = key.trim_end();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        let (value, after) = libpq_value(after.trim_start())?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    Some(pairs)
}

fn libpq_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            '\'' if quoted => return Some((value, &text[at + 1..])),
            c if !quoted && c.is_whitespace() => return Some((value, &text[at..])),
            c => value.push(c),
        }
    }
    (!quoted).then_some((value, ""))
}
