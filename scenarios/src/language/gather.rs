//! Manifests: from what a person names (a file, a folder, a glob, a kustomization) to the files that are meant.
//!
//! What a folder or a glob brings is every `*.yaml`, `*.yml` and `*.json` below it, hidden folders aside, but
//! not: scenario files, `kustomization.yaml` (it is no manifest; name its folder with `kustomize`), values of
//! Helm (`values.yaml`, `values-*.yaml`, `*-values.yaml`, `*.values.yaml`), and charts (whatever is below a
//! folder that holds a `Chart.yaml`: those are templates). A file that is named itself is read whatever it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::catalogue::{Siblings, beside, is_scenario, plain, read_text};
use super::embedded;
use super::kustomize;
use super::source::Source;

/// The files that were meant, those that cannot be read among them.
pub(crate) struct Gathered {
    pub(crate) sources: Vec<Arc<Source>>,
    /// File and reason.
    pub(crate) unreadable: Vec<(String, String)>,
}

impl Siblings {
    /// The manifests below a folder or those that match a glob, relative to the scenario; none where the path
    /// means one file.
    pub(crate) fn gather(&self, word: &str) -> Result<Option<Gathered>, String> {
        match self {
            Self::Embedded(folder) => embedded_files(folder, word),
            Self::Disk(folder) => several(&beside(folder, word)),
            Self::Read(files) => {
                let found = files.iter().find(|(known, _)| *known == word);
                let gathered = |sources: &Vec<Arc<Source>>| Gathered {
                    sources: sources.clone(),
                    unreadable: Vec::new(),
                };
                Ok(found.map(|(_, sources)| gathered(sources)))
            }
        }
    }

    /// The path on disk that a word means; none in the catalogue that is compiled in.
    pub(crate) fn path(&self, word: &str) -> Option<PathBuf> {
        match self {
            Self::Embedded(_) | Self::Read(_) => None,
            Self::Disk(folder) => Some(folder.join(word)),
        }
    }

    /// What a kustomization makes of its folder.
    pub(crate) fn kustomize(&self, word: &str) -> Result<Arc<Source>, String> {
        match self {
            Self::Embedded(_) | Self::Read(_) => {
                Err("a scenario of the program's own catalogue has no kustomization".to_owned())
            }
            Self::Disk(folder) => kustomize::build(&beside(folder, word)),
        }
    }
}

/// The manifests below a folder on disk, or those that match a glob; none where the path means one file.
pub(crate) fn several(path: &Path) -> Result<Option<Gathered>, String> {
    let shown = path.display();
    if path.is_dir() {
        return below(path, None).and_then(|found| some(found, || format!("no manifest below `{shown}`")));
    }
    if is_glob(path) && !path.exists() {
        let base: PathBuf = path.components().take_while(|part| !is_glob(part.as_ref())).collect();
        let matcher = matcher(path)?;
        let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
        let found = below(&base, Some(&matcher))?;
        return some(found, || format!("no manifest matches `{shown}`"));
    }
    Ok(None)
}

fn embedded_files(folder: &Path, word: &str) -> Result<Option<Gathered>, String> {
    let path = plain(&folder.join(word));
    if embedded::text(&path).is_some() {
        return Ok(None);
    }
    let matcher = if is_glob(Path::new(&path)) { Some(matcher(Path::new(&path))?) } else { None };
    let inside = |known: &str| match &matcher {
        Some(matcher) => matcher.is_match(known),
        None => known.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/')),
    };
    let sources = embedded::FILES
        .iter()
        .filter(|(known, text)| inside(known) && is_manifest(Path::new(known)) && !is_scenario(text))
        .map(|(known, text)| Source::new(*known, *text))
        .collect();
    let found = Gathered { sources, unreadable: Vec::new() };
    some(found, || format!("the catalogue has no file `{path}`"))
}

fn some(found: Gathered, why: impl FnOnce() -> String) -> Result<Option<Gathered>, String> {
    if found.sources.is_empty() && found.unreadable.is_empty() { Err(why()) } else { Ok(Some(found)) }
}

fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// `*` stays within one folder, `**` does not.
fn matcher(path: &Path) -> Result<GlobMatcher, String> {
    let text = path.to_string_lossy();
    let text = text.strip_prefix("./").unwrap_or(&text);
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| format!("`{text}` is no glob: {}", error.kind()))
}

/// Everything below a folder, by name, that could be a manifest and matches.
fn below(folder: &Path, matcher: Option<&GlobMatcher>) -> Result<Gathered, String> {
    let mut found = Gathered { sources: Vec::new(), unreadable: Vec::new() };
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return Err(format!("cannot read `{}`: {error}", folder.display())),
        };
        let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        if paths.iter().any(|path| path.ends_with("Chart.yaml")) {
            continue;
        }
        let mut inner = Vec::new();
        for path in paths {
            if path.is_dir() {
                let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                if !hidden && !path.is_symlink() {
                    inner.push(path);
                }
                continue;
            }
            let bare = path.strip_prefix(".").unwrap_or(&path);
            if !is_manifest(&path) || matcher.is_some_and(|matcher| !matcher.is_match(bare)) {
                continue;
            }
            let name = path.display().to_string();
            match read_text(&path) {
                Ok(text) if is_scenario(&text) => {}
                Ok(text) => found.sources.push(Source::new(name, text)),
                Err(why) => found.unreadable.push((name, why)),
            }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(found)
}

/// Whether a name could be that of a manifest.
fn is_manifest(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let Some((stem, "yaml" | "yml" | "json")) = name.rsplit_once('.') else { return false };
    let values = stem == "values"
        || stem.starts_with("values-")
        || stem.starts_with("values.")
        || stem.ends_with("-values")
        || stem.ends_with(".values");
    !values && stem != "kustomization" && !stem.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(gathered: Result<Option<Gathered>, String>, root: &Path) -> Result<Vec<String>, String> {
        let root = format!("{}/", root.display());
        let name = |source: &Arc<Source>| source.name().replace(&root, "");
        let sources = gathered.map(|found| found.map_or(Vec::new(), |found| found.sources));
        sources.map(|sources| sources.iter().map(name).collect()).map_err(|why| why.replace(&root, ""))
    }

    #[test]
    fn a_folder_brings_its_manifests_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in [
            "b/deep/two.yml",
            "a.yaml",
            "b/one.json",
            "b/kustomization.yaml",
            "b/values.yaml",
            "b/values-prod.yaml",
            "b/prod.values.yaml",
            "b/notes.md",
            "chart/Chart.yaml",
            "chart/templates/x.yaml",
            ".git/x.yaml",
            ".hidden.yaml",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "apiVersion: v1\n").unwrap();
        }
        fs::write(root.join("b/scenario.yaml"), "scenario: x\n").unwrap();
        let gather = |word: &str| names(Siblings::Disk(root.to_owned()).gather(word), root);
        assert_eq!(gather("."), gather("./"));
        let all = ["a.yaml", "b/one.json", "b/deep/two.yml"].map(str::to_owned).to_vec();
        assert_eq!(names(several(root), root), Ok(all.clone()));
        assert_eq!(gather("**/*.{yaml,yml,json}"), Ok(all));
        assert_eq!(gather("*.yaml"), Ok(vec!["a.yaml".to_owned()]));
        assert_eq!(gather("b/*"), Ok(vec!["b/one.json".to_owned()]));
        assert_eq!(gather("c*/*.yaml"), Err("no manifest matches `c*/*.yaml`".to_owned()));
        assert_eq!(gather("chart"), Err("no manifest below `chart`".to_owned()));
        assert!(gather("[").unwrap_err().contains("`["), "{:?}", gather("["));
        for one in ["a.yaml", "b/values.yaml", "nowhere.yaml"] {
            assert!(several(&root.join(one)).unwrap().is_none(), "{one} is one file");
        }
    }

    #[test]
    fn the_catalogue_has_folders_and_globs_too() {
        let gather = |word: &str| names(Siblings::Embedded(PathBuf::from("kv")).gather(word), Path::new("/"));
        assert_eq!(gather("../valkey"), Ok(vec!["valkey/fleet.yaml".to_owned()]));
        assert_eq!(gather("ap?.yaml"), Ok(vec!["kv/app.yaml".to_owned()]));
        assert_eq!(gather("nope"), Err("the catalogue has no file `kv/nope`".to_owned()));
    }
}
