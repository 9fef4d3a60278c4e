//! What runs that were killed left at Docker, and the daemon of our own that nobody uses any more.

use handover_fixtures::cause::chain;
use handover_fixtures::components::Cache;
use handover_fixtures::process::lives;

use super::error::DockerError;
use super::find::{Wish, near, place_of};
use super::own::{self, Ended, Place};
use super::owned::{Kind, QUIET, by_owner, told};
use super::owner::{self, Owner};
use super::{Docker, sysctls, used};

/// What was done, and what could not be, one line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// What is gone.
    pub gone: Vec<String>,
    /// What is still there, and why.
    pub left: Vec<String>,
    /// What is another cache's and was not touched, and what could not be looked at.
    pub others: Vec<String>,
}

/// Removes all that dead runs left: at the user's daemon, at each that a run used, and at our own, which is started again
/// for that if it died; stops our own if nobody uses it; and puts the machine's settings back if nobody has a cluster. `keeps`
/// says whether a run that is over still wants what is there (a cluster that was told to stay). Where nobody can say which
/// daemon is the user's, the others are swept.
///
/// Nothing without our label is touched, nor anything of another cache. Never fails: what goes wrong is in [`Swept::left`].
pub async fn gc(
    cache: &Cache,
    wish: Result<Wish, DockerError>,
    keeps: &(dyn Fn(&str) -> bool + Sync),
) -> Swept {
    let place = Place::of(cache);
    let mut swept = Swept::default();
    let mut empty = true;
    let mut asked = Vec::new();
    let wish = wish.unwrap_or_else(|error| {
        empty = false;
        swept.left.push(chain(&error));
        Wish::for_none()
    });
    for found in daemons(&place, &wish).await {
        match found {
            Ok(docker) => match clear_and_settle(&docker, cache, keeps, &mut swept).await {
                Ok(nothing) => {
                    empty &= nothing;
                    asked.push(docker);
                }
                Err(error) => {
                    empty = false;
                    swept.left.push(chain(&error));
                }
            },
            Err(error @ DockerError::Lost { .. }) => {
                empty = false;
                swept.left.push(chain(&error));
            }
            Err(error) => {
                empty = false;
                // Something may be there if a cluster was made that nobody saw go.
                let told = if place.sysctls().exists() { &mut swept.left } else { &mut swept.others };
                told.push(format!("what is at Docker was not looked at: {}", chain(&error)));
            }
        }
    }
    let ended = own::end(&place, async |docker: &Docker| clear(docker, cache, keeps, &mut swept).await).await;
    match ended {
        Ok(Ended::None) => {}
        Ok(Ended::InUse) => empty = false,
        Ok(Ended::Stopped { found_dead: false }) => {
            swept.gone.push("stopped the Docker daemon of our own".into())
        }
        Ok(Ended::Stopped { found_dead: true }) => {
            swept.gone.push("swept the Docker daemon of our own, which had been killed".into());
        }
        Err(error) => {
            empty = false;
            swept.left.push(chain(&error));
        }
    }
    if empty {
        settings(&place, &asked, &mut swept).await;
    }
    swept
}

/// The user's daemon of now and those that runs used; or why one of them cannot be asked.
async fn daemons(place: &Place, wish: &Wish) -> Vec<Result<Docker, DockerError>> {
    let mut all = Vec::new();
    let used = used::hosts(place);
    let now = place_of(wish);
    if !wish.own && !used.iter().any(|host| host == now) {
        match near(wish).await {
            Ok(Some(theirs)) => all.push(Ok(theirs.docker)),
            // One that is too far away never had anything of ours.
            Ok(None) | Err(DockerError::Unfit { .. }) => {}
            Err(error) => all.push(Err(error)),
        }
    }
    for host in used {
        all.push(used::ask(place, wish, host).await);
    }
    all
}

/// [`clear`], after which a daemon is forgotten at which nothing of this cache is any more.
async fn clear_and_settle(
    docker: &Docker,
    cache: &Cache,
    keeps: &(dyn Fn(&str) -> bool + Sync),
    swept: &mut Swept,
) -> Result<bool, DockerError> {
    let nothing = clear(docker, cache, keeps, swept).await?;
    if let Some(alone) = Place::of(cache).enter_alone() {
        used::settle(cache, docker, &alone).await?;
    }
    Ok(nothing)
}

/// The same for one daemon that is to be used now: what dead runs left goes, and the daemon stays.
///
/// # Errors
/// The daemon does not answer.
pub async fn sweep(
    cache: &Cache,
    docker: &Docker,
    keeps: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Swept, DockerError> {
    let mut swept = Swept::default();
    clear(docker, cache, keeps, &mut swept).await?;
    Ok(swept)
}

/// What is to become of what somebody has at a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is used, or wanted.
    Stays,
    /// Its run is dead.
    Goes,
    /// Only another cache knows.
    Others,
}

/// Says it; `over` whether a run of this cache is.
fn fate(owner: &Owner, cache: &str, over: impl Fn(&str) -> bool) -> Fate {
    match owner {
        Owner { cache: of, .. } if of != cache => Fate::Others,
        Owner { run, .. } if over(run) => Fate::Goes,
        Owner { .. } => Fate::Stays,
    }
}

/// Whether a run is over; asked before whether it keeps something, for it says that before it ends. A name that is no
/// run's is none of ours, whatever its label says.
fn is_over(cache: &Cache, run: &str) -> bool {
    lives(&cache.root().join("runs"), run).is_ok_and(|lives| !lives)
}

/// Removes what runs of this cache left that are dead. Answers whether nothing is left that any `handover` made,
/// names of images apart: these are a cache.
async fn clear(
    docker: &Docker,
    cache: &Cache,
    keeps: &(dyn Fn(&str) -> bool + Sync),
    swept: &mut Swept,
) -> Result<bool, DockerError> {
    let id = owner::id(cache)?;
    let mut empty = true;
    for (owner, owned) in by_owner(docker.owned().await?) {
        let (run, all) = (&owner.run, told(&owned));
        let fate = fate(&owner, &id, |run| is_over(cache, run) && !keeps(run));
        match fate {
            Fate::Stays => {}
            Fate::Others => swept.others.push(format!("left {all} of run {run} to the cache that made it")),
            Fate::Goes => match docker.clear(|owned| owned.owner == owner, QUIET).await {
                Ok(()) => {
                    swept.gone.push(format!("removed {all} of run {run}"));
                    continue;
                }
                Err(error) => {
                    empty = false;
                    swept.left.push(format!("run {run} is still at Docker: {}", chain(&error)));
                }
            },
        }
        empty &= owned.iter().all(|owned| owned.kind == Kind::Image);
    }
    Ok(empty)
}

/// Puts the machine's settings back, if nobody has a cluster.
async fn settings(place: &Place, dockers: &[Docker], swept: &mut Swept) {
    if !place.sysctls().exists() {
        return;
    }
    let Some(_alone) = place.enter_alone() else { return };
    // A run that began and ended since the daemons were asked may have kept a cluster.
    if !used::hosts(place).is_empty() {
        return;
    }
    match sysctls::restore(place, dockers).await {
        Ok(told) => swept.gone.extend(told.iter().map(|told| format!("put back {told}"))),
        Err(error) => swept.left.push(chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dead_run_of_this_cache_goes() {
        let of = |cache: &str, run: &str| {
            fate(&Owner { cache: cache.into(), run: run.into() }, "here", |run| run == "dead")
        };
        assert_eq!(of("here", "dead"), Fate::Goes);
        assert_eq!(of("here", "living"), Fate::Stays);
        // Whoever knows of it is elsewhere, whatever a run of that name came to here.
        assert_eq!(of("there", "dead"), Fate::Others);
        assert_eq!(of("there", "living"), Fate::Others);
        assert_eq!(of("", "dead"), Fate::Others);
    }
}
