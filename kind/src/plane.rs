//! The kind plane: the servers as pods of a cluster that runs, held and stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use handover_fixtures::cause::chain;
use handover_fixtures::components::Component;
use handover_fixtures::database::Administrator;
use handover_fixtures::eso::bring::Crds;
use handover_fixtures::eso::chart;
use handover_fixtures::files::private_dir;
use handover_fixtures::ground::pki::Pki;
use handover_fixtures::ground::{Ground, PlaneError, Request};
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::Applier;
use handover_fixtures::kubernetes::reviewer::NAMESPACE;
use handover_fixtures::link::{Link, Relay, RemoteLink};
use handover_fixtures::plane::{Access, Control, Lacks, Peer, Plane, Server, optional};
use handover_fixtures::process::{Port, Ports, Spawner, Usage, this_program};
use handover_fixtures::refusals::RefusalFeed;
use handover_fixtures::workloads::Workloads;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::Api;
use tokio::sync::watch;

use crate::servers::images::Images;
use crate::servers::leader::{self, Leader};
use crate::servers::leftovers;
use crate::servers::machine::{self, Machine};
use crate::servers::manifest::namespace;
use crate::servers::meant::Meant;
use crate::servers::member::{Base, Member};
use crate::servers::pods::{Known, Pods, component_of};
use crate::servers::relays::{CLIENTS, Doors, Relays, name};
use crate::servers::services::{Place, place};
use crate::servers::site::{Share, Site};
use crate::servers::stand_ins::StandIns;
use crate::servers::start::{Database, Floor, port};
use crate::servers::usage::Meter;
use crate::servers::vigil::Vigil;
use crate::servers::{ServersError, eso};

/// What this plane is called.
pub const NAME: &str = "kind";

/// The running plane.
pub struct Kind {
    access: Access,
    api_server: (SocketAddr, String),
    members: Arc<[Member]>,
    leader: Leader,
    machine: Machine,
    vigil: Vigil,
    crds: Crds,
    /// The harness's own ways.
    links: BTreeMap<Server, Relay>,
    /// The ways of those inside.
    relays: BTreeMap<(Peer, Server), RemoteLink>,
    metrics: Place,
    workloads: Option<StandIns>,
    pods: Arc<Pods>,
    usage: Meter,
    node: String,
    share: Share,
    _ports: Vec<Port>,
}

impl Kind {
    /// Starts everything in a cluster side by side.
    ///
    /// # Errors
    /// What could not be made or started. The cluster is as it is then: whoever made it removes it.
    pub async fn start(request: &Request<'_>, site: Site) -> Result<Self, ServersError> {
        let wanted: BTreeSet<Server> = request.servers.iter().copied().chain([Server::Openbao]).collect();
        let applier = Arc::new(Applier::new(site.kube.clone()));
        applier.apply(&namespace(NAMESPACE), "").await?;
        applier.apply(&namespace(chart::NAMESPACE), "").await?;
        let found = futures::future::try_join_all(wanted.iter().map(async |server| {
            let place = place(&applier, &site.node, server.word(), NAMESPACE, port(*server)).await?;
            Ok::<_, ServersError>((*server, place))
        }));
        let (found, doors, api_server) =
            tokio::try_join!(found, Doors::open(&applier, &site.node, &wanted), api_server(&site))?;
        let places: BTreeMap<Server, Place> = found.into_iter().collect();

        let spawner = Spawner::start(request.run.ledger()).map_err(PlaneError::from)?;
        let ports = Ports::open(request.cache.join("ports")).map_err(PlaneError::from)?;
        let dir = site.share.host.join(request.run.path().file_name().unwrap_or_default());
        private_dir(&dir).map_err(ServersError::file(&dir))?;
        let pki = Pki::create(&dir.join("pki"), &names(&places, &doors))?;
        let ground = Ground::new(request, dir.clone(), spawner, ports, pki);
        let logs = ground.place("servers")?.log.parent().expect("a log is in a directory").to_owned();
        let pods = Arc::new(Pods::watch(&site.kube, &logs));
        let images = Images::of(request.cache, request.run, site.node.clone()).await?;
        let floor = Floor {
            ground: &ground,
            base: Base {
                applier: Arc::clone(&applier),
                node: site.node.clone(),
                known: pods.known(),
                meant: Meant::default(),
            },
            images: images.clone(),
            share: site.share.clone(),
            places,
        };
        let wants = |server| wanted.contains(&server);
        let ((eso, metrics), openbao, mysql, valkey, postgres, relays) = tokio::try_join!(
            eso::start(&floor),
            floor.openbao(),
            optional(wants(Server::Mysql), floor.mysql()),
            optional(wants(Server::Valkey), floor.valkey()),
            optional(wants(Server::Postgres), floor.postgres()),
            floor.relays(&doors),
        )?;
        let Relays { members: relay_pods, links: relays } = relays;
        let mut refusals = RefusalFeed::new(who(&site, pods.known()));
        if let Some(valkey) = &valkey {
            refusals.of_valkey(valkey.admin.clone());
        }
        let mut keep = Keep {
            members: vec![eso, openbao.member],
            links: BTreeMap::from([(Server::Openbao, openbao.link)]),
            administrators: BTreeMap::new(),
        };
        mysql.map(|mysql| keep.database(Server::Mysql, mysql, &mut refusals)).transpose()?;
        valkey.map(|valkey| keep.database(Server::Valkey, valkey, &mut refusals)).transpose()?;
        postgres.map(|postgres| keep.database(Server::Postgres, postgres, &mut refusals)).transpose()?;
        let Keep { mut members, links, administrators } = keep;
        members.extend(relay_pods);
        let workloads = match request.workloads {
            true => {
                let handover = this_program().map_err(PlaneError::from)?;
                let bao = request.components.program(Component::Openbao)?;
                Some(StandIns::new(handover, bao, images, applier, Arc::clone(&pods)))
            }
            false => None,
        };
        let Floor { base, .. } = floor;
        let members: Arc<[Member]> = members.into();
        let (node, kube) = (site.node.clone(), site.kube.clone());
        let vigil = Vigil::over(node.clone(), base.meant.clone());
        let machine = Machine::new(node, kube, base.meant.clone(), Arc::clone(&members));
        let (ports, pki) = ground.into_ports();
        Ok(Self {
            crds: Crds(site.kube.clone()),
            access: Access {
                kube: site.kube,
                ca_pem: pki.ca_pem,
                openbao: openbao.client,
                audit: openbao.audit,
                refusals,
                administrators,
            },
            api_server,
            members,
            leader: Leader::new(base),
            machine,
            vigil,
            links,
            relays,
            metrics,
            workloads,
            pods,
            usage: Meter::default(),
            node: site.node.name,
            share: site.share,
            _ports: ports,
        })
    }

    /// Removes what is of this run in a cluster that stays; a copy of the servers' data goes to `keep` where that is given.
    /// Answers with what could not be removed or kept, and why.
    pub async fn stop(self, keep: Option<&Path>) -> Vec<String> {
        let mut left = Vec::new();
        if let Err(error) = self.machine.up().await {
            left.push(chain(&error));
        }
        left.extend(leftovers::remove(&self.access.kube, &self.share, keep).await);
        left
    }

    /// The components that run.
    pub fn components(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name().to_owned()).collect()
    }
}

/// Where the API server is for pods, and who signed its certificate.
async fn api_server(site: &Site) -> Result<(SocketAddr, String), ServersError> {
    let services: Api<Service> = Api::namespaced(site.kube.clone(), "default");
    let refused = |error| KubeError::request("get Service kubernetes", error);
    let service = services.get("kubernetes").await.map_err(refused)?;
    let spec = service.spec.unwrap_or_default();
    let address: Option<IpAddr> = spec.cluster_ip.as_deref().and_then(|address| address.parse().ok());
    let port = spec.ports.iter().flatten().find_map(|port| u16::try_from(port.port).ok());
    let (Some(address), Some(port)) = (address, port) else {
        let what = "Service kubernetes".to_owned();
        let why = "it has no address".to_owned();
        return Err(KubeError::Shape { what, why }.into());
    };
    Ok((SocketAddr::new(address, port), site.ca_pem.clone()))
}

/// By which names the servers are known in the cluster.
fn names(places: &BTreeMap<Server, Place>, doors: &Doors) -> Vec<String> {
    let names = places.iter().flat_map(|(server, place)| {
        let service = format!("{}.{NAMESPACE}.svc", server.word());
        [place.inside.ip().to_string(), service.clone(), format!("{service}.cluster.local")]
    });
    names.chain(doors.addresses()).collect()
}

/// Whose connections come from an address: this host's, towards the node, are the harness's; a pod's are whose it is.
fn who(
    site: &Site,
    known: watch::Receiver<Known>,
) -> impl Fn(IpAddr) -> Option<Peer> + Send + Sync + 'static {
    let towards = || {
        let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
        socket.connect(site.node.at(9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let harness = [towards(), Some(site.node.address)];
    move |address| {
        if harness.contains(&Some(address)) {
            return Some(Peer::Harness);
        }
        let text = address.to_string();
        let known = known.borrow();
        let is_it = |pod: &&Arc<Pod>| {
            pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()) == Some(text.as_str())
        };
        let pod = known.values().find(is_it)?;
        whose(component_of(pod))
    }
}

/// Whose connections a pod's are: its own, or those of whom it relays for; a workload's if it is no component.
fn whose(component: Option<&str>) -> Option<Peer> {
    let Some(component) = component else { return Some(Peer::Workload) };
    let relayed = CLIENTS.into_iter().find(|from| name(*from) == component);
    let itself = || match component {
        "eso" => Some(Peer::Eso),
        name => Server::ALL.into_iter().find(|server| server.word() == name).map(Peer::Server),
    };
    relayed.or_else(itself)
}

impl Plane for Kind {
    fn name(&self) -> &'static str {
        NAME
    }

    fn models_pods(&self) -> bool {
        false
    }

    fn access(&self) -> &Access {
        &self.access
    }

    fn api_server(&self) -> Result<(SocketAddr, &str), Lacks> {
        Ok((self.api_server.0, &self.api_server.1))
    }

    fn address(&self, from: Peer, to: Peer) -> Result<SocketAddr, Lacks> {
        match (from, to) {
            (Peer::Eso | Peer::Workload | Peer::Server(_), Peer::ApiServer) => Ok(self.api_server.0),
            _ => self.link(from, to).map(Link::address),
        }
    }

    fn link(&self, from: Peer, to: Peer) -> Result<&dyn Link, Lacks> {
        let link = match (from, to) {
            (Peer::Harness, Peer::Server(server)) => self.links.get(&server).map(|link| link as &dyn Link),
            (_, Peer::Server(server)) => self.relays.get(&(from, server)).map(|link| link as &dyn Link),
            _ => None,
        };
        link.ok_or_else(|| self.lacks(format!("link from {from} to {to}{}", why_not(from, to))))
    }

    fn workloads(&self) -> Result<&dyn Workloads, Lacks> {
        match &self.workloads {
            Some(workloads) => Ok(workloads),
            None => Err(self.lacks("workloads".to_owned())),
        }
    }

    fn usage(&self) -> BoxFuture<'_, BTreeMap<String, Usage>> {
        Box::pin(async {
            let known = self.pods.known().borrow().clone();
            self.usage.ask(&self.access.kube, &self.node, &known).await
        })
    }

    fn logs(&self) -> BTreeMap<String, PathBuf> {
        let members = self.members.iter().map(|member| (member.name().to_owned(), member.log().clone()));
        members.chain(self.pods.logs()).collect()
    }

    fn control(&self, component: &str) -> Result<&dyn Control, Lacks> {
        if component == Component::EsoCrds.name() {
            return Ok(&self.crds);
        }
        match component {
            leader::NAME => return Ok(&self.leader),
            machine::NAME => return Ok(&self.machine),
            _ => {}
        }
        let member = self.members.iter().find(|member| member.name() == component);
        let lacks = || self.lacks(format!("{component} that can be stopped and started"));
        member.map(|member| member as &dyn Control).ok_or_else(lacks)
    }

    fn metrics(&self, component: &str) -> Result<SocketAddr, Lacks> {
        let replicas = || self.members.iter().find(|member| member.name() == "eso").map(Member::replicas);
        match component {
            "eso" if replicas() > Some(1) => {
                let why = "each counts its own, and its Service picks any";
                Err(self.lacks(format!("metrics of several replicas of {component}: {why}")))
            }
            "eso" => Ok(self.metrics.outside),
            _ => Err(self.lacks(format!("metrics of {component}"))),
        }
    }

    fn deaths(&self) -> Vec<(String, String)> {
        let node = self.vigil.death().map(|how| (machine::NAME.to_owned(), how));
        let members =
            self.members.iter().filter_map(|member| Some((member.name().to_owned(), member.death()?)));
        node.into_iter().chain(members).collect()
    }
}

/// Why there is no link from one to another, where one could be expected.
fn why_not(from: Peer, to: Peer) -> &'static str {
    match (from, to) {
        (Peer::ApiServer | Peer::ControllerManager | Peer::Etcd, _)
        | (_, Peer::ControllerManager | Peer::Etcd) => {
            ": the control plane of a cluster is the node's own, and on its ways are no links"
        }
        (_, Peer::ApiServer) => ": the certificate of a cluster's API server names no address of a link",
        _ => "",
    }
}

/// What is kept of the servers while they are put together.
struct Keep {
    members: Vec<Member>,
    links: BTreeMap<Server, Relay>,
    administrators: BTreeMap<Server, Arc<dyn Administrator>>,
}

impl Keep {
    fn database<A: Administrator + 'static>(
        &mut self,
        server: Server,
        database: Database<A>,
        refusals: &mut RefusalFeed,
    ) -> Result<(), ServersError> {
        let log = database.member.log();
        refusals.of_log(server, log).map_err(ServersError::file(log))?;
        self.links.insert(server, database.link);
        self.members.push(database.member);
        self.administrators.insert(server, Arc::new(database.admin));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_itself_or_whom_it_relays_for() {
        assert_eq!(whose(Some("eso")), Some(Peer::Eso));
        assert_eq!(whose(Some("openbao")), Some(Peer::Server(Server::Openbao)));
        for from in CLIENTS {
            assert_eq!(whose(Some(&name(from))), Some(from));
        }
        assert_eq!(whose(None), Some(Peer::Workload));
        assert_eq!(whose(Some("relay-mysql")), None);
    }

    #[test]
    fn a_link_that_is_not_there_says_why() {
        assert!(why_not(Peer::Eso, Peer::ApiServer).contains("certificate"));
        assert!(why_not(Peer::ApiServer, Peer::Etcd).contains("the node's own"));
        assert_eq!(why_not(Peer::Eso, Peer::Server(Server::Mysql)), "");
    }
}
