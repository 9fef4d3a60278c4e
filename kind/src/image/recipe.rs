//! All that an image of our own will be, before it is made, and the checksum by which it is found again.

use handover_fixtures::components::ResolvedSet;
use sha2::{Digest, Sha256};

use super::archive::{self, Image, Part};
use super::parts::{self, Versions};
use super::{ImageError, Maker, NodeImage, OURS};

/// An image of our own that may be there or not.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    /// What it is called, and of which versions it is.
    pub(super) image: NodeImage,
    /// The node without its pods' images; it has no name.
    pub(super) node: Image,
    /// The images of its pods.
    pub(super) pods: Vec<Image>,
}

impl Recipe {
    /// What these components make, which blocks while the packages' files are listed.
    pub(super) fn of(set: &ResolvedSet) -> Result<Self, ImageError> {
        let versions = Versions::of(set)?;
        let node = parts::node(set, &versions)?;
        let pods = parts::pods(set, &versions)?;
        let sums = set.iter().map(|part| (part.component.name(), part.sha256.as_str()));
        let key = key(sums, std::iter::once(&node).chain(&pods));
        let name = format!("{OURS}:{}-{key}", versions.kubernetes);
        Ok(Self { image: NodeImage { name, maker: Maker::Ours(versions) }, node, pods })
    }
}

/// Hangs on the bytes of every component, and on all that is said about where they lie and how they start.
fn key<'a>(
    sums: impl Iterator<Item = (&'a str, &'a str)>,
    images: impl Iterator<Item = &'a Image>,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(std::env::consts::ARCH.as_bytes());
    sums.flat_map(|(name, sum)| [name, sum]).for_each(|part| add(part.as_bytes()));
    for Image { name, layers, entrypoint, environment, labels, stop_signal } in images {
        let words = [entrypoint.join("\0"), environment.join("\0"), format!("{labels:?} {stop_signal:?}")];
        add(name.as_bytes());
        words.iter().for_each(|words| add(words.as_bytes()));
        for part in layers {
            match part {
                Part::Layer(layer) => layer.outline(&mut add),
                // Only what is being made has one.
                Part::Tar(_) => {}
            }
        }
    }
    archive::hex(&hash.finalize())[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::layer::Layer;
    use super::*;

    fn of(sums: &[(&'static str, &'static str)], image: &Image) -> String {
        key(sums.iter().copied(), std::iter::once(image))
    }

    #[test]
    fn a_key_hangs_on_every_part_and_on_all_that_is_ours() {
        let sums = [("etcd", "aa"), ("kubelet", "bb")];
        let image = Image::new("a:1", Layer::default().text("etc/unit", 0o644, "start")).starts(["/init"]);
        let one = of(&sums, &image);
        assert_eq!((one.len(), &one), (12, &of(&sums, &image)));
        assert_ne!(one, of(&[("etcd", "aa"), ("kubelet", "bc")], &image));
        assert_ne!(one, of(&[("etcd", "aab"), ("kubelet", "b")], &image));
        let layers = [
            Layer::default().text("etc/unit", 0o644, "stop"),
            Layer::default().text("etc/unit", 0o600, "start"),
            Layer::default().text("etc/units", 0o644, "start"),
            Layer::default().link("etc/unit", "start"),
        ];
        for layer in layers {
            let other = Image { layers: vec![Part::Layer(layer)], ..image.clone() };
            assert_ne!(one, of(&sums, &other), "{other:?}");
        }
        assert_ne!(one, of(&sums, &Image { name: "a:2".into(), ..image.clone() }));
        assert_ne!(one, of(&sums, &image.clone().starts(["/sbin/init"])));
        assert_ne!(one, of(&sums, &Image { stop_signal: Some("SIGINT".into()), ..image }));
    }
}
