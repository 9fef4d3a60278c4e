//! The words of the command line, and what they mean to those who do what they say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use handover_fixtures::cause::chain;
use handover_fixtures::components::images::{LockFile, Mirrors, Tags};
use handover_fixtures::components::{Environment, Override, Overrides, Request, Rules, Sources};

use super::Failure;
use crate::play::planes::Where;

/// Proves, on real servers, that a credential can be rotated without anybody being locked out.
#[derive(Debug, Parser)]
#[command(name = "handover", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) with: With,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(super) struct With {
    /// Use this for a component: a program, file or folder (eso=PATH[@VERSION]), another version
    /// (eso=v0.16.1), or an image (eso=image:ghcr.io/…) (also HANDOVER_COMPONENT_ESO=…)
    #[arg(long = "component", value_name = "NAME=PATH|VERSION|image:IMAGE", global = true)]
    pub(super) components: Vec<String>,
    /// By which ways components may come, and in which order; for all of them or for one: eso=build
    /// (also HANDOVER_SOURCES) [default: cache,path,image,build]
    #[arg(long = "sources", value_name = "[NAME=]WAY,…", global = true)]
    pub(super) sources: Vec<String>,
    /// Ask another registry in place of one, or of any: docker.io=mirror.corp:5000/hub, *=mirror.corp
    /// (also HANDOVER_MIRROR)
    #[arg(long = "mirror", value_name = "REGISTRY=HOST[/PREFIX]", global = true)]
    pub(super) mirrors: Vec<String>,
    /// Refuse an image whose tag is not what handover.lock says, or else what it was when it was pulled
    #[arg(long, global = true)]
    pub(super) locked: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the servers, play scenarios, judge them, write reports
    Run(RunArgs),
    /// Say what changes when one version takes another's place: the catalogue on either, and the hop between them
    Upgrade(UpgradeArgs),
    /// Play the same scenarios on many versions and planes, one cell after the other, and sum them up; what was
    /// played before is not played again
    Matrix(MatrixArgs),
    /// Judge a finished run again from its files alone
    Judge(JudgeArgs),
    /// Say how two runs differ: plane against plane, version against version
    Compare(CompareArgs),
    /// Find all errors of scenario files
    Lint(Which),
    /// Read manifests alone: each credential's way, the longest a new value can take, and what looks wrong
    Explain {
        /// Files and folders with manifests
        #[arg(required = true, value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
    },
    /// Write a commented scenario and its manifests, to begin with
    New {
        /// The scenario's name: `team/fleet`
        name: String,
        /// Where they go [default: this directory]
        #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
        dir: PathBuf,
    },
    /// Say what there is to play
    List(ListArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
    /// Print the page of the language, for docs/language.md
    #[command(hide = true)]
    Docs,
    /// Say what this machine has and lacks
    Doctor {
        /// For runs on this plane
        #[arg(long, value_enum, default_value_t = PlaneName::Embedded)]
        plane: PlaneName,
    },
    /// The servers' programs: where they come from, and whether they are whole
    Components {
        #[command(subcommand)]
        what: Option<ComponentsCommand>,
    },
    /// Make a cluster or an embedded control plane that stays, and print the path of its kubeconfig
    Up(UpArgs),
    /// Remove what was made by `up`
    Down {
        /// Which
        name: String,
    },
    /// What the plane `kind` is made of
    Kind {
        #[command(subcommand)]
        what: KindCommand,
    },
    /// Sweep what killed runs left behind
    Gc,
    /// Measure the budgets of the design on this machine
    Bench(BenchArgs),
    /// Hold a credential and use it: what the workloads of scenarios run (configured by HANDOVER_CONSUMER)
    #[command(hide = true)]
    Consumer,
    /// Be the links of a component of a cluster: what relay pods run (configured by the files of DIR)
    #[command(hide = true)]
    Relay {
        /// Where the files are
        dir: PathBuf,
    },
}

/// Which scenarios.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Parts of scenario names, globs (`mysql/*`), or files and folders of your own
    #[arg(value_name = "FILTER|PATH")]
    pub(super) which: Vec<String>,
    /// Set a variable of the scenarios
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(super) sets: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Only the claims that they settle, with how each stands after a run
    #[arg(long)]
    pub(super) claims: bool,
    /// The run to look at for that [default: the latest below target/handover]
    #[arg(long, value_name = "DIR", requires = "claims")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// How many scenarios play side by side [default: two for each core, up to 6; on a cluster 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(super) jobs: Option<u64>,
    /// Where the run's files go [default: target/handover/RUN]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Keep the servers' data (it holds secrets; never below --out)
    #[arg(long)]
    pub(super) keep: bool,
    /// Draw probe phases and the order of scenarios from this number
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// Values for ESO's chart (concurrent, token cache, …)
    #[arg(long, value_name = "FILE", value_parser = readable)]
    pub(super) eso_values: Option<PathBuf>,
    #[command(flatten)]
    pub(super) on: On,
}

/// Where it plays.
#[derive(Debug, Args)]
pub(super) struct On {
    /// Where the servers run: as processes of this host, or as pods of a cluster of kind
    #[arg(long, value_enum, default_value_t = PlaneName::Embedded)]
    pub(super) plane: PlaneName,
    /// Play in a cluster, or on an embedded control plane, that was kept (`handover up`), and leave it there
    #[arg(long = "use", value_name = "NAME")]
    pub(super) kept: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct UpgradeArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// What runs now: eso=v0.16.1, eso=PATH@VERSION, eso=image:REFERENCE (and eso-crds=…, eso-chart=… with a path)
    #[arg(long, value_name = "NAME=RELEASE")]
    pub(super) from: Vec<String>,
    /// What is to come
    #[arg(long, value_name = "NAME=RELEASE")]
    pub(super) to: Vec<String>,
    /// Watch whatever these manifests make, over the hop [default: one of each kind]
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) manifests: Vec<PathBuf>,
    /// Play the hop alone, and not the catalogue on either version
    #[arg(long)]
    pub(super) hop_only: bool,
    /// Play the catalogue so often on each version, by turns: more times to compare
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub(super) rounds: u64,
    /// How long everything is watched after each change of the hop
    #[arg(long, value_name = "TIME", default_value = "8s", value_parser = super::upgrade::duration)]
    pub(super) hold: std::time::Duration,
    /// How many scenarios play side by side [default: two for each core, up to 6; on a cluster 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(super) jobs: Option<u64>,
    /// Where all files go [default: target/handover/RUN]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Draw probe phases and the order of scenarios from this number
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Summary::Human)]
    pub(super) format: Summary,
    /// Values for ESO's chart, on both versions
    #[arg(long, value_name = "FILE", value_parser = readable)]
    pub(super) eso_values: Option<PathBuf>,
    /// Where the servers run: as processes of this host, or as pods of clusters of kind
    #[arg(long, value_enum, default_value_t = PlaneName::Embedded)]
    pub(super) plane: PlaneName,
}

#[derive(Debug, Args)]
pub(super) struct MatrixArgs {
    /// What is played on what (docs/matrix.md)
    pub(super) file: PathBuf,
    /// Play every cell again, also what is done
    #[arg(long)]
    pub(super) again: bool,
    /// How many scenarios of a cell play side by side [default: two for each core, up to 6; on a cluster 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(super) jobs: Option<u64>,
    /// Where all files go, a directory for each cell [default: target/handover/matrix/FILE]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Draw probe phases and the order of scenarios from this number, the same in every cell
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Summary::Human)]
    pub(super) format: Summary,
    /// Values for ESO's chart, in every cell
    #[arg(long, value_name = "FILE", value_parser = readable)]
    pub(super) eso_values: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// The run's output directory
    pub(super) dir: PathBuf,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What there was: a run's output directory, or a folder of several runs
    #[arg(value_name = "OUT")]
    pub(super) a: PathBuf,
    /// What is to come
    #[arg(value_name = "OUT")]
    pub(super) b: PathBuf,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Summary::Human)]
    pub(super) format: Summary,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Where the run's files go [default: target/handover/RUN]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ComponentsCommand {
    /// Say what there is and where it comes from (the default)
    List,
    /// Obtain what is missing
    Resolve {
        /// Which; all if none is named
        names: Vec<String>,
    },
    /// Compute every checksum again
    Verify,
    /// Ask what the tags of images mean now, obtain that, and write it into handover.lock
    Lock {
        /// Which; all if none is named
        names: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct UpArgs {
    /// Where
    #[arg(long, value_enum)]
    pub(super) plane: PlaneName,
    /// What it is called
    #[arg(long, value_name = "NAME", default_value = "handover")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) image: ImageArgs,
    /// Hold it in this program, until that is stopped, and not in one of its own (embedded plane)
    #[arg(long)]
    pub(super) foreground: bool,
    /// The same, without anybody who watches: once it is there, what this program says goes into its log
    #[arg(long, hide = true)]
    pub(super) keeper: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImageArgs {
    /// What a node is made of: an image by its name, or `own` [default: the official image where it can be had,
    /// else one of our own]
    #[arg(long, value_name = "IMAGE")]
    pub(super) node_image: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum KindCommand {
    /// Find or make the image of a node, and print its name
    Image(ImageArgs),
}

/// Where the servers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlaneName {
    /// As processes of this machine
    Embedded,
    /// In a cluster that kind makes in a container
    Kind,
}

impl PlaneName {
    /// One of the run's own.
    pub(super) fn own(self) -> Where {
        match self {
            Self::Embedded => Where::default(),
            Self::Kind => Where::Kind { kept: None },
        }
    }
}

/// What goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people
    Human,
    /// The content of verdict.json
    Json,
}

/// What of several runs together goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Summary {
    /// Text for people
    Human,
    /// Text for a pull request
    Markdown,
    /// Data for programs
    Json,
}

impl With {
    /// How components are obtained.
    pub(super) fn request(&self) -> Result<Request, Failure> {
        let environment = Environment::of_process();
        let mut errors = Vec::new();
        let mut flags = Vec::new();
        for text in &self.components {
            match Override::parse(text) {
                Ok(flag) => flags.push(flag),
                Err(error) => errors.push(chain(&error)),
            }
        }
        let overrides = Overrides::gather(&flags, &environment).unwrap_or_else(|found| {
            errors.extend(found.iter().map(|error| chain(error)));
            Overrides::default()
        });
        let rules = self.rules(&environment).unwrap_or_else(|error| {
            errors.push(error);
            Rules::default()
        });
        if !errors.is_empty() {
            return Err(Failure::usage(errors.join("\n")));
        }
        let request = Request::new(environment, overrides).map_err(|error| Failure::environment(&error))?;
        Ok(request.by(rules))
    }

    /// By which ways they come, and how images are asked for.
    fn rules(&self, environment: &Environment) -> Result<Rules, String> {
        let tags =
            if self.locked { Tags::Locked(LockFile::read(Path::new(LockFile::NAME))?) } else { Tags::Cached };
        let sources = Sources::gather(&self.sources, environment)?;
        let mirrors = Mirrors::gather(&self.mirrors, environment)?;
        Ok(Rules { sources, mirrors, tags })
    }
}

impl On {
    pub(super) fn plane(&self) -> Where {
        let kept = self.kept.clone();
        match self.plane {
            PlaneName::Embedded => Where::Embedded { kept },
            PlaneName::Kind => Where::Kind { kept },
        }
    }
}

impl Which {
    pub(super) fn sets(&self) -> BTreeMap<String, String> {
        self.sets.iter().cloned().collect()
    }
}

/// A file that is there: what cannot be read is refused before any work starts.
fn readable(text: &str) -> Result<PathBuf, String> {
    std::fs::File::open(text).map(|_| text.into()).map_err(|error| error.to_string())
}

fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.into(), value.into())),
        _ => Err("it has to be NAME=VALUE".into()),
    }
}
