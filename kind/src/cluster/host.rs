//! What of this machine a cluster's configuration hangs on: detected, never assumed.

use std::fs;

use crate::image::ANSWER;
use crate::tool::{ToolError, Tools};

/// What of this machine a cluster's configuration hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Whether the daemon's containers have cgroup v1.
    pub cgroup_v1: bool,
    /// Whether nobody here may raise limits (`CAP_SYS_RESOURCE`), or prefer a process when memory is short.
    pub bounded: bool,
}

impl Host {
    /// Asks the daemon, and looks at what this process may ever do.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub async fn detect(tools: &Tools) -> Result<Self, ToolError> {
        let words = ["info", "--format", "cgroup={{.CgroupVersion}}"];
        let said = tools.ask("ask for the version of cgroups", words, ANSWER).await?;
        let version = said.lines().find_map(|line| line.strip_prefix("cgroup="));
        let cgroup_v1 = match version.map(str::trim) {
            Some("1") => true,
            Some("2") => false,
            Some(_) | None => {
                let what = "ask for the version of cgroups".to_owned();
                let said = said.trim().to_owned();
                return Err(ToolError::Answer { what, program: "docker".into(), said });
            }
        };
        Ok(Self { cgroup_v1, bounded: bounded(&fs::read_to_string("/proc/self/status").unwrap_or_default()) })
    }
}

/// `CAP_SYS_RESOURCE`, as the kernel counts.
const SYS_RESOURCE: u32 = 24;

/// Whether a process with this status can never have it. Where the status says nothing, nothing is bounded.
fn bounded(status: &str) -> bool {
    let set = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << SYS_RESOURCE) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_capability_is_seen() {
        assert!(!bounded("CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n"));
        assert!(bounded("CapBnd:\t000001fffeffffff\n"));
        assert!(!bounded(""));
    }
}
