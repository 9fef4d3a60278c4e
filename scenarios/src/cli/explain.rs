//! `handover explain`

use std::path::PathBuf;

use handover_reports::Exit;

use super::{Failure, Screen};

/// Prints what manifests alone tell; 1 where something looks wrong.
pub(super) fn explain(paths: &[PathBuf], screen: &Screen) -> Result<Exit, Failure> {
    let explained = crate::explain::explain(paths).map_err(|problems| {
        Failure::usage(format!(
            "the manifests do not load\n{}",
            problems.render(screen.style.colour).trim_end()
        ))
    })?;
    screen.out(&explained.text);
    Ok(if explained.findings == 0 { Exit::Passed } else { Exit::Failed })
}
