//! What stays of a run beside its events: the servers' logs, with every known secret masked, and the proof
//! that none is left in any file.

use std::path::{Path, PathBuf};

use handover_fixtures::cause::chain;
use handover_harness::mask::{Leak, MaskError, Masker};

/// Copies every `*.log` of `raw` into `logs` below `out`, masked. Answers with what could not be kept.
pub fn keep_logs(masker: &Masker, raw: &Path, out: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(raw) else { return Vec::new() };
    let logs = out.join("logs");
    let mut failed = Vec::new();
    if let Err(error) = handover_fixtures::files::private_dir(&logs) {
        return vec![format!("cannot keep the servers' logs in {}: {error}", logs.display())];
    }
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name() else { continue };
        if let Err(error) = masker.mask_file(&path, &logs.join(name)) {
            failed.push(chain(&error));
        }
    }
    failed
}

/// Copies all files below `raw` to `to`, masked, if it is there. Answers with what could not be kept.
pub fn keep_tree(masker: &Masker, raw: &Path, to: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(raw) else { return Vec::new() };
    let mut failed = Vec::new();
    if let Err(error) = handover_fixtures::files::private_dir(to) {
        return vec![format!("cannot keep {} in {}: {error}", raw.display(), to.display())];
    }
    for entry in entries.filter_map(Result::ok) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => failed.extend(keep_tree(masker, &from, &to)),
            Ok(kind) if kind.is_file() => {
                failed.extend(masker.mask_file(&from, &to).err().map(|error| chain(&error)));
            }
            // Links lead to files that are kept as well.
            Ok(_) | Err(_) => {}
        }
    }
    failed
}

/// Where a secret was found, for people; never which.
pub fn told(leak: &Leak) -> String {
    format!("{} at byte {} ({})", leak.file.display(), leak.offset, leak.encoding)
}

/// Looks for every known secret in every file below `out`, in every encoding.
///
/// # Errors
/// If a file cannot be read.
pub fn scan(masker: &Masker, out: &Path) -> Result<Vec<Leak>, MaskError> {
    masker.scan_dir(out)
}
