//! What this host can resolve: measured for a second at the start of each run, and the error bar of every
//! figure after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handover_fixtures::database::door;
use handover_fixtures::kubernetes::KubeError;
use handover_fixtures::kubernetes::reviewer::NAMESPACE;
use handover_fixtures::kubernetes::watch::{News, watch_object};
use handover_fixtures::plane::{Peer, Plane, Server};
use handover_harness::clock::Micros;
use handover_harness::event::{Calibration, Outcome, Quantiles};
use handover_harness::fingerprint::Sighting;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::stage::House;

/// How often the harness writes a Secret and waits to see it.
const WRITES: usize = 40;
/// How many idle logins.
const LOGINS: usize = 12;
/// How long one of them may take, and one write's news.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the timer of a probe is measured, and at what period.
const TICKS: u32 = 40;
const TICK: Duration = Duration::from_millis(20);

/// Measures.
pub async fn calibrate(house: &House) -> Result<Calibration, KubeError> {
    let (delivery, probe_lateness) = tokio::join!(watch_delivery(house), lateness());
    let (watch_delivery, watch_from_sent) = delivery?;
    let mut logins = BTreeMap::new();
    for server in house.plane.offers() {
        if let Some(spans) = idle_logins(house.plane.as_ref(), server).await {
            logins.insert(server.word().to_owned(), Quantiles::of(spans));
        }
    }
    Ok(Calibration { watch_delivery, watch_from_sent, probe_lateness, logins })
}

/// From the answer to the harness's own write of a Secret, and from the sending of it, to its news by watch.
async fn watch_delivery(house: &House) -> Result<(Quantiles, Quantiles), KubeError> {
    let secret = |turn: usize| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "calibration", "namespace": NAMESPACE},
            "stringData": {"turn": turn.to_string()}})
    };
    let first = house.applier.apply(&secret(0), NAMESPACE).await?;
    let (api, _) = house.applier.api("v1", "Secret", NAMESPACE).await?;
    let seen: Arc<Mutex<BTreeMap<String, Micros>>> = Arc::default();
    let stop = CancellationToken::new();
    let (tell, mut told) = tokio::sync::watch::channel(0);
    let watching = tokio::spawn({
        let (seen, stop) = (Arc::clone(&seen), stop.clone());
        async move {
            watch_object(api, "calibration", stop, |at, news| {
                if let News::Is(object) = news {
                    let version = object.metadata.resource_version.unwrap_or_default();
                    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(version, at);
                    tell.send_modify(|count| *count += 1);
                }
            })
            .await;
        }
    });
    // The watch is up once it has told what was there before.
    let arrived = |version: String| {
        let seen = Arc::clone(&seen);
        move |_: &usize| seen.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&version)
    };
    let first = first.metadata.resource_version.unwrap_or_default();
    let _ = tokio::time::timeout(PATIENCE, told.wait_for(arrived(first))).await;
    let mut writes = Vec::new();
    for turn in 1..=WRITES + 1 {
        let sent = Micros::now();
        let written = house.applier.apply(&secret(turn), NAMESPACE).await?;
        let answered = Micros::now();
        let version = written.metadata.resource_version.unwrap_or_default();
        let _ = tokio::time::timeout(PATIENCE, told.wait_for(arrived(version.clone()))).await;
        writes.push((version, sent, answered));
    }
    stop.cancel();
    let _ = watching.await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    // The first one pays for a connection of its own: the watch has taken the one that was open.
    let found = writes.iter().skip(1).filter_map(|(version, sent, answered)| {
        let at = *seen.get(version)?;
        Some((at - *answered, at - *sent))
    });
    let (from_answer, from_sent): (Vec<_>, Vec<_>) = found.unzip();
    Ok((Quantiles::of(from_answer), Quantiles::of(from_sent)))
}

/// How late a thread of this host asks when it is due: what a probe can do at best.
async fn lateness() -> Quantiles {
    let measured = tokio::task::spawn_blocking(|| {
        let began = Micros::now();
        let due = (1..=TICKS).map(|tick| began + Micros::from(TICK * tick));
        due.map(|due| {
            std::thread::sleep((due - Micros::now()).duration());
            Micros::now() - due
        })
        .collect()
    });
    measured.await.map(Quantiles::of).unwrap_or_default()
}

/// Logins of the harness's own, one after the other on an idle server; nothing where it has none. Each by
/// the door that probes use, made once, as they make it.
async fn idle_logins(plane: &dyn Plane, server: Server) -> Option<Vec<Micros>> {
    let address = plane.address(Peer::Harness, Peer::Server(server)).ok()?;
    let (host, port) = (address.ip().to_string(), address.port());
    let accepted = |outcome: Outcome| matches!(outcome, Outcome::Accepted(_));
    Some(match server {
        Server::Openbao => spans(async || plane.openbao().health().await.is_ok()).await,
        Server::Mysql | Server::Valkey | Server::Postgres => {
            let admin = plane.administrator(server).ok()?;
            let door = door(server, &host, port, plane.ca_pem(), PATIENCE)?;
            let ask = async || door.ask(admin.username(), admin.password(), Sighting::default()).await;
            spans(async || accepted(ask().await)).await
        }
    })
}

/// How long each login took. The first one pays for what is loaded once, and is left away.
async fn spans(log_in: impl AsyncFn() -> bool) -> Vec<Micros> {
    let mut spans = Vec::new();
    for turn in 0..=LOGINS {
        let began = Micros::now();
        if log_in().await && turn > 0 {
            spans.push(Micros::now() - began);
        }
    }
    spans
}
