//! Where scenario files come from: compiled in, or the user's own.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::embedded;
use super::error::{Problems, Sink};
use super::source::Source;

/// Scenario files that can be loaded.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub(crate) files: Vec<ScenarioFile>,
}

/// A scenario's text, and the files beside it.
#[derive(Debug)]
pub(crate) struct ScenarioFile {
    pub(crate) source: Arc<Source>,
    pub(crate) siblings: Siblings,
}

/// The folder that a scenario's paths are relative to.
#[derive(Debug)]
pub(crate) enum Siblings {
    /// In the catalogue that is compiled in.
    Embedded(PathBuf),
    /// On disk.
    Disk(PathBuf),
    /// What was read before, under a word for each part.
    Read(Vec<(&'static str, Vec<Arc<Source>>)>),
}

impl Catalogue {
    /// The repository's own.
    pub fn embedded() -> Self {
        let scenarios = embedded::FILES.iter().filter(|(_, text)| is_scenario(text));
        let file = |(path, text): &(&str, &str)| ScenarioFile {
            source: Source::new(*path, *text),
            siblings: Siblings::Embedded(folder(Path::new(path))),
        };
        Self { files: scenarios.map(file).collect() }
    }

    /// These files, and what the folders among them hold, however deep. A file in a folder is a scenario if
    /// it has the key `scenario`; a file that is named must be one.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self, Problems> {
        let sink = Sink::default();
        let mut found = Vec::new();
        for path in paths {
            if path.is_dir() {
                walk(path, &sink, &mut found);
            } else if let Some(text) = read(path, &sink) {
                if is_scenario(&text) {
                    found.push((path.clone(), text));
                } else {
                    sink.report_file(
                        path.display().to_string(),
                        "no scenario: the key `scenario` is missing",
                    );
                }
            }
        }
        let mut seen = Vec::new();
        found.retain(|(path, _)| {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let new = !seen.contains(&path);
            seen.push(path);
            new
        });
        let file = |(path, text): (PathBuf, String)| ScenarioFile {
            source: Source::new(path.display().to_string(), text),
            siblings: Siblings::Disk(folder(&path)),
        };
        let (catalogue, _) = sink.finish(Self { files: found.into_iter().map(file).collect() })?;
        Ok(catalogue)
    }

    /// One scenario that the program itself has written, with the files that it may name.
    pub(crate) fn written(text: String, files: Vec<(&'static str, Vec<Arc<Source>>)>) -> Self {
        let source = Source::new("the upgrade's own scenario", text);
        Self { files: vec![ScenarioFile { source, siblings: Siblings::Read(files) }] }
    }

    /// Every scenario file's name and text.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(|file| &*file.source)
    }
}

impl Siblings {
    /// The file at a path relative to the folder.
    pub(crate) fn read(&self, relative: &str) -> Result<Arc<Source>, String> {
        match self {
            Self::Embedded(folder) => {
                let path = plain(&folder.join(relative));
                let text =
                    embedded::text(&path).ok_or_else(|| format!("the catalogue has no file `{path}`"))?;
                Ok(Source::new(path, text))
            }
            Self::Disk(folder) => {
                let path = beside(folder, relative);
                let text =
                    read_text(&path).map_err(|why| format!("cannot read `{}`: {why}", path.display()))?;
                Ok(Source::new(path.display().to_string(), text))
            }
            Self::Read(_) => Err(format!("there is no file `{relative}`")),
        }
    }
}

/// Whether a text means to be a scenario, even where it is broken: the key at the left margin, or two of the
/// rooms where the key itself was forgotten.
pub(super) fn is_scenario(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let has = |key: &str| {
        text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')))
    };
    has("scenario") || (has("given") && has("expect"))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A path relative to a folder, without the steps down and up again that nobody wants to read.
pub(super) fn beside(folder: &Path, relative: &str) -> PathBuf {
    let whole = folder.join(relative);
    if !whole.components().any(|part| part == Component::ParentDir) {
        return whole;
    }
    let mut path = PathBuf::new();
    for part in whole.components() {
        let named = matches!(path.components().next_back(), Some(Component::Normal(_)));
        // Up from behind a link is not where the link stands.
        if part == Component::ParentDir && named && !path.is_symlink() {
            path.pop();
        } else {
            path.push(part);
        }
    }
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// Without `.` and `..`, with `/`, as the table of embedded files has it.
pub(super) fn plain(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

/// Hidden folders and links to folders are left out.
fn walk(folder: &Path, sink: &Sink, found: &mut Vec<(PathBuf, String)>) {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            return sink.report_file(folder.display().to_string(), format!("cannot be read: {error}"));
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !hidden {
                walk(&path, sink, found);
            }
        } else if yaml
            && path.is_file()
            && let Some(text) = read(&path, sink).filter(|text| is_scenario(text))
        {
            found.push((path, text));
        }
    }
}

fn read(path: &Path, sink: &Sink) -> Option<String> {
    read_text(path)
        .map_err(|why| sink.report_file(path.display().to_string(), format!("cannot be read: {why}")))
        .ok()
}

pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let kind = fs::metadata(path).map_err(|error| error.to_string())?;
    if !kind.is_file() {
        return Err("it is no file".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(catalogue: &Catalogue) -> Vec<String> {
        catalogue.sources().map(|source| source.name().to_owned()).collect()
    }

    #[test]
    fn embedded_scenarios_are_told_from_manifests() {
        let names = names(&Catalogue::embedded());
        let has = |name: &str| names.iter().any(|known| known == name);
        assert!(has("kv/refresh.yaml") && has("mysql/static-role-forced.yaml"), "{names:?}");
        assert!(!has("kv/app.yaml") && !has("mysql/fleet.yaml"), "{names:?}");
    }

    #[test]
    fn folders_are_searched_and_files_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::write(root.join("a/b/one.yml"), "scenario: one\n").unwrap();
        fs::write(root.join("a/two.yaml"), "about: x\nscenario : [\n").unwrap();
        fs::write(root.join("a/forgot.yaml"), "given: []\nexpect: []\n").unwrap();
        fs::write(root.join("a/manifest.yaml"), "apiVersion: v1\nspec:\n  scenario: no\n").unwrap();
        fs::write(root.join("a/text.txt"), "scenario: no\n").unwrap();
        fs::write(root.join(".git/x.yaml"), "scenario: no\n").unwrap();
        let catalogue = Catalogue::from_paths(&[root.to_path_buf(), root.join("a/two.yaml")]).unwrap();
        let expected =
            ["a/b/one.yml", "a/forgot.yaml", "a/two.yaml"].map(|name| root.join(name).display().to_string());
        assert_eq!(names(&catalogue), expected);
    }

    #[test]
    fn what_cannot_be_read_is_reported_together() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("m.yaml"), "apiVersion: v1\n").unwrap();
        fs::write(dir.path().join("latin.yaml"), b"scenario: \xe9\n").unwrap();
        let paths = ["absent.yaml", "m.yaml", "latin.yaml"].map(|name| dir.path().join(name));
        let problems = Catalogue::from_paths(&paths).unwrap_err();
        let messages: Vec<_> = problems.as_slice().iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "cannot be read: No such file or directory (os error 2)",
                "cannot be read: it is not UTF-8",
                "no scenario: the key `scenario` is missing",
            ]
        );
    }

    #[test]
    fn a_path_goes_down_and_up_again_only_behind_links() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
        let root = dir.path();
        for (folder, relative, path) in [
            ("tests", "../apps/base", "apps/base"),
            ("tests", "../../x", "../x"),
            ("tests", "..", "."),
            ("", "../x", "../x"),
            ("./tests", "../a.yaml", "./a.yaml"),
        ] {
            assert_eq!(beside(Path::new(folder), relative), Path::new(path), "{folder} {relative}");
        }
        assert_eq!(beside(&root.join("link"), "../x"), root.join("link/../x"));
    }

    #[test]
    fn siblings_of_embedded_files_are_embedded() {
        let siblings = Siblings::Embedded(PathBuf::from("kv"));
        assert_eq!(siblings.read("app.yaml").unwrap().name(), "kv/app.yaml");
        assert_eq!(siblings.read("../mysql/fleet.yaml").unwrap().name(), "mysql/fleet.yaml");
        assert!(siblings.read("nope.yaml").unwrap_err().contains("kv/nope.yaml"));
    }
}
