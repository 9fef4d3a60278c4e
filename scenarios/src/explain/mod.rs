//! `handover explain`: what manifests alone tell of each credential, before anything runs. Its way from OpenBao to
//! whoever reads it, the longest that a new value can take, and what looks wrong.

mod consumers;
mod findings;
mod page;
pub(crate) mod ways;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::language::Problems;
use crate::language::error::Sink;
use crate::language::gather::{Gathered, several};
use crate::language::manifest::{self, Object};
use crate::language::node::Node;
use crate::language::source::{Source, Span};

/// What was found in manifests.
#[derive(Debug)]
pub struct Explained {
    /// Everything, for people.
    pub text: String,
    /// How much looks wrong.
    pub findings: usize,
}

/// Something that looks wrong, and where.
#[derive(Clone, Debug)]
struct Finding {
    file: String,
    line: u64,
    text: String,
}

impl Finding {
    fn at(span: &Span, text: impl Into<String>) -> Self {
        Self { file: span.source.name().to_owned(), line: span.line(), text: text.into() }
    }
}

/// Reads these files and folders.
///
/// # Errors
/// What cannot be read, all of it.
pub fn explain(paths: &[PathBuf]) -> Result<Explained, Problems> {
    let sink = Sink::default();
    let mut objects = Vec::new();
    let mut whole = true;
    for path in paths {
        let found = several(path).and_then(|found| match found {
            Some(found) => Ok(found),
            None => one(path),
        });
        let Gathered { sources, unreadable } = found.unwrap_or_else(|why| {
            let unreadable = vec![(path.display().to_string(), why)];
            Gathered { sources: Vec::new(), unreadable }
        });
        for (file, why) in unreadable {
            sink.report_file(file, why);
            whole = false;
        }
        for source in sources {
            let (found, sound) = manifest::read(&source, &sink);
            objects.extend(found);
            whole &= sound;
        }
    }
    // What is wrong inside of an object that can be read is told of like everything else that looks wrong.
    let problems = match sink.finish(()) {
        Ok(((), warned)) => warned,
        Err(problems) if whole => Some(problems),
        Err(problems) => return Err(problems),
    };
    let mut findings: Vec<Finding> = problems.iter().flat_map(Problems::as_slice).map(of_problem).collect();
    let ways = ways::of(&objects);
    let consumers = consumers::of(&objects);
    findings.extend(findings::of(&ways, &consumers));
    findings.sort_by(|a, b| (&a.file, a.line, &a.text).cmp(&(&b.file, b.line, &b.text)));
    Ok(Explained { text: page::text(&ways, &consumers, &findings), findings: findings.len() })
}

fn of_problem(problem: &crate::language::Problem) -> Finding {
    let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let line = problem.place.as_ref().map_or(1, |place| place.line);
    Finding { file: problem.file.clone(), line, text: format!("{}{hint}", problem.message) }
}

fn one(path: &std::path::Path) -> Result<Gathered, String> {
    let text = crate::language::catalogue::read_text(path).map_err(|why| format!("cannot be read: {why}"))?;
    let sources = vec![Source::new(path.display().to_string(), text)];
    Ok(Gathered { sources, unreadable: Vec::new() })
}

/// The text at a path of an object.
fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.at(path)?.text()
}

/// The items of a list at a path; none where there is none.
fn items<'n>(node: &'n Node, path: &[&str]) -> &'n [Node] {
    node.at(path).map(Node::items).unwrap_or_default()
}

/// Where an object is: two objects of one name in two namespaces are two.
fn namespace(object: &Object) -> Option<&str> {
    object.manifest.namespace.as_deref()
}
