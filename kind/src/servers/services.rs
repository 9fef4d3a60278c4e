//! The Services of servers: where each is for those in the cluster, and for the harness.

use std::net::{IpAddr, SocketAddr};

use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::apply::Applier;
use serde_json::Value;

use super::ServersError;
use super::manifest;
use super::site::Node;

/// Where a server is, as long as the plane runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// For those in the cluster: its Service's own address.
    pub inside: SocketAddr,
    /// For the harness: a port of the node.
    pub outside: SocketAddr,
}

/// Makes the Service of a component in a namespace, or takes the one that is there.
///
/// # Errors
/// What the API server refuses.
pub async fn place(
    applier: &Applier,
    node: &Node,
    component: &str,
    namespace: &str,
    port: u16,
) -> Result<Place, ServersError> {
    let object = manifest::service(component, namespace, port);
    let made = applier.apply(&object, namespace).await?;
    let found = read(&made.data, node, port);
    found.ok_or_else(|| {
        let what = format!("Service {component}");
        KubeError::Shape { what, why: "the API server gave it no address, or no port of the node".into() }
            .into()
    })
}

/// Makes the Service of a link whose relay pod is called `component`, or takes the one that is there. Answers with where
/// it is for those in the cluster.
///
/// # Errors
/// What the API server refuses.
pub async fn inside(
    applier: &Applier,
    name: &str,
    component: &str,
    namespace: &str,
    port: u16,
) -> Result<SocketAddr, ServersError> {
    let made = applier.apply(&manifest::link(name, component, namespace, port), namespace).await?;
    let address = own_address(&made.data).ok_or_else(|| {
        let what = format!("Service {name}");
        KubeError::Shape { what, why: "the API server gave it no address".into() }
    })?;
    Ok(SocketAddr::new(address, port))
}

fn own_address(service: &Value) -> Option<IpAddr> {
    service.pointer("/spec/clusterIP")?.as_str()?.parse().ok()
}

fn read(service: &Value, node: &Node, port: u16) -> Option<Place> {
    let inside = own_address(service)?;
    let outside = u16::try_from(service.pointer("/spec/ports/0/nodePort")?.as_u64()?).ok()?;
    Some(Place { inside: SocketAddr::new(inside, port), outside: node.at(outside) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Docker;
    use serde_json::json;

    #[test]
    fn a_place_is_an_address_inside_and_a_port_of_the_node() {
        let docker = Docker { program: "/usr/bin/docker".into(), host: "unix:///none".into() };
        let node = Node { docker, name: "n".into(), address: [172, 18, 0, 2].into() };
        let service = json!({"spec": {"clusterIP": "10.96.7.7", "ports": [{"nodePort": 30123}]}});
        let place = read(&service, &node, 8200).expect("a place");
        assert_eq!(place.inside.to_string(), "10.96.7.7:8200");
        assert_eq!(place.outside.to_string(), "172.18.0.2:30123");
        assert_eq!(read(&json!({"spec": {"clusterIP": "None"}}), &node, 8200), None);
    }
}
