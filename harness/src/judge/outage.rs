//! Kernel: for how long logins were refused.
//!
//! A server decides at some moment between a sample's start and its finish, so an outage has two bounds:
//! it began no later than the first refusal came back and ended no earlier than the last refused login
//! was sent; it began after the last good login was sent and had ended when the next good one came back.

use super::{Judgement, against, words};
use crate::clock::Micros;
use crate::plan::{Bounds, Who};
use crate::timeline::{Life, Sample, Story};
use crate::verdict::Verdict;

/// No time in which the probe's logins were refused was longer than the limit: those of each replica
/// apart, or of all of them together.
pub(super) fn judge(story: &Story, probe: &str, limit: Micros, who: Who) -> Judgement {
    let samples: Vec<&Sample> = story.samples_by(probe).collect();
    let Some(planned) = story.plan.probes.get(probe).filter(|_| !samples.is_empty()) else {
        return Judgement::inconclusive(format!("{probe} never asked"));
    };
    let rotated = story.rotations(&planned.credential).first().map(|rotation| rotation.ordered);
    let lives = story.lives_of(probe);
    let named = lives.iter().any(|life| life.name.is_some());
    if !named || who == Who::Any {
        let measured = measure(&samples, rotated, Lifetime::default());
        let together =
            if named { format!(" by all of {}", words::many(lives.len(), "replica")) } else { String::new() };
        return hold(story, &planned.credential, &measured, limit, &together);
    }
    if let Some(silent) = lives.iter().find(|life| unasked(story, life, limit)) {
        let name = silent.name.unwrap_or(probe);
        return Judgement::inconclusive(format!("{name} was there for longer than {limit} and never asked"));
    }
    let each = lives.iter().filter(|life| !life.samples.is_empty()).map(|life| {
        let measured = measure(&life.samples, rotated, Lifetime::of(life));
        let whose = format!(
            " ({}, the worst of {})",
            life.name.unwrap_or(probe),
            words::many(lives.len(), "replica")
        );
        (measured.longest, hold(story, &planned.credential, &measured, limit, &whose))
    });
    let worst = each.max_by_key(|(longest, judgement)| {
        (judgement.verdict, longest.at_most.unwrap_or(Micros(u64::MAX)), longest.at_least)
    });
    worst.map_or_else(|| Judgement::inconclusive(format!("{probe} never asked")), |(_, judgement)| judgement)
}

/// Whether a replica was there for longer than the limit without ever trying to get in.
fn unasked(story: &Story, life: &Life<'_>, limit: Micros) -> bool {
    let until = life.gone.map_or(story.end(), |(_, gone)| gone);
    life.samples.is_empty() && until - life.came > limit
}

/// When a replica came and went, as far as that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lifetime {
    /// Nothing can have been refused before.
    from: Option<Micros>,
    /// Nor after.
    until: Option<Micros>,
}

impl Lifetime {
    fn of(life: &Life<'_>) -> Self {
        Self { from: Some(life.came), until: life.gone.map(|(_, gone)| gone) }
    }
}

/// What was measured, held against the limit.
fn hold(story: &Story, credential: &str, measured: &Measured, limit: Micros, whose: &str) -> Judgement {
    let rotations = story.rotations(credential);
    let unseen = (0..rotations.len()).find(|r| story.origin(credential, *r).seen.is_none());
    let held = against(measured.longest, limit);
    let (verdict, doubt) = match (held, unseen) {
        (Verdict::Inconclusive, _) => (held, measured.doubt(limit)),
        (Verdict::Pass, _) if rotations.is_empty() => {
            (Verdict::Inconclusive, Judgement::no_rotation(credential).seen)
        }
        (Verdict::Pass, Some(r)) => {
            let name = words::rotation(r, &rotations[r]);
            (Verdict::Inconclusive, format!("but {name} {}", words::NOT_AT_ORIGIN))
        }
        (Verdict::Pass, None) | (Verdict::Fail | Verdict::Error | Verdict::Skipped, _) => {
            (held, String::new())
        }
    };
    let text = measured.text() + whose;
    let seen = if doubt.is_empty() { text } else { format!("{text}; {doubt}") };
    Judgement {
        measured: Some(measured.longest),
        limit: Some(limit),
        ..Judgement::new(verdict, seen).brief(measured.brief()).evidence(measured.evidence.iter().copied())
    }
}

/// What the samples of one probe say about its outages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Measured {
    /// Bounds of the longest outage, seen or unseen.
    pub(super) longest: Bounds,
    /// How many logins were refused.
    refused: usize,
    /// In how many outages.
    outages: usize,
    /// The events around the longest outage.
    evidence: Vec<u64>,
}

/// The refusals of one outage, and the good logins around it.
struct Outage<'a> {
    bounds: Bounds,
    first: &'a Sample,
    last: &'a Sample,
    before: Option<&'a Sample>,
    after: Option<&'a Sample>,
}

/// Measures the longest outage.
pub(super) fn measure(samples: &[&Sample], rotated: Option<Micros>, life: Lifetime) -> Measured {
    let sorted = |keep: fn(&Sample) -> bool| {
        let mut kept: Vec<&Sample> = samples.iter().copied().filter(|sample| keep(sample)).collect();
        kept.sort_by_key(|sample| (sample.asked, sample.answered, sample.seq));
        kept
    };
    let (good, refused) = (sorted(Sample::accepted), sorted(Sample::turned_away));
    let next = NextGood::among(&good);
    let outages: Vec<Outage> =
        group(&refused, &next).into_iter().map(|run| bound(run, &good, &next, life)).collect();
    let rotated = rotated.map(|rotated| life.from.map_or(rotated, |came| came.max(rotated)));
    let unseen = longest_unseen(samples, &good, &next, rotated);
    let at_least = outages.iter().map(|outage| outage.bounds.at_least).max().unwrap_or_default();
    let at_most = outages.iter().map(|outage| outage.bounds.at_most).chain([unseen]);
    // One that is unbounded leaves the longest unbounded.
    let at_most = at_most.reduce(|a, b| Some(a?.max(b?))).flatten();
    let worst =
        outages.iter().max_by_key(|o| (o.bounds.at_least, o.bounds.at_most.unwrap_or(Micros(u64::MAX))));
    let evidence = worst.map_or_else(Vec::new, |outage| {
        let around = [outage.before, Some(outage.first), Some(outage.last), outage.after];
        around.into_iter().flatten().map(|sample| sample.seq).collect()
    });
    Measured {
        longest: Bounds { at_least, at_most },
        refused: refused.len(),
        outages: outages.len(),
        evidence,
    }
}

impl Measured {
    fn text(&self) -> String {
        let Bounds { at_least, at_most } = self.longest;
        match (self.refused, at_most) {
            (0, Some(most)) => {
                format!("no login was refused; an outage longer than {most} would have been seen")
            }
            (0, None) => {
                "no login was refused, but too few were accepted to say for how long none could have been"
                    .into()
            }
            (refused, most) => format!(
                "logins were refused for at least {at_least} and {}; {} in {}",
                most.map_or_else(|| "nothing bounds it above".to_owned(), |most| format!("at most {most}")),
                words::many(refused, "refused login"),
                words::many(self.outages, "outage"),
            ),
        }
    }

    fn brief(&self) -> String {
        match (self.refused, self.longest.at_most) {
            (0, Some(most)) => format!("no login refused (one of {most} would have been seen)"),
            (0, None) => "no login refused".to_owned(),
            (_, Some(_) | None) => format!("logins refused {}", words::span(self.longest)),
        }
    }

    /// Why neither bound decides.
    fn doubt(&self, limit: Micros) -> String {
        match self.longest.at_most {
            Some(_) => format!("the limit of {limit} lies between the bounds: sample faster"),
            None => "there is no accepted login before or after it: watch for longer".to_owned(),
        }
    }
}

/// Of the good logins asked at a moment or later: when the first of them had its answer.
struct NextGood {
    /// Askings in order, each with the earliest answer from there on.
    from: Vec<(Micros, Micros)>,
}

impl NextGood {
    /// The good logins must come in the order of their askings.
    fn among(good: &[&Sample]) -> Self {
        let mut from: Vec<_> = good.iter().map(|sample| (sample.asked, sample.answered)).collect();
        for i in (1..from.len()).rev() {
            from[i - 1].1 = from[i - 1].1.min(from[i].1);
        }
        Self { from }
    }

    fn answered(&self, asked_from: Micros) -> Option<Micros> {
        self.from
            .get(self.from.partition_point(|(asked, _)| *asked < asked_from))
            .map(|(_, answered)| *answered)
    }
}

/// Groups refused logins (in the order of their askings) into outages. Two belong to one outage unless
/// a good login lies entirely between them; answers may overlap, so one that was slow may join what the
/// others around it would keep apart.
fn group<'a, 'b>(refused: &'b [&'a Sample], next: &NextGood) -> Vec<&'b [&'a Sample]> {
    let mut runs = Vec::new();
    let mut rest = refused;
    while let Some(first) = rest.first() {
        let mut answered = first.answered;
        let apart = rest[1..].iter().position(|sample| {
            let apart = next.answered(answered).is_some_and(|good| good <= sample.asked);
            answered = answered.max(sample.answered);
            apart
        });
        let (run, after) = rest.split_at(apart.map_or(rest.len(), |at| at + 1));
        runs.push(run);
        rest = after;
    }
    runs
}

/// The two bounds of one outage.
fn bound<'a>(run: &[&'a Sample], good: &[&'a Sample], next: &NextGood, life: Lifetime) -> Outage<'a> {
    let first_asked = run.iter().map(|sample| sample.asked).min().expect("a run has a sample");
    let last_answered = run.iter().map(|sample| sample.answered).max().expect("a run has a sample");
    // From the first refusal's finish to the last one's start, where nothing good lies between the two.
    let lasted = |first: &Sample| {
        let before = next.answered(first.answered).unwrap_or(Micros(u64::MAX));
        let last = run[..run.partition_point(|sample| sample.asked < before)].last();
        last.map_or(Micros(0), |last| last.asked - first.answered)
    };
    let before =
        good.iter().filter(|sample| sample.answered <= first_asked).max_by_key(|sample| sample.asked);
    let after =
        good.iter().filter(|sample| sample.asked >= last_answered).min_by_key(|sample| sample.answered);
    Outage {
        bounds: Bounds {
            at_least: run.iter().map(|first| lasted(first)).max().unwrap_or_default(),
            // Where nothing good lies on a side, a replica's own coming or going bounds it.
            at_most: before
                .map(|before| before.asked)
                .or(life.from)
                .zip(after.map(|after| after.answered).or(life.until.map(|gone| gone.max(last_answered))))
                .map(|(before, after)| after - before),
        },
        first: run.iter().min_by_key(|sample| sample.answered).expect("a run has a sample"),
        last: run.iter().max_by_key(|sample| sample.asked).expect("a run has a sample"),
        before: before.copied(),
        after: after.copied(),
    }
}

/// The longest outage that could have hidden where no login was let in or refused: between one good
/// login and the next, from the first rotation to the first good login, from the last one to the end.
fn longest_unseen(
    samples: &[&Sample],
    good: &[&Sample],
    next: &NextGood,
    rotated: Option<Micros>,
) -> Option<Micros> {
    let (first, last) = (good.first()?, good.last()?);
    let earliest = next.answered(first.asked)?;
    let head = rotated.map_or(Micros(0), |rotated| earliest - rotated);
    let end = samples.iter().filter(|sample| sample.asked > last.asked).map(|sample| sample.answered).max();
    let tail = end.map_or(Micros(0), |end| end - last.asked);
    let between = good.iter().filter_map(|sample| {
        // The next one is the earliest answered of those asked later, or at the same moment.
        let after = next.answered(sample.asked + Micros(1))?;
        Some(after - sample.asked)
    });
    Some(between.chain([head, tail]).max().unwrap_or_default())
}
