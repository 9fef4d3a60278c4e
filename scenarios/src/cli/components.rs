//! `handover components`

use std::path::Path;
use std::sync::Arc;

use comfy_table::{ContentArrangement, Table, presets};
use handover_fixtures::components::images::{LockFile, Tags};
use handover_fixtures::components::inventory::{Item, State, list, verify};
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, Request, Resolved, ResolvedSet, Rules, bytes};
use handover_reports::Exit;

use super::obtain::obtain;
use super::{ComponentsCommand, Failure, Screen, With};

/// `handover components [list|resolve|verify|lock]`
pub(super) fn components(what: &ComponentsCommand, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let request = with.request()?;
    let failed = |error| Failure::environment(&error);
    match what {
        ComponentsCommand::List => {
            table(&list(&request).map_err(failed)?, screen);
            Ok(Exit::Passed)
        }
        ComponentsCommand::Verify => {
            let items = verify(&request).map_err(failed)?;
            table(&items, screen);
            let damaged = items.iter().any(|item| matches!(item.state, State::Damaged(_)));
            Ok(if damaged { Exit::Environment } else { Exit::Passed })
        }
        ComponentsCommand::Resolve { names } => {
            for resolved in obtain(named(request, names)?, Arc::from(on_stderr()))?.iter() {
                screen.line(&one(resolved));
            }
            Ok(Exit::Passed)
        }
        ComponentsCommand::Lock { names } => {
            let request = named(request, names)?;
            let rules = Rules { tags: Tags::Fresh, ..request.rules.clone() };
            // Where some are named, the others stay as they are.
            let path = Path::new(LockFile::NAME);
            let kept = if names.is_empty() { None } else { LockFile::read(path).map_err(Failure::usage)? };
            let set = obtain(request.by(rules), Arc::from(on_stderr()))?;
            lock(path, kept.as_ref(), &set, screen)
        }
    }
}

/// The request for these, or for all.
fn named(request: Request, names: &[String]) -> Result<Request, Failure> {
    let wanted = names.iter().map(|name| name.parse::<Component>());
    let wanted: Vec<_> =
        wanted.collect::<Result<_, _>>().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(if wanted.is_empty() { request } else { request.only(wanted) })
}

fn one(resolved: &Resolved) -> String {
    let Resolved { component, version, source, image, .. } = resolved;
    match image {
        Some(image) => format!("{component} {version} ({source} {image})"),
        None => format!("{component} {version} ({source})"),
    }
}

/// Writes down what the tags mean that these came by.
fn lock(path: &Path, kept: Option<&LockFile>, set: &ResolvedSet, screen: &Screen) -> Result<Exit, Failure> {
    let mut images = kept.map(|kept| kept.images().clone()).unwrap_or_default();
    images.extend(set.iter().filter_map(Resolved::locked));
    if images.is_empty() {
        screen.line("no component comes out of an image by a tag: there is nothing to lock");
        return Ok(Exit::Passed);
    }
    for (reference, digest) in &images {
        screen.line(&format!("{reference} = {digest}"));
    }
    LockFile::write(path, images).map_err(|error| Failure {
        exit: Exit::Environment,
        message: format!("cannot write {}: {error}", path.display()),
    })?;
    Ok(Exit::Passed)
}

fn table(items: &[Item], screen: &Screen) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        // A path that is broken over lines cannot be copied.
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["component", "version", "source", "state", "size", "where", "image"]);
    for item in items {
        let state = match &item.state {
            State::Path => "your path".to_owned(),
            State::Cached => "cached".to_owned(),
            State::ToObtain => "to obtain".to_owned(),
            State::Damaged(why) => format!("damaged: {why}"),
        };
        table.add_row([
            item.component.to_string(),
            item.version.clone(),
            item.source.to_string(),
            state,
            bytes(item.size),
            item.at.display().to_string(),
            item.image.clone().unwrap_or_default(),
        ]);
    }
    screen.line(&table.to_string());
}
