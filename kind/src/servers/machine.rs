//! The node as a component: a machine that is shut down or loses its power, and boots again with everything that was on
//! it. Whatever ends with it did not die by itself.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, try_join_all};
use handover_fixtures::cause::chain;
use handover_fixtures::plane::{Control, ControlError, Order, Tell};
use handover_harness::event::ComponentState;
use handover_harness::wait::{Progress, wait_until};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::meant::Meant;
use super::member::Member;
use super::site::Node;

/// What it is called as a component.
pub const NAME: &str = "node";
/// How many seconds its system may take to shut down; then its power goes.
const SHUTDOWN: &str = "20";
/// How long Docker may take for either.
const DOCKER: Duration = Duration::from_secs(60);
/// How long it and everything on it may take to be back.
const BACK: Duration = Duration::from_secs(180);
/// How often the API server is asked while it is away.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it may take for one answer.
const ANSWER: Duration = Duration::from_secs(5);

/// The node.
pub struct Machine {
    node: Node,
    kube: kube::Client,
    meant: Meant,
    members: Arc<[Member]>,
    /// What ran when it was shut down, while it is down. One order after the other.
    down: Mutex<Option<BTreeSet<String>>>,
}

impl Machine {
    /// The node on which these run.
    pub fn new(node: Node, kube: kube::Client, meant: Meant, members: Arc<[Member]>) -> Self {
        Self { node, kube, meant, members, down: Mutex::default() }
    }

    /// Starts it if it is down: what is on it can be asked again.
    ///
    /// # Errors
    /// What kept it or a server from coming back.
    pub async fn up(&self) -> Result<(), ControlError> {
        match self.start(&|_| {}).await {
            Ok(_) | Err(ControlError::Running { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn start(&self, tell: &Tell<'_>) -> Result<Vec<String>, ControlError> {
        let mut down = self.down.lock().await;
        let Some(before) = &*down else { return Err(ControlError::Running { name: NAME.to_owned() }) };
        let told = self.boot(before, tell).await?;
        *down = None;
        Ok(vec![told])
    }

    /// Ends it by what Docker is told. One that is down stays down.
    async fn end(&self, words: &[&str], tell: &Tell<'_>) -> Result<(), ControlError> {
        let mut down = self.down.lock().await;
        if down.is_some() {
            return Ok(());
        }
        let before = self.members.iter().flat_map(Member::containers).collect();
        self.meant.set_all_away(true);
        if let Err(error) = self.docker(&[words, &[&self.node.name]].concat()).await {
            // It runs on; should it end nevertheless, nobody has wanted that.
            self.meant.set_all_away(false);
            return Err(error);
        }
        *down = Some(before);
        tell(ComponentState::Stopped);
        Ok(())
    }

    /// Starts it, and waits until everything on it is back. Answers with how long that took.
    async fn boot(&self, before: &BTreeSet<String>, tell: &Tell<'_>) -> Result<String, ControlError> {
        let began = Instant::now();
        self.docker(&["start", &self.node.name]).await?;
        tell(ComponentState::Started);
        // Docker gives the only container of a network the same address again, as long as nobody else was faster.
        let address = self.address().await?;
        if address != self.node.address {
            let had = self.node.address;
            return Err(refused(format!(
                "it came back as {address} and not as {had}, where its servers are known"
            )));
        }
        let mut took = vec![("kube-apiserver".to_owned(), self.answers(began).await?)];
        let back = self.members.iter().map(async |member| {
            let returned = member.returns(before, BACK.saturating_sub(began.elapsed())).await;
            returned.map_err(|why| refused(format!("{}: {why}", member.name())))?;
            Ok::<_, ControlError>((member.name().to_owned(), began.elapsed()))
        });
        took.extend(try_join_all(back).await?);
        self.meant.set_all_away(false);
        tell(ComponentState::Ready);
        took.sort_by_key(|(_, took)| *took);
        let took: Vec<String> = took.into_iter().map(|(name, took)| format!("{name} {took:.1?}")).collect();
        Ok(format!("back after the node was started: {}", took.join(", ")))
    }

    /// How long after `began` its API server answered.
    async fn answers(&self, began: Instant) -> Result<Duration, ControlError> {
        let ask = || async {
            // What was connected before the node went away may never hear that it is gone.
            match timeout(ANSWER, self.kube.apiserver_version()).await {
                Ok(Ok(_)) => Progress::There(began.elapsed()),
                Ok(Err(error)) => Progress::NotYet(chain(&error)),
                Err(_) => Progress::NotYet(format!("no answer for {ANSWER:?}")),
            }
        };
        let within = BACK.saturating_sub(began.elapsed());
        let answered = wait_until("its API server did not answer", within, PAUSE, ask).await;
        answered.map_err(|error| refused(error.to_string()))
    }

    async fn address(&self) -> Result<IpAddr, ControlError> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let said = self.docker(&["inspect", "--format", format, &self.node.name]).await?;
        said.trim().parse().map_err(|_| refused(format!("Docker says that its address is `{}`", said.trim())))
    }

    async fn docker(&self, words: &[&str]) -> Result<String, ControlError> {
        self.node.docker.ask(words, DOCKER).await.map_err(|error| refused(chain(&error)))
    }
}

fn refused(why: String) -> ControlError {
    ControlError::Cluster { name: NAME.to_owned(), why }
}

impl Control for Machine {
    fn order<'a>(
        &'a self,
        order: Order,
        tell: &'a Tell<'a>,
    ) -> BoxFuture<'a, Result<Vec<String>, ControlError>> {
        Box::pin(async move {
            let off = ["stop", "--time", SHUTDOWN];
            match order {
                Order::Stop => self.end(&off, tell).await?,
                Order::Kill => self.end(&["kill"], tell).await?,
                Order::Restart => {
                    self.end(&off, tell).await?;
                    return self.start(tell).await;
                }
                Order::Start => return self.start(tell).await,
                Order::Signal(_) | Order::Replace(_) | Order::Replicas(_) => {
                    let can = "stopped, killed and started";
                    return Err(ControlError::NotThat { name: NAME.to_owned(), can });
                }
            }
            Ok(Vec::new())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Docker;

    fn machine(docker: &str, meant: &Meant) -> Machine {
        let docker = Docker { program: docker.into(), host: "unix:///nowhere".to_owned() };
        let node = Node { docker, name: "node".to_owned(), address: [127, 0, 0, 1].into() };
        let url = "http://127.0.0.1:9".parse().expect("an address");
        let kube = kube::Client::try_from(kube::Config::new(url)).expect("a client");
        Machine::new(node, kube, meant.clone(), Arc::new([]))
    }

    #[tokio::test]
    async fn a_node_that_docker_does_not_end_runs_on_and_its_death_is_one() {
        let meant = Meant::default();
        let runs = machine("/bin/false", &meant);
        for order in [Order::Stop, Order::Kill, Order::Restart] {
            runs.order(order, &|_| {}).await.expect_err("Docker refuses");
            assert!(!meant.all_is_away(), "what ends now does so by itself");
        }
        let started = runs.order(Order::Start, &|_| {}).await;
        assert!(matches!(started, Err(ControlError::Running { .. })), "{started:?}");
        machine("/bin/true", &meant).order(Order::Stop, &|_| {}).await.expect("it ends");
        assert!(meant.all_is_away());
    }
}
