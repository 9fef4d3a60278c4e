//! `handover components`

use std::sync::Arc;

use comfy_table::{ContentArrangement, Table, presets};
use handover_fixtures::components::inventory::{Item, State, list, verify};
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, bytes, resolve};
use handover_reports::Exit;

use super::{ComponentsCommand, Failure, Screen, With, signals};
use crate::play::halt::Halt;

/// `handover components [list|resolve|verify]`
pub(super) fn components(what: &ComponentsCommand, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let request = with.request()?;
    match what {
        ComponentsCommand::List => {
            table(&list(&request), screen);
            Ok(Exit::Passed)
        }
        ComponentsCommand::Verify => {
            let items = verify(&request);
            table(&items, screen);
            let damaged = items.iter().any(|item| matches!(item.state, State::Damaged(_)));
            Ok(if damaged { Exit::Environment } else { Exit::Passed })
        }
        ComponentsCommand::Resolve { names } => {
            let wanted = names.iter().map(|name| name.parse::<Component>());
            let wanted: Vec<_> =
                wanted.collect::<Result<_, _>>().map_err(|error| Failure::usage(error.to_string()))?;
            let request = if wanted.is_empty() { request } else { request.only(wanted) };
            let runtime = super::run::runtime()?;
            let halt = Halt::default();
            let resolved = runtime.block_on(async {
                let heeding = tokio::spawn(signals::heed(halt.clone()));
                let resolved = tokio::select! {
                    resolved = resolve(request, Arc::from(on_stderr())) => Some(resolved),
                    _ = halt.halted() => None,
                };
                heeding.abort();
                resolved
            });
            match resolved {
                Some(Ok(set)) => {
                    for resolved in set.iter() {
                        screen.line(&format!(
                            "{} {} ({})",
                            resolved.component, resolved.version, resolved.source
                        ));
                    }
                    Ok(Exit::Passed)
                }
                Some(Err(error)) => Err(Failure::environment(&error)),
                None => Err(Failure { exit: Exit::Interrupted, message: "interrupted".into() }),
            }
        }
    }
}

fn table(items: &[Item], screen: &Screen) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        // A path that is broken over lines cannot be copied.
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["component", "version", "source", "state", "size", "where"]);
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
        ]);
    }
    screen.line(&table.to_string());
}
