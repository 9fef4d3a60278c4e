//! Masking and scanning of files of any size, a window at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Automaton, Cover, Encoding, Hit, Masker, Stretch};

/// How many bytes are looked at together.
const WINDOW: usize = 256 * 1024;

/// A known value in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Which file.
    pub file: PathBuf,
    /// Of the value's first byte, from 0.
    pub offset: u64,
    /// How the value is written there.
    pub encoding: Encoding,
}

/// Why a file could not be masked or scanned.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// The file that may hold secrets cannot be read.
    #[error("cannot read {path} to look for secrets; make it readable, or delete it before it is published")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The masked copy cannot be made.
    #[error("cannot write the masked copy {path}; it must not exist yet, on a disk with free space")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Masker {
    /// Copies a file with every known value masked. The copy is created new, with mode 0600; memory is bounded.
    ///
    /// # Errors
    ///
    /// If `from` cannot be read, or `to` exists or cannot be written. A copy that was begun is then left
    /// as it is: masked as far as it goes.
    pub fn mask_file(&self, from: &Path, to: &Path) -> Result<(), MaskError> {
        let unread = |source| MaskError::Read { path: from.to_owned(), source };
        let unwritten = |source| MaskError::Write { path: to.to_owned(), source };
        let mut source = File::open(from).map_err(unread)?;
        let mut copy =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(unwritten)?;
        let automaton = self.automaton();
        let (mut cover, mut masked) = (Cover::default(), Vec::new());
        let mut windows = Windows::new(automaton.as_deref());
        while let Some(window) = windows.next(&mut source).map_err(unread)? {
            masked.clear();
            cover.write(window.bytes, window.to, &window.stretches, &mut masked);
            copy.write_all(&masked).map_err(unwritten)?;
        }
        Ok(())
    }

    /// Every known value in the regular files of a folder and of all folders in it, by file and offset.
    /// Symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// If a folder or a file cannot be read: what was not looked at is not clean.
    pub fn scan_dir(&self, dir: &Path) -> Result<Vec<Leak>, MaskError> {
        let mut leaks = Vec::new();
        let automaton = self.automaton();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            let unread = |source| MaskError::Read { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(unread)? {
                let entry = entry.map_err(unread)?;
                let kind = entry.file_type().map_err(unread)?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let file = entry.path();
                    let hits = hits(&file, automaton.as_deref())
                        .map_err(|source| MaskError::Read { path: file.clone(), source })?;
                    leaks.extend(hits.into_iter().map(|hit| Leak {
                        file: file.clone(),
                        offset: hit.offset,
                        encoding: hit.encoding,
                    }));
                }
            }
        }
        leaks.sort_unstable();
        Ok(leaks)
    }
}

fn hits(path: &Path, automaton: Option<&Automaton>) -> io::Result<Vec<Hit>> {
    let mut file = File::open(path)?;
    let mut windows = Windows::new(automaton);
    let mut hits = Vec::new();
    while let Some(window) = windows.next(&mut file)? {
        hits.extend(window.stretches.iter().map(|found| found.hit(window.base)));
    }
    Ok(hits)
}

/// Cuts a stream into windows that overlap, so that no match is lost at a cut.
struct Windows<'a> {
    automaton: Option<&'a Automaton>,
    buffer: Vec<u8>,
    /// Of the buffer's first byte in the stream.
    base: u64,
    /// How much of the buffer has been dealt with.
    done: usize,
    ended: bool,
}

/// Some bytes, and the matches that begin before `to`; the bytes from `to` on come again.
struct Window<'a> {
    bytes: &'a [u8],
    to: usize,
    base: u64,
    stretches: Vec<Stretch>,
}

impl<'a> Windows<'a> {
    fn new(automaton: Option<&'a Automaton>) -> Self {
        Self { automaton, buffer: Vec::new(), base: 0, done: 0, ended: false }
    }

    /// The next window; none at the end.
    fn next(&mut self, from: &mut impl Read) -> io::Result<Option<Window<'_>>> {
        if self.ended {
            return Ok(None);
        }
        self.buffer.drain(..self.done);
        self.base += self.done as u64;
        // A match that begins later than this before the end may go on in what is not read yet.
        let overlap = self.automaton.map_or(0, |automaton| automaton.longest.saturating_sub(1));
        let wanted = WINDOW + overlap - self.buffer.len();
        let got = from.take(wanted as u64).read_to_end(&mut self.buffer)?;
        self.ended = got < wanted;
        let to = if self.ended { self.buffer.len() } else { self.buffer.len() - overlap };
        self.done = to;
        let mut stretches =
            self.automaton.map_or_else(Vec::new, |automaton| automaton.stretches(&self.buffer));
        stretches.retain(|stretch| stretch.start < to);
        Ok(Some(Window { bytes: &self.buffer, to, base: self.base, stretches }))
    }
}
