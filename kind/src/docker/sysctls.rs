//! Settings of the machine that a kubelet changes, container or not: written down before a cluster is made,
//! and put back when nobody has one any more.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::DockerError;
use super::own::{Place, write_whole};

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
    let record = Record { boot: boot(), values: read() };
    let text = serde_json::to_string_pretty(&record).expect("names and values");
    write_whole(&place.sysctls(), &text, 0o600)
}

fn recorded(place: &Place) -> Option<Sysctls> {
    let text = fs::read_to_string(place.sysctls()).ok()?;
    let record: Record = serde_json::from_str(&text).ok()?;
    (record.boot == boot()).then_some(record.values)
}

/// Puts back what a kubelet changed. Nobody may have a cluster. Answers with what was put back:
/// `kernel.panic 10 → 0`.
///
/// # Errors
/// The kernel refuses; what is written down stays.
pub fn restore(place: &Place) -> Result<Vec<String>, DockerError> {
    let Some(before) = recorded(place) else {
        let _ = fs::remove_file(place.sysctls());
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    for (name, was, now) in changes(&before, &read()) {
        let path = path(&name);
        fs::write(&path, &was).map_err(DockerError::disk("write", &path))?;
        told.push(format!("{name} {now} → {was}"));
    }
    fs::remove_file(place.sysctls()).map_err(DockerError::disk("remove", &place.sysctls()))?;
    Ok(told)
}

/// Name, value before and value now of what has to be put back: only what a kubelet sets, and only as long as
/// it is what a kubelet sets it to. Whatever else it is by now, somebody else wanted it so.
fn changes(before: &Sysctls, now: &Sysctls) -> Vec<(String, String, String)> {
    let changed = |(name, set): &(&str, &str)| {
        let (was, is) = (before.get(*name)?, now.get(*name)?);
        (was != is && is == set).then(|| ((*name).to_owned(), was.clone(), is.clone()))
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
        let back = ("vm.overcommit_memory".to_owned(), "0".to_owned(), "1".to_owned());
        assert_eq!(changes(&before, &now), [back]);
        assert_eq!(changes(&now, &now), []);
    }

    #[test]
    fn what_is_written_down_is_kept_until_it_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&handover_fixtures::components::Cache::at(dir.path()));
        assert_eq!(restore(&place).unwrap(), [""; 0]);
        let _in_use = place.enter().unwrap();
        record(&place).unwrap();
        let first = fs::read(place.sysctls()).unwrap();
        record(&place).unwrap();
        assert_eq!(fs::read(place.sysctls()).unwrap(), first);
        assert!(read().contains_key("vm.overcommit_memory"));
        assert_eq!(restore(&place).unwrap(), [""; 0]);
        assert!(!place.sysctls().exists());
        // That of an earlier boot means nothing.
        let old = first.to_vec();
        let old = String::from_utf8(old).unwrap().replace(&boot(), "another boot");
        fs::write(place.sysctls(), old.replace("\"0\"", "\"7\"")).unwrap();
        assert_eq!(restore(&place).unwrap(), [""; 0]);
    }
}
