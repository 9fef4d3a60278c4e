//! Names of database users in statements and requests: `{fleet}` and `{fleet.password}`.
//!
//! A scenario's users have other names on the server than in the file, and nobody knows their passwords
//! beforehand. Whatever else stands in braces (`{{username}}` is OpenBao's) is left as it is.

use std::ops::Range;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// The name that this user has on its server.
    User(&'a str),
    /// The password that this user was made with.
    Password(&'a str),
}

/// Cuts a text at the names of these users.
pub fn split<'a>(text: &'a str, users: &[&str]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for (range, word) in braced(text) {
        let (user, password) = match word.strip_suffix(".password") {
            Some(user) => (user, true),
            None => (word, false),
        };
        if users.contains(&user) {
            if done < range.start {
                pieces.push(Piece::Text(&text[done..range.start]));
            }
            pieces.push(if password { Piece::Password(user) } else { Piece::User(user) });
            done = range.end;
        }
    }
    if done < text.len() {
        pieces.push(Piece::Text(&text[done..]));
    }
    pieces
}

/// The words in single braces, each with the place of the whole.
pub(crate) fn braced(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let doubled = text[open + 1..].starts_with('{');
        let Some(close) = text[open..].find('}').map(|close| open + close) else { break };
        if doubled {
            // `{{…}}` as a whole is somebody else's.
            at = text[close..].find(|c| c != '}').map_or(text.len(), |end| close + end);
            continue;
        }
        found.push((open..close + 1, &text[open + 1..close]));
        at = close + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_their_passwords_are_found() {
        let pieces = split("ALTER USER {fleet} IDENTIFIED BY {fleet.password};", &["fleet"]);
        let expected = [
            Piece::Text("ALTER USER "),
            Piece::User("fleet"),
            Piece::Text(" IDENTIFIED BY "),
            Piece::Password("fleet"),
            Piece::Text(";"),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn other_braces_stay() {
        for text in ["'{{fleet}}'", "{other}", "{", "}{", "a {{x}}{{y}} b", "", "{fleet"] {
            let whole: String = split(text, &["fleet"])
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::User(_) | Piece::Password(_) => panic!("{text}"),
                })
                .collect();
            assert_eq!(whole, text);
        }
        assert_eq!(split("{{a}}{fleet}", &["fleet"]), [Piece::Text("{{a}}"), Piece::User("fleet")]);
    }
}
