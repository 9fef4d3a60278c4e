//! The servers as pods.
