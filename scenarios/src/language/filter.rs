//! Which scenarios somebody means: part of an id, a pattern with `*`, or a path.

use std::path::Path;

/// Whether the id is meant by any of the filters; without filters all are meant.
pub fn selects(filters: &[String], id: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| matches(filter, id))
}

/// `static-role` means every id that contains it; `mysql/*` every id that looks so as a whole.
pub fn matches(filter: &str, id: &str) -> bool {
    let Some((head, rest)) = filter.split_once('*') else { return id.contains(filter) };
    let Some(mut left) = id.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let Some(tail) = pieces.pop() else { return false };
    for piece in pieces {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(tail)
}

/// A word that names something on disk, seen from a folder, or could name nothing else.
pub fn is_path(folder: &Path, word: &str) -> bool {
    let unlike_a_name = word.ends_with(".yaml") || word.ends_with(".yml") || word.starts_with(['.', '/']);
    unlike_a_name || folder.join(word).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_patterns() {
        for (filter, id, expected) in [
            ("static-role", "mysql/static-role-forced", true),
            ("mysql", "valkey/static-role-forced", false),
            ("", "kv/refresh", true),
            ("*", "kv/refresh", true),
            ("kv/*", "kv/refresh", true),
            ("kv/*", "a/kv/refresh", false),
            ("*/static-role-*", "mysql/static-role-forced", true),
            ("*forced", "mysql/static-role-forced", true),
            ("*force", "mysql/static-role-forced", false),
            ("m*l/*-*-forced", "mysql/static-role-forced", true),
            ("ab*ba", "aba", false),
            ("a**a", "aa", true),
        ] {
            assert_eq!(matches(filter, id), expected, "{filter} {id}");
        }
    }

    #[test]
    fn any_filter_selects() {
        let filters = ["kv".to_owned(), "mysql".to_owned()];
        assert!(selects(&filters, "kv/refresh") && selects(&[], "kv/refresh"));
        assert!(!selects(&filters, "valkey/x"));
    }
}
