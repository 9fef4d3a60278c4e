//! What the reports promise, checked on judged runs made by hand and on arbitrary text.

mod compared;
mod comparison;
mod exits;
mod junit_rules;
mod junit_wellformed;
mod matrix;
mod samples;
mod terminal;
mod verdict_json;
mod xml;
