//! OpenBao, MySQL, Valkey and PostgreSQL in a cluster: each laid down on the run's ground as on the embedded plane, and
//! started there as a pod.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use handover_fixtures::cause::chain;
use handover_fixtures::components::{Component, Program, ResolvedSet};
use handover_fixtures::ground::{Ground, hosts};
use handover_fixtures::link::Relay;
use handover_fixtures::openbao::{self, AuditFeed};
use handover_fixtures::plane::{Peer, Server};
use handover_fixtures::process::{Ready, Signal, Spec};
use handover_fixtures::{mysql, postgres, valkey};

use super::images::Images;
use super::manifest::{Seat, stateful_set};
use super::member::{Base, Member, Succession, Successor};
use super::services::Place;
use super::site::Share;
use super::{ServersError, voice};

/// What the servers of one run stand on in a cluster.
pub struct Floor<'a> {
    /// What they stand on on this host.
    pub ground: &'a Ground<'a>,
    /// What a pod stands on.
    pub base: Base,
    /// Makes and loads images.
    pub images: Images,
    /// What the node sees of this host.
    pub share: Share,
    /// Where each server is.
    pub places: BTreeMap<Server, Place>,
}

/// The port of each server within the cluster: its usual one.
pub fn port(server: Server) -> u16 {
    match server {
        Server::Openbao => 8200,
        Server::Mysql => 3306,
        Server::Valkey => 6379,
        Server::Postgres => 5432,
    }
}

/// Where a server listens in its pod.
fn listens(server: Server) -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, port(server)).into()
}

fn component(server: Server) -> Component {
    match server {
        Server::Openbao => Component::Openbao,
        Server::Mysql => Component::Mysql,
        Server::Valkey => Component::Valkey,
        Server::Postgres => Component::Postgres,
    }
}

/// A running OpenBao.
pub struct Openbao {
    /// Its pod.
    pub member: Member,
    /// The harness's way to it.
    pub link: Relay,
    /// Its administrator's client, by that way.
    pub client: openbao::Client,
    /// Its audit log.
    pub audit: AuditFeed,
}

/// A running database.
pub struct Database<A> {
    /// Its pod.
    pub member: Member,
    /// The harness's way to it.
    pub link: Relay,
    /// Its administrator, by that way.
    pub admin: A,
}

/// How a server that is there is put into a pod.
struct Start {
    server: Server,
    spec: Spec,
    dirs: Vec<PathBuf>,
    user: u32,
    /// The folders that its program reads beside itself.
    folders: Vec<PathBuf>,
    /// The signal that asks it to end, if that is not SIGTERM.
    stop: Option<Signal>,
    ready: Ready,
    /// How another release of it is started.
    again: Again,
}

/// How a server is started with the program of a release, and the folders that this one reads beside itself; or why it
/// cannot be.
type Again = Box<dyn Fn(&ResolvedSet) -> Result<(Spec, Vec<PathBuf>), String> + Send + Sync>;

impl Floor<'_> {
    /// Starts OpenBao.
    ///
    /// # Errors
    /// What could not be made or started.
    pub async fn openbao(&self) -> Result<Openbao, ServersError> {
        let server = Server::Openbao;
        let host = hosts::openbao(self.ground, listens(server)).await?;
        let link = self.link(server)?;
        let url = format!("https://{}", link.address());
        let again = host.clone();
        let start = Start {
            server,
            spec: host.prepare()?,
            dirs: vec![host.dir.clone(), certificates(&host.cert)],
            user: own(),
            folders: Vec::new(),
            stop: None,
            ready: host.ready_at(&url)?,
            again: Box::new(move |release| {
                let host = openbao::Host { program: program(release, server)?, ..again.clone() };
                Ok((host.prepare().map_err(|error| chain(&error))?, Vec::new()))
            }),
        };
        let member = self.start(start).await?;
        let client = openbao::Client::new(&url, &self.ground.pki.ca_pem, host.token()?)?;
        let token = client.token_in_audit(openbao::Host::AUDIT_DEVICE).await?;
        let log = host.audit_log();
        let audit = AuditFeed::follow(&log, token).map_err(ServersError::file(log))?;
        Ok(Openbao { member, link, client, audit })
    }

    /// Starts MySQL.
    ///
    /// # Errors
    /// What could not be made or started.
    pub async fn mysql(&self) -> Result<Database<mysql::Admin>, ServersError> {
        let server = Server::Mysql;
        let host = hosts::mysql(self.ground, listens(server)).await?;
        let link = self.link(server)?;
        let again = host.clone();
        let start = Start {
            server,
            spec: host.prepare()?,
            dirs: vec![host.dir.clone(), certificates(&host.cert)],
            user: own(),
            folders: host.folders(),
            stop: None,
            ready: host.ready_at(link.address().port()),
            again: Box::new(move |release| {
                let basedir =
                    release.require(Component::Mysql).map_err(|error| chain(&error))?.basedir().to_owned();
                let host = mysql::Host { program: program(release, server)?, basedir, ..again.clone() };
                Ok((host.prepare().map_err(|error| chain(&error))?, host.folders()))
            }),
        };
        let member = self.start(start).await?;
        let admin = host.admin_at(link.address().port());
        Ok(Database { member, link, admin })
    }

    /// Starts Valkey.
    ///
    /// # Errors
    /// What could not be made or started.
    pub async fn valkey(&self) -> Result<Database<valkey::Admin>, ServersError> {
        let server = Server::Valkey;
        let host = hosts::valkey(self.ground, listens(server))?;
        let link = self.link(server)?;
        let again = host.clone();
        let start = Start {
            server,
            spec: host.prepare()?,
            dirs: vec![host.dir.clone()],
            user: own(),
            folders: Vec::new(),
            stop: None,
            ready: host.ready_at(link.address().port()),
            again: Box::new(move |release| {
                let host = valkey::Host { program: program(release, server)?, ..again.clone() };
                Ok((host.prepare().map_err(|error| chain(&error))?, Vec::new()))
            }),
        };
        let member = self.start(start).await?;
        let admin = host.admin_at(link.address().port());
        Ok(Database { member, link, admin })
    }

    /// Starts PostgreSQL, as somebody who is not root: so its certificate lies in its own directory.
    ///
    /// # Errors
    /// What could not be made or started.
    pub async fn postgres(&self) -> Result<Database<postgres::Admin>, ServersError> {
        let server = Server::Postgres;
        let host = hosts::postgres(self.ground, listens(server)).await?.with_own_certificate()?;
        let link = self.link(server)?;
        let again = host.clone();
        let spec = host.prepare()?;
        let start = Start {
            server,
            spec,
            dirs: vec![host.dir.clone()],
            user: host.hand_over()?,
            folders: host.folders(),
            stop: postgres::Host::GENTLY.signal(),
            ready: host.ready_at(link.address().port())?,
            again: Box::new(move |release| {
                let host = postgres::Host { program: program(release, server)?, ..again.clone() };
                let spec = host.prepare().map_err(|error| chain(&error))?;
                host.hand_over().map_err(|error| chain(&error))?;
                Ok((spec, host.folders()))
            }),
        };
        let member = self.start(start).await?;
        let admin = host.admin_at(link.address().port())?;
        Ok(Database { member, link, admin })
    }

    /// The harness's way to a server: by the node, through a relay of this process.
    fn link(&self, server: Server) -> Result<Relay, ServersError> {
        let name = format!("{} to {}", Peer::Harness, server.word());
        Ok(Relay::bind(name, self.places[&server].outside)?)
    }

    async fn start(&self, start: Start) -> Result<Member, ServersError> {
        let Start { server, spec, dirs, user, folders, stop, ready, again } = start;
        let log = spec.log.clone();
        // Whoever follows it does so from its first line.
        voice::open(&log).map_err(ServersError::file(&log))?;
        let program = self.ground.request.components.program(component(server))?;
        let image = self.images.obtain(server.word(), program, folders, stop).await?;
        let seat =
            Seat { name: server.word().to_owned(), image, spec, dirs, files: None, user, port: port(server) };
        let object = stateful_set(&seat, &self.share, 1);
        let (images, share) = (self.images.clone(), self.share.clone());
        let again = std::sync::Arc::new(again);
        let succession: Succession = Box::new(move |release| {
            let (images, share, seat) = (images.clone(), share.clone(), seat.clone());
            let again = std::sync::Arc::clone(&again);
            Box::pin(async move {
                let (spec, folders) = again(&release)?;
                let program: Program =
                    release.program(component(server)).map_err(|error| chain(&error))?.clone();
                let image = images.obtain(server.word(), &program, folders, stop).await;
                let image = image.map_err(|error| chain(&error))?;
                let object = stateful_set(&Seat { image, spec, ..seat }, &share, 1);
                Ok(Successor::of(object))
            })
        });
        self.ground.started(server.word());
        let member = Member::start(server.word(), self.base.clone(), object, ready, log, succession).await?;
        self.ground.ready(server.word());
        Ok(member)
    }
}

fn program(release: &ResolvedSet, server: Server) -> Result<Vec<std::ffi::OsString>, String> {
    let program = release.program(component(server)).map_err(|error| chain(&error))?;
    Ok(program.argv0().to_vec())
}

/// The directory of a certificate.
fn certificates(cert: &Path) -> PathBuf {
    cert.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Whose the directories of this run are.
fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}
