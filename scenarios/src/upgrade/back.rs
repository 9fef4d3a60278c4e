//! Which components can be taken back, once another release has run on their data.

use handover_fixtures::components::{Component, ResolvedSet};

use super::Ends;

/// Those of an upgrade for which the way back is played.
pub(super) fn those(ends: &Ends) -> Vec<Component> {
    ends.components.iter().copied().filter(|component| goes(*component, ends)).collect()
}

/// What people have to know of the others.
pub(super) fn limits(ends: &Ends) -> impl Iterator<Item = String> {
    let version = |set: &ResolvedSet, component| {
        set.get(component).map_or_else(|| "of that release".to_owned(), |found| found.version.clone())
    };
    ends.components.iter().copied().filter(|component| !goes(*component, ends)).map(move |component| {
        format!(
            "the way back is not played: {component} {} does not open data that {component} {} has run on",
            version(&ends.from, component),
            version(&ends.to, component)
        )
    })
}

/// A database opens what another release of its own series has written, and nothing newer.
fn goes(component: Component, ends: &Ends) -> bool {
    let keeps =
        matches!(component, Component::Etcd | Component::Mysql | Component::Valkey | Component::Postgres);
    let of = |set: &ResolvedSet| series(component, &set.get(component)?.version);
    !keeps || of(&ends.from).is_some_and(|from| Some(from) == of(&ends.to))
}

/// The releases of a component that open each other's data; none where the version says nothing.
fn series(component: Component, version: &str) -> Option<Vec<u32>> {
    let numbers = version.strip_prefix('v').unwrap_or(version).split(['-', '+', '~']).next()?;
    let numbers: Vec<u32> = numbers.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let of = match (component, numbers.as_slice()) {
        (Component::Postgres, _) => 1,
        // MySQL 8.0 refuses even an older one of its own.
        (Component::Mysql, [8, 0, ..]) => 3,
        _ => 2,
    };
    numbers.get(..of).map(<[u32]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_opens_its_own_data() {
        let same = |component, one, other| {
            let one = series(component, one);
            one.is_some() && one == series(component, other)
        };
        use Component::{Etcd, Mysql, Postgres, Valkey};
        assert!(same(Mysql, "8.4.1", "8.4.7") && same(Mysql, "9.7.4-2", "9.7.5"));
        assert!(!same(Mysql, "8.0.36", "8.0.40") && !same(Mysql, "8.4.7", "9.0.1"));
        assert!(same(Postgres, "15.18-0+deb12u1", "15.3") && !same(Postgres, "15.18", "17.1"));
        assert!(same(Etcd, "v3.6.8", "3.6.1") && !same(Etcd, "v3.5.9", "v3.6.0"));
        assert!(same(Valkey, "9.1.0", "9.1.2") && !same(Valkey, "8.1.0", "9.1.2"));
        assert!(!same(Valkey, "unknown", "unknown") && !same(Mysql, "9", "9"));
    }
}
