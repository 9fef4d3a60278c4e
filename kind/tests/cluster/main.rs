//! A cluster for real, from nothing and back to nothing: how long that takes, that its names are answered for,
//! and that nothing of it is left. Needs root, or a Docker daemon that lets this user in.

mod stand_ins;
mod support;

use std::time::{Duration, Instant};

use handover_fixtures::kept::KeptError;
use handover_kind::cluster::{Cluster, ClusterError};
use handover_kind::image::Choice;
use handover_kind::provision::ProvisionError;
use handover_kind::servers::site::Site;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::Api;

use support::{House, archive, file_of, ok, said_by};

/// What the issue allows.
const READY: Duration = Duration::from_secs(20);
const GONE: Duration = Duration::from_secs(5);
/// How much longer a machine may take that does other things as well: a measurement is told, a hang is found.
const SLACK: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_comes_to_be_answers_and_goes() {
    let house = House::new().await;
    let began = Instant::now();
    let image = ok(house.image(&Choice::Any).await);
    eprintln!("{} found or made in {:.1?}", image.name, began.elapsed());
    let began = Instant::now();
    assert_eq!(ok(house.image(&Choice::Any).await), image);
    let found = began.elapsed();
    eprintln!("found again in {found:.1?}");
    assert!(found < Duration::from_secs(30), "{found:?}");

    let before = house.census().await;
    let (cluster, made) = ok(house.create("one", &image).await);
    eprintln!(
        "made in {:.1?}, node ready after {:.1?}; {}",
        made.made,
        made.ready,
        within(made.ready, READY)
    );
    assert!(made.ready < READY * SLACK, "{made:?}");
    let docker = house.docker();
    let names = Instant::now();
    support::answers_for_names(&ok(cluster.client().await)).await;
    eprintln!("names answered for {:.1?} later", names.elapsed());

    // Everything of it is known as the run's, by the label alone.
    let owned = ok(docker.owned_by(&house.owner()).await);
    let kinds: Vec<String> = owned.iter().map(|owned| owned.kind.to_string()).collect();
    assert_eq!(kinds, ["container", "network", "image"]);

    let client = ok(cluster.client().await);
    let nodes = ok(Api::<Node>::all(client.clone()).list(&Default::default()).await);
    assert_eq!(nodes.items.len(), 1);
    let taken = house.create("one", &image).await.map(drop);
    assert!(matches!(taken, Err(ClusterError::Taken { .. })), "{taken:?}");
    // Whoever was refused took nothing away.
    assert!(ok(cluster.is_there(docker).await));

    // An image of our own is taken in; its pod reads and writes what the harness does; a name leads to a
    // Service, and the Service to whoever answers.
    let site = ok(Site::open(cluster.dir(), docker.clone()).await);
    let path = house.dir().join("probe.tar");
    if archive(&path, &house.request).await {
        ok(site.node.load(&path).await);
        std::fs::write(cluster.shared().join("question"), "from the harness").expect("a file");
        let pods = Api::<Pod>::namespaced(client, "default");
        let said = said_by(&pods, "probe", support::QUESTIONS).await;
        assert_eq!(said, "10.96.0.1 connected refused from the harness", "{said}");
        let answer = std::fs::read_to_string(cluster.shared().join("answer")).expect("an answer");
        assert_eq!(answer, "from a pod\n");
    }

    let kubelet = site.node.at(10250);
    std::net::TcpStream::connect_timeout(&kubelet, Duration::from_secs(5)).expect("the node is in reach");

    let logs = house.dir().join("exported");
    ok(cluster.export_logs(house.kind(), &logs).await);
    assert!(file_of(&logs, "kubelet.log") && file_of(&logs, "images.log"));

    let took = ok(cluster.delete(docker, &house.owner()).await);
    eprintln!("removed in {took:.1?}; {}", within(took, GONE));
    assert!(took < GONE * SLACK, "{took:?}");
    assert!(ok(docker.owned_by(&house.owner()).await).is_empty());
    assert_eq!(before.differences(&house.census().await), [""; 0]);
    // And once more, which is nothing.
    ok(cluster.delete(docker, &house.owner()).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_are_side_by_side_and_each_is_its_own() {
    const NEEDED: u64 = 3 << 30;
    if support::memory() < NEEDED {
        eprintln!("skipped: two clusters take more memory than is free");
        return;
    }
    let house = House::new().await;
    let image = ok(house.image(&Choice::Any).await);
    let (one, two) = tokio::join!(house.create("left", &image), house.create("right", &image));
    let ((one, made_one), (two, made_two)) = (ok(one), ok(two));
    eprintln!("two at once: {:.1?} and {:.1?}", made_one.ready, made_two.ready);
    let docker = house.docker();
    let address = async |cluster: &Cluster| ok(Site::open(cluster.dir(), docker.clone()).await).node.address;
    assert_ne!(address(&one).await, address(&two).await);
    ok(one.delete(docker, &house.owner()).await);
    assert!(!ok(one.is_there(docker).await));
    let client = ok(two.client().await);
    assert_eq!(ok(Api::<Node>::all(client).list(&Default::default()).await).items.len(), 1);
    ok(two.delete(docker, &house.owner()).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_not_waited_for() {
    let house = House::new().await;
    let image = ok(house.image(&Choice::Any).await);
    let docker = house.docker();
    let node = handover_kind::cluster::node(&house.named("mortal"));
    let asked = |words: &[&str]| {
        let mut command = std::process::Command::new(&docker.program);
        command.args(words).env_clear().envs(docker.environment());
        assert!(command.status().expect("docker starts").success(), "{words:?}");
    };
    let kill = |told: &str| {
        if told == "waiting for its node" {
            // Kept from starting anew: kind has Docker start a node again that failed.
            asked(&["update", "--restart=no", &node]);
            asked(&["kill", &node]);
        }
    };
    let began = Instant::now();
    let error = house.create_telling("mortal", &image, &kill).await.expect_err("it is dead");
    assert!(error.to_string().contains("never will be: its container exited with status"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
    assert!(ok(docker.owned_by(&house.owner()).await).is_empty(), "it leaves nothing");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_nowhere_is_an_error() {
    let house = House::new().await;
    let wanted = Choice::Named("registry.invalid/node:v1".to_owned());
    let error = house.image(&wanted).await.expect_err("there is none");
    let said = handover_fixtures::cause::chain(&error);
    assert!(said.starts_with("there is no image `registry.invalid/node:v1` at the daemon"), "{said}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_kept_cannot_be_removed() {
    let house = House::new().await;
    let error = house.provisioner().down("nobody").await.expect_err("there is none");
    assert!(matches!(error, ProvisionError::Kept(KeptError::NotKept { .. })), "{error}");
    house.close().await;
}

fn within(took: Duration, wanted: Duration) -> String {
    let word = if took <= wanted { "within" } else { "beyond" };
    format!("{word} the {} s that it may take on a machine that does nothing else", wanted.as_secs())
}
