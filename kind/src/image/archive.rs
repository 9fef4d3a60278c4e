//! Images as one file, in the format that `docker load`, `kind load image-archive` and `ctr images import`
//! all read: the layers, a configuration for each image, and a list of the images.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::layer::Layer;

/// An image: what it consists of and how it is started.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// What it is called: `localhost/handover/etcd:3.6.8`.
    pub name: String,
    /// What it consists of, lowest first.
    pub layers: Vec<Part>,
    /// What is started.
    pub entrypoint: Vec<String>,
    /// Its environment: `PATH=/bin`.
    pub environment: Vec<String>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// The signal that stops it, if it is not SIGTERM.
    pub stop_signal: Option<String>,
}

/// A layer of an image.
#[derive(Clone, Debug)]
pub enum Part {
    /// Files at their places.
    Layer(Layer),
    /// A tar file that is there already.
    Tar(PathBuf),
}

/// The path on which programs of an image are looked for.
pub const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Image {
    /// An image of one layer.
    pub fn new(name: impl Into<String>, layer: Layer) -> Self {
        let environment = vec![PATH.to_owned()];
        Self { name: name.into(), layers: vec![Part::Layer(layer)], environment, ..Self::default() }
    }

    /// The same with a command line.
    #[must_use]
    pub fn starts<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        Self { entrypoint: words.into_iter().map(str::to_owned).collect(), ..self }
    }

    /// What the image says of itself.
    fn configuration(&self, diffs: &[String]) -> Value {
        let labels: serde_json::Map<_, _> =
            self.labels.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let mut config = json!({
            "Entrypoint": self.entrypoint,
            "Env": self.environment,
            "Labels": labels,
        });
        if let Some(signal) = &self.stop_signal {
            config["StopSignal"] = signal.as_str().into();
        }
        json!({
            "architecture": architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": config,
            "rootfs": { "type": "layers", "diff_ids": diffs },
        })
    }
}

/// This machine's kind of processor, as images call it.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Part {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Layer(layer) => layer.write(out),
            Self::Tar(path) => io::copy(&mut File::open(path)?, out).map(drop),
        }
    }
}

/// Writes images into the file `path`, which blocks for as long as their layers are read, twice.
///
/// # Errors
/// A layer cannot be read, or the file cannot be written.
pub fn write(path: &Path, images: &[Image]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut list = Vec::new();
    for image in images {
        let (mut diffs, mut names) = (Vec::new(), Vec::new());
        for part in &image.layers {
            // Once for its checksum and length, once for its bytes: both stand before them.
            let mut sum = Sum::default();
            part.write(&mut sum)?;
            let (hex, length) = (hex(&sum.hash.finalize()), sum.length);
            let name = format!("{hex}.tar");
            header(&mut out, &name, length)?;
            part.write(&mut out)?;
            pad(&mut out, length)?;
            diffs.push(format!("sha256:{hex}"));
            names.push(name);
        }
        let config = serde_json::to_vec(&image.configuration(&diffs))?;
        let name = format!("{}.json", hex(&Sha256::digest(&config)));
        file(&mut out, &name, &config)?;
        list.push(json!({ "Config": name, "RepoTags": [image.name], "Layers": names }));
    }
    file(&mut out, "manifest.json", &serde_json::to_vec(&list)?)?;
    // A tar file ends with two empty blocks.
    out.write_all(&[0; 1024])?;
    out.flush()
}

fn file(out: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    header(out, name, bytes.len() as u64)?;
    out.write_all(bytes)?;
    pad(out, bytes.len() as u64)
}

fn header(out: &mut impl Write, name: &str, length: u64) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_mode(0o644);
    header.set_size(length);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    out.write_all(header.as_bytes())
}

fn pad(out: &mut impl Write, length: u64) -> io::Result<()> {
    const BLOCK: [u8; 512] = [0; 512];
    let over = usize::try_from(length % 512).expect("less than 512");
    out.write_all(&BLOCK[..(512 - over) % 512])
}

/// The checksum and the length of what is written.
#[derive(Default)]
struct Sum {
    hash: Sha256,
    length: u64,
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    #[test]
    fn an_archive_names_its_images_and_the_checksums_of_their_layers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images.tar");
        let layer = Layer::default().text("usr/local/bin/etcd", 0o755, "x".repeat(700));
        let etcd = Image::new("localhost/handover/etcd:3", layer.clone()).starts(["etcd", "-v"]);
        let other = Image { stop_signal: Some("SIGRTMIN+3".into()), ..Image::new("node:1", layer) };
        write(&path, &[etcd, other]).unwrap();

        let mut files = BTreeMap::new();
        let mut tar = tar::Archive::new(File::open(&path).unwrap());
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
        let list: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        assert_eq!(list[0]["RepoTags"][0], "localhost/handover/etcd:3");
        let read = |index: usize| -> Value {
            serde_json::from_slice(&files[list[index]["Config"].as_str().unwrap()]).unwrap()
        };
        let layer = list[0]["Layers"][0].as_str().unwrap();
        let sum = format!("sha256:{}", hex(&Sha256::digest(&files[layer])));
        assert_eq!(read(0)["rootfs"]["diff_ids"][0], sum);
        assert_eq!(read(0)["config"]["Entrypoint"][0], "etcd");
        assert_eq!(read(0)["config"].get("StopSignal"), None);
        assert_eq!(read(1)["config"]["StopSignal"], "SIGRTMIN+3");
    }
}
