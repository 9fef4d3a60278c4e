//! What lies in an image: the files of one program, each where it lies on this host, so that the command line that
//! starts it here starts it there, too.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use handover_fixtures::components::Program;
use handover_fixtures::components::images::Needs;
use handover_fixtures::process::Signal;

use super::ServersError;
use crate::image::archive::Image;
use crate::image::layer::Layer;

/// An image in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// By absolute path.
    pub entries: BTreeMap<PathBuf, Entry>,
    /// The environment of everything that runs in it.
    pub env: BTreeMap<String, String>,
    /// The signal that asks it to end, if that is not SIGTERM.
    pub stop: Option<Signal>,
}

/// One thing in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder with this mode.
    Folder(u32),
    /// What this file of this host holds.
    File(PathBuf),
    /// A link.
    Link(PathBuf),
    /// A small file of ours.
    Text(&'static str),
}

/// Whom a server may run as: MySQL asks for the name `root`, PostgreSQL is `nobody`.
const USERS: &str = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nnogroup:x:65534:\n";

impl Contents {
    /// What every image has.
    fn bare() -> Self {
        let mut bare = Self::default();
        bare.entries.insert("/tmp".into(), Entry::Folder(0o1777));
        bare.entries.insert("/etc/passwd".into(), Entry::Text(USERS));
        bare.entries.insert("/etc/group".into(), Entry::Text(GROUPS));
        bare
    }

    /// A program with all that it is started with. One that has a loader of its own lies in a tree with whatever else
    /// belongs to it; of one that was built for this host, its loader and libraries are taken from the host.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn of(program: &Program) -> Result<Self, ServersError> {
        let mut contents = Self::bare();
        match program.argv0() {
            [_] => contents.add_needs(program.path())?,
            words => contents.add_tree(&common(words))?,
        }
        Ok(contents)
    }

    /// The same with folders that the program does not find by itself, as far as they are there.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn with_trees(mut self, trees: impl IntoIterator<Item = PathBuf>) -> Result<Self, ServersError> {
        for tree in trees.into_iter().filter(|tree| tree.is_dir()) {
            self.add_tree(&tree)?;
        }
        Ok(self)
    }

    /// The same with another file's bytes in place of a file's.
    #[must_use]
    pub fn with_file(mut self, at: &Path, holds: &Path) -> Self {
        self.entries.insert(at.to_owned(), Entry::File(holds.to_owned()));
        self
    }

    /// The image of it.
    ///
    /// # Errors
    /// A file that is not there any more.
    pub fn image(&self, name: &str) -> io::Result<Image> {
        let mut layer = Layer::default();
        for (path, entry) in &self.entries {
            let (place, mode) = (path.to_string_lossy(), entry.mode()?);
            let place = place.trim_start_matches('/');
            layer = match entry {
                Entry::Folder(_) => layer.folder(place, mode),
                Entry::File(file) => layer.file(place, file, mode),
                Entry::Link(target) => layer.link(place, target),
                Entry::Text(text) => layer.text(place, mode, *text),
            };
        }
        let mut image = Image::new(name, layer);
        image.environment.extend(self.env.iter().map(|(name, value)| format!("{name}={value}")));
        image.stop_signal = self.stop.map(|signal| signal.as_raw().to_string());
        Ok(image)
    }

    fn add_needs(&mut self, program: &Path) -> Result<(), ServersError> {
        let needs = Needs::of(program).map_err(ServersError::Program)?;
        self.entries.extend(needs.files.into_iter().map(|(at, real)| (at, Entry::File(real))));
        if !needs.folders.is_empty() {
            let folders: Vec<&OsStr> = needs.folders.iter().map(|folder| folder.as_os_str()).collect();
            let folders = folders.join(OsStr::new(":")).to_string_lossy().into_owned();
            self.env.insert("LD_LIBRARY_PATH".to_owned(), folders);
        }
        Ok(())
    }

    fn add_tree(&mut self, tree: &Path) -> Result<(), ServersError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ServersError::File { path, source }
        };
        for item in fs::read_dir(tree).map_err(failed(tree))? {
            let item = item.map_err(failed(tree))?;
            let (path, kind) = (item.path(), item.file_type().map_err(failed(tree))?);
            if kind.is_dir() {
                self.add_tree(&path)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).map_err(failed(&path))?;
                self.entries.insert(path, Entry::Link(target));
            } else if kind.is_file() {
                self.entries.insert(path.clone(), Entry::File(path));
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The mode that it has in an image: everybody may read everything, whoever made the files here.
    pub fn mode(&self) -> io::Result<u32> {
        Ok(match self {
            Self::Folder(mode) => *mode,
            Self::Link(_) => 0o777,
            Self::Text(_) => 0o644,
            Self::File(path) => match fs::metadata(path)?.permissions().mode() & 0o111 {
                0 => 0o644,
                _ => 0o755,
            },
        })
    }
}

/// The folder that all files of a command line lie in.
fn common(words: &[std::ffi::OsString]) -> PathBuf {
    let paths = words.iter().flat_map(|word| std::env::split_paths(word)).filter(|path| path.is_absolute());
    let shared = |one: PathBuf, other: PathBuf| {
        let same = one.components().zip(other.components()).take_while(|(one, other)| one == other);
        same.map(|(part, _)| part).collect()
    };
    paths.reduce(shared).unwrap_or_else(|| PathBuf::from("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_what_loader_libraries_and_program_have_in_common() {
        let program = Program::loaded(
            Path::new("/c/mysql/usr/lib64/ld.so"),
            &["/c/mysql/usr/lib".into(), "/c/mysql/usr/lib/private".into()],
            Path::new("/c/mysql/usr/sbin/mysqld"),
        );
        assert_eq!(common(program.argv0()), Path::new("/c/mysql/usr"));
    }

    #[test]
    fn a_program_of_a_package_brings_its_tree_and_links_stay_links() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        for folder in ["lib", "bin"] {
            fs::create_dir_all(at(folder)).expect("a folder");
        }
        for file in ["lib/ld.so", "lib/libx.so.1", "bin/server"] {
            fs::write(at(file), file).expect("a file");
        }
        std::os::unix::fs::symlink("libx.so.1", at("lib/libx.so")).expect("a link");
        let program = Program::loaded(&at("lib/ld.so"), &[at("lib")], &at("bin/server"));
        let contents = Contents::of(&program).expect("contents");
        assert_eq!(contents.entries.get(&at("lib/libx.so")), Some(&Entry::Link("libx.so.1".into())));
        assert_eq!(contents.entries.get(&at("bin/server")), Some(&Entry::File(at("bin/server"))));
        assert!(contents.entries.contains_key(Path::new("/tmp")) && contents.env.is_empty());
    }

    #[test]
    fn a_program_of_this_host_brings_its_libraries() {
        let own = std::env::current_exe().expect("a program");
        let contents = Contents::of(&Program::plain(&own)).expect("contents");
        assert!(contents.entries.keys().any(|path| path.to_string_lossy().contains("libc.so")));
        assert!(contents.env.contains_key("LD_LIBRARY_PATH"));
        let other = Path::new("/etc/hostname");
        let contents = contents.with_file(&own, other);
        assert_eq!(contents.entries.get(&own), Some(&Entry::File(other.to_owned())));
    }
}
