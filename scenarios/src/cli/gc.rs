//! `handover gc`, and the same sweep at the start of each run.

use std::path::Path;

use handover_fixtures::components::Cache;
use handover_fixtures::embedded::keeper;
use handover_fixtures::kept::Kept;
use handover_fixtures::process::sweep;
use handover_kind::docker;
use handover_reports::Exit;

use super::{Failure, Screen, With, run};

/// `handover gc`
pub(super) fn gc(with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let cache = with.request()?.cache;
    let mut swept = cache.sweep();
    let (gone, mut left) = runs(cache.root())?;
    swept.extend(gone);
    let docker = docker(&cache)?;
    swept.extend(docker.gone);
    let dead = keeper::sweep(cache.root());
    swept.extend(dead.iter().map(|name| format!("forgot control plane {name}, which does not run any more")));
    let half = Kept::of(cache.root()).sweep(&cache.root().join("runs"));
    swept.extend(half.iter().map(|name| format!("removed the logs of {name}, which did not come to be")));
    left.extend(docker.left);
    for line in swept.iter().chain(&docker.others) {
        screen.line(line);
    }
    for line in &left {
        screen.error(line);
    }
    if swept.is_empty() && left.is_empty() && docker.others.is_empty() {
        screen.line("nothing was left behind");
    }
    Ok(if left.is_empty() { Exit::Passed } else { Exit::LeftBehind })
}

/// Ends what dead runs left at Docker, and the daemon of our own that nobody uses.
fn docker(cache: &Cache) -> Result<docker::Swept, Failure> {
    run::runtime()?.block_on(async {
        let kept = Kept::of(cache.root());
        Ok(docker::gc(cache, docker::Wish::of_process().await, &|run| kept.keeps(run)).await)
    })
}

/// Ends what killed runs left. Answers with what is gone, and with what could not be removed.
pub(super) fn runs(cache: &Path) -> Result<(Vec<String>, Vec<String>), Failure> {
    let swept = sweep(&cache.join("runs")).map_err(|error| Failure::environment(&error))?;
    let (mut gone, mut left) = (Vec::new(), Vec::new());
    for run in swept {
        let killed: Vec<_> =
            run.killed.iter().map(|process| format!("{} ({})", process.name, process.pid)).collect();
        let with = if killed.is_empty() { String::new() } else { format!(", with {}", killed.join(", ")) };
        match run.left {
            None => gone.push(format!("swept run {}{with}", run.run)),
            Some(why) => left.push(format!("run {} is still there{with}: {why}", run.run)),
        }
    }
    Ok((gone, left))
}
