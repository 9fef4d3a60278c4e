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
            let arrivals = (0..rotations).map(|index| story.arrival(credential, hop, index));
            // One that never arrived is a failure, and projects to nothing.
            let longest: Option<Vec<Micros>> =
                arrivals.map(|arrival| arrival.seen.and(arrival.bounds.at_most)).collect();
            let Some(measured) = longest.and_then(|all| all.into_iter().max()) else { continue };
            let (excess, projected) = project(refresh, measured);
            projections.push(Projection {
                credential: credential.clone(),
                hop,
                refresh,
                measured_us: measured,
                excess_us: excess,
                projected_us: projected,
                text: said(credential, hop, scale, refresh, measured, excess),
            });
        }
    }
    projections
}

fn said(
    credential: &str,
    hop: Hop,
    scale: &str,
    refresh: Refresh,
    measured: Micros,
    excess: Micros,
) -> String {
    let (played, real) = (spoken(refresh.played), spoken(refresh.real));
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
            said("fleet", Hop::Secret, "1/360", REFRESH, Micros(measured), excess)
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
