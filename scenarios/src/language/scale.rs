//! `scale: 1/360`: intervals, periods and lifetimes shrink together, so that an hour's story is told in ten seconds.
//!
//! Shrunk are the refresh intervals of the manifests and what the scenario gives (a rotation period, a TTL).
//! What a scenario asks for (`within`, `every`, `for`) is not. A minimum of a server that would break, or a
//! ratio that could not be kept, is refused where the value stands: shrunk a little differently, the story
//! would be another one.

use std::time::Duration;

use super::duration::spoken;
use super::error::Sink;
use super::node::{Node, Value};
use super::source::Span;

/// A ratio is kept if rounding moves it by no more than this part.
const KEPT: u32 = 100;

/// How much everything shrinks.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    by: u32,
    /// Where the file says so.
    place: String,
}

/// What a server makes of a time, and its least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    least: Duration,
    /// Only whole multiples of this are what they say.
    step: Duration,
    why: &'static str,
}

impl Grain {
    /// A refresh interval of the operator's.
    pub(crate) const REFRESH: Self = Self {
        least: Duration::from_secs(1),
        step: Duration::from_millis(1),
        why: "ESO tells when it synced to the second",
    };
    /// A rotation period of OpenBao's database engine.
    pub(crate) const ROTATION: Self = Self {
        least: Duration::from_secs(5),
        step: Duration::from_secs(5),
        why: "OpenBao takes none below 5 s and looks for what is due every 5 s",
    };
    /// A TTL of a lease or a token.
    pub(crate) const TTL: Self = Self {
        least: Duration::from_secs(1),
        step: Duration::from_secs(1),
        why: "OpenBao counts lifetimes in whole seconds",
    };
}

impl Scale {
    /// Reads `1/360`.
    pub(crate) fn read(sink: &Sink, node: &Node) -> Option<Self> {
        let by = node.text().and_then(|text| text.strip_prefix("1/")?.trim().parse().ok());
        let Some(by @ 1..=100_000) = by else {
            let found = match &node.value {
                Value::Text(text) => format!("`{text}`"),
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Float(_)
                | Value::List(_)
                | Value::Map(_) => node.what().to_owned(),
            };
            let hint = "write `1/360`: an hour becomes 10 s; 1/100000 is the most";
            sink.report_with(&node.span, format!("expected a scale, found {found}"), hint);
            return None;
        };
        Some(Self { by, place: node.span.place() })
    }

    /// A time, shrunk; the first problem is reported where the time stands.
    pub(crate) fn shrink(
        &self,
        sink: &Sink,
        at: &Span,
        what: &str,
        real: Duration,
        grain: Grain,
    ) -> Option<Duration> {
        let exact = real / self.by;
        let refuse = |why: String| {
            let hint = format!("{self} ({}); {}", self.place, grain.why);
            sink.report_with(at, why, hint);
            None
        };
        if exact < grain.least {
            let (real, least) = (spoken(real), spoken(grain.least));
            let exact = if exact.is_zero() { "nothing".to_owned() } else { spoken(exact) };
            return refuse(format!("{what} ({real}) would shrink to {exact}, below {least}"));
        }
        let steps = (exact.as_nanos() + grain.step.as_nanos() / 2) / grain.step.as_nanos();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let rounded = (grain.step * steps).max(grain.least);
        if rounded.abs_diff(exact) * KEPT > exact {
            let (exact, rounded) = (spoken(exact), spoken(rounded));
            return refuse(format!(
                "{what} ({}) would be {rounded} and not {exact}: no ratio is kept",
                spoken(real)
            ));
        }
        Some(rounded)
    }
}

/// `scale 1/360`
impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "scale {}", self.ratio())
    }
}

impl Scale {
    /// `1/360`
    pub(crate) fn ratio(&self) -> String {
        format!("1/{}", self.by)
    }
}

/// A duration as Go reads it: `10s`, `1500ms`.
pub(crate) fn written(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    fn node(value: Value, text: &str) -> Node {
        let source = Source::new("s.yaml", text);
        Node { span: Span::new(&source, 0..text.len()), value }
    }

    fn shrunk(by: u32, real: u64, grain: Grain) -> Result<Duration, String> {
        let sink = Sink::default();
        let scale = Scale { by, place: "s.yaml:3".to_owned() };
        let span = node(Value::Null, "x").span;
        let short = scale.shrink(&sink, &span, "a period", Duration::from_secs(real), grain);
        sink.finish(short).map(|(short, _)| short.unwrap()).map_err(|found| {
            let problem = &found.as_slice()[0];
            format!("{} [{}]", problem.message, problem.hint.as_deref().unwrap_or_default())
        })
    }

    #[test]
    fn ratios_are_kept_or_refused() {
        let seconds = |span: u64| Ok(Duration::from_secs(span));
        assert_eq!(shrunk(360, 3600, Grain::REFRESH), seconds(10));
        assert_eq!(shrunk(360, 3600, Grain::ROTATION), seconds(10));
        assert_eq!(shrunk(360, 900, Grain::REFRESH), Ok(Duration::from_millis(2500)));
        // 86400 / 350 = 246.86: 245 is 0.75 % off.
        assert_eq!(shrunk(350, 86_400, Grain::ROTATION), seconds(245));
        assert_eq!(shrunk(100, 15_050, Grain::TTL), Ok(Duration::from_secs(151)));
        for (by, real, grain, why) in [
            (
                360,
                60,
                Grain::REFRESH,
                "a period (60 s) would shrink to 166.666 ms, below 1 s [scale 1/360 (s.yaml:3); ESO tells when it \
                 synced to the second]",
            ),
            (
                500,
                3600,
                Grain::ROTATION,
                "a period (1 h) would be 5 s and not 7.2 s: no ratio is kept [scale 1/500 (s.yaml:3); OpenBao takes \
                 none below 5 s and looks for what is due every 5 s]",
            ),
            (
                360,
                900,
                Grain::TTL,
                "a period (15 min) would be 3 s and not 2.5 s: no ratio is kept [scale 1/360 (s.yaml:3); OpenBao \
                 counts lifetimes in whole seconds]",
            ),
        ] {
            assert_eq!(shrunk(by, real, grain), Err(why.to_owned()));
        }
    }

    #[test]
    fn only_one_over_something_is_a_scale() {
        let read = |value: Value, text: &str| {
            let sink = Sink::default();
            let scale = Scale::read(&sink, &node(value, text));
            sink.finish(scale.map(|scale| scale.ratio()))
                .map(|(ratio, _)| ratio.unwrap())
                .map_err(|found| found.as_slice()[0].message.clone())
        };
        let text = |text: &str| read(Value::Text(text.to_owned()), text);
        assert_eq!(text("1/360"), Ok("1/360".to_owned()));
        for word in ["360", "2/3", "1/0", "1/-5", "1/1000000", "1/x"] {
            assert_eq!(text(word), Err(format!("expected a scale, found `{word}`")));
        }
        assert_eq!(read(Value::Float(0.5), "0.5"), Err("expected a scale, found a number".to_owned()));
    }

    #[test]
    fn intervals_are_written_as_go_reads_them() {
        assert_eq!(written(Duration::from_secs(10)), "10s");
        assert_eq!(written(Duration::from_millis(2500)), "2500ms");
    }
}
