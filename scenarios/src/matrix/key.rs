//! What a cell is made from: while that is the same, what it came to stays true.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::Silent;
use handover_fixtures::components::{Cancel, Given, Request, resolve_blocking};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::language::Scenario;

/// What a cell is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The version of this program.
    pub handover: String,
    /// The plane.
    pub plane: String,
    /// What was named for components, by the file or beside it; of what lies on this machine its checksum too.
    pub components: BTreeMap<String, String>,
    /// The checksum of the values for ESO's chart.
    pub eso_values: Option<String>,
    /// The scenarios, and a checksum of each as it was loaded.
    pub scenarios: BTreeMap<String, String>,
}

impl Key {
    /// Of these. What the user's own paths hold is read.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub fn of(
        plane: &str,
        request: &Request,
        scenarios: &[Scenario],
        eso_values: Option<&Path>,
    ) -> Result<Self, String> {
        let values = |path: &Path| {
            let values = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>(checksum(&values))
        };
        Ok(Self {
            handover: env!("CARGO_PKG_VERSION").to_owned(),
            plane: plane.to_owned(),
            components: named(request)?,
            eso_values: eso_values.map(values).transpose()?,
            scenarios: scenarios.iter().map(|scenario| (scenario.id.clone(), loaded(scenario))).collect(),
        })
    }

    /// What is not as it was, in words; none: it is the same.
    pub fn differs(&self, was: &Self) -> Option<&'static str> {
        let Self { handover, plane, components, eso_values, scenarios } = self;
        [
            (*handover != was.handover, "another version of handover played it"),
            (*plane != was.plane, "it was played on another plane"),
            (*components != was.components, "other components were named for it"),
            (*eso_values != was.eso_values, "it had other values for ESO's chart"),
            (*scenarios != was.scenarios, "the scenarios were others"),
        ]
        .into_iter()
        .find_map(|(differs, how)| differs.then_some(how))
    }
}

fn named(request: &Request) -> Result<BTreeMap<String, String>, String> {
    let paths = request.overrides.iter().filter(|named| matches!(named.given, Given::Path { .. }));
    let paths = request.clone().only(paths.map(|named| named.component));
    let found = match paths.wanted.is_empty() {
        true => None,
        false => Some(resolve_blocking(&paths, &Silent, &Cancel::new()).map_err(|error| chain(&error))?),
    };
    let one = |named: &handover_fixtures::components::Override| {
        let checksum = found.as_ref().and_then(|found| found.get(named.component)).map(|one| &one.sha256);
        let checksum = checksum.map(|sha256| format!(" (sha256 {sha256})")).unwrap_or_default();
        (named.component.to_string(), format!("{}{checksum}", named.given))
    };
    Ok(request.overrides.iter().map(one).collect())
}

/// Of all that is known of a scenario once its files are read: its own text, its variables, its manifests.
fn loaded(scenario: &Scenario) -> String {
    let mut text = format!("{scenario:?}");
    for manifest in &scenario.manifests {
        write!(text, "{}", manifest.object).expect("a text takes what is written");
    }
    checksum(text.as_bytes())
}

/// SHA-256 in hexadecimal.
pub(super) fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
