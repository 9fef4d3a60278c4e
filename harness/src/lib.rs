//! What a rotation is, how it is watched and how it is judged.
//!
//! Knows no server, no process and no cluster. Events go in through the [`recorder`], a
//! [`timeline`] is folded from the file that it wrote, and the [`judge`] turns that timeline into a
//! [`verdict`], purely.

pub mod clock;
pub mod compare;
pub mod event;
pub mod extract;
pub mod fingerprint;
pub mod judge;
pub mod mask;
pub mod plan;
pub mod probe;
pub mod recorder;
pub mod secret;
pub mod timeline;
pub mod verdict;
pub mod wait;
