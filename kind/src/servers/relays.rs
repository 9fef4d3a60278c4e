//! The links of those inside the cluster: a relay pod for each of them, so that a server's log, which knows the pod's
//! address, still tells whose connection it was. Each link has a Service of its own: an address that never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use handover_fixtures::cause::chain;
use handover_fixtures::ground::PlaneError;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::kubernetes::reviewer::NAMESPACE;
use handover_fixtures::link::pod::{LINKS, Links, TOKEN, Way};
use handover_fixtures::link::{Link as _, RemoteLink};
use handover_fixtures::plane::{Peer, Server};
use handover_fixtures::process::{Progress, Ready, Spec, this_program};
use handover_harness::secret::Secret;
use serde_json::{Value, json};

use super::manifest::{COMPONENT, Files, Seat, stateful_set};
use super::member::{Member, Succession};
use super::services::{self, Place};
use super::site::Node;
use super::start::{Floor, port};
use super::{ServersError, voice};

/// Who has a relay pod.
pub const CLIENTS: [Peer; 3] = [Peer::Eso, Peer::Workload, Peer::Server(Server::Openbao)];
/// Where a relay is told what to do.
const CONTROL: u16 = 9000;
/// Where its files are.
const MOUNTED: &str = "/etc/handover";
/// As whom it runs, who needs nothing.
const NOBODY: u32 = 65534;
/// How long a relay may take to answer: its image may have to be loaded.
const WITHIN: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(50);
/// The letters of a token.
const LETTERS: usize = 40;

/// What the relay pod of a component is called.
pub fn name(from: Peer) -> String {
    format!("relay-{from}")
}

/// Where the links of a component lead.
fn leads_to(from: Peer, servers: &BTreeSet<Server>) -> Vec<Server> {
    let all = servers.iter().copied();
    match from {
        Peer::Eso => all.filter(|server| *server == Server::Openbao).collect(),
        Peer::Workload => all.collect(),
        Peer::Server(Server::Openbao) => all.filter(|server| *server != Server::Openbao).collect(),
        Peer::Server(_) | Peer::Etcd | Peer::ApiServer | Peer::ControllerManager | Peer::Harness => {
            Vec::new()
        }
    }
}

/// Where links are, before anybody relays there.
pub struct Doors {
    /// For those who come.
    links: BTreeMap<(Peer, Server), SocketAddr>,
    /// For the harness, which breaks them.
    controls: BTreeMap<Peer, Place>,
}

impl Doors {
    /// Makes the Services of all links to these servers, or takes those that are there.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn open(
        applier: &Applier,
        node: &Node,
        servers: &BTreeSet<Server>,
    ) -> Result<Self, ServersError> {
        let all = CLIENTS.map(|from| (from, leads_to(from, servers)));
        let all: Vec<_> = all.into_iter().filter(|(_, to)| !to.is_empty()).collect();
        let ways = all.iter().flat_map(|(from, servers)| servers.iter().map(|to| (*from, *to)));
        let links = try_join_all(ways.map(async |(from, to)| {
            let name = format!("{from}-to-{}", to.word());
            let inside = services::inside(applier, &name, &self::name(from), NAMESPACE, port(to)).await?;
            Ok::<_, ServersError>(((from, to), inside))
        }));
        let controls = try_join_all(all.iter().map(async |(from, _)| {
            let place = services::place(applier, node, &name(*from), NAMESPACE, CONTROL).await?;
            Ok::<_, ServersError>((*from, place))
        }));
        let (links, controls) = tokio::try_join!(links, controls)?;
        Ok(Self { links: links.into_iter().collect(), controls: controls.into_iter().collect() })
    }

    /// The addresses that a server is known by because of them: certificates have to name these as well.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.links.values().map(|address| address.ip().to_string())
    }
}

/// The links of those inside.
pub struct Relays {
    /// Their pods.
    pub members: Vec<Member>,
    /// Each link.
    pub links: BTreeMap<(Peer, Server), RemoteLink>,
}

impl Floor<'_> {
    /// Starts all relay pods side by side. What their links lead to need not be there.
    ///
    /// # Errors
    /// What could not be made or started.
    pub async fn relays(&self, doors: &Doors) -> Result<Relays, ServersError> {
        let image = self.images.stand_in(this_program().map_err(PlaneError::from)?).await?;
        let started = doors.controls.iter().map(|(from, place)| self.relay(&image, doors, *from, *place));
        let mut all = Relays { members: Vec::new(), links: BTreeMap::new() };
        for (member, links) in try_join_all(started).await? {
            all.members.push(member);
            all.links.extend(links);
        }
        Ok(all)
    }

    async fn relay(
        &self,
        image: &str,
        doors: &Doors,
        from: Peer,
        control: Place,
    ) -> Result<(Member, Vec<((Peer, Server), RemoteLink)>), ServersError> {
        let name = name(from);
        let token = Secret::random(LETTERS);
        let ways: Vec<(Server, SocketAddr)> = doors
            .links
            .iter()
            .filter(|((client, _), _)| *client == from)
            .map(|((_, to), address)| (*to, *address))
            .collect();
        let told = Links {
            from: from.to_string(),
            control: anywhere(CONTROL),
            links: ways.iter().map(|(to, _)| self.way(*to)).collect(),
        };
        self.base.applier.apply(&secret(&name, &told, &token), NAMESPACE).await?;
        let links = ways.into_iter().map(|(to, address)| {
            let said = format!("{from} to {}", to.word());
            let link = RemoteLink::new(said, to.word(), address, control.outside, token.clone())?;
            Ok(((from, to), link))
        });
        let links: Vec<_> = links.collect::<Result<_, ServersError>>()?;

        let log = self.ground.place(&name)?.log;
        voice::open(&log).map_err(ServersError::file(&log))?;
        let program = this_program().map_err(PlaneError::from)?;
        let seat = Seat {
            name: name.clone(),
            image: image.to_owned(),
            spec: Spec::new(&name, program, "/", &log).arg("relay").arg(MOUNTED),
            dirs: Vec::new(),
            files: Some(Files { secret: name.clone(), at: MOUNTED.into() }),
            user: NOBODY,
            port: CONTROL,
        };
        let object = stateful_set(&seat, &self.share, 1);
        let first = told.links.first().map(|way| way.to.clone()).unwrap_or_default();
        let ready = ready(&first, control.outside, token)?;
        let succession: Succession =
            Box::new(|_| Box::pin(async { Err("a relay is of no release".to_owned()) }));
        self.ground.started(&name);
        let member = Member::start(&name, self.base.clone(), object, ready, log, succession).await?;
        self.ground.ready(&name);
        Ok((member, links))
    }

    /// A link as its pod has it: it leads to the server's Service, which is where it is wherever its pod is.
    fn way(&self, to: Server) -> Way {
        Way { to: to.word().to_owned(), listen: anywhere(port(to)), target: self.places[&to].inside }
    }
}

/// It is ready when it answers who brings the token.
fn ready(to: &str, control: SocketAddr, token: Secret) -> Result<Ready, ServersError> {
    let link = Arc::new(RemoteLink::new("any", to, control, control, token)?);
    Ok(Ready::new(WITHIN, EVERY, move || {
        let link = Arc::clone(&link);
        async move {
            match link.look().await {
                Ok(_) => Progress::There(()),
                Err(error) => Progress::NotYet(chain(&error)),
            }
        }
    }))
}

fn secret(name: &str, links: &Links, token: &Secret) -> Value {
    let links = serde_json::to_string(links).expect("it is plain data");
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE, "labels": {COMPONENT: name}},
        "stringData": {LINKS: links, TOKEN: token.expose()}})
}

fn anywhere(port: u16) -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_a_component_uses() {
        let all = BTreeSet::from(Server::ALL);
        assert_eq!(leads_to(Peer::Eso, &all), [Server::Openbao]);
        assert_eq!(leads_to(Peer::Workload, &all), Server::ALL);
        let bao = Peer::Server(Server::Openbao);
        assert_eq!(leads_to(bao, &all), [Server::Mysql, Server::Valkey, Server::Postgres]);
        assert_eq!(leads_to(bao, &BTreeSet::from([Server::Openbao])), []);
        assert_eq!(leads_to(Peer::ApiServer, &all), []);
    }

    #[test]
    fn what_a_relay_is_told_is_in_files() {
        let links = Links { from: "eso".into(), control: anywhere(CONTROL), links: Vec::new() };
        let made = secret("relay-eso", &links, &Secret::new("t0ken"));
        assert_eq!(made["stringData"]["token"], "t0ken");
        let said = made["stringData"]["links.json"].as_str().expect("text");
        assert_eq!(serde_json::from_str::<Links>(said).expect("links"), links);
    }
}
