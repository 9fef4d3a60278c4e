//! What a container is to be, written down for whoever stands before it: on its command line is only where.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use handover_fixtures::files::write_private;
use serde::{Deserialize, Serialize};

/// The container of a server. What it is started with, and where it works, is said when it is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// The daemon: `unix:///…`.
    pub(super) host: String,
    /// The image, as people call it.
    pub(super) image: String,
    /// What the daemon knows it by: `sha256:…`.
    pub(super) id: String,
    /// What it is: `mysql`.
    pub(super) component: String,
    /// The name of the run.
    pub(super) name: String,
    /// What its containers carry.
    pub(super) labels: BTreeMap<String, String>,
    /// The directory of the run, which a container sees where it is here.
    pub(super) run: PathBuf,
}

impl Order {
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        write_private(path, serde_json::to_vec_pretty(self)?)
    }

    #[cfg_attr(
        not(feature = "containers"),
        expect(dead_code, reason = "only who starts containers reads it")
    )]
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}
