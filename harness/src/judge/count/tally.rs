//! How each thing is counted. An error says why it cannot be.

use std::collections::BTreeMap;

use super::Tally;
use crate::clock::Micros;
use crate::event::Hop;
use crate::judge::words;
use crate::timeline::{Counting, Generation, Sample, Story};

const BLIND: &str = "the watch was blind for a time";

/// How often the value at the hop moved.
pub(super) fn moves(story: &Story, credential: &str, at: Hop) -> Result<Tally, String> {
    let moves = story.moves(credential, at);
    if story.samples_at(credential, at).all(|sample| sample.shows().is_none()) {
        return Err(format!("nothing was ever seen of {credential} at {at}"));
    }
    let told = moves.iter().map(|m| format!("{} → {}", m.from, m.to));
    let told = if moves.is_empty() { String::new() } else { format!(": {}", words::first_few(told)) };
    let count = words::many(moves.len(), "move");
    Ok(Tally {
        value: moves.len() as u64,
        text: format!("{count} of {credential} at {at}{told}"),
        doubt: story.gaps_at(credential, at).next().map(|_| BLIND.to_owned()),
        either_way: false,
        evidence: moves.iter().map(|m| m.seq).collect(),
    })
}

/// The readings of a counter; at least one.
fn readings<'a>(story: &'a Story, counter: &str) -> Result<(&'a [Counting], Counting, Counting), String> {
    let readings = story.counts.get(counter).map_or(&[] as &[_], Vec::as_slice);
    match readings {
        [] => Err(format!("{counter} was never counted")),
        [first, ..] => Ok((readings, *first, readings[readings.len() - 1])),
    }
}

/// Whether a counter's watch was blind, from this moment on or ever.
fn blind_since(story: &Story, counter: &str, since: Micros) -> Option<String> {
    let blind = story.gaps.iter().any(|gap| gap.probe == counter && gap.until > since);
    blind.then(|| BLIND.to_owned())
}

/// The highest value of a counter.
pub(super) fn most(story: &Story, counter: &str) -> Result<Tally, String> {
    let (all, ..) = readings(story, counter)?;
    // Of several equally high ones the first.
    let most = all.iter().rev().max_by_key(|reading| reading.value).expect("there is at least one");
    Ok(Tally {
        value: most.value,
        text: format!("{} of {counter}", most.value),
        doubt: blind_since(story, counter, Micros(0)),
        either_way: false,
        evidence: vec![most.seq],
    })
}

/// The value that a counter had at the end.
pub(super) fn last(story: &Story, counter: &str) -> Result<Tally, String> {
    let (.., last) = readings(story, counter)?;
    Ok(Tally {
        value: last.value,
        text: format!("{} of {counter} at the end", last.value),
        doubt: blind_since(story, counter, last.at),
        either_way: true,
        evidence: vec![last.seq],
    })
}

/// How much a counter rose.
pub(super) fn rise(story: &Story, counter: &str) -> Result<Tally, String> {
    let (all, first, last) = readings(story, counter)?;
    if let Some(fell) = all.windows(2).find(|pair| pair[1].value < pair[0].value) {
        let (from, to) = (fell[0].value, fell[1].value);
        return Err(format!("{counter} fell from {from} to {to}, so it is not known how much it rose"));
    }
    let rise = last.value - first.value;
    Ok(Tally {
        value: rise,
        text: format!("{counter} rose by {rise}, from {} to {}", first.value, last.value),
        // Of a process that was started anew meanwhile it begins at nothing, and what it rose by before is lost.
        doubt: blind_since(story, counter, Micros(0)),
        either_way: false,
        evidence: vec![first.seq, last.seq],
    })
}

/// Writes of the Secret that showed what stood there already. What a watch tells first, and first after it
/// was blind, is no write.
pub(super) fn churn(story: &Story, credential: &str) -> Result<Tally, String> {
    let watches = |sample: &&Sample| {
        story.plan.probes.get(&sample.probe).is_some_and(|planned| planned.every.is_none())
    };
    let mut news: Vec<&Sample> = story.samples_at(credential, Hop::Secret).filter(watches).collect();
    news.sort_by_key(|sample| (sample.answered, sample.seq));
    if news.iter().all(|sample| sample.shows().is_none()) {
        return Err(format!("nothing was ever seen of {credential} at {}", Hop::Secret));
    }
    let mut before: BTreeMap<&str, (Option<Generation>, Micros)> = BTreeMap::new();
    let mut idle = Vec::new();
    for sample in &news {
        let blind = |since: Micros| {
            let within = |gap: &&crate::timeline::Blind| gap.until > since && gap.from <= sample.answered;
            story.gaps.iter().filter(|gap| gap.probe == sample.probe).any(|gap| within(&gap))
        };
        let told = before.insert(&sample.probe, (sample.shows(), sample.answered));
        let again =
            told.is_some_and(|(stood, since)| stood.is_some() && stood == sample.shows() && !blind(since));
        if again {
            idle.push(sample.seq);
        }
    }
    let writes = words::many(idle.len(), "write");
    Ok(Tally {
        value: idle.len() as u64,
        text: format!("{writes} of the Secret of {credential} without a new generation"),
        doubt: story.gaps_at(credential, Hop::Secret).next().map(|_| BLIND.to_owned()),
        either_way: false,
        evidence: idle,
    })
}

/// Refused logins of a probe.
pub(super) fn refused(story: &Story, probe: &str) -> Result<Tally, String> {
    if !story.samples_by(probe).any(|sample| sample.accepted() || sample.turned_away()) {
        return Err(format!("{probe} never had an answer to a login"));
    }
    let refused: Vec<&Sample> = story.samples_by(probe).filter(|sample| sample.turned_away()).collect();
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for name in refused.iter().filter_map(|sample| sample.by.as_deref()) {
        *by.entry(name).or_default() += 1;
    }
    let by: Vec<String> = by.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    let whose =
        if by.is_empty() { String::new() } else { format!(" ({})", words::first_few(by.into_iter())) };
    Ok(Tally {
        value: refused.len() as u64,
        text: format!("{} of {probe}{whose}", words::many(refused.len(), "refused login")),
        doubt: None,
        either_way: false,
        evidence: refused.iter().map(|sample| sample.seq).collect(),
    })
}

/// Who a server turned away with this credential's user after everybody had time to move.
pub(super) fn stragglers(story: &Story, credential: &str, after: Micros) -> Result<Tally, String> {
    let rotations = story.rotations(credential);
    let Some(latest) = rotations.last() else {
        return Err(format!("no rotation of {credential} was ordered, so nobody could lag behind one"));
    };
    let late = story.refusals.iter().filter(|away| {
        let before = rotations.iter().rev().find(|rotation| rotation.ordered <= away.at);
        away.refusal.credential.as_deref() == Some(credential)
            && before.is_some_and(|rotation| away.at > rotation.certain + after)
    });
    let late: Vec<_> = late.collect();
    let heard = |state: &str| {
        let readings = story.states.get(state).into_iter().flatten();
        readings.filter(|reading| reading.text.text() == "heard").map(|reading| reading.at).min()
    };
    let server = story.plan.credentials.get(credential).and_then(|planned| planned.checked_by.as_deref());
    let own = server.map(|server| format!("refusals:{server}"));
    let any = || story.states.keys().filter(|state| state.starts_with("refusals:"));
    let heard = match own.filter(|own| story.states.contains_key(own)) {
        Some(own) => heard(&own),
        None => any().filter_map(|state| heard(state)).min(),
    };
    if late.is_empty() && heard.is_none() {
        return Err(format!("nobody listened to the server that checks {credential}"));
    }
    let over = latest.certain + after;
    let doubt = if heard.is_some_and(|since| since > over) {
        Some("nobody listened from the beginning".to_owned())
    } else if story.end() <= over {
        Some(format!("it ended before {after} after the last rotation were over"))
    } else {
        None
    };
    let who = late.iter().map(|away| {
        let when = words::since(story.began, away.at);
        format!("{} from {} at {when}", away.refusal.user, away.refusal.from)
    });
    let who = if late.is_empty() { String::new() } else { format!(": {}", words::first_few(who)) };
    let count = words::many(late.len(), "straggler");
    Ok(Tally {
        value: late.len() as u64,
        text: format!("{count} refused with {credential} later than {after} after a rotation{who}"),
        doubt,
        either_way: false,
        evidence: late.iter().map(|away| away.seq).collect(),
    })
}
