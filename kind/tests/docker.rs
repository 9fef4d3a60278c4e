//! A daemon of our own, for real: started, used, killed, and nothing of it left.

use std::path::Path;
use std::sync::Arc;

use handover_fixtures::cause::chain;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Cache, Component, Environment, Overrides, Request, Resolved, resolve};
use handover_kind::docker::own::{self, Place};

const HANDOVER: &str = env!("CARGO_BIN_EXE_handover-hidden");

async fn docker() -> Resolved {
    let request = Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
    let set = resolve(request.only([Component::Docker]), Arc::from(on_stderr())).await;
    let set = set.unwrap_or_else(|error| panic!("{}", chain(&error)));
    set.require(Component::Docker).expect("it was asked for").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn first() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = Place::of(&Cache::at(dir.path()));
    let daemon = own::start(&place, &docker().await, Path::new(HANDOVER)).await;
    let daemon = daemon.unwrap_or_else(|error| panic!("{}", chain(&error)));
    println!("{daemon:?}");
    println!("{}", daemon.docker.ask(&["info"], own::START).await.unwrap());
    std::mem::forget(dir);
}
