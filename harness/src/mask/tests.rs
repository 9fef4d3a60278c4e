//! Whatever is planted is found and masked, and nothing else is.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

fn knowing(values: &[&str]) -> Masker {
    let masker = Masker::new();
    for value in values {
        assert!(masker.learn(&Secret::new(*value)), "{value} is long enough");
    }
    masker
}

fn masked(masker: &Masker, text: &str) -> String {
    masker.mask(text).text().to_owned()
}

/// Printable ASCII, quotes and all.
const PRINTABLE: &str = "[ -~]{8,40}";

/// Bytes that no printable secret holds.
fn foreign() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0x80..=0xffu8, 0..40)
}

proptest! {
    #[test]
    fn in_base64_at_any_offset(secret in PRINTABLE, before in foreign(), after in foreign()) {
        let plain = [before.as_slice(), secret.as_bytes(), after.as_slice()].concat();
        // The digits whose six bits are all the secret's own.
        let (first, end) = ((before.len() * 8).div_ceil(6), (before.len() + secret.len()) * 8 / 6);
        for text in [STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
            let masker = knowing(&[&secret]);
            let hit = Hit { offset: first as u64, encoding: Encoding::Base64 };
            prop_assert!(masker.find(text.as_bytes()).contains(&hit));
            let masked = masked(&masker, &text);
            prop_assert_eq!(masker.find(masked.as_bytes()), []);
            // One digit beside the secret may go, too: its bits may be those of an escape before a first quote.
            let (kept_before, kept_after) = (&text[..first.saturating_sub(1)], &text[(end + 1).min(text.len())..]);
            prop_assert!(masked.starts_with(kept_before) && masked.ends_with(kept_after), "{}", masked);
            prop_assert!(masked.len() <= kept_before.len() + MASK.len() + kept_after.len() + 2, "{}", masked);
        }
    }

    #[test]
    fn in_every_other_encoding(secret in PRINTABLE) {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = secret.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        }).collect();
        let json = serde_json::to_string(&secret).unwrap();
        let go = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        let masker = knowing(&[&secret]);
        for text in [secret.clone(), hex.to_uppercase(), hex, percent.to_lowercase(), percent.clone(), percent.replace("%20", "+")] {
            // Lower-casing the whole text changes the secret's own letters, too.
            if text != percent.to_lowercase() || secret.to_lowercase() == secret {
                prop_assert_eq!(masked(&masker, &format!("é{text}é")), format!("é{MASK}é"), "{}", text);
            }
        }
        for text in [json, go] {
            prop_assert_eq!(masked(&masker, &text), format!("\"{MASK}\""), "{}", text);
        }
    }

    #[test]
    fn masking_twice_is_masking_once(
        secrets in prop::collection::vec("[a-z<\"]{6,9}", 1..4),
        pieces in prop::collection::vec((0..6usize, "[ -~‹•›é]{0,6}"), 0..12),
    ) {
        let masker = knowing(&secrets.iter().map(String::as_str).chain(["secret"]).collect::<Vec<_>>());
        let text: String = pieces
            .iter()
            .map(|(n, between)| format!("{}{between}", secrets.get(*n).map_or(MASK, String::as_str)))
            .collect();
        let once = masker.mask(&text);
        prop_assert_eq!(masker.find(once.text().as_bytes()), []);
        prop_assert_eq!(masker.mask(once.text()), once);
    }

    #[test]
    fn what_holds_no_secret_is_untouched(secret in "[a-z]{8,20}", text in "[ -~é]{0,200}") {
        let masker = knowing(&[&secret]);
        prop_assume!(!text.contains(&secret));
        // Nothing in 200 random characters is as long as an encoded secret by chance.
        prop_assert_eq!(masker.find(text.as_bytes()), []);
        prop_assert_eq!(masked(&masker, &text), text);
    }
}

#[test]
fn a_url_in_a_secret_in_base64_is_masked_with_the_password_as_the_url_writes_it() {
    let masker = knowing(&["p@ss/w0rd+x"]);
    let url = "mysql://fleet:p%40ss%2Fw0rd%2Bx@db:3306/app";
    let text = format!(r#"{{"DATABASE_URL":"{}"}}"#, STANDARD.encode(url));
    assert_eq!(masker.find(text.as_bytes()).len(), 1);
    assert!(masked(&masker, &text).contains(MASK));
}

#[test]
fn overlapping_values_leave_no_tail() {
    let masker = knowing(&["abcdefgh", "defghijklmno", "xyzxyzxyz"]);
    assert_eq!(masker.mask("1abcdefghijklmno2").text(), format!("1{MASK}2"));
    assert_eq!(masker.mask("xyzxyzxyzxyzxyz.").text(), format!("{MASK}."));
    assert_eq!(masker.mask("abcdefghabcdefgh").text(), format!("{MASK}{MASK}"));
}

#[test]
fn short_values_and_no_values_mask_nothing() {
    let masker = Masker::new();
    assert!(!masker.learn(&Secret::new("root")) && !masker.learn(&Secret::new("")));
    assert_eq!(masker.mask("root and nothing").text(), "root and nothing");
    assert_eq!(masker.mask_bytes(b"\xff\0root"), b"\xff\0root");
    assert!(masker.find(b"root").is_empty());
}

#[test]
fn clones_learn_together_and_show_nothing() {
    let masker = Masker::new();
    let clone = masker.clone();
    assert_eq!(masker.mask("one-value two-value").text(), "one-value two-value");
    clone.learn(&Secret::new("one-value"));
    assert_eq!(masker.mask("one-value two-value").text(), format!("{MASK} two-value"));
    masker.learn(&Secret::new("two-value"));
    assert_eq!(clone.mask("one-value two-value").text(), format!("{MASK} {MASK}"));
    assert_eq!(format!("{masker:?}"), "Masker(2 values)");
}

#[test]
fn files_of_any_size_are_masked_and_scanned_as_one_text() {
    let dir = tempfile::tempdir().unwrap();
    let masker = knowing(&["hunter2hunter2", "aaaaaaaa", "<quoted>&more"]);
    let raw = dir.path().join("raw");
    std::fs::create_dir(&raw).unwrap();
    // Where the first window ends depends on the longest pattern: plant everywhere around it, and let one
    // long stretch of overlapping matches run across the second.
    for (n, around) in (0..120).map(|n| (n, 256 * 1024 - 20 + n)).step_by(7) {
        let mut text = vec![b'.'; 600 * 1024];
        text[around..around + 14].copy_from_slice(b"hunter2hunter2");
        text[520_000..527_000].fill(b'a');
        text[599_000..599_008].copy_from_slice(b"aaaaaaaa");
        let (from, to) = (raw.join(format!("{n}")), dir.path().join(format!("{n}")));
        std::fs::write(&from, &text).unwrap();
        masker.mask_file(&from, &to).unwrap();
        let masked = std::fs::read(&to).unwrap();
        assert!(masked == masker.mask_bytes(&text), "planted at {around}");
        assert_eq!(masked.len(), text.len() - 14 - 7_000 - 8 + 3 * MASK.len());
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let leaks: Vec<Leak> = masker.scan_dir(&raw).unwrap();
        let planted = Leak { file: from.clone(), offset: around as u64, encoding: Encoding::Raw };
        assert!(leaks.contains(&planted), "planted at {around}");
        assert_eq!(leaks.len(), 1 + 6_993 + 1);
        std::fs::remove_file(&from).unwrap();
    }
    assert_eq!(masker.scan_dir(dir.path()).unwrap(), []);
}

#[test]
fn a_scan_looks_everywhere_and_a_copy_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let masker = knowing(&["<quoted>&more"]);
    let deep = dir.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    let log = deep.join("eso.log");
    std::fs::write(&log, r#"{"msg":"got \u003cquoted\u003e\u0026more"}"#).unwrap();
    std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
    let leak = Leak { file: log.clone(), offset: 12, encoding: Encoding::Json };
    assert_eq!(masker.scan_dir(dir.path()).unwrap(), [leak]);

    let error = masker.mask_file(&log, &log).unwrap_err();
    assert!(matches!(error, MaskError::Write { .. }) && error.to_string().contains("eso.log"), "{error}");
    let error = masker.mask_file(&deep.join("none"), &deep.join("copy")).unwrap_err();
    assert!(matches!(error, MaskError::Read { .. }) && !deep.join("copy").exists(), "{error}");
    assert!(masker.scan_dir(&dir.path().join("none")).is_err());
}
