//! A layer of an image: files of this machine and texts of ours at their places, written as the same bytes
//! every time. Everything belongs to root and is as old as the epoch.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

/// What lies at which place; paths are relative to the root, without `/` at either end.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    // Sorted: a folder comes before what lies in it.
    places: BTreeMap<String, Place>,
}

#[derive(Clone, Debug)]
enum Place {
    Folder { mode: u32 },
    File { from: PathBuf, mode: u32 },
    Text { text: Vec<u8>, mode: u32 },
    Link { to: PathBuf },
}

const FOLDER: u32 = 0o755;

impl Layer {
    /// A file of this machine, with this mode.
    #[must_use]
    pub fn file(self, place: &str, from: &Path, mode: u32) -> Self {
        self.put(place, Place::File { from: from.to_owned(), mode })
    }

    /// A program of this machine.
    #[must_use]
    pub fn program(self, place: &str, from: &Path) -> Self {
        self.file(place, from, 0o755)
    }

    /// A text, with this mode.
    #[must_use]
    pub fn text(self, place: &str, mode: u32, text: impl Into<Vec<u8>>) -> Self {
        self.put(place, Place::Text { text: text.into(), mode })
    }

    /// A folder, with this mode.
    #[must_use]
    pub fn folder(self, place: &str, mode: u32) -> Self {
        self.put(place, Place::Folder { mode })
    }

    /// A symbolic link.
    #[must_use]
    pub fn link(self, place: &str, to: impl Into<PathBuf>) -> Self {
        self.put(place, Place::Link { to: to.into() })
    }

    /// Everything below a folder of this machine, except for what is left out.
    ///
    /// # Errors
    /// Something below it cannot be read, or is neither file nor folder nor link.
    pub fn tree(mut self, from: &Path, left_out: &dyn Fn(&str) -> bool) -> io::Result<Self> {
        self.walk(from, "", left_out)?;
        Ok(self)
    }

    fn walk(&mut self, dir: &Path, below: &str, left_out: &dyn Fn(&str) -> bool) -> io::Result<()> {
        for item in fs::read_dir(dir)? {
            let item = item?;
            let odd =
                |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{:?} {what}", item.path()));
            let name = item.file_name().into_string().map_err(|_| odd("has a name that is not UTF-8"))?;
            let place = format!("{below}{name}");
            if left_out(&place) {
                continue;
            }
            let (path, meta) = (item.path(), item.metadata()?);
            let mode = meta.permissions().mode() & 0o7777;
            let (kind, folder) = (meta.file_type(), meta.is_dir());
            let what = match () {
                () if folder => Place::Folder { mode },
                () if kind.is_symlink() => Place::Link { to: fs::read_link(&path)? },
                () if kind.is_file() => Place::File { from: path.clone(), mode },
                () => return Err(odd("is neither a file nor a folder nor a link")),
            };
            self.places.insert(place.clone(), what);
            if folder {
                self.walk(&path, &format!("{place}/"), left_out)?;
            }
        }
        Ok(())
    }

    fn put(mut self, place: &str, what: Place) -> Self {
        for (end, _) in place.match_indices('/') {
            self.places.entry(place[..end].to_owned()).or_insert(Place::Folder { mode: FOLDER });
        }
        self.places.insert(place.to_owned(), what);
        self
    }

    /// All that it says, but for the bytes of files of this machine and where they lie there.
    pub(super) fn outline(&self, say: &mut dyn FnMut(&[u8])) {
        for (place, what) in &self.places {
            say(place.as_bytes());
            match what {
                Place::Folder { mode } => say(format!("folder {mode:o}").as_bytes()),
                Place::File { from: _, mode } => say(format!("file {mode:o}").as_bytes()),
                Place::Text { text, mode } => {
                    say(format!("text {mode:o}").as_bytes());
                    say(text);
                }
                Place::Link { to } => say(format!("link {}", to.display()).as_bytes()),
            }
        }
    }

    /// Writes it as a tar file, a multiple of 512 bytes long.
    ///
    /// # Errors
    /// A file cannot be read, or changed its size meanwhile; or it cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut tar = Builder::new(out);
        for (place, what) in &self.places {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{place}: {error}"));
            append(&mut tar, place, what).map_err(named)?;
        }
        tar.finish()
    }
}

fn append(tar: &mut Builder<&mut dyn Write>, place: &str, what: &Place) -> io::Result<()> {
    let header = |kind: EntryType, mode: u32, size: u64| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header
    };
    match what {
        Place::Folder { mode } => {
            tar.append_data(&mut header(EntryType::Directory, *mode, 0), format!("{place}/"), io::empty())
        }
        Place::Link { to } => tar.append_link(&mut header(EntryType::Symlink, 0o777, 0), place, to),
        Place::Text { text, mode } => {
            tar.append_data(&mut header(EntryType::Regular, *mode, text.len() as u64), place, &text[..])
        }
        Place::File { from, mode } => {
            let file = File::open(from)?;
            let size = file.metadata()?.len();
            // Read no more than the header says, and no less: what follows would be taken for headers.
            let mut exactly = Exactly { left: size, file };
            tar.append_data(&mut header(EntryType::Regular, *mode, size), place, &mut exactly)
        }
    }
}

/// A file that has as many bytes as it had when it was opened.
struct Exactly {
    left: u64,
    file: File,
}

impl io::Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..room])?;
        if read == 0 && room > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it shrank while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layer: &Layer) -> Vec<(String, u32)> {
        let mut bytes = Vec::new();
        layer.write(&mut bytes).unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let mut tar = tar::Archive::new(&bytes[..]);
        tar.entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                assert_eq!((entry.header().uid().unwrap(), entry.header().mtime().unwrap()), (0, 0));
                (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_layer_is_the_same_bytes_whatever_the_order() {
        let one = Layer::default().text("usr/bin/b", 0o755, "b").link("usr/bin/a", "b");
        let two = Layer::default().link("usr/bin/a", "b").text("usr/bin/b", 0o755, "b");
        let bytes = |layer: &Layer| {
            let mut bytes = Vec::new();
            layer.write(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(&one), bytes(&two));
        let wanted = [("usr/", 0o755), ("usr/bin/", 0o755), ("usr/bin/a", 0o777), ("usr/bin/b", 0o755)];
        assert_eq!(names(&one), wanted.map(|(name, mode)| (name.to_owned(), mode)));
    }

    #[test]
    fn what_comes_later_takes_the_place() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/x.wants")).unwrap();
        fs::write(dir.path().join("etc/passwd"), "of the packages").unwrap();
        fs::write(dir.path().join("etc/x.wants/unit"), "").unwrap();
        fs::set_permissions(dir.path().join("etc"), fs::Permissions::from_mode(0o700)).unwrap();
        let layer = Layer::default().tree(dir.path(), &|place| place.ends_with(".wants")).unwrap();
        let layer = layer.text("etc/passwd", 0o644, "ours");
        assert_eq!(names(&layer), [("etc/".to_owned(), 0o700), ("etc/passwd".to_owned(), 0o644)]);
        let mut bytes = Vec::new();
        layer.write(&mut bytes).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("ours"));
    }
}
