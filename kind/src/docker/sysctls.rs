//! Settings of the machine that a kubelet changes, container or not: written down before a cluster is made,
//! and put back when nobody has one any more.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use handover_fixtures::cause::chain;
use handover_fixtures::files::write_private;
use serde::{Deserialize, Serialize};

use super::error::DockerError;
use super::own::Place;
use super::{Docker, REMOVAL};
use crate::image::OURS;

/// What a kubelet sets, and to what.
const KUBELET: [(&str, &str); 6] = [
    ("vm.overcommit_memory", "1"),
    ("vm.panic_on_oom", "0"),
    ("kernel.panic", "10"),
    ("kernel.panic_on_oops", "1"),
    ("kernel.keys.root_maxkeys", "1000000"),
    ("kernel.keys.root_maxbytes", "25000000"),
];

/// What Docker, a node's init or a proxy could change besides: looked at, and never touched.
const LOOKED_AT: [&str; 8] = [
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.netfilter.nf_conntrack_max",
    "kernel.core_pattern",
    "kernel.pid_max",
    "kernel.sysrq",
];

/// Values by name.
pub type Sysctls = BTreeMap<String, String>;

/// What was written down; worth nothing after a boot.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    boot: String,
    values: Sysctls,
    /// What a node was made of, whatever it is called: a shell is in it.
    #[serde(default)]
    image: Option<String>,
}

/// All that are there, of those that a cluster could change.
pub fn read() -> Sysctls {
    let names = KUBELET.iter().map(|(name, _)| *name).chain(LOOKED_AT);
    names.filter_map(|name| Some((name.to_owned(), get(name).ok()?))).collect()
}

fn path(name: &str) -> PathBuf {
    ["/proc", "sys"].into_iter().chain(name.split('.')).collect()
}

fn get(name: &str) -> io::Result<String> {
    Ok(fs::read_to_string(path(name))?.trim().to_owned())
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Writes the values down, unless somebody who still has a cluster did.
///
/// # Errors
/// The disk refuses.
pub fn record(place: &Place) -> Result<(), DockerError> {
    if recorded(place).is_some() {
        return Ok(());
    }
    write(place, &Record { boot: boot(), values: read(), image: None })
}

/// Writes down of what image a node is about to be made: it can put the settings back where this user may not.
///
/// # Errors
/// The disk refuses.
pub(crate) fn record_image(place: &Place, image: &str) -> Result<(), DockerError> {
    match recorded(place) {
        Some(record) => write(place, &Record { image: Some(image.to_owned()), ..record }),
        None => Ok(()),
    }
}

fn write(place: &Place, record: &Record) -> Result<(), DockerError> {
    let text = serde_json::to_string_pretty(record).expect("names and values");
    write_private(place.sysctls(), text).map_err(DockerError::disk("write", &place.sysctls()))
}

fn recorded(place: &Place) -> Option<Record> {
    let text = fs::read_to_string(place.sysctls()).ok()?;
    let record: Record = serde_json::from_str(&text).ok()?;
    (record.boot == boot()).then_some(record)
}

/// Puts back what a kubelet changed. Nobody may have a cluster. Where this user may not, the one of these daemons
/// does it that let a kubelet do so. Answers with what was put back: `kernel.panic 10 → 0`.
///
/// # Errors
/// The kernel refuses; what is written down stays.
pub async fn restore(place: &Place, dockers: &[Docker]) -> Result<Vec<String>, DockerError> {
    let Some(before) = recorded(place) else {
        let _ = fs::remove_file(place.sysctls());
        return Ok(Vec::new());
    };
    let changes = changes(&before.values, &read());
    if let Err(error) = put_back(&changes) {
        if !error.is_denial() {
            return Err(error);
        }
        let mut done = Err(error);
        for docker in dockers {
            done = by_container(docker, before.image.as_deref(), &changes).await;
            if done.is_ok() {
                break;
            }
        }
        done?;
    }
    fs::remove_file(place.sysctls()).map_err(DockerError::disk("remove", &place.sysctls()))?;
    Ok(changes.iter().map(|Change { name, was, is }| format!("{name} {is} → {was}")).collect())
}

fn put_back(changes: &[Change]) -> Result<(), DockerError> {
    for Change { name, was, .. } in changes {
        let path = path(name);
        fs::write(&path, was).map_err(DockerError::disk("write", &path))?;
    }
    Ok(())
}

/// Has a container do it, of an image of a node: the one of which the last was made, or any other. It removes itself, whatever becomes of the client.
///
/// # Errors
/// There is no such image any more, or the daemon refuses: what a root has to do.
async fn by_container(docker: &Docker, image: Option<&str>, changes: &[Change]) -> Result<(), DockerError> {
    const SCRIPT: &str = r#"while [ $# -gt 0 ]; do echo "$2" > "$1" || exit 1; shift 2; done"#;
    let found = match image {
        Some(image) => docker.look(&["image", "inspect", "--format", "{{.Id}}", image]).await?,
        None => None,
    };
    let image = match found {
        Some(id) => Some(id.trim().to_owned()),
        None => any_node(docker).await?,
    };
    let done = match &image {
        None => Err("no image of a node is there any more".to_owned()),
        Some(image) => {
            let words = ["run", "--rm", "--privileged", "--network", "none", "--entrypoint", "/usr/bin/bash"];
            let script = [image.as_str(), "-c", SCRIPT, "handover"];
            let each: Vec<String> = changes
                .iter()
                .flat_map(|Change { name, was, .. }| [path(name).display().to_string(), was.clone()])
                .collect();
            let each = each.iter().map(String::as_str);
            let args: Vec<&str> = words.into_iter().chain(script).chain(each).collect();
            docker.ask(&args, REMOVAL).await.map(drop).map_err(|error| chain(&error))
        }
    };
    done.map_err(|why| {
        let each = changes.iter().map(|Change { name, was, .. }| format!("{name}={was}"));
        DockerError::Settings { why, all: each.collect::<Vec<_>>().join(" ") }
    })
}

/// An image of a node, by the names that they have as a rule.
async fn any_node(docker: &Docker) -> Result<Option<String>, DockerError> {
    let ours = format!("reference={OURS}");
    let list = ["image", "ls", "--no-trunc", "--format", "{{.ID}}"];
    let nodes = ["--filter", &ours, "--filter", "reference=kindest/node"];
    let images = docker.table(&[&list[..], &nodes[..]].concat()).await?;
    Ok(images.into_iter().flatten().next())
}

/// A setting that has to be put back.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    was: String,
    is: String,
}

/// What has to be put back: only what a kubelet sets, and only as long as
/// it is what a kubelet sets it to. Whatever else it is by now, somebody else wanted it so.
fn changes(before: &Sysctls, now: &Sysctls) -> Vec<Change> {
    let changed = |(name, set): &(&str, &str)| {
        let (was, is) = (before.get(*name)?.clone(), now.get(*name)?.clone());
        (was != is && is == *set).then(|| Change { name: (*name).to_owned(), was, is })
    };
    KUBELET.iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[(&str, &str)]) -> Sysctls {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_a_kubelet_did_is_put_back() {
        let before = values(&[
            ("vm.overcommit_memory", "0"),
            ("kernel.panic", "0"),
            ("kernel.panic_on_oops", "1"),
            ("net.ipv4.ip_forward", "0"),
        ]);
        let now = values(&[
            ("vm.overcommit_memory", "1"),
            // Somebody else's.
            ("kernel.panic", "60"),
            ("kernel.panic_on_oops", "1"),
            ("net.ipv4.ip_forward", "1"),
            ("kernel.keys.root_maxkeys", "1000000"),
        ]);
        let back = Change { name: "vm.overcommit_memory".into(), was: "0".into(), is: "1".into() };
        assert_eq!(changes(&before, &now), [back]);
        assert_eq!(changes(&now, &now), []);
    }

    #[tokio::test]
    async fn what_is_written_down_is_kept_until_it_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&handover_fixtures::components::Cache::at(dir.path()));
        assert_eq!(restore(&place, &[]).await.unwrap(), [""; 0]);
        let _in_use = place.enter().unwrap();
        record(&place).unwrap();
        let first = fs::read(place.sysctls()).unwrap();
        record(&place).unwrap();
        assert_eq!(fs::read(place.sysctls()).unwrap(), first);
        assert!(read().contains_key("vm.overcommit_memory"));
        assert_eq!(restore(&place, &[]).await.unwrap(), [""; 0]);
        assert!(!place.sysctls().exists());
        // That of an earlier boot means nothing.
        let old = first.to_vec();
        let old = String::from_utf8(old).unwrap().replace(&boot(), "another boot");
        fs::write(place.sysctls(), old.replace("\"0\"", "\"7\"")).unwrap();
        assert_eq!(restore(&place, &[]).await.unwrap(), [""; 0]);
    }
}
