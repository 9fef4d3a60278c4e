//! What changed, section by section, in words. A section with nothing in it is left out.

use handover_harness::clock::Micros;
use handover_harness::compare::{
    CallRate, Comparison, Crossing, Direction, Moved, Said, Shift, ShiftVerdict, Sides, Told, VerdictRow,
    Which,
};
use handover_harness::event::ComponentInfo;
use handover_harness::verdict::{Defect, Finding, Standing, Verdict};

use crate::text::many;
use crate::{explain, figures};

/// Things of one kind.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) items: Vec<Item>,
}

/// One of them.
pub(super) struct Item {
    pub(super) mark: Mark,
    pub(super) head: String,
    /// What else there is to say: labels and texts.
    pub(super) more: Vec<(&'static str, String)>,
}

/// Which way it goes, where it goes any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Better,
    Other,
    Worse,
    Doubt,
    Plain,
}

impl Mark {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Better => "✓",
            Self::Other => "~",
            Self::Worse => "✗",
            Self::Doubt => "?",
            Self::Plain => "–",
        }
    }
}

impl From<Direction> for Mark {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Better => Self::Better,
            Direction::Other => Self::Other,
            Direction::Worse => Self::Worse,
        }
    }
}

fn item(mark: impl Into<Mark>, head: impl Into<String>) -> Item {
    Item { mark: mark.into(), head: head.into(), more: Vec::new() }
}

impl Item {
    fn with(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.more.push((label, text.into()));
        self
    }

    fn with_evidence(self, seqs: &[u64], of: &str) -> Self {
        match seqs {
            [] => self,
            seqs => self.with("evidence", format!("events.jsonl {}{of}", figures::events(seqs))),
        }
    }
}

/// All of them, those that decide first.
pub(super) fn sections(comparison: &Comparison) -> Vec<Section> {
    let doubts = comparison.doubts().into_iter().map(|doubt| item(Mark::Doubt, doubt)).collect();
    let crossing = comparison.crossing.as_ref();
    let of_crossing = |items: fn(&Crossing) -> Vec<Item>| crossing.map(items).unwrap_or_default();
    let sections = [
        ("cannot tell", doubts),
        ("verdicts", comparison.verdicts.iter().filter_map(verdict).collect()),
        ("claims", claims(comparison)),
        ("known defects", pins(comparison)),
        ("moved, and should not", of_crossing(astray)),
        ("failed in the upgrade", of_crossing(failed)),
        ("calls", of_crossing(rates)),
        ("times", times(comparison)),
        ("moved, as they may", of_crossing(free)),
        ("not watched", of_crossing(unwatched)),
        ("limits", of_crossing(|c| c.limits.iter().map(|limit| item(Mark::Plain, limit)).collect())),
    ];
    let sections = sections.into_iter().map(|(title, items)| Section { title, items });
    sections.filter(|section| !section.items.is_empty()).collect()
}

fn verdict(row: &VerdictRow) -> Option<Item> {
    let direction = row.direction?;
    let said = change(&row.a, &row.b, Verdict::word);
    let mut said = item(direction, format!("{}: {said}", row.scenario));
    if row.by_pin {
        said = said.with("because", "of pins alone: see the known defects");
    }
    let Some(Told { side, run, summary, finding }) = &row.told else { return Some(said) };
    let of = format!(" of run {run}");
    let seqs = finding.as_ref().map_or(&[] as &[_], |finding| finding.evidence.as_slice());
    Some(said.with(side.word(), summary).with_evidence(seqs, &of))
}

fn claims(comparison: &Comparison) -> Vec<Item> {
    let changed = comparison.claims.iter().filter_map(|row| {
        let said = item(row.direction?, format!("“{}” ({})", row.claim, row.source));
        Some(said.with("stands", change(&row.a, &row.b, Standing::word)).with("seen on B", &row.seen))
    });
    changed.collect()
}

fn pins(comparison: &Comparison) -> Vec<Item> {
    let changed = comparison.pins.iter().filter_map(|row| {
        let said = item(row.direction?, &row.defect).with("stands", change(&row.a, &row.b, Defect::words));
        Some(said.with("scenario", &row.scenario).with("seen on B", &row.seen))
    });
    changed.collect()
}

/// `pass → fail`.
pub(super) fn change<T: Copy + PartialEq>(
    a: &Said<T>,
    b: &Said<T>,
    word: impl Fn(T) -> &'static str,
) -> String {
    format!("{} → {}", a.words(&word), b.words(&word))
}

/// Value by value, all its moves together.
fn astray(crossing: &Crossing) -> Vec<Item> {
    let mut items: Vec<(&Moved, Item, Vec<u64>)> = Vec::new();
    for moved in crossing.astray() {
        let known = items
            .iter_mut()
            .find(|(first, ..)| (&first.credential, first.at) == (&moved.credential, moved.at));
        match known {
            Some((_, item, evidence)) => {
                item.more.push(("moved", when(moved)));
                evidence.extend(&moved.evidence);
            }
            None => items.push((moved, first_of(moved, crossing), moved.evidence.clone())),
        }
    }
    items.into_iter().map(|(_, item, evidence)| item.with_evidence(&evidence, "")).collect()
}

fn first_of(moved: &Moved, crossing: &Crossing) -> Item {
    let said = item(Mark::Worse, format!("{} at {}", moved.credential, moved.at));
    let here = crossing.watched.iter().find(|w| w.credential == moved.credential && w.at == moved.at);
    let what = match here {
        Some(watched) => format!("{}, {}", moved.what, watched.source),
        None => moved.what.clone(),
    };
    let said = said.with("what", what);
    let said = match &moved.known {
        Some(defect) => said.with("known", defect),
        None => said,
    };
    said.with("moved", when(moved))
}

fn free(crossing: &Crossing) -> Vec<Item> {
    let astray: Vec<&Moved> = crossing.astray().collect();
    let free = crossing.moved.iter().filter(|moved| !astray.contains(moved));
    let said = free.map(|moved| {
        let said = item(Mark::Other, format!("{} at {}", moved.credential, moved.at));
        said.with("what", &moved.what).with("moved", when(moved)).with_evidence(&moved.evidence, "")
    });
    said.collect()
}

/// What it moved to, and when: in which phase, and how long after that began.
fn when(moved: &Moved) -> String {
    let Moved { moves, phase, since_phase_us, since_start_us, times, .. } = moved;
    let often = if *times > 1 { format!(", {times} times") } else { String::new() };
    format!("{moves} {since_phase_us} after “{phase}” began, {since_start_us} after the start{often}")
}

fn failed(crossing: &Crossing) -> Vec<Item> {
    let unwell = crossing.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let said = unwell.map(|finding| {
        let Finding { verb, verdict, expected, seen, defect, evidence, .. } = finding;
        let mark = match (verdict, defect) {
            (Verdict::Fail, Some(Defect::Gone)) => Mark::Better,
            (Verdict::Fail, _) => Mark::Worse,
            (Verdict::Inconclusive | Verdict::Error, _) => Mark::Doubt,
            (Verdict::Pass | Verdict::Skipped, _) => Mark::Plain,
        };
        item(mark, format!("{verb}: {verdict}"))
            .with("expected", expected)
            .with("seen", seen)
            .with_evidence(evidence, "")
    });
    said.collect()
}

/// The calls that follow an interval, and those whose rate changed.
fn rates(crossing: &Crossing) -> Vec<Item> {
    let told = |calls: &&CallRate| calls.interval_us.is_some() || crossing.rate_changed(calls);
    crossing.calls.iter().filter(told).map(|calls| rate(calls, crossing)).collect()
}

/// `reads of secret/data/app, per interval of 10.00 s`, and the rate in each phase.
fn rate(calls: &CallRate, crossing: &Crossing) -> Item {
    let per =
        calls.interval_us.map_or("per minute".to_owned(), |interval| format!("per interval of {interval}"));
    let rates = calls.per_phase.iter().map(|phase| format!("{:.1} in “{}”", phase.rate, phase.phase));
    let mark = if crossing.rate_changed(calls) { Mark::Other } else { Mark::Plain };
    item(mark, format!("{}, {per}", calls.what)).with("rates", rates.collect::<Vec<_>>().join(", "))
}

fn unwatched(crossing: &Crossing) -> Vec<Item> {
    crossing.unwatched.iter().map(|it| item(Mark::Plain, format!("{}: {}", it.what, it.why))).collect()
}

/// The times that are longer or shorter.
fn times(comparison: &Comparison) -> Vec<Item> {
    let lags = comparison.crossing.iter().flat_map(|crossing| &crossing.lag);
    let lags = lags.map(|lag| (lag.what.clone(), &lag.shift));
    let rows = comparison
        .times
        .iter()
        .map(|row| (format!("{}: {} to {}", row.scenario, row.credential, row.hop), &row.shift));
    let changed = lags.chain(rows).filter_map(|(what, shift)| {
        let Shift { median_a_us, median_b_us, n_a, n_b, .. } = shift;
        let said = item(shift.direction()?, format!("{what} {}", by(shift)));
        let p = shift.p_corrected.map(p_value).unwrap_or_default();
        Some(said.with("medians", format!("{median_a_us} → {median_b_us}, of {n_a} and {n_b}; p {p}")))
    });
    changed.collect()
}

/// `takes 100 ms longer (+70 ms to +130 ms)`.
fn by(shift: &Shift) -> String {
    let way = if shift.shift_us < 0 { "less" } else { "longer" };
    let interval = interval(shift).map_or_else(String::new, |interval| format!(" ({interval})"));
    format!("takes {} {way}{interval}", Micros(shift.shift_us.unsigned_abs()))
}

/// `+70 ms to +130 ms`.
pub(super) fn interval(shift: &Shift) -> Option<String> {
    Some(format!("{} to {}", figures::signed(shift.low_us?), figures::signed(shift.high_us?)))
}

/// `0.029`, `< 0.001`.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// What did not change, counted; and how many rounds would tell of the times that are too few.
pub(super) fn unchanged(comparison: &Comparison) -> Vec<String> {
    let same = |direction: &Option<Direction>| direction.is_none();
    let verdicts = comparison.verdicts.iter().filter(|row| same(&row.direction)).count();
    let claims = comparison.claims.iter().filter(|row| same(&row.direction)).count();
    let pins = comparison.pins.iter().filter(|row| same(&row.direction)).count();
    let still = comparison.crossing.as_ref().map_or(0, |crossing| {
        let moved = |credential, at| crossing.moved.iter().any(|m| (&m.credential, m.at) == (credential, at));
        crossing.watched.iter().filter(|watched| !moved(&watched.credential, watched.at)).count()
    });
    let alike = comparison.crossing.as_ref().map_or(0, |crossing| {
        let same = |calls: &&CallRate| calls.interval_us.is_none() && !crossing.rate_changed(calls);
        crossing.calls.iter().filter(same).count()
    });
    let within = comparison.shifts().filter(|shift| shift.verdict == ShiftVerdict::Within).count();
    let counted = [
        (verdicts, "verdict", "verdicts"),
        (claims, "claim", "claims"),
        (pins, "known defect", "known defects"),
        (still, "watched value stood still", "watched values stood still"),
        (alike, "rate of calls alike", "rates of calls alike"),
        (within, "time within noise", "times within noise"),
    ];
    let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, one, several)| many(count, one, several)).collect();
    let mut said = Vec::new();
    if !counted.is_empty() {
        said.push(counted.join(", "));
    }
    said.extend(too_few(comparison));
    said
}

fn too_few(comparison: &Comparison) -> Option<String> {
    let open = comparison.shifts().filter_map(|shift| match shift.verdict {
        ShiftVerdict::TooFew { more } => Some(comparison.rounds_for(shift, more)),
        ShiftVerdict::Slower | ShiftVerdict::Faster | ShiftVerdict::Within => None,
    });
    let open: Vec<usize> = open.collect();
    let (least, most) = (*open.iter().min()?, *open.iter().max()?);
    let rounds = if least == most {
        many(most, "more round", "more rounds")
    } else {
        format!("{least} to {most} more rounds")
    };
    let has = many(open.len(), "time has", "times have");
    Some(format!("{has} too few samples to show anything: {rounds} of each side"))
}

/// What is compared: labels and texts.
pub(super) fn sides(comparison: &Comparison) -> Vec<(&'static str, String)> {
    let sides = &comparison.sides;
    let mut said = vec![("A", side(sides, Which::A)), ("B", side(sides, Which::B))];
    let known = |component: &Option<ComponentInfo>| {
        component.as_ref().map_or("not there".to_owned(), explain::component)
    };
    for differs in &sides.differ {
        said.push(("differs", format!("{} → {}", known(&differs.a), known(&differs.b))));
    }
    let pairs =
        [("plane", &sides.a.plane, &sides.b.plane), ("handover", &sides.a.handover, &sides.b.handover)];
    for (label, a, b) in pairs {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            said.push((label, format!("{a} → {b}")));
        }
    }
    said
}

/// `eso v0.16.1: run 2026…-7f3a`; the runs alone where no server differs.
fn side(sides: &Sides, which: Which) -> String {
    let side = sides.side(which);
    let runs = match side.runs.as_slice() {
        [] => "no run".to_owned(),
        [run] => format!("run {run}"),
        runs => format!("runs {}", runs.join(", ")),
    };
    if side.runs.is_empty() {
        return side.label.clone();
    }
    if sides.differ.is_empty() { runs } else { format!("{}: {runs}", side.label) }
}
