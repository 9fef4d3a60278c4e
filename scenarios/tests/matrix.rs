//! `handover matrix`: files that are wrong, cells that cannot be run, and a grid that is interrupted, killed, and
//! goes on where it was.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;
use support::{Cache, Run, Scratch, array, eventually, handover, quick};

/// `handover matrix FILE`, its files in `out`.
fn words(file: &Path, out: &Path) -> [PathBuf; 4] {
    ["matrix".into(), file.into(), "--out".into(), out.into()]
}

fn summary(out: &Path) -> Value {
    let text = fs::read_to_string(out.join("matrix.json")).expect("a summary");
    serde_json::from_str(&text).expect("JSON")
}

/// What became of each cell: its exit and whether it was there from before, or why it was not run.
fn outcomes(out: &Path) -> Vec<String> {
    let one = |cell: &Value| {
        let outcome = &cell["outcome"];
        match &outcome["played"] {
            Value::Null => outcome.as_object().expect("an outcome").keys().next().expect("one").clone(),
            played => {
                format!("{} {}", played["exit"], if played["kept"] == true { "kept" } else { "played" })
            }
        }
    };
    array(&summary(out)["cells"]).iter().map(one).collect()
}

#[test]
fn a_file_that_is_wrong_is_refused_with_all_that_is_wrong_with_it() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let file = scratch.write(
        "m.yaml",
        "matrix: x\nscenarios: [kv/refrsh]\nplanes: []\ncomponents: { eos: [v1], eso: [./none] }\nwitout: []\n",
    );
    let out = scratch.at("out");
    let done = quick(handover(&cache, words(&file, &out)));
    done.exits(2)
        .says("the matrix does not load")
        .says_once("no scenario matches `kv/refrsh`, did you mean `kv/refresh`?")
        .says_once("unknown component `eos`; did you mean `eso`?")
        .says_once("none: there is no such file")
        .says_once("expected at least one name")
        .says_once("unknown key `witout`, did you mean `without`?");
    assert!(!out.exists() && !cache.root().join("runs").exists());
}

/// Each is told with its reason, and none keeps the next from its turn.
#[test]
fn cells_that_cannot_be_run_leave_the_grid_undecided() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let grid = "\
matrix: nothing of it can be run
scenarios: [kv/refresh]
planes: [embedded, moon]
components: { openbao: [0.0.1, pinned] }
without:
  - { plane: embedded, openbao: pinned, because: it is played elsewhere }
";
    let (file, out) = (scratch.write("m.yaml", grid), scratch.at("out"));
    let mut command = handover(&cache, words(&file, &out));
    command.args(["--sources", "openbao=cache"]);
    let done = quick(command);
    done.exits(3)
        .says("cell 1 of 4: openbao 0.0.1 on embedded")
        .says("openbao 0.0.1 cannot be had")
        .says_once("it is played elsewhere")
        .says("there is no plane `moon`; there is embedded")
        .says_once("4 cells: 3 were not run, 1 is left out")
        .says_once("exit 3: a part of the grid is not decided");
    assert_eq!(outcomes(&out), ["not_run", "left_out", "not_run", "not_run"]);
    let posted = fs::read_to_string(out.join("matrix.md")).expect("a summary");
    assert!(posted.starts_with("### nothing of it can be run\n"), "{posted}");
    cache.assert_empty();
}

/// Two cells: OpenBao as pinned, and by its path.
struct Two {
    cache: Cache,
    file: PathBuf,
    out: PathBuf,
    _scratch: Scratch,
}

impl Two {
    fn new() -> Self {
        let scratch = Scratch::new();
        let cache = Cache::new(&scratch);
        let list = quick(handover(&cache, ["components", "list"]));
        let bao =
            list.stdout.lines().find(|line| line.trim_start().starts_with("openbao ")).expect("a component");
        let bao = bao.split_whitespace().find(|word| word.starts_with('/')).expect("its path");
        let entry = PathBuf::from(bao);
        let bao = support::files(&entry).into_iter().find(|path| path.ends_with("bao")).expect("a program");
        let grid = format!(
            "matrix: one program twice\nscenarios: [kv/refresh]\ncomponents: {{ openbao: [pinned, {}@by-path] }}\n",
            bao.display()
        );
        let (file, out) = (scratch.write("m.yaml", grid), scratch.at("out"));
        Self { cache, file, out, _scratch: scratch }
    }

    fn start(&self) -> Run {
        Run::of(handover(&self.cache, words(&self.file, &self.out)), &self.cache, &self.out)
    }

    /// The directory of a cell.
    fn dir(&self, cell: usize) -> PathBuf {
        let summary = summary(&self.out);
        self.out.join(summary["cells"][cell]["dir"].as_str().expect("text"))
    }

    /// What a cell saw, byte for byte.
    fn events(&self, cell: usize) -> Vec<u8> {
        fs::read(self.dir(cell).join("events.jsonl")).expect("events")
    }
}

#[test]
fn a_grid_goes_on_where_it_was_interrupted_or_killed() {
    let two = Two::new();
    let first = two.start();
    first.until_it_says("cell 2 of 2");
    // Whatever it is at: the summary is there all the same.
    first.signal(Signal::INT);
    let first = first.end();
    first.exits(130).says_once("interrupted by SIGINT").says("exit 130: interrupted by Ctrl-C");
    assert_eq!(outcomes(&two.out), ["0 played", "130 played"]);
    first.leaves_nothing(&two.cache);
    let (seen, broken_off) = (two.events(0), two.events(1));

    let second = two.start();
    second.until_it_says("cell 2 of 2");
    second.until_it_says("step 1/");
    second.signal(Signal::KILL);
    let second = second.end();
    assert_eq!(second.code, None);
    eventually("its servers are gone", || second.processes().is_empty().then_some(()));
    assert!(second.stderr.contains("on embedded: done before"), "{}", second.stderr);
    second.says("(again: it was not played to its end)");
    assert_eq!(two.events(0), seen, "what was done was not played again");
    // It has a summary of what was there.
    assert_eq!(outcomes(&two.out), ["0 kept", "not_run"]);

    let third = two.start().end();
    third.exits(0).says_once("swept run").says_once("2 cells: 2 pass; no scenario of 1 differs");
    assert_eq!(outcomes(&two.out), ["0 kept", "0 played"]);
    assert_eq!(two.events(0), seen);
    assert_ne!(two.events(1), broken_off);
    let versions = |cell: usize| {
        let summary = summary(&two.out);
        let components = array(&summary["cells"][cell]["outcome"]["played"]["components"]).to_vec();
        let bao = components.into_iter().find(|known| known["name"] == "openbao").expect("it played");
        (bao["version"].as_str().expect("text").to_owned(), bao["sha256"].as_str().expect("text").to_owned())
    };
    let (pinned, by_path) = (versions(0), versions(1));
    assert_eq!((by_path.0.as_str(), by_path.1), ("by-path", pinned.1));
    assert_ne!(pinned.0, "by-path");
    third.leaves_nothing(&two.cache);

    // All is done: nothing is started.
    let fourth = quick(handover(&two.cache, words(&two.file, &two.out)));
    fourth.exits(0);
    assert!(!fourth.stderr.contains("starting the servers"), "{}", fourth.stderr);
    assert_eq!(outcomes(&two.out), ["0 kept", "0 kept"]);

    // Other scenarios make another grid; who plays there at the same time is refused.
    let text = fs::read_to_string(&two.file).expect("the file");
    fs::write(&two.file, text.replace("[kv/refresh]", "[kv/static-refresh]")).expect("the file");
    let other = two.start();
    other.until_it_says("(again: the scenarios were others)");
    let refused = quick(handover(&two.cache, words(&two.file, &two.out)));
    refused.exits(2).says("another matrix is being played in ");
    other.signal(Signal::TERM);
    other.end().exits(143).leaves_nothing(&two.cache);
    assert_eq!(outcomes(&two.out), ["143 played", "not_run"]);
}
