//! `handover matrix`: the same scenarios on many versions and planes. From a file to the cells that are played, and
//! from what lies in a cell's directory to whether it has to be.
//!
//! What the cells come to is summed up by `reports`; here nothing is started.

mod key;
mod plane;
mod read;
mod standing;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use handover_fixtures::components::{Component, Override, Request};
use handover_reports::matrix::Asked;

use crate::language::{Problems, Scenario};
use crate::play::releases::beside;

pub use key::Key;
pub use plane::plane;
pub use read::read;
pub use standing::{Done, FILES, Note, Standing, standing};

/// A file, read: what is played, and where.
#[derive(Debug)]
pub struct Grid {
    /// What it is about.
    pub title: String,
    /// What is played in each cell.
    pub scenarios: Vec<Scenario>,
    /// The cells, in the order in which they are played; at least one.
    pub cells: Vec<Cell>,
    /// Where all files go, if the file says it.
    pub out: Option<PathBuf>,
    /// What may be wrong with the files.
    pub warned: Option<Problems>,
}

/// One cell.
#[derive(Debug)]
pub struct Cell {
    /// What sets it apart, for people.
    pub asked: Asked,
    /// The components that the file chooses for.
    pub components: Vec<Component>,
    /// What stands for them; of those that are not among these, the pinned release.
    pub named: Vec<Override>,
    /// Why the file leaves it out.
    pub left_out: Option<String>,
}

impl Cell {
    /// How its components are obtained: as `base` says, but for those that the file chooses for and what belongs
    /// to them.
    pub fn request(&self, base: &Request) -> Request {
        beside(base, &self.components, &self.named)
    }
}
