//! The kind plane: a real cluster in a container of this machine, and the same servers as pods on it.
//!
//! Bottom up: [`docker`] finds or starts a daemon, [`image`] makes the image of a node, [`cluster`] makes a
//! cluster of it and removes it, [`servers`] puts the servers on it, and [`plane`] is what scenarios see of that.
//! [`provision`] is what all of it takes; [`own`] is the way from nothing to the cluster of one run, and back, and [`kept`]
//! keeps one.
//!
//! What Docker is also good for without a cluster, single servers on the embedded plane, is in [`contained`].

pub mod cluster;
pub mod contained;
pub mod docker;
pub mod image;
pub mod kept;
pub mod own;
pub mod plane;
pub mod provision;
pub mod servers;
