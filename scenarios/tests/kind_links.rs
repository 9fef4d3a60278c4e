//! Links inside a real cluster: one is cut, slowed and held, and who comes by it stays outside or waits while everybody else goes on; what comes
//! through a relay pod is told as who sent it; a relay pod that dies is told of. Needs root, or a Docker daemon that
//! lets this user in.
//!
//! This program is in the pods as well, and there it is a relay, as `handover` is.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{self, Component, Environment, Overrides, resolve};
use handover_fixtures::database::{Rights, door};
use handover_fixtures::ground::Request;
use handover_fixtures::link::{Link, Rule, pod};
use handover_fixtures::openbao::{Database, Mount};
use handover_fixtures::plane::{Order, Peer, Plane, Server};
use handover_fixtures::process::{RunDir, Signal, this_program};
use handover_harness::event::Outcome;
use handover_harness::fingerprint::Sighting;
use handover_harness::secret::Secret;
use handover_harness::wait::{Progress, wait_until};
use handover_kind::docker::{Wish, hidden};
use handover_kind::own::OwnCluster;
use handover_kind::plane::Kind;
use handover_kind::provision::Provisioner;
use libtest_mimic::{Arguments, Trial};

const BAO: Peer = Peer::Server(Server::Openbao);
const MYSQL: Peer = Peer::Server(Server::Mysql);
const PATIENCE: Duration = Duration::from_secs(30);
/// By how much a link is slowed each way, and for how long it is held.
const DELAY: Duration = Duration::from_millis(400);

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == "relay") {
        return pod::main(Path::new(&args.next().expect("a directory")));
    }
    if let Some(exit) = hidden::answer(std::env::args_os().skip(1)) {
        return exit;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trial = Trial::test("links_inside_a_cluster_can_be_broken", || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(in_a_cluster());
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// Makes a cluster with everything in it, plays, and takes it away however that ended.
async fn in_a_cluster() {
    let request = components::Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
    let wanted = [
        Component::EsoCrds,
        Component::EsoChart,
        Component::Eso,
        Component::Helm,
        Component::Openbao,
        Component::Mysql,
    ];
    let found = ok(resolve(request.clone().only(wanted), Arc::from(on_stderr())).await);
    let name = format!("links-{}", std::process::id());
    let run = ok(RunDir::create(&request.cache.root().join("runs"), &name));
    let handover = ok(this_program());
    let cache = request.cache.root().to_owned();
    let provisioner = Provisioner {
        request,
        wish: ok(Wish::of_process().await),
        handover: &handover,
        progress: Arc::from(on_stderr()),
        tell: &|text| eprintln!("  {text}"),
        note: &|text| eprintln!("  {text}"),
    };
    let own = OwnCluster::default();
    let played = async {
        let (site, _) = own.raise(&provisioner, &run).await.map_err(|error| chain(&error))?;
        let request = Request {
            cache: &cache,
            run: &run,
            servers: [Server::Openbao, Server::Mysql].into(),
            workloads: false,
            components: &found,
            eso_values: None,
            tell: &|_, _| {},
            note: &|_| {},
        };
        let plane = Kind::start(&request, site).await.map_err(|error| chain(&error))?;
        let plane: Arc<dyn Plane> = Arc::new(plane);
        tokio::spawn(async move { play(&*plane).await }).await.map_err(|error| error.to_string())
    };
    let played: Result<(), String> = played.await;
    let left = own.fell(false, &|text| eprintln!("  {text}")).await;
    ok(run.finish());
    assert_eq!(played, Ok(()));
    assert_eq!(left, [""; 0]);
}

async fn play(plane: &dyn Plane) {
    lacks_say_why(plane);
    let admin = plane.administrator(Server::Mysql).expect("it was asked for");
    let password = Secret::random(20);
    admin.create_user("openbao", &password, Rights::Rotate).await.unwrap_or_else(|error| panic!("{error}"));
    plane.openbao().mount("database", Mount::Database { tick: None }).await.expect("a mount");
    let link = plane.link(BAO, MYSQL).expect("it is there");
    assert_eq!(plane.address(BAO, MYSQL).expect("an address"), link.address());
    assert_eq!(link.name(), "openbao to mysql");

    let before = seen(link).await.opened;
    comes_in(plane, &password).await.expect("an open link");
    assert!(seen(link).await.opened > before, "it came by the link");

    set(link, Rule::Cut).await;
    let stays_out = comes_in(plane, &password).await.expect_err("the link is cut");
    assert!(!stays_out.contains("Access denied"), "cut is not refused: {stays_out}");
    assert!(matches!(asks(plane, &password).await, Outcome::Accepted(_)), "the harness has a way of its own");
    set(link, Rule::Open).await;
    comes_in(plane, &password).await.expect("it is open again");

    set(link, Rule::Slow { delay_ms: DELAY.as_millis() as u64 }).await;
    let began = Instant::now();
    comes_in(plane, &password).await.expect("slow is not cut");
    assert!(began.elapsed() >= 2 * DELAY, "there and back: {:?}", began.elapsed());
    set(link, Rule::Open).await;

    let before = seen(link).await.opened;
    set(link, Rule::Hold).await;
    let began = Instant::now();
    let let_go = async {
        let knocks = wait_until("it knocks", PATIENCE, Duration::from_millis(20), || async {
            match seen(link).await.opened > before {
                true => Progress::There(()),
                false => Progress::NotYet("nobody has come".to_owned()),
            }
        });
        knocks.await.expect("it comes by the link");
        tokio::time::sleep(DELAY).await;
        set(link, Rule::Open).await;
    };
    let (held, ()) = tokio::join!(comes_in(plane, &password), let_go);
    held.expect("nothing of it was lost");
    assert!(began.elapsed() >= DELAY, "it waited: {:?}", began.elapsed());

    let mut refusals = plane.refusals().subscribe();
    let said = comes_in(plane, &Secret::new("another")).await.expect_err("it is the wrong one");
    assert!(said.contains("Access denied"), "{said}");
    assert!(matches!(asks(plane, &Secret::new("another")).await, Outcome::Refused(_)));
    for from in [BAO, Peer::Harness] {
        let heard = async {
            while let Some(refusal) = refusals.recv().await {
                if refusal.from == Some(from) {
                    return refusal;
                }
            }
            panic!("the feed ended")
        };
        let refusal = tokio::time::timeout(PATIENCE, heard).await;
        let refusal = refusal.unwrap_or_else(|_| panic!("no refusal of {from}"));
        assert_eq!((refusal.server, refusal.user.as_str()), (Server::Mysql, "openbao"));
    }

    assert_eq!(plane.deaths(), []);
    let relay = plane.control("relay-openbao").expect("it can be signalled");
    relay.order(Order::Signal(Signal::KILL), &|_| {}).await.expect("killed");
    let told = wait_until("its death is told", PATIENCE, Duration::from_millis(50), || async {
        match plane.deaths().as_slice() {
            [(name, how)] if name == "relay-openbao" => Progress::There(how.clone()),
            others => Progress::NotYet(format!("{others:?}")),
        }
    });
    let told = told.await.expect("it is told of");
    assert!(told.contains("SIGKILL"), "{told}");
}

/// What this plane cannot break says why.
fn lacks_say_why(plane: &dyn Plane) {
    for (from, to, why) in [
        (Peer::Eso, Peer::ApiServer, "certificate"),
        (BAO, Peer::ApiServer, "certificate"),
        (Peer::ControllerManager, Peer::ApiServer, "the node's own"),
        (Peer::ApiServer, Peer::Etcd, "the node's own"),
    ] {
        let lacks = plane.link(from, to).err().expect("there is none").to_string();
        assert!(lacks.contains(&format!("no link from {from} to {to}")) && lacks.contains(why), "{lacks}");
    }
}

async fn set(link: &dyn Link, rule: Rule) {
    link.set(rule).await.map(drop).unwrap_or_else(|error| panic!("{}", chain(&error)));
}

async fn seen(link: &dyn Link) -> handover_fixtures::link::Stats {
    link.look().await.unwrap_or_else(|error| panic!("{}", chain(&error))).stats
}

/// OpenBao logs in to MySQL by its link, which it does when it is told how.
async fn comes_in(plane: &dyn Plane, password: &Secret) -> Result<(), String> {
    let address = plane.address(BAO, MYSQL).expect("an address");
    let database = Database::Mysql {
        host: address.ip().to_string(),
        port: address.port(),
        username: "openbao".to_owned(),
        password: password.clone(),
        ca_pem: plane.ca_pem().to_owned(),
    };
    let done = plane.openbao().configure_database("database", "db", &database, "").await;
    done.map_err(|error| chain(&error))
}

/// The same user, by the harness's own way.
async fn asks(plane: &dyn Plane, password: &Secret) -> Outcome {
    let address = plane.address(Peer::Harness, MYSQL).expect("an address");
    let host = address.ip().to_string();
    let door = door(Server::Mysql, &host, address.port(), plane.ca_pem(), PATIENCE).expect("a door");
    door.ask("openbao", password, Sighting::default()).await
}

fn ok<T, E: std::error::Error>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{}", chain(&error)))
}
