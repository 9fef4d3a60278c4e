//! What one side says of something, over all its rounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// What there was.
    A,
    /// What is to come.
    B,
}

impl Which {
    /// The letter for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// What the rounds of one side say of the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Said{T}")]
pub enum Said<T> {
    /// It was not played there.
    Nothing,
    /// In every round that played it.
    Steady(T),
    /// Not the same in all of them, in the order of the rounds.
    Unsteady(Vec<T>),
}

impl<T: Copy + PartialEq> Said<T> {
    /// What these rounds say.
    pub fn of(rounds: impl IntoIterator<Item = T>) -> Self {
        let rounds: Vec<T> = rounds.into_iter().collect();
        match rounds.split_first() {
            None => Self::Nothing,
            Some((first, others)) if others.iter().all(|other| other == first) => Self::Steady(*first),
            Some(_) => Self::Unsteady(rounds),
        }
    }

    /// What all rounds say.
    pub fn steady(&self) -> Option<T> {
        match self {
            Self::Steady(said) => Some(*said),
            Self::Nothing | Self::Unsteady(_) => None,
        }
    }

    /// `pass`; `pass, fail, pass`; `not played`.
    pub fn words(&self, word: impl Fn(T) -> &'static str) -> String {
        match self {
            Self::Nothing => "not played".to_owned(),
            Self::Steady(said) => word(*said).to_owned(),
            Self::Unsteady(rounds) => rounds.iter().map(|said| word(*said)).collect::<Vec<_>>().join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_agree_or_they_do_not() {
        assert_eq!(Said::<u8>::of([]), Said::Nothing);
        assert_eq!(Said::of([1, 1, 1]), Said::Steady(1));
        assert_eq!(Said::of([1, 2, 1]), Said::Unsteady(vec![1, 2, 1]));
        let word = |n: i32| if n == 1 { "one" } else { "other" };
        assert_eq!(Said::of([1, 2]).words(word), "one, other");
        assert_eq!(Said::of([1, 2]).steady(), None);
    }
}
