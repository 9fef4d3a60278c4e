//! In the end everybody holds one and the same generation.

use crate::clock::Micros;
use crate::event::{Hop, Phase};
use crate::judge::{Judgement, against, hops, words};
use crate::plan::Bounds;
use crate::timeline::{Generation, Life, Sample, Story};
use crate::verdict::Verdict;

/// From `within` after the last step was done on, every watched hop shows one and the same generation, to
/// the end.
pub(super) fn judge(story: &Story, credential: &str, within: Micros) -> Judgement {
    let done = story.steps.values().filter(|step| step.phase == Phase::Done);
    let ended: Vec<Micros> = done.filter_map(|step| step.ended).collect();
    if ended.len() < story.plan.steps {
        return Judgement::inconclusive("not all steps were done");
    }
    let done = ended.into_iter().max().unwrap_or(story.began);
    let hops = hops::path(story, credential);
    let Some(wanted) = wanted(story, credential, &hops) else {
        return Judgement::inconclusive(format!("nothing was ever seen of {credential}"));
    };
    let mut series = Vec::new();
    for hop in hops.iter().copied().filter(|hop| *hop != Hop::Origin) {
        let lives = story.lives_at(credential, hop);
        if lives.is_empty() && story.plan.probes.values().any(|p| p.credential == credential && p.hop == hop)
        {
            return Judgement::inconclusive(format!("nothing was ever seen of {credential} at {hop}"));
        }
        // A replica that left before is not asked for what it holds.
        let there = lives.iter().filter(|life| life.gone.is_none_or(|(_, gone)| gone > done + within));
        series.extend(there.map(|life| Series::of(story, credential, hop, life, wanted)));
    }
    if hops::checked(story, credential) {
        series.push(Series::at_server(story, credential, wanted));
    }
    decide(credential, wanted, &series, done, within)
}

/// What the farthest hop upstream showed last: of the store, of the server that checks it, of the others.
fn wanted(story: &Story, credential: &str, hops: &[Hop]) -> Option<Generation> {
    let upstream = [Hop::Store, Hop::Origin].into_iter().chain(hops.iter().copied());
    upstream.into_iter().find_map(|hop| story.standing(credential, hop))
}

/// What one place, or one replica, showed in the end.
struct Series {
    place: String,
    /// The last moment of which another generation was shown, and what shows it.
    other: Option<(Micros, Generation, u64)>,
    /// When the wanted one was first shown after that; none: never.
    agreed: Option<(Micros, u64)>,
    /// The last moment of which the wanted one was shown.
    looked: Micros,
    /// When its watch was blind for the last time.
    blind: Option<Micros>,
}

impl Series {
    fn of(story: &Story, credential: &str, hop: Hop, life: &Life<'_>, wanted: Generation) -> Self {
        let place = life.name.map_or_else(|| hop.to_string(), |name| format!("{hop} {name}"));
        let watched = story.watched(credential, hop);
        let end = life.gone.map_or(story.end(), |(_, gone)| gone);
        let held = life.samples.iter().filter_map(|sample| Some((*sample, sample.generation()?)));
        let mut held: Vec<(&Sample, Generation)> = held.collect();
        held.sort_by_key(|(sample, _)| (sample.answered, sample.seq));
        // What came late of an older asking says nothing of the end.
        let bar = story.error_bar.unwrap_or_default();
        let mut one = Self { place, other: None, agreed: None, looked: Micros(0), blind: None };
        for (index, (sample, generation)) in held.iter().enumerate() {
            // By watch, it stood until the next news, which came up to the error bar late, or until nobody watched.
            let next = held.get(index + 1).map_or(end, |(next, _)| next.asked);
            let next = story.sighted(credential, hop, sample.answered, next);
            let until = if watched { next - bar } else { sample.asked };
            if *generation == wanted {
                one.agreed = one.agreed.or(Some((sample.answered, sample.seq)));
                one.looked = one.looked.max(until);
            } else if one.agreed.is_none_or(|(since, _)| sample.asked >= since) {
                one.other = Some((until, *generation, sample.seq));
                one.agreed = None;
            } else if one.other.is_none_or(|(known, ..)| known < until) {
                one.other = Some((until, *generation, sample.seq));
            }
        }
        one.blind = story.gaps_at(credential, hop).map(|gap| gap.until).max().filter(|_| watched);
        one
    }

    /// What the server that checks it thinks of the wanted one.
    fn at_server(story: &Story, credential: &str, wanted: Generation) -> Self {
        let about = |sample: &&Sample| sample.login_like() && sample.generation() == Some(wanted);
        let logins = || story.samples(credential).iter().filter(about);
        let refused = logins().filter(|sample| sample.refused()).max_by_key(|sample| sample.asked);
        let since = refused.map_or(Micros(0), |sample| sample.answered);
        let good = || logins().filter(|sample| sample.accepted() && sample.asked >= since);
        Self {
            place: "the server".to_owned(),
            other: refused.map(|sample| (sample.asked, wanted, sample.seq)),
            agreed: good().map(|sample| (sample.answered, sample.seq)).min(),
            looked: good().map(|sample| sample.asked).max().unwrap_or_default(),
            blind: None,
        }
    }

    fn bounds(&self, done: Micros) -> Bounds {
        let at_least = self.other.map_or(Micros(0), |(until, ..)| until - done);
        let at_most = self.agreed.map(|(since, _)| since - done);
        Bounds { at_least: at_most.map_or(at_least, |most| most.min(at_least)), at_most }
    }
}

fn decide(
    credential: &str,
    wanted: Generation,
    series: &[Series],
    done: Micros,
    within: Micros,
) -> Judgement {
    let deadline = done + within;
    let measured = series.iter().map(|one| one.bounds(done)).reduce(|a, b| Bounds {
        at_least: a.at_least.max(b.at_least),
        at_most: a.at_most.zip(b.at_most).map(|(a, b)| a.max(b)),
    });
    let Some(measured) = measured else {
        return Judgement::inconclusive(format!("nobody held {credential} in the end"));
    };
    let worst = series.iter().max_by_key(|one| one.bounds(done).at_least);
    let evidence =
        series.iter().flat_map(|one| [one.other.map(|(.., seq)| seq), one.agreed.map(|(_, seq)| seq)]);
    let found = |verdict, seen: String| Judgement {
        measured: Some(measured),
        limit: Some(within),
        ..Judgement::new(verdict, seen).evidence(evidence.clone().flatten())
    };
    let held = against(measured, within);
    // From the moment at which the last of them agreed, every one has to have been looked at.
    let agreed = measured.at_most.map_or(deadline, |most| deadline.min(done + most));
    let unlooked = series.iter().find(|one| one.agreed.is_some() && one.looked < agreed);
    let unseen = series.iter().find(|one| one.agreed.is_none());
    let blind = series.iter().find(|one| one.blind.is_some_and(|until| until >= deadline));
    match (held, worst.and_then(|worst| Some((worst, worst.other?)))) {
        (Verdict::Fail, Some((worst, (until, other, _)))) => {
            let when = words::since(done, until);
            let how = match other == wanted {
                true => format!("refused {wanted}"),
                false => format!("showed {other}, and not {wanted},"),
            };
            found(held, format!("{} {how} {when} after the last step was done", worst.place))
        }
        _ => match (unseen, unlooked, blind) {
            (Some(one), _, _) => {
                found(Verdict::Inconclusive, format!("{wanted} was not seen at {} in the end", one.place))
            }
            (None, Some(one), _) => found(
                Verdict::Inconclusive,
                format!("nobody looked at {} when all the others had agreed on {wanted}", one.place),
            ),
            (None, None, Some(one)) => {
                found(Verdict::Inconclusive, format!("the watch of {} was blind in the end", one.place))
            }
            (None, None, None) if held == Verdict::Pass => {
                let places = words::first_few(series.iter().map(|one| one.place.clone()));
                let after = words::span(measured);
                found(held, format!("{wanted} at {places} {after} after the last step was done, to the end"))
                    .brief(format!("all agree on {wanted}"))
            }
            (None, None, None) => found(
                Verdict::Inconclusive,
                format!(
                    "they agreed on {wanted} after {}; the limit of {within} lies between the bounds",
                    words::span(measured)
                ),
            ),
        },
    }
}
