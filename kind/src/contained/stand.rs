//! `handover contained ORDER PROGRAM ARGUMENT…`: runs a program in a container as if it were this process's own. What it
//! prints is printed here, and this process ends as it does, when the container is gone.
//!
//! Signals are for the program itself, and whoever sends them finds it (`process::contained`). SIGTERM alone is for this
//! process: take the container away. It also comes when the harness dies, however that dies.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use handover_fixtures::cause::chain;
use handover_fixtures::files::write_private;
use handover_fixtures::process::{CONTAINED, Signal, record_contained};
use rustix::process::{getpid, kill_process, set_parent_process_death_signal};
use testcontainers::bollard::Docker;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::models::{ContainerInspectResponse, HostConfig, HostConfigLogConfig};
use testcontainers::bollard::query_parameters::{
    LogsOptionsBuilder, RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{AccessMode, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerRequest, GenericImage, ImageExt};
use tokio::signal::unix::{SignalKind, signal};

use super::order::Order;

/// What testcontainers reads to find its daemon, and keeps from the user's configuration. No container sees them.
const HOST: &str = "DOCKER_HOST";
const CONFIG: &str = "DOCKER_CONFIG";
/// A folder that is not there.
const NO_CONFIG: &str = "/nonexistent/handover";
/// How long a daemon may take to start a container.
const START: Duration = Duration::from_secs(60);
/// How soon a daemon knows that a program has ended.
const SEEN: Duration = Duration::from_secs(5);
/// How often it is asked.
const LOOK: Duration = Duration::from_millis(20);
/// `nobody`, wherever there is one.
const NOBODY: u32 = 65534;

/// How this process ends when it was told to: as if the signal had done it.
const TOLD: u8 = 128 + 15;
/// The status of a program that SIGKILL has ended, as Docker tells it.
const KILLED: u8 = 128 + 9;

/// A container and what is started in it.
struct Berth {
    order: Order,
    name: String,
    program: String,
    args: Vec<String>,
}

/// Runs the program, and says how it ended.
pub(super) fn stand(mut args: impl Iterator<Item = OsString>) -> Result<ExitCode, String> {
    let (Some(file), Some(program)) = (args.next(), args.next()) else {
        return Err("write `ORDER PROGRAM [ARGUMENT]…`".to_owned());
    };
    let args: Vec<OsString> = args.collect();
    let read = Order::read(Path::new(&file));
    let order = read.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    if std::env::var_os(HOST).as_deref() != Some(OsStr::new(&order.host)) {
        return Err(at_daemon(&order.host, &file, &program, &args));
    }
    let text = |word: &OsString| {
        word.clone().into_string().map_err(|word| format!("`{}` is no text", word.display()))
    };
    let berth = Berth {
        name: format!("{}-{}-{}", order.name, order.component, std::process::id()),
        order,
        program: text(&program)?,
        args: args.iter().map(text).collect::<Result<_, _>>()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(berth.occupy())
}

/// Becomes this program anew, with the daemon in its environment: testcontainers reads it there and nowhere else.
/// Returns only if that fails.
fn at_daemon(host: &str, file: &OsStr, program: &OsStr, args: &[OsString]) -> String {
    let mut again = Command::new("/proc/self/exe");
    again.arg(CONTAINED).arg(file).arg(program).args(args).env(HOST, host).env(CONFIG, NO_CONFIG);
    format!("cannot start itself again: {}", again.exec())
}

impl Berth {
    async fn occupy(self) -> Result<ExitCode, String> {
        let mut told = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        // Until here the harness's death was this process's own, with nothing to take away.
        set_parent_process_death_signal(Some(Signal::TERM)).map_err(|error| error.to_string())?;
        let docker = docker_client_instance().await.map_err(|error| chain(&error))?;
        // A container that is about to start is waited for: else nobody would know of it.
        let started = tokio::time::timeout(START, self.request()?.start()).await;
        let ended = match started {
            Ok(Ok(container)) => {
                tokio::select! {
                    ended = self.watch(&docker, container.id()) => ended,
                    _ = told.recv() => Ok(TOLD),
                }
            }
            Ok(Err(error)) => Err(self.refused(&chain(&error))),
            Err(_) => Err(format!("Docker did not start a container within {START:?}")),
        };
        let removed = self.remove(&docker).await;
        let status = ended?;
        removed?;
        if status == KILLED {
            // By hand, or for lack of memory: as it would have ended without a container.
            let _ = kill_process(getpid(), Signal::KILL);
        }
        Ok(ExitCode::from(status))
    }

    /// The container as testcontainers makes it.
    fn request(&self) -> Result<ContainerRequest<GenericImage>, String> {
        let cannot = |error: io::Error| format!("cannot see where it works: {error}");
        let dir = std::env::current_dir().map_err(cannot)?;
        let owner = fs::metadata(&dir).map_err(cannot)?;
        let (kind, id) = self.order.id.split_once(':').ok_or("the image's id is none")?;
        let mut request = GenericImage::new(kind, id)
            .with_entrypoint(&self.program)
            .with_cmd(&self.args)
            .with_container_name(&self.name)
            .with_labels(&self.order.labels)
            .with_network("host")
            .with_user(format!("{}:{}", owner.uid(), owner.gid()))
            .with_userns_mode("host")
            .with_working_dir(path(&dir)?)
            .with_startup_timeout(START)
            .with_host_config_modifier(configure);
        for (folder, mode) in self.folders(&dir, owner.uid()) {
            let mount = Mount::bind_mount(path(folder)?, path(folder)?);
            request = request.with_mount(mount.with_access_mode(mode));
        }
        let users = Mount::bind_mount(path(&self.users(owner.uid(), owner.gid())?)?, "/etc/passwd");
        request = request.with_mount(users.with_access_mode(AccessMode::ReadOnly));
        for (name, value) in std::env::vars().filter(|(name, _)| name != HOST && name != CONFIG) {
            request = request.with_env_var(name, value);
        }
        Ok(request)
    }

    /// What it sees of this machine: where it works and the run's directory, and beside it those of other runs, of which
    /// one may keep what this one plays on, certificates among it. Who may not enter these works in its own.
    fn folders<'a>(&'a self, dir: &'a Path, user: u32) -> Vec<(&'a Path, AccessMode)> {
        let (run, own) = (self.order.run.as_path(), (dir, AccessMode::ReadWrite));
        if user != rustix::process::geteuid().as_raw() {
            return vec![own];
        }
        let runs = run.parent().map(|runs| (runs, AccessMode::ReadOnly));
        let elsewhere = (!dir.starts_with(run)).then_some(own);
        runs.into_iter().chain([(run, AccessMode::ReadWrite)]).chain(elsewhere).collect()
    }

    /// A file with whoever may be in the container: there are programs that do not run as somebody without a name.
    fn users(&self, uid: u32, gid: u32) -> Result<PathBuf, String> {
        let path = self.order.run.join(CONTAINED).join(format!("passwd-{uid}"));
        let mut names = vec![(0, 0, "root"), (NOBODY, NOBODY, "nobody")];
        if names.iter().all(|(known, ..)| *known != uid) {
            names.push((uid, gid, "handover"));
        }
        let lines = names.iter().map(|(uid, gid, name)| format!("{name}:x:{uid}:{gid}::/:/sbin/nologin\n"));
        let written = write_private(&path, lines.collect::<String>())
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)));
        written.map(|()| path.clone()).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Prints what the program prints until it ends, and says with which status.
    async fn watch(&self, docker: &Docker, id: &str) -> Result<u8, String> {
        self.write_down(docker, id).await?;
        let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).build();
        let mut output = docker.logs(id, Some(options));
        while let Some(piece) = output.try_next().await.map_err(|error| chain(&error))? {
            let written = match &piece {
                LogOutput::StdErr { message } => io::stderr().write_all(message),
                LogOutput::StdOut { message }
                | LogOutput::Console { message }
                | LogOutput::StdIn { message } => {
                    io::stdout().write_all(message).and_then(|()| io::stdout().flush())
                }
            };
            written.map_err(|error| format!("cannot write its log: {error}"))?;
        }
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        let status = match docker.wait_container(id, Some(options)).next().await {
            Some(Ok(ended)) => ended.status_code,
            Some(Err(BollardError::DockerContainerWaitError { code, .. })) => code,
            Some(Err(error)) => return Err(chain(&error)),
            None => return Err("Docker does not say how it ended".to_owned()),
        };
        Ok(u8::try_from(status).unwrap_or(u8::MAX))
    }

    /// Writes down which process of this machine the program is, if it still runs: else neither its ports nor its
    /// signals would be where they are looked for.
    async fn write_down(&self, docker: &Docker, id: &str) -> Result<(), String> {
        let until = Instant::now() + SEEN;
        loop {
            let container = docker.inspect_container(id, None).await.map_err(|error| chain(&error))?;
            let Some(pid) = runs(&container) else { return Ok(()) };
            let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            if cgroups.contains(id) {
                return record_contained(&self.order.run, &self.order.component, pid)
                    .map_err(|error| format!("cannot write into the ledger of the run: {error}"));
            }
            // One that has ended just now is gone here before Docker says so.
            if Instant::now() > until {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(format!(
            "the containers of the Docker daemon at {} are not on this machine: their processes are not seen from \
             here; unset DOCKER_HOST, or take another context",
            self.order.host
        ))
    }

    /// Takes the container away, whatever has become of it.
    async fn remove(&self, docker: &Docker) -> Result<(), String> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match docker.remove_container(&self.name, Some(options)).await {
            // Not there, or somebody else removes it now.
            Ok(()) | Err(BollardError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(chain(&error)),
        }
    }

    /// What a daemon means that does not start it.
    fn refused(&self, said: &str) -> String {
        let Self { order: Order { image, .. }, program, .. } = self;
        if said.contains("executable file not found") || said.contains("no such file or directory") {
            return format!("the image `{image}` has no program `{program}`: {said}");
        }
        format!("Docker does not start `{program}` of the image `{image}`: {said}")
    }
}

/// The pid of a container's program, if that runs.
fn runs(container: &ContainerInspectResponse) -> Option<i32> {
    let state = container.state.as_ref().filter(|state| state.running == Some(true))?;
    i32::try_from(state.pid?).ok().filter(|pid| *pid > 0)
}

/// No port is published, for the network is this machine's; and what is printed is kept where it can be read.
fn configure(config: &mut HostConfig) {
    config.publish_all_ports = None;
    config.port_bindings = None;
    config.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None });
}

fn path(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("`{}` is no text", path.display()))
}
