//! In which order the runs are played that an upgrade is made of.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The catalogue on what runs now, in this round.
    From(u64),
    /// The catalogue on what is to come.
    To(u64),
    /// The hop between the two.
    Hop,
}

/// The runs, those of one turn side by side. Either catalogue in each round: what drifts on this machine drifts for both.
///
/// The hop waits more than it works, so it is played beside the first catalogue. With `heavy` planes, as a cluster is, a
/// second one would load one side of the comparison: then it comes last, and alone.
pub fn turns(rounds: u64, heavy: bool) -> Vec<Vec<Part>> {
    let catalogues = (1..=rounds).flat_map(|round| [vec![Part::From(round)], vec![Part::To(round)]]);
    let mut turns: Vec<Vec<Part>> = catalogues.collect();
    match turns.first_mut() {
        Some(first) if !heavy => first.push(Part::Hop),
        Some(_) | None => turns.push(vec![Part::Hop]),
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::Part::{From, Hop, To};
    use super::*;

    #[test]
    fn the_hop_is_played_beside_a_catalogue_unless_that_would_slow_it_down() {
        assert_eq!(turns(0, false), [[Hop]]);
        assert_eq!(turns(0, true), [[Hop]]);
        let light = [vec![From(1), Hop], vec![To(1)], vec![From(2)], vec![To(2)]];
        assert_eq!(turns(2, false), light);
        assert_eq!(turns(1, true), [[From(1)], [To(1)], [Hop]]);
    }
}
