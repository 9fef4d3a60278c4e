//! `handover matrix`: the same scenarios on many versions and planes, one cell after the other, and one summary.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use handover_fixtures::cause::chain;
use handover_fixtures::components::Request;
use handover_harness::event::Ending;
use handover_reports::matrix::{Asked, Came, Matrix, fold, markdown, terminal, to_json};
use handover_reports::{Exit, exit_of, write_atomically};

use super::run::{RUNS, Session, header, judged, make_out};
use super::{Failure, MatrixArgs, Screen, Summary, With};
use crate::language::Problems;
use crate::matrix::{Cell, FILES, Grid, Key, Note, Standing, plane, read, standing};
use crate::play::planes::Where;
use crate::play::releases::Ends;
use crate::play::run::Order;

/// The content of the summary, for programs.
const JSON: &str = "matrix.json";
/// The same for a pull request.
const MARKDOWN: &str = "matrix.md";
/// Held by whoever plays here.
const LOCK: &str = "matrix.lock";

/// `handover matrix`
pub(super) fn matrix(args: &MatrixArgs, with: &With, screen: &Screen) -> Result<Exit, Failure> {
    let wrong = |problems: Problems| {
        let problems = problems.render(screen.style.colour);
        Failure::usage(format!("the matrix does not load\n{}", problems.trim_end()))
    };
    let grid = read(&args.file).map_err(wrong)?;
    if let Some(warned) = &grid.warned {
        screen.remark(&warned.render(screen.style.colour));
    }
    let base = with.request()?;
    let out = args.out.clone().or_else(|| grid.out.clone()).unwrap_or_else(|| default_out(&args.file));
    make_out(&out)?;
    let _lock = lock(&out)?;
    let plays = Plays { args, grid: &grid, base: &base, out: &out, screen, session: Session::new()? };
    plays.through()
}

/// By the file's name: the next one that is started goes on there.
fn default_out(file: &Path) -> PathBuf {
    Path::new(RUNS).join("matrix").join(file.file_stem().unwrap_or(file.as_os_str()))
}

/// Two that play in the same directory would take each other's files away.
fn lock(out: &Path) -> Result<File, Failure> {
    let path = out.join(LOCK);
    let failed = |error: io::Error| Failure {
        exit: Exit::Environment,
        message: format!("cannot write {}: {error}", path.display()),
    };
    let mut options = File::options();
    let lock = options.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::usage(format!(
            "another matrix is being played in {}; wait for it, or name another directory with --out",
            out.display()
        ))),
    }
}

struct Plays<'a> {
    args: &'a MatrixArgs,
    grid: &'a Grid,
    base: &'a Request,
    out: &'a Path,
    screen: &'a Screen,
    session: Session,
}

impl Plays<'_> {
    fn through(&self) -> Result<Exit, Failure> {
        let waits = |cell: &Cell| (cell.asked.clone(), Came::NotRun("it was not its turn yet".to_owned()));
        let mut cells: Vec<(Asked, Came)> = self.grid.cells.iter().map(waits).collect();
        for (index, cell) in self.grid.cells.iter().enumerate() {
            let label = format!("cell {} of {}: {}", index + 1, cells.len(), cell.asked.label());
            cells[index].1 = self.cell(cell, &label).unwrap_or_else(Came::NotRun);
            // After each, so that a killed one has a summary of what is there.
            self.write(&self.summary(&cells))?;
        }
        let summary = self.summary(&cells);
        let exit = summary.exit();
        self.screen.out(&match self.args.format {
            Summary::Human => terminal(&summary, exit, &self.screen.style),
            Summary::Markdown => markdown(&summary),
            Summary::Json => to_json(&summary),
        });
        self.screen.remark(&format!("evidence in {}", self.out.display()));
        Ok(exit)
    }

    /// What becomes of a cell, or why it cannot be run.
    fn cell(&self, cell: &Cell, label: &str) -> Result<Came, String> {
        if let Some(because) = &cell.left_out {
            return Ok(Came::LeftOut(because.clone()));
        }
        let plane = plane(&cell.asked.plane)?;
        let request = cell.request(self.base);
        plane.takes(&request).map_err(|error| chain(&error))?;
        let key = Key::of(plane.name(), &request, &self.grid.scenarios, self.args.eso_values.as_deref())?;
        let dir = self.out.join(&cell.asked.dir);
        let mut again = String::new();
        if !self.args.again {
            let text = |name: &str| fs::read_to_string(dir.join(name)).ok();
            match standing(&key, text(Note::FILE).as_deref(), text("verdict.json").as_deref()) {
                Standing::Done(done) => {
                    self.screen.remark(&format!("{label}: done before"));
                    let exit = exit_of(&done.verdict, done.left, done.leaked);
                    return Ok(Came::Played { verdict: Box::new(done.verdict), exit, kept: true });
                }
                Standing::ToPlay(None) => {}
                Standing::ToPlay(Some(why)) => again = format!(" (again: {why})"),
            }
        }
        if let Some(Ending::Interrupted(signal)) = self.session.stopped() {
            return Err(format!("{signal} came before it"));
        }
        self.screen.remark(&format!("{label}{again}"));
        self.play(&dir, plane, request, key)
    }

    fn play(&self, dir: &Path, plane: Where, components: Request, key: Key) -> Result<Came, String> {
        let message = |failure: Failure| failure.message;
        clear(dir).map_err(|error| format!("{} cannot be cleared: {error}", dir.display()))?;
        make_out(dir).map_err(message)?;
        let header = header();
        let order = Order {
            run: header.run.clone(),
            scenarios: self.grid.scenarios.clone(),
            jobs: self.args.jobs.unwrap_or(plane.jobs()) as usize,
            out: dir.to_owned(),
            seed: self.args.seed,
            components,
            ends: Ends::new(),
            eso_values: self.args.eso_values.clone(),
            keep: false,
            plane,
        };
        let (verdict, aftermath) = judged(&order, header, self.screen, &self.session).map_err(message)?;
        if let (None, Some(why)) = (&verdict.on, &verdict.broke) {
            return Err(why.clone());
        }
        let exit = exit_of(&verdict, !aftermath.left.is_empty(), !aftermath.leaks.is_empty());
        let note = Note::new(key, aftermath.left, aftermath.leaks);
        write_atomically(&dir.join(Note::FILE), note.to_json()).map_err(|error| error.to_string())?;
        Ok(Came::Played { verdict: Box::new(verdict), exit, kept: false })
    }

    fn summary(&self, cells: &[(Asked, Came)]) -> Matrix {
        let scenarios: Vec<String> = self.grid.scenarios.iter().map(|scenario| scenario.id.clone()).collect();
        let interrupted = match self.session.stopped() {
            Some(Ending::Interrupted(signal)) => Some(signal),
            Some(Ending::Finished | Ending::Skipped(_) | Ending::Broke(_)) | None => None,
        };
        fold(&self.grid.title, &scenarios, cells, interrupted)
    }

    fn write(&self, summary: &Matrix) -> Result<(), Failure> {
        let failed = |error: handover_reports::WriteError| Failure::environment(&error);
        write_atomically(&self.out.join(JSON), to_json(summary)).map_err(failed)?;
        write_atomically(&self.out.join(MARKDOWN), markdown(summary)).map_err(failed)
    }
}

/// Takes away what an earlier run of the cell left, and nothing else that may lie there.
fn clear(dir: &Path) -> io::Result<()> {
    for name in FILES {
        let path = dir.join(name);
        let gone = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
