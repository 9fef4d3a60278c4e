//! How the judge says numbers.

use crate::clock::Micros;
use crate::plan::{Bounds, Who};
use crate::timeline::{Generation, Reach, Rotation};

/// What keeps a rotation of which only the way behind the server was seen from passing.
pub(super) const NOT_AT_ORIGIN: &str =
    "was never seen at the server: neither was the value before it refused nor its own accepted";

/// Both bounds of a time in few words: `3.10–3.16 s`, `at least 7.20 s`.
pub(super) fn span(bounds: Bounds) -> String {
    let least = bounds.at_least.to_string();
    let Some(most) = bounds.at_most.map(|most| most.to_string()) else { return format!("at least {least}") };
    match (least.split_once(' '), most.split_once(' ')) {
        _ if least == most => most,
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}–{most}"),
        _ => format!("{least}–{most}"),
    }
}

/// So many of something: `1 rotation`, `3 rotations`.
pub(super) fn many(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// A generation, or `?` where it was never learnt.
pub(super) fn generation(generation: Option<Generation>) -> String {
    generation.map_or_else(|| "?".to_owned(), |generation| generation.to_string())
}

/// `g0 → g1`.
pub(super) fn moves(rotation: &Rotation) -> String {
    format!("{} → {}", generation(rotation.from), generation(rotation.set))
}

/// `r1 (g0 → g1)`.
pub(super) fn rotation(index: usize, rotation: &Rotation) -> String {
    format!("r{} ({})", index + 1, moves(rotation))
}

/// Of which replicas an arrival is: ` (2 of 2 replicas, web-1 last)`; nothing where there is only one, unnamed.
pub(super) fn replicas(reach: &Reach, who: Who) -> String {
    let Some(by) = &reach.by else { return String::new() };
    let which = match who {
        Who::Every if reach.reached < reach.of => format!("{by} not"),
        Who::Every => format!("{by} last"),
        Who::Any => format!("{by} first"),
    };
    let left = match reach.left {
        0 => String::new(),
        left => format!("; {left} left before"),
    };
    format!(" ({} of {}, {which}{left})", reach.reached, many(reach.of, "replica"))
}

/// How many arrivals at single replicas lie: `24 arrivals: 3.10 s to 88.4 s, median 41.2 s`. Of one or two there is
/// nothing to say that is not said already.
pub(super) fn spread(mut arrivals: Vec<Micros>) -> Option<String> {
    arrivals.sort_unstable();
    let (middle, count) = (arrivals.len() / 2, arrivals.len());
    if count < 3 {
        return None;
    }
    let median = match count % 2 {
        0 => Micros((arrivals[middle - 1].0 + arrivals[middle].0) / 2),
        _ => arrivals[middle],
    };
    let (first, last) = (arrivals[0], arrivals[count - 1]);
    Some(format!("{} of single replicas after {first} to {last}, median {median}", many(count, "arrival")))
}

/// The first few of many, joined.
pub(super) fn first_few(items: impl ExactSizeIterator<Item = String>) -> String {
    const FEW: usize = 6;
    let left = items.len().saturating_sub(FEW);
    let mut text = items.take(FEW).collect::<Vec<_>>().join(", ");
    if left > 0 {
        text.push_str(&format!(" and {left} more"));
    }
    text
}

/// A moment since another: `3.02 s`.
pub(super) fn since(began: Micros, at: Micros) -> String {
    (at - began).to_string()
}
