//! The catalogue, the language it is written in, the player, and the `handover` program.

pub mod cli;
pub mod explain;
pub mod language;
pub mod matrix;
pub mod play;
pub mod upgrade;
