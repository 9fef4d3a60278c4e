//! What a shrunk scenario says of the intervals as the manifests have them.
//!
//! The way to a hop is at most one refresh interval and the work on the way. A scale shrinks the interval and
//! not the work, so what was measured beyond the played interval is what comes on top of the real one.

use super::hops::path;
use crate::clock::Micros;
use crate::event::Hop;
use crate::plan::Refresh;
use crate::timeline::Story;
use crate::verdict::Projection;

/// What went beyond the played interval, and what that comes to on top of the real one.
pub(super) fn project(refresh: Refresh, measured: Micros) -> (Micros, Micros) {
    let excess = measured - refresh.played;
    (excess, refresh.real + excess)
}

/// One for each hop behind a refresh of each credential whose interval was shrunk: the slowest rotation counts.
pub(super) fn of(story: &Story) -> Vec<Projection> {
    let Some(scale) = &story.plan.scale else { return Vec::new() };
    let mut projections = Vec::new();
    for (credential, planned) in &story.plan.credentials {
        let Some(refresh) = planned.refresh else { continue };
        let rotations = story.rotations(credential).len();
        let way = path(story, credential);
        // A PushSecret's interval is on the way to the store, an ExternalSecret's behind it.
        let behind = way.iter().any(|hop| *hop > Hop::Store);
        for hop in way.into_iter().filter(|hop| if behind { *hop > Hop::Sync } else { *hop == Hop::Store }) {
            let arrivals: Option<Vec<(bool, Micros)>> =
                (0..rotations).map(|index| arrival(story, credential, hop, index)).collect();
            // One that never arrived is a failure, and projects to nothing.
            let Some(arrivals) = arrivals else { continue };
            for forced in [false, true] {
                let these = arrivals.iter().filter(|(how, _)| *how == forced).map(|(_, took)| *took);
                let Some(measured) = these.max() else { continue };
                let (excess, projected) = match forced {
                    false => project(refresh, measured),
                    true => (Micros(0), measured),
                };
                projections.push(Projection {
                    credential: credential.clone(),
                    hop,
                    refresh,
                    forced,
                    measured_us: measured,
                    excess_us: excess,
                    projected_us: projected,
                    text: said(credential, hop, scale, refresh, measured, (!forced).then_some(excess)),
                });
            }
        }
    }
    projections
}

/// How long a rotation took to a hop, and whether a step had the credential refreshed on its way there.
fn arrival(story: &Story, credential: &str, hop: Hop, index: usize) -> Option<(bool, Micros)> {
    let rotation = story.rotations(credential).get(index)?;
    let arrival = story.arrival(credential, hop, index);
    let took = arrival.seen.and(arrival.bounds.at_most)?;
    let on_the_way = rotation.ordered..=rotation.certain + took;
    let forcing = story.plan.credentials.get(credential)?.forced_by.iter();
    let mut began = forcing.filter_map(|step| Some(story.steps.get(step)?.began));
    Some((began.any(|began| on_the_way.contains(&began)), took))
}

/// `excess` is what went beyond the interval; none where a sync was forced.
fn said(
    credential: &str,
    hop: Hop,
    scale: &str,
    refresh: Refresh,
    measured: Micros,
    excess: Option<Micros>,
) -> String {
    let (played, real) = (spoken(refresh.played), spoken(refresh.real));
    let Some(excess) = excess else {
        return format!(
            "{credential} reaches {hop} in {measured} at most by a forced sync, which no interval (scale {scale}) \
             holds up: with your {real}, the same"
        );
    };
    let beyond = match excess {
        Micros(0) => format!("not beyond its {played}"),
        excess => format!("{excess} beyond its {played}"),
    };
    let on_top = match excess {
        Micros(0) => String::new(),
        excess => format!(" {excess}"),
    };
    format!(
        "{credential} reaches {hop} in {measured} at most, {beyond} (scale {scale}): with your {real}, up to {real}{on_top}"
    )
}

/// An interval as people write it: `1 h`, `90 s`, `1.5 s`.
fn spoken(span: Micros) -> String {
    const SECOND: u64 = 1_000_000;
    match span.0 {
        us if us >= 3600 * SECOND && us.is_multiple_of(3600 * SECOND) => format!("{} h", us / 3600 / SECOND),
        us if us >= 120 * SECOND && us.is_multiple_of(60 * SECOND) => format!("{} min", us / 60 / SECOND),
        us => format!("{} s", us as f64 / SECOND as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Refresh = Refresh { real: Micros(3_600_000_000), played: Micros(10_000_000) };

    #[test]
    fn the_work_on_the_way_is_not_scaled() {
        assert_eq!(project(REFRESH, Micros(10_400_000)), (Micros(400_000), Micros(3_600_400_000)));
        assert_eq!(project(REFRESH, Micros(4_200_000)), (Micros(0), REFRESH.real));
    }

    #[test]
    fn it_is_said_with_the_users_own_interval() {
        let said = |measured: u64| {
            let (excess, _) = project(REFRESH, Micros(measured));
            said("fleet", Hop::Secret, "1/360", REFRESH, Micros(measured), Some(excess))
        };
        assert_eq!(
            said(10_400_000),
            "fleet reaches secret in 10.40 s at most, 400 ms beyond its 10 s (scale 1/360): with your 1 h, up to 1 h \
             400 ms"
        );
        assert_eq!(
            said(4_200_000),
            "fleet reaches secret in 4.20 s at most, not beyond its 10 s (scale 1/360): with your 1 h, up to 1 h"
        );
        assert_eq!([90, 120, 5400].map(|s| spoken(Micros(s * 1_000_000))), ["90 s", "2 min", "90 min"]);
    }
}
