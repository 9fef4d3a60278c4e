//! The archive of an image, as `docker save` writes it and `ctr images import` reads it: one layer, its
//! configuration, and a list of both.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::contents::{Contents, Entry};

/// Writes the archive of an image that is called `reference`. The same contents make the same archive.
pub fn write(contents: &Contents, reference: &str, into: &Path) -> io::Result<()> {
    let mut layer = tempfile::tempfile_in(into.parent().unwrap_or(Path::new(".")))?;
    write_layer(contents, &mut layer)?;
    let (digest, size) = digest(&mut layer)?;
    let env: Vec<String> = contents.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {"Env": env},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let list =
        json!([{"Config": "config.json", "RepoTags": [reference], "Layers": [format!("{digest}.tar")]}]);
    let mut archive = tar::Builder::new(BufWriter::new(File::create(into)?));
    for (name, text) in [("config.json", config.to_string()), ("manifest.json", list.to_string())] {
        archive.append_data(&mut head(0o644, text.len() as u64), name, text.as_bytes())?;
    }
    archive.append_data(&mut head(0o644, size), format!("{digest}.tar"), &mut layer)?;
    archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
}

/// What no image has to know: whose a file is here, and since when.
fn head(mode: u32, size: u64) -> tar::Header {
    let mut head = tar::Header::new_gnu();
    head.set_mode(mode);
    head.set_size(size);
    head.set_uid(0);
    head.set_gid(0);
    head.set_mtime(0);
    head
}

fn write_layer(contents: &Contents, into: &mut File) -> io::Result<()> {
    let mut layer = tar::Builder::new(BufWriter::new(into));
    let above: BTreeSet<PathBuf> = contents
        .entries
        .keys()
        .flat_map(|path| path.ancestors().skip(1))
        .filter(|folder| folder.parent().is_some() && !contents.entries.contains_key(*folder))
        .map(Path::to_owned)
        .collect();
    for folder in above {
        append(&mut layer, &folder, &Entry::Folder(0o755))?;
    }
    for (path, entry) in &contents.entries {
        append(&mut layer, path, entry)?;
    }
    layer.into_inner()?.flush()
}

fn append<W: Write>(layer: &mut tar::Builder<W>, path: &Path, entry: &Entry) -> io::Result<()> {
    let name = path.strip_prefix("/").unwrap_or(path);
    let mode = entry.mode()?;
    match entry {
        Entry::Folder(_) => {
            let mut head = head(mode, 0);
            head.set_entry_type(tar::EntryType::Directory);
            layer.append_data(&mut head, name, io::empty())
        }
        Entry::Link(target) => {
            let mut head = head(mode, 0);
            head.set_entry_type(tar::EntryType::Symlink);
            layer.append_link(&mut head, name, target)
        }
        Entry::Text(text) => layer.append_data(&mut head(mode, text.len() as u64), name, text.as_bytes()),
        Entry::File(file) => {
            let file = File::open(file)?;
            let size = file.metadata()?.len();
            layer.append_data(&mut head(mode, size), name, file)
        }
    }
}

/// The checksum and the size of a whole file, which is left at its begin.
fn digest(file: &mut File) -> io::Result<(String, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut hash, mut size, mut chunk) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => {
                hash.update(&chunk[..read]);
                size += read as u64;
            }
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    fn contents(dir: &Path) -> Contents {
        let program = dir.join("server");
        std::fs::write(&program, "program").expect("a file");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        let entries = [
            (PathBuf::from("/opt/a/server"), Entry::File(program)),
            ("/opt/a/alias".into(), Entry::Link("server".into())),
            ("/tmp".into(), Entry::Folder(0o1777)),
            ("/etc/passwd".into(), Entry::Text("root:x:0:0::/:\n")),
        ];
        Contents { entries: entries.into(), env: BTreeMap::from([("A".to_owned(), "b".to_owned())]) }
    }

    fn entries(archive: impl Read) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().expect("an archive").map(|entry| {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a name").display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("bytes");
            (name, (entry.header().mode().expect("a mode"), bytes))
        });
        entries.collect()
    }

    #[test]
    fn an_archive_holds_one_layer_that_is_what_its_configuration_says() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("image.tar");
        write(&contents(dir.path()), "handover.dev/server:1", &path).expect("an archive");
        let outer = entries(File::open(&path).expect("a file"));
        let list: serde_json::Value = serde_json::from_slice(&outer["manifest.json"].1).expect("a list");
        assert_eq!(list[0]["RepoTags"], json!(["handover.dev/server:1"]));
        let layer = &outer[list[0]["Layers"][0].as_str().expect("a name")].1;
        let config: serde_json::Value =
            serde_json::from_slice(&outer["config.json"].1).expect("a configuration");
        let hash: String = Sha256::digest(layer).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(config["rootfs"]["diff_ids"], json!([format!("sha256:{hash}")]));
        assert_eq!(config["config"]["Env"], json!(["A=b"]));
        let inner = entries(&layer[..]);
        assert_eq!(inner["opt/a/server"], (0o755, b"program".to_vec()), "everybody may run it");
        assert_eq!(inner["tmp"].0, 0o1777);
        assert_eq!(inner["opt/a"].0, 0o755);
        assert_eq!(inner["etc/passwd"].0, 0o644);
        assert!(inner.contains_key("opt/a/alias"));
    }

    #[test]
    fn the_same_contents_make_the_same_archive() {
        let dir = tempfile::tempdir().expect("a directory");
        let archive = |name: &str| {
            let path = dir.path().join(name);
            write(&contents(dir.path()), "handover.dev/server:1", &path).expect("an archive");
            std::fs::read(path).expect("bytes")
        };
        assert_eq!(archive("one"), archive("two"));
    }
}
