//! Whether a cell was played to its end, and need not be played again.

use handover_harness::verdict::RunVerdict;
use handover_reports::verdict_json;
use serde::{Deserialize, Serialize};

use super::Key;

/// The version of `cell.json`.
const FORMAT: u32 = 1;

/// What lies in a cell that was played, and goes before it is played again; the first of them says that the others
/// are complete, and goes first.
pub const FILES: [&str; 5] = [Note::FILE, "verdict.json", "junit.xml", "events.jsonl", "logs"];

/// `cell.json`: written when all else in the cell's directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    format: u32,
    /// What the cell was made from.
    pub key: Key,
    /// What the run left behind.
    pub left: Vec<String>,
    /// Where a secret was found.
    pub leaks: Vec<String>,
}

impl Note {
    /// The file's name.
    pub const FILE: &str = "cell.json";

    /// About a run that has ended.
    pub fn new(key: Key, left: Vec<String>, leaks: Vec<String>) -> Self {
        Self { format: FORMAT, key, left, leaks }
    }

    /// As it stands in the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with text keys always serialises") + "\n"
    }
}

/// How a cell stands.
#[derive(Debug)]
pub enum Standing {
    /// It is done.
    Done(Box<Done>),
    /// It has to be played; with the reason, where something lies there already.
    ToPlay(Option<String>),
}

/// A cell that was played to its end.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub verdict: RunVerdict,
    /// Whether something was left behind.
    pub left: bool,
    /// Whether a secret was found in a file.
    pub leaked: bool,
}

/// How a cell stands that is to be made from `key`, by the texts of its `cell.json` and its `verdict.json`.
///
/// A run that was interrupted or killed, or whose environment broke, says too little to stand; whatever else it came
/// to, a failure or an open question, is an answer, and is not asked for again.
pub fn standing(key: &Key, note: Option<&str>, verdict: Option<&str>) -> Standing {
    let to_play = |why: &str| Standing::ToPlay(Some(why.to_owned()));
    let (note, verdict) = match (note, verdict) {
        (Some(note), Some(verdict)) => (note, verdict),
        (None, None) => return Standing::ToPlay(None),
        (None, Some(_)) | (Some(_), None) => return to_play("it was not played to its end"),
    };
    let Ok(note) = serde_json::from_str::<Note>(note) else {
        return to_play("its cell.json cannot be read");
    };
    if let Some(how) = key.differs(&note.key) {
        return to_play(how);
    }
    let verdict = match verdict_json::from_json(verdict) {
        Ok(verdict) => verdict,
        Err(error) => return Standing::ToPlay(Some(error.to_string())),
    };
    if verdict.broke.is_some() {
        return to_play("its environment broke");
    }
    if verdict.interrupted.is_some() || verdict.torn {
        return to_play("it was not played to its end");
    }
    Standing::Done(Box::new(Done { verdict, left: !note.left.is_empty(), leaked: !note.leaks.is_empty() }))
}
