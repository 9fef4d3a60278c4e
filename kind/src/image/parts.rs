//! What a node's own system and its pods' images consist of: the files of the components, and the few that are
//! ours. Nothing here starts anything but the loader that is asked for a program's libraries.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use handover_fixtures::components::{Component, ResolvedSet};

use super::ImageError;
use super::archive::{self, Image};
use super::layer::Layer;

/// What the images of a node's pods are called below; there is no registry of that name.
pub(crate) const REPOSITORY: &str = "localhost/handover";
/// kubeadm reads etcd's version out of the tag, and wants a release number of the image at its end.
const ETCD_RELEASE: &str = "-0";
/// What a pod's sandbox runs; its version is that of the node's packages.
const PAUSE: &str = "localhost/handover/pause:1";

const ENTRYPOINT: &str = include_str!("files/entrypoint");
const FILL: &str = include_str!("files/fill");
const CONTAINERD: &str = include_str!("files/containerd.toml");
const KUBELET: &str = include_str!("files/kubelet.service");
const NETWORK: &str = include_str!("files/network.conflist");
const CRICTL: &str = include_str!("files/crictl");
const COREDNS: &str = include_str!("files/coredns.yaml");

/// Where the program that fills containerd's store lies on a node.
pub(super) const FILLER: &str = "/usr/local/lib/handover/fill";
/// What a container of the image starts.
const STARTS: [&str; 2] = ["/usr/local/bin/entrypoint", "/sbin/init"];
/// What ends systemd in an orderly way.
const STOP_SIGNAL: &str = "SIGRTMIN+3";

/// Which units start with a node: nothing but these, whatever the packages would have.
const UNITS: [(&str, &str); 5] = [
    ("sockets.target.wants", "systemd-journald.socket"),
    ("sockets.target.wants", "systemd-journald-dev-log.socket"),
    ("sysinit.target.wants", "systemd-tmpfiles-setup.service"),
    ("multi-user.target.wants", "containerd.service"),
    ("multi-user.target.wants", "kubelet.service"),
];

/// The versions that a node made of these components has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Of Kubernetes, with its `v`.
    pub kubernetes: String,
    /// The tag of etcd's image.
    pub etcd: String,
    /// Of CoreDNS, with its `v`.
    pub coredns: String,
}

impl Versions {
    pub(super) fn of(set: &ResolvedSet) -> Result<Self, ImageError> {
        let version = |component| {
            let version = set.require(component)?.version.as_str();
            let number = number(version).map(str::to_owned);
            number.ok_or_else(|| ImageError::Version { component, version: version.to_owned() })
        };
        for component in KUBERNETES {
            version(component)?;
        }
        one_kubernetes(set.iter().map(|part| (part.component, part.version.as_str())))?;
        let kubernetes = version(Component::Kubelet)?;
        Ok(Self {
            kubernetes: format!("v{kubernetes}"),
            etcd: format!("{}{ETCD_RELEASE}", version(Component::Etcd)?),
            coredns: format!("v{}", version(Component::Coredns)?),
        })
    }
}

/// The parts that have to be of one version.
pub(super) const KUBERNETES: [Component; 6] = [
    Component::Kubelet,
    Component::Kubeadm,
    Component::KubeApiserver,
    Component::KubeControllerManager,
    Component::KubeScheduler,
    Component::KubeProxy,
];

/// That they are, of those whose version can be read.
pub(super) fn one_kubernetes<'v>(
    versions: impl Iterator<Item = (Component, &'v str)>,
) -> Result<(), ImageError> {
    let known: BTreeMap<Component, &str> =
        versions.filter_map(|(component, version)| Some((component, number(version)?))).collect();
    let Some(kubelet) = known.get(&Component::Kubelet) else { return Ok(()) };
    let other =
        known.iter().find(|(component, version)| KUBERNETES.contains(component) && *version != kubelet);
    match other {
        None => Ok(()),
        Some((component, version)) => Err(ImageError::Mixed {
            component: *component,
            version: (*version).to_owned(),
            kubelet: (*kubelet).to_owned(),
        }),
    }
}

/// A version without its `v`, if it has three numbers: kind and kubeadm choose by them.
fn number(version: &str) -> Option<&str> {
    let number = version.strip_prefix('v').unwrap_or(version);
    let mut parts = number.splitn(3, '.');
    let whole = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (major, minor, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let patch = rest.split(['-', '+']).next()?;
    [major, minor, patch].into_iter().all(whole).then_some(number)
}

/// A node without the images of its pods, and how it starts and stops.
pub(super) fn node(set: &ResolvedSet, versions: &Versions) -> Result<Image, ImageError> {
    let image = Image::new("", system(set, versions)?).starts(STARTS);
    let environment = vec![archive::PATH.to_owned(), "container=docker".to_owned()];
    Ok(Image { environment, stop_signal: Some(STOP_SIGNAL.to_owned()), ..image })
}

/// A node's own system: the packages' files, what their scripts would have made of them, Kubernetes' programs
/// and our units.
fn system(set: &ResolvedSet, versions: &Versions) -> Result<Layer, ImageError> {
    let root = set.require(Component::NodeRoot)?.path();
    let packages = |source| ImageError::Packages { root: root.to_owned(), source };
    let read = |place: &str| fs::read(root.join(place)).map_err(packages);
    // What would start by itself is listed above.
    let units = |place: &str| place.starts_with("usr/lib/systemd/") && place.ends_with(".wants");
    let mut layer = Layer::default().tree(root, &units).map_err(packages)?;

    layer = layer
        .text("etc/passwd", 0o644, read("usr/share/base-passwd/passwd.master")?)
        .text("etc/group", 0o644, read("usr/share/base-passwd/group.master")?)
        .text("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")
        .text("etc/ssl/certs/ca-certificates.crt", 0o644, authorities(root).map_err(packages)?);
    for name in ["iptables", "ip6tables"] {
        for suffix in ["", "-save", "-restore"] {
            layer = layer.link(&format!("usr/sbin/{name}{suffix}"), "xtables-nft-multi");
        }
    }
    for component in [Component::Kubelet, Component::Kubeadm, Component::Kubectl] {
        layer = layer.program(&format!("usr/bin/{component}"), set.require(component)?.path());
    }
    for (target, unit) in UNITS {
        let place = format!("etc/systemd/system/{target}/{unit}");
        layer = layer.link(&place, format!("/usr/lib/systemd/system/{unit}"));
    }
    // One shell will do.
    layer = layer.link("usr/bin/sh", "bash");
    let coredns = image_name("coredns", &versions.coredns);
    Ok(layer
        .link("etc/systemd/system/default.target", "/usr/lib/systemd/system/multi-user.target")
        // The host's own log is none of a node's business.
        .text("etc/systemd/journald.conf", 0o644, "[Journal]\nReadKMsg=no\n")
        .text("usr/lib/systemd/system/kubelet.service", 0o644, KUBELET)
        .text("etc/containerd/config.toml", 0o644, CONTAINERD.replace("@PAUSE@", PAUSE))
        .text("etc/cni/net.d/10-handover.conflist", 0o644, NETWORK)
        .text("usr/local/bin/entrypoint", 0o755, ENTRYPOINT)
        .text("usr/local/bin/crictl", 0o755, CRICTL)
        .text(&FILLER[1..], 0o755, FILL)
        .text("kind/version", 0o644, format!("{}\n", versions.kubernetes))
        // What kind applies as the network of a cluster; here that lies on the node, and lacks names only.
        .text("kind/manifests/default-cni.yaml", 0o644, COREDNS.replace("@COREDNS@", &coredns)))
}

/// The certificates of the authorities that a node believes, one after the other.
fn authorities(root: &Path) -> io::Result<Vec<u8>> {
    let folder = root.join("usr/share/ca-certificates/mozilla");
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|item| item.map(|item| item.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.extension() == Some(OsStr::new("crt"))) {
        all.extend(fs::read(file)?);
    }
    Ok(all)
}

fn image_name(name: &str, tag: &str) -> String {
    format!("{REPOSITORY}/{name}:{tag}")
}

/// The images of the pods that make a cluster of a node.
pub(super) fn pods(set: &ResolvedSet, versions: &Versions) -> Result<Vec<Image>, ImageError> {
    let mut images = Vec::new();
    for component in [
        Component::Etcd,
        Component::KubeApiserver,
        Component::KubeControllerManager,
        Component::KubeScheduler,
        Component::Coredns,
    ] {
        let tag = match component {
            Component::Etcd => &versions.etcd,
            Component::Coredns => &versions.coredns,
            _ => &versions.kubernetes,
        };
        let program = format!("usr/local/bin/{component}");
        let layer = Layer::default().program(&program, set.require(component)?.path());
        let image = Image::new(image_name(component.name(), tag), layer);
        images.push(image.starts([format!("/{program}").as_str()]));
    }
    let root = set.require(Component::NodeRoot)?.path();
    images.push(proxy(set.require(Component::KubeProxy)?.path(), root, versions)?);
    let pause = Layer::default().program("catatonit", &root.join("usr/bin/catatonit"));
    images.push(Image::new(PAUSE, pause).starts(["/catatonit", "-P"]));
    Ok(images)
}

/// kube-proxy writes its rules by `nft`, which needs libraries.
fn proxy(program: &Path, root: &Path, versions: &Versions) -> Result<Image, ImageError> {
    const NFT: &str = "usr/sbin/nft";
    let mut layer =
        Layer::default().program("usr/local/bin/kube-proxy", program).program(NFT, &root.join(NFT));
    for (place, library) in libraries(root, NFT)? {
        layer = layer.program(&place, &library);
    }
    Ok(Image::new(image_name("kube-proxy", &versions.kubernetes), layer)
        .starts(["/usr/local/bin/kube-proxy"]))
}

/// The loader of this processor's programs.
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// What a program of the packages is loaded with: places in an image, and the files.
fn libraries(root: &Path, program: &str) -> Result<Vec<(String, PathBuf)>, ImageError> {
    let loader = root.join("usr").join(LOADER);
    let failed = |why: String| ImageError::Loader { program: root.join(program), why };
    let answer = Command::new(&loader)
        .env_clear()
        .arg("--library-path")
        .arg(root.join(LIBRARIES))
        .arg("--list")
        .arg(root.join(program))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !answer.status.success() {
        return Err(failed(String::from_utf8_lossy(&answer.stderr).trim().to_owned()));
    }
    let listed = listed(&String::from_utf8_lossy(&answer.stdout)).map_err(failed)?;
    let mut all = vec![(LOADER.to_owned(), loader)];
    all.extend(listed.into_iter().map(|(name, path)| (format!("{LIBRARIES}/{name}"), path)));
    Ok(all)
}

/// Reads a loader's list: `libm.so.6 => /root/usr/lib/…/libm.so.6 (0x…)`, one a line.
fn listed(text: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let mut all = Vec::new();
    for line in text.lines() {
        // What stands there without an arrow is the kernel's own, or the loader.
        let Some((name, found)) = line.trim().split_once(" => ") else { continue };
        let path = found.rsplit_once(" (").map_or(found, |(path, _)| path);
        if !path.starts_with('/') {
            return Err(format!("{name} is {found}"));
        }
        if !name.starts_with('/') {
            all.push((name.to_owned(), PathBuf::from(path)));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_numbers() {
        for (version, read) in
            [("v1.36.3", "1.36.3"), ("3.6.8", "3.6.8"), ("v1.36.0-rc.1+x", "1.36.0-rc.1+x")]
        {
            assert_eq!(number(version), Some(read));
        }
        for none in ["", "unknown", "v1", "v1.36", "v1.36.x", "v1..3", "of the image"] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn a_loaders_list_is_read() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibnftables.so.1 => /r/usr/lib/libnftables.so.1 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 => /r/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let wanted = [("libnftables.so.1".to_owned(), PathBuf::from("/r/usr/lib/libnftables.so.1"))];
        assert_eq!(listed(text).unwrap(), wanted);
        let gone = listed("\tlibmnl.so.0 => not found\n").unwrap_err();
        assert_eq!(gone, "libmnl.so.0 is not found");
    }
}
