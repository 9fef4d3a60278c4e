//! The one clock: raw `CLOCK_MONOTONIC`, in microseconds.
//!
//! Raw, not relative to a start of our own, because other processes on the same machine write stamps
//! that are subtracted from ours.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment on the monotonic clock, or a span between two of them, in microseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// The present moment.
    pub fn now() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).expect("the monotonic clock is never negative");
        let nanos = u64::try_from(now.tv_nsec).expect("nanoseconds are never negative");
        Self(seconds * 1_000_000 + nanos / 1_000)
    }

    /// This span as a [`Duration`].
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl From<Duration> for Micros {
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }
}

impl Add for Micros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Saturates at zero: a span is never negative.
impl Sub for Micros {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// A span for people: `850 µs`, `4.2 ms`, `312 ms`, `4.61 s`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            us @ 0..1_000 => format!("{us} µs"),
            us @ 1_000..10_000 => format!("{:.1} ms", us as f64 / 1e3),
            us @ 10_000..1_000_000 => format!("{} ms", us / 1_000),
            us => format!("{:.2} s", us as f64 / 1e6),
        };
        f.pad(&text)
    }
}
