//! Durations as people and Go write them: `250ms`, `1m30s`, `1.5h`.

use std::time::Duration;

/// Each unit and its nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDuration {
    /// `5`
    #[error("`{0}` has no unit")]
    NoUnit(String),
    /// `1d`
    #[error("`{0}` has a unit that does not exist: `{1}`")]
    UnknownUnit(String, String),
    /// `abc`
    #[error("`{0}` is not a duration")]
    NotOne(String),
    /// More than 292 years.
    #[error("`{0}` is too long")]
    TooLong(String),
}

impl BadDuration {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::NoUnit(text) => format!("write `{text}s` for seconds"),
            Self::UnknownUnit(text, unit) if unit == "d" => match text.trim_end_matches('d').parse::<u32>() {
                Ok(days) => format!("there are no days; write `{}h`", u64::from(days) * 24),
                Err(_) => "there are no days; a day is `24h`".to_owned(),
            },
            Self::UnknownUnit(..) | Self::NotOne(_) => {
                "write it as `250ms`, `5s`, `1m30s` or `1h`; the units are h, m, s, ms, us".to_owned()
            }
            Self::TooLong(_) => "292 years are the limit".to_owned(),
        }
    }
}

/// Reads one duration: numbers, each with its unit.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let own = || text.to_owned();
    let mut rest = text;
    let mut total: u64 = 0;
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(BadDuration::NotOne(own()));
    }
    while !rest.is_empty() {
        let split = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(split);
        let split = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(split);
        if unit.is_empty() {
            return Err(BadDuration::NoUnit(own()));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(known, _)| *known == unit) else {
            let word = unit.chars().all(char::is_alphabetic);
            let unit = unit.to_owned();
            return Err(if word {
                BadDuration::UnknownUnit(own(), unit)
            } else {
                BadDuration::NotOne(own())
            });
        };
        let part = scaled(number, *nanos).ok_or_else(|| match number.parse::<f64>() {
            Ok(_) => BadDuration::TooLong(own()),
            Err(_) => BadDuration::NotOne(own()),
        })?;
        total = total
            .checked_add(part)
            .filter(|total| i64::try_from(*total).is_ok())
            .ok_or_else(|| BadDuration::TooLong(own()))?;
        rest = tail;
    }
    Ok(Duration::from_nanos(total))
}

/// `1.5` of a unit, without going through floating point.
fn scaled(number: &str, nanos: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut total = whole.parse::<u64>().ok()?.checked_mul(nanos)?;
    let mut unit = nanos;
    for digit in fraction.chars() {
        unit /= 10;
        total = total.checked_add(u64::from(digit.to_digit(10)?).checked_mul(unit)?)?;
    }
    Some(total)
}

/// As people say it: `250 ms`, `7 s`, `2 min`, `1 h`.
pub fn spoken(span: Duration) -> String {
    let millis = span.as_micros() as f64 / 1e3;
    let seconds = span.as_secs();
    let even = |unit: u64| span.subsec_nanos() == 0 && seconds.is_multiple_of(unit);
    match seconds {
        0 if !span.is_zero() => format!("{millis} ms"),
        3600.. if even(3600) => format!("{} h", seconds / 3600),
        120.. if even(60) => format!("{} min", seconds / 60),
        _ => format!("{} s", millis / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ones() {
        for (text, millis) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("1h", 3_600_000),
            ("1.5h", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("1h0m0s"), parse("1h"));
        assert_eq!(parse("20us"), parse("20µs"));
    }

    #[test]
    fn bad_ones_say_what_to_write() {
        for (text, message, hint) in [
            ("1d", "`1d` has a unit that does not exist: `d`", "there are no days; write `24h`"),
            ("5", "`5` has no unit", "write `5s` for seconds"),
            ("1m30", "`1m30` has no unit", "write `1m30s` for seconds"),
            ("abc", "`abc` is not a duration", ""),
            ("", "`` is not a duration", ""),
            ("-5s", "`-5s` is not a duration", ""),
            ("5 s", "`5 s` is not a duration", ""),
            ("1..5s", "`1..5s` is not a duration", ""),
            ("5sec", "`5sec` has a unit that does not exist: `sec`", ""),
            ("9999999h", "`9999999h` is too long", ""),
            ("99999999999999999999s", "`99999999999999999999s` is too long", ""),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }

    #[test]
    fn they_are_said_as_people_do() {
        let said = |text| spoken(parse(text).unwrap());
        assert_eq!(
            ["7s", "250ms", "1m30s", "2m", "1h", "1.5s", "0s"].map(said),
            ["7 s", "250 ms", "90 s", "2 min", "1 h", "1.5 s", "0 s"]
        );
    }
}
