//! What is posted to a pull request: harmless, and no longer than a comment may be.
//!
//! Text that others wrote may come from a cluster, and it is posted under the name of whoever runs the gate: so it can neither draw
//! (links, images, HTML, tables) nor call anybody (`@somebody`, `#12`).

use crate::text::{line, shorten};

/// Bytes of all that is posted: a comment holds 65,536 characters.
pub(crate) const ALL: usize = 60_000;

/// Characters of one text that are shown.
const SHOWN: usize = 600;

/// Parts what would otherwise become a mention, a reference or a link; nobody sees it.
const PART: char = '\u{200b}';

/// One line of text that Markdown shows as it stands.
pub(crate) fn escaped(text: &str) -> String {
    let text = shorten(&line(text), SHOWN);
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => escaped.extend(['\\', c]),
            '#' => escaped.extend(['\\', c, PART]),
            '@' => escaped.extend([c, PART]),
            // Turns the direction of the text around it.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => escaped.push(c),
        }
    }
    // What is linked as it stands; GH-12 is #12.
    let links =
        [("://", ":\u{200b}//"), ("www.", "www\u{200b}."), ("GH-", "GH\u{200b}-"), ("gh-", "gh\u{200b}-")];
    for (linked, parted) in links {
        escaped = escaped.replace(linked, parted);
    }
    escaped
}

/// Adds as many of these as there is room for, and says how many those were.
pub(crate) fn fill(text: &mut String, room: usize, pieces: impl Iterator<Item = String>) -> usize {
    let mut added = 0;
    for piece in pieces {
        if text.len() + piece.len() > room {
            break;
        }
        text.push_str(&piece);
        added += 1;
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_draws_and_nobody_is_called() {
        assert_eq!(escaped("a|b `c` <img src=x> &"), "a\\|b \\`c\\` &lt;img src=x&gt; &amp;");
        assert_eq!(escaped("ask @somebody about #12"), "ask @\u{200b}somebody about \\#\u{200b}12");
        assert_eq!(
            escaped("[x](https://e.example) ![y](z)"),
            "\\[x\\](https:\u{200b}//e.example) \\!\\[y\\](z)"
        );
        assert_eq!(escaped("www.e.example, GH-4756"), "www\u{200b}.e.example, GH\u{200b}-4756");
        assert_eq!(escaped("one\r\n\n# two\u{202e}"), "one \\#\u{200b} two");
        assert_eq!(escaped("\\| is no escape"), "\\\\\\| is no escape");
        assert_eq!(escaped(&"x".repeat(700)).chars().count(), 600);
    }

    #[test]
    fn ordinary_text_stays_readable() {
        assert_eq!(escaped("app at secret, g0 → g1 (9.02 s)"), "app at secret, g0 → g1 (9.02 s)");
    }
}
