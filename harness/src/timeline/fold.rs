//! From a run's file to its timeline.

use std::io::BufRead;

use serde::Deserialize;

use super::Timeline;
use crate::event::{Event, FORMAT, Header};

/// Why a file of events cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    /// Not a single line.
    #[error("the file of events is empty: the run ended before it began; play it again")]
    Empty,
    /// The first line is not a header.
    #[error(
        "line 1 is not the header of a file of events ({why}); give the events.jsonl of a run, as it was written"
    )]
    Header {
        /// What is wrong with it.
        why: String,
    },
    /// Another format.
    #[error(
        "line 1 says format {found}, and this program reads format {FORMAT}; judge it with the version of handover that wrote it, or play it again"
    )]
    Format {
        /// The format that the file says it has.
        found: u64,
    },
    /// A line that is no event.
    #[error(
        "line {line} is not an event ({why}); the file was changed after it was written, or by another version of handover: take the original, or play it again"
    )]
    Line {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be read.
    #[error("line {line} cannot be read: {error}")]
    Read {
        /// Which line, from 1.
        line: u64,
        /// Why.
        error: std::io::Error,
    },
}

/// The timeline of a file of events. A last line that was cut off is left out, and the timeline says so:
/// that is how a killed run looks.
pub fn fold(mut lines: impl BufRead) -> Result<Timeline, Damaged> {
    let mut text = Vec::new();
    let mut line = 1;
    let mut read = |text: &mut Vec<u8>, line| {
        text.clear();
        lines.read_until(b'\n', text).map_err(|error| Damaged::Read { line, error })
    };
    if read(&mut text, line)? == 0 {
        return Err(Damaged::Empty);
    }
    let mut timeline = Timeline::new(header(&text)?);
    loop {
        line += 1;
        if read(&mut text, line)? == 0 {
            return Ok(timeline);
        }
        match event(&text, line - 1) {
            Ok(event) => timeline.absorb(&event),
            // Lines are written whole: without its end, it is the one that was being written.
            Err(_) if !text.ends_with(b"\n") => {
                timeline.torn = true;
                return Ok(timeline);
            }
            Err(why) => return Err(Damaged::Line { line, why }),
        }
    }
}

/// The first line. Its format is looked at before anything else, because nothing else may be as expected.
fn header(text: &[u8]) -> Result<Header, Damaged> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u64,
    }
    let wrong = |error: serde_json::Error| Damaged::Header { why: error.to_string() };
    let Versioned { format } = serde_json::from_slice(text).map_err(wrong)?;
    if format != u64::from(FORMAT) {
        return Err(Damaged::Format { found: format });
    }
    serde_json::from_slice(text).map_err(wrong)
}

/// One more line, which must be this event: a missing or doubled line is as bad as a changed one.
fn event(text: &[u8], seq: u64) -> Result<Event, String> {
    let event: Event = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if event.seq == seq { Ok(event) } else { Err(format!("it says seq {}, its place is {seq}", event.seq)) }
}
