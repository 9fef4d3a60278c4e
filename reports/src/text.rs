//! Text that others wrote, made harmless: for terminals, for XML, and for the length of a line.

/// Without escape sequences and control characters except tab and line feed; line ends are `\n`.
///
/// What remains is legal in XML 1.0 and cannot move a terminal's cursor.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\r' => {
                chars.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\t' | '\n' => clean.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Passes over the rest of an escape sequence. One that is broken off loses its ESC only, so that no
/// text behind it is swallowed.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut ahead = chars.clone();
    match ahead.next() {
        // CSI: parameters and intermediates, then one final byte.
        Some('[') => {
            while ahead.next_if(|c| (' '..='?').contains(c)).is_some() {}
            if ahead.next_if(|c| ('@'..='~').contains(c)).is_some() {
                *chars = ahead;
            }
        }
        // OSC: up to BEL or ESC \, on the same line.
        Some(']') => {
            while ahead.next_if(|c| !c.is_control()).is_some() {}
            match ahead.next() {
                Some('\u{7}') => *chars = ahead,
                Some('\u{1b}') if ahead.next_if_eq(&'\\').is_some() => *chars = ahead,
                _ => {}
            }
        }
        Some('@'..='~') => *chars = ahead,
        _ => {}
    }
}

/// The same on one line: every run of white space is one space, none at the ends.
pub(crate) fn line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most about `limit` bytes: the head and the tail, and how much was left out between them.
pub(crate) fn cap(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(limit / 2);
    let tail = text.ceil_char_boundary(text.len() - limit / 2);
    format!("{}\n… {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

/// At most `limit` characters of one line, the last of them `…` where some were left out.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).take(limit).collect()
}

/// Lines of at most `width` characters, broken between words; a longer word is broken where it must be.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    fill(line(text).split(' '), width)
}

/// The same, of words that may have spaces within and are not broken there.
pub(crate) fn fill<'a>(words: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            lines.last_mut().expect("never empty").push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("never empty").push(c);
            used += 1;
        }
    }
    lines
}

/// `1 row`, `2 rows`.
pub(crate) fn many(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_control_characters_go() {
        assert_eq!(clean("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(clean("\u{1b}]0;title\u{7}a\u{1b}]8;;x\u{1b}\\b"), "ab");
        assert_eq!(clean("\u{1b}[12"), "[12", "broken off: the text stays");
        assert_eq!(clean("\u{1b}]never ends\nnext"), "]never ends\nnext");
        assert_eq!(clean("a\0b\u{8}c\u{7f}d\u{9b}e\u{fffe}f\u{ffff}g"), "abcdefg");
        assert_eq!(clean("tab\tlf\ncrlf\r\ncr\rend"), "tab\tlf\ncrlf\ncr\nend");
        assert_eq!(clean("µ → 🔑"), "µ → 🔑");
        assert_eq!(line("  a \r\n\t b\u{1b}[0m "), "a b");
    }

    #[test]
    fn caps_keep_head_and_tail_on_character_boundaries() {
        assert_eq!(cap("short", 10), "short");
        assert_eq!(cap("aaaabbbbcccc", 8), "aaaa\n… 4 bytes left out …\ncccc");
        let umlauts = "ä".repeat(50);
        assert!(cap(&umlauts, 11).starts_with("ää\n… 92 bytes"));
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("abcd", 4), "abcd");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
