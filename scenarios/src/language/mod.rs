//! The language of scenario files, from text to [`scenario::Scenario`].
//!
//! A file is read into nodes that know their places (`node`); rooms read their verbs from nodes (`given`,
//! `watch`, `steps`, `expect`, `settles`) into a draft that resolves every name (`draft`); what is
//! wrong is dropped into a sink while reading goes on (`error`), so that one go finds all of it. Nothing
//! here starts, asks or knows a server: it reads the files that it is given, and no more.
//!
//! A new verb is one file and one line in its room's list. What may stand behind it is said by a shape (`shape`).

pub mod catalogue;
pub mod docs;
pub mod duration;
pub mod error;
pub mod estimate;
pub mod filter;
pub mod placeholders;
pub mod scenario;
pub mod source;

mod consumes;
mod draft;
mod embedded;
mod expect;
mod expression;
pub(crate) mod form;
pub(crate) mod gather;
mod given;
mod kustomize;
mod load;
pub(crate) mod manifest;
pub(crate) mod names;
pub(crate) mod node;
mod pinned;
mod release;
mod request;
mod room;
mod scale;
mod schema;
mod settles;
pub(crate) mod shape;
mod steps;
pub(crate) mod vars;
mod watch;
mod words;
mod yaml;

#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use error::{Place, Problem, Problems, Severity};
pub use load::{is_scenario_name, load_all, load_and_warn};
pub(crate) use release::REPLACED;
pub use scenario::Scenario;
pub use schema::schema;
