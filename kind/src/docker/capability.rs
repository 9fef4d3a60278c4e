//! Capabilities: which of them this machine lets anybody have at all.

use std::fs;
use std::io;

/// Their names, by number, as an OCI runtime spec writes them.
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The capabilities that a process and all it starts can ever have: its bounding set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounding {
    held: u64,
    /// The highest number that this kernel knows.
    last: u32,
}

impl Bounding {
    /// Of this process.
    ///
    /// # Errors
    /// `/proc` does not say it.
    pub fn of_this_process() -> io::Result<Self> {
        Self::read("self")
    }

    /// Of another process, as far as it can be seen.
    ///
    /// # Errors
    /// `/proc` does not say it.
    pub fn of(pid: i32) -> io::Result<Self> {
        Self::read(&pid.to_string())
    }

    fn read(pid: &str) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap")?;
        let odd = || io::Error::new(io::ErrorKind::InvalidData, "no CapBnd in a process's status");
        Self::parse(&status, &last).ok_or_else(odd)
    }

    fn parse(status: &str, last: &str) -> Option<Self> {
        let mask = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
        Some(Self { held: u64::from_str_radix(mask.trim(), 16).ok()?, last: last.trim().parse().ok()? })
    }

    /// Whether a capability of this name can be had. Of one that nobody here knows, the kernel is the judge.
    pub fn has(&self, name: &str) -> bool {
        NAMES.iter().position(|known| *known == name).is_none_or(|number| self.held >> number & 1 == 1)
    }

    /// Those that this kernel knows and nobody here can have. While there are any, no privileged container
    /// starts: it asks for all.
    pub fn lacking(&self) -> Vec<&'static str> {
        let known = NAMES.iter().take(self.last as usize + 1);
        known.filter(|name| !self.has(name)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounding(mask: &str, last: &str) -> Bounding {
        Bounding::parse(&format!("Name:\tx\nCapEff:\t0\nCapBnd:\t{mask}\nCapAmb:\t0\n"), last).unwrap()
    }

    #[test]
    fn a_missing_capability_is_named() {
        assert_eq!(bounding("000001fffeffffff", "40\n").lacking(), ["CAP_SYS_RESOURCE"]);
        assert_eq!(bounding("000001ffffffffff", "40\n").lacking(), [""; 0]);
        assert!(!bounding("000001fffeffffff", "40").has("CAP_SYS_RESOURCE"));
        assert!(bounding("0", "40").has("CAP_OF_TOMORROW"));
    }

    #[test]
    fn an_old_kernel_does_not_lack_what_it_does_not_know() {
        assert_eq!(bounding("0000003fffffffff", "37").lacking(), [""; 0]);
        assert_eq!(bounding("0000003fffffffff", "39").lacking(), ["CAP_PERFMON", "CAP_BPF"]);
    }

    #[test]
    fn damage_is_no_set() {
        assert_eq!(Bounding::parse("CapBnd:\tx\n", "40"), None);
        assert_eq!(Bounding::parse("CapEff:\t0\n", "40"), None);
        assert_eq!(Bounding::parse("CapBnd:\t0\n", ""), None);
        assert!(Bounding::of_this_process().is_ok());
    }
}
