//! The language of a matrix file: from text to a [`Grid`], or everything that is wrong with it at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_fixtures::components::{Component, Override};
use handover_fixtures::plane::EMBEDDED;
use handover_reports::matrix::{Asked, Choice};

use super::key::checksum;
use super::{Cell, Grid};
use crate::language::error::Sink;
use crate::language::form::{self, Form};
use crate::language::names::{did_you_mean, listed};
use crate::language::node::{Key, Node, Value, documents};
use crate::language::shape::shape;
use crate::language::source::Source;
use crate::language::{Catalogue, Problems, Scenario, catalogue, filter, load_and_warn};

/// More cells than anybody waits for: a grid grows by multiplication.
const CELLS: usize = 256;

/// The key of a plane, beside those of components.
const PLANE: &str = "plane";
/// The key of a reason.
const BECAUSE: &str = "because";

shape! {
    /// A grid of component versions and planes.
    struct File {
        /// What it is about.
        matrix: String,
        /// What is played in each cell: filters or paths, as `handover run` takes them; the catalogue, if nothing is said.
        scenarios: Option<Vec<String>>,
        /// Where: `embedded`, if nothing is said.
        planes: Option<Vec<String>>,
        /// By component: what `--component` takes after the `=`, or `pinned`.
        components: Option<BTreeMap<String, Vec<String>>>,
        /// The cells that are left out, and why.
        without: Option<Vec<BTreeMap<String, String>>>,
        /// Where all files go.
        out: Option<String>,
    }
}

/// Reads a file. Paths in it are relative to its folder.
///
/// # Errors
/// What is wrong with it and with the scenarios that it names, all of it.
pub fn read(path: &Path) -> Result<Grid, Problems> {
    let name = path.display().to_string();
    let text = catalogue::read_text(path);
    let sink = Sink::default();
    let grid = match text {
        Ok(text) => of_text(&Source::new(name, text), path.parent().unwrap_or(Path::new("")), &sink),
        Err(why) => {
            sink.report_file(name, format!("cannot be read: {why}"));
            None
        }
    };
    let (grid, warned) = sink.finish(grid)?;
    Ok(Grid { warned, ..grid.expect("what was not read was reported") })
}

/// What the file chooses from, for one component or for the plane.
struct Axis<T> {
    name: String,
    choices: Vec<(String, T)>,
}

/// The same for a component: what stands for it; none: the pinned release.
type Releases = Axis<Option<Override>>;

/// Which cells are left out.
struct Without {
    of: BTreeMap<String, String>,
    because: String,
}

fn of_text(source: &Arc<Source>, folder: &Path, sink: &Sink) -> Option<Grid> {
    let documents = documents(source, sink);
    if let [_, second, ..] = documents.nodes.as_slice() {
        sink.report(&second.span, "one file holds one matrix");
    }
    let Some(node) = documents.nodes.first() else {
        if documents.whole {
            sink.report_file(source.name(), "this file is empty");
        }
        return None;
    };
    let head = Key { text: "matrix file".to_owned(), span: node.span.clone() };
    let form = Form::open::<File>(sink, &head, node)?;
    let title = form.text("matrix");
    let room = |key| node.get(key).filter(|node| !node.is_null());
    let scenarios = scenarios(sink, room("scenarios"), folder);
    let planes = form.optional("planes", |node| form::names(sink, node));
    let components = components(sink, room("components"), folder);
    let axes = planes.zip(components).map(|(planes, components)| {
        let planes = planes.map_or_else(
            || vec![EMBEDDED.to_owned()],
            |planes| planes.into_iter().map(|name| name.text).collect(),
        );
        let choices = planes.into_iter().map(|plane| (plane, ())).collect();
        (Axis { name: PLANE.to_owned(), choices }, components)
    });
    let without = axes.as_ref().map(|(planes, components)| {
        let read = |node| without(sink, node, planes, components);
        room("without").map(|node| node.items().iter().filter_map(read).collect::<Vec<_>>())
    });
    let out = form.optional("out", |node| form::text(sink, node));
    let (planes, components) = axes?;
    let count =
        components.iter().map(|axis| axis.choices.len()).try_fold(planes.choices.len(), usize::checked_mul);
    if count.is_none_or(|count| count > CELLS) {
        let count =
            count.map_or("more cells than can be counted".to_owned(), |count| format!("{count} cells"));
        sink.report(&head.span, format!("this grid has {count}; {CELLS} are the most"));
        return None;
    }
    Some(Grid {
        title: title?.trim().to_owned(),
        scenarios,
        cells: cells(&planes, &components, &without?.unwrap_or_default()),
        out: out?.map(|out| folder.join(out)),
        warned: None,
    })
}

/// What is played: all that is named, or the catalogue.
fn scenarios(sink: &Sink, node: Option<&Node>, folder: &Path) -> Vec<Scenario> {
    let words = node.map(Node::items).unwrap_or_default();
    let words: Vec<(&Node, &str)> =
        words.iter().filter_map(|node| Some((node, form::text(sink, node)?))).collect();
    let (paths, filters): (Vec<_>, Vec<_>) =
        words.into_iter().partition(|(_, word)| filter::is_path(folder, word));
    let paths: Vec<PathBuf> = paths.into_iter().map(|(_, word)| folder.join(word)).collect();
    let catalogue = if paths.is_empty() { Ok(Catalogue::embedded()) } else { Catalogue::from_paths(&paths) };
    let mut scenarios = match catalogue.and_then(|catalogue| load_and_warn(&catalogue, &BTreeMap::new())) {
        Ok((scenarios, warned)) => {
            warned.into_iter().for_each(|warned| sink.take_over(warned));
            scenarios
        }
        // Which of them are meant is not known while some do not load.
        Err(problems) => {
            sink.take_over(problems);
            return Vec::new();
        }
    };
    for (node, filter) in &filters {
        if !scenarios.iter().any(|scenario| filter::matches(filter, &scenario.id)) {
            let guess = did_you_mean(filter, scenarios.iter().map(|scenario| scenario.id.as_str()));
            let message = format!("no scenario matches `{filter}`{guess}");
            sink.report_with(&node.span, message, "`handover list` says what there is");
        }
    }
    if let Some(node) = node.filter(|_| scenarios.is_empty()) {
        sink.report(&node.span, "there is no scenario there");
    }
    let filters: Vec<String> = filters.into_iter().map(|(_, filter)| filter.to_owned()).collect();
    scenarios.retain(|scenario| filter::selects(&filters, &scenario.id));
    scenarios
}

fn components(sink: &Sink, node: Option<&Node>, folder: &Path) -> Option<Vec<Releases>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let Some(entries) = node.map() else {
        sink.report_with(&node.span, "`components` needs a mapping", "write NAME: [VERSION, …]");
        return None;
    };
    let before = sink.count();
    let axes = entries.iter().filter_map(|(key, node)| releases(sink, key, node, folder)).collect();
    (sink.count() == before).then_some(axes)
}

fn releases(sink: &Sink, key: &Key, node: &Node, folder: &Path) -> Option<Releases> {
    let component = key.text.parse::<Component>().map_err(|error| sink.report(&key.span, error.to_string()));
    if node.items().is_empty() {
        sink.report_with(
            &key.span,
            format!("`{}` has no release", key.text),
            "write [pinned] for the program's own",
        );
    }
    let component = component.ok()?;
    let mut choices: Vec<(String, Option<Override>)> = Vec::new();
    for node in node.items() {
        let Some(word) = word(sink, node) else { continue };
        if choices.iter().any(|(known, _)| *known == word) {
            sink.report(&node.span, format!("`{word}` stands here twice"));
        } else if word == Choice::PINNED {
            choices.push((word, None));
        } else {
            match Override::of(component, &word, folder) {
                Ok(named) => choices.push((word, Some(named))),
                Err(why) => sink.report(&node.span, why.to_string()),
            }
        }
    }
    Some(Axis { name: key.text.clone(), choices })
}

/// A text; of what looks like a number, what was written: 9.10 is a version, and not 9.1.
fn word(sink: &Sink, node: &Node) -> Option<String> {
    match node.value {
        Value::Int(_) | Value::Float(_) => Some(node.span.text().to_owned()),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            form::text(sink, node).map(|text| text.trim().to_owned())
        }
    }
}

fn without(sink: &Sink, node: &Node, planes: &Axis<()>, components: &[Releases]) -> Option<Without> {
    let keys = || components.iter().map(|axis| axis.name.as_str()).chain([PLANE, BECAUSE]);
    let takes = || format!("it takes {}", listed(keys()));
    let Some(entries) = node.map() else {
        sink.report_with(&node.span, format!("expected a mapping, found {}", node.what()), takes());
        return None;
    };
    let before = sink.count();
    let (mut of, mut because) = (BTreeMap::new(), None);
    for (key, value) in entries {
        let axis = components.iter().find(|axis| axis.name == key.text);
        let known: Vec<&str> = match (key.text.as_str(), axis) {
            (BECAUSE, _) => {
                because = form::text(sink, value).map(|text| text.trim().to_owned());
                continue;
            }
            (PLANE, _) => planes.choices.iter().map(|(word, ())| word.as_str()).collect(),
            (_, Some(axis)) => axis.choices.iter().map(|(word, _)| word.as_str()).collect(),
            (name, None) => {
                sink.report_with(
                    &key.span,
                    format!("unknown key `{name}`{}", did_you_mean(name, keys())),
                    takes(),
                );
                continue;
            }
        };
        let Some(word) = word(sink, value) else { continue };
        if !known.contains(&word.as_str()) {
            let guess = did_you_mean(&word, known.iter().copied());
            let message = format!("`{}` is never `{word}` here{guess}", key.text);
            sink.report_with(&value.span, message, format!("given: {}", listed(known)));
        }
        of.insert(key.text.clone(), word);
    }
    if node.get(BECAUSE).is_none() {
        sink.report(&node.span, format!("`without` lacks `{BECAUSE}`: say why these cells are left out"));
    }
    if of.is_empty() && sink.count() == before {
        sink.report_with(&node.span, "this leaves every cell out", takes());
    }
    (sink.count() == before).then_some(Without { of, because: because? })
}

/// Every combination, the last component of the file changing first.
fn cells(planes: &Axis<()>, components: &[Releases], without: &[Without]) -> Vec<Cell> {
    let mut combined: Vec<Vec<&(String, Option<Override>)>> = vec![Vec::new()];
    for axis in components {
        let with = |chosen: &Vec<_>, choice| chosen.iter().copied().chain([choice]).collect();
        combined = combined
            .iter()
            .flat_map(|chosen| axis.choices.iter().map(move |choice| with(chosen, choice)))
            .collect();
    }
    let chosen_for: Vec<Component> =
        components.iter().filter_map(|axis| axis.name.parse::<Component>().ok()).collect();
    let cell = |plane: &str, chosen: &[&(String, Option<Override>)]| {
        let choices = components.iter().zip(chosen);
        let choices: Vec<Choice> = choices
            .map(|(axis, (given, _))| Choice { component: axis.name.clone(), given: given.clone() })
            .collect();
        let is = |name: &str, word: &str| match name {
            PLANE => word == plane,
            _ => choices.iter().any(|choice| choice.component == name && choice.given == word),
        };
        let left_out = without.iter().find(|without| without.of.iter().all(|(name, word)| is(name, word)));
        Cell {
            left_out: left_out.map(|without| without.because.clone()),
            asked: Asked { dir: dir(plane, &choices), plane: plane.to_owned(), choices },
            components: chosen_for.clone(),
            named: chosen.iter().filter_map(|(_, named)| named.clone()).collect(),
        }
    };
    let planes = planes.choices.iter();
    planes.flat_map(|(plane, ())| combined.iter().map(|chosen| cell(plane, chosen))).collect()
}

/// The cell's directory: the same for the same choices, whatever else the file holds.
fn dir(plane: &str, choices: &[Choice]) -> String {
    let parts = choices.iter().map(|Choice { component, given }| format!("{component}-{given}"));
    let whole: Vec<String> = parts.chain([plane.to_owned()]).collect();
    let whole = whole.join("_");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if whole.chars().all(plain) && whole.len() <= 120 {
        return whole;
    }
    let readable: String = whole.chars().map(|c| if plain(c) { c } else { '-' }).take(100).collect();
    format!("{readable}-{}", &checksum(whole.as_bytes())[..12])
}
