//! Time as whole nanoseconds: [`Instant`] since the start of the run, [`Span`] between two instants.
//!
//! Integers make arithmetic exact and identical on every machine. A span is written as people write it: `20ms`, `2s`,
//! `1m30s`, `1.5h`.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Nanoseconds in one second.
pub const NANOS_PER_SEC: u64 = 1_000_000_000;

/// Units that [`Span`] reads and prints, largest first, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("d", 86_400 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("s", NANOS_PER_SEC),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// A moment: nanoseconds since the start of the run, and serialized as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Instant(u64);

impl Span {
    /// Zero.
    pub const ZERO: Span = Span(0);
    /// Longer than any run.
    pub const MAX: Span = Span(u64::MAX);

    /// A span of whole nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000_000)
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs * NANOS_PER_SEC)
    }

    /// Whole nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, for ratios and for people.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for display and ratios only")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// Milliseconds, for people.
    #[must_use]
    pub fn as_millis_f64(self) -> f64 {
        self.as_secs_f64() * 1e3
    }
}

impl Instant {
    /// The start of the run.
    pub const ZERO: Instant = Instant(0);
    /// Later than any event: "never".
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The moment this many nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span from the start of the run to this moment.
    #[must_use]
    pub const fn since_start(self) -> Span {
        Span(self.0)
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub for Instant {
    type Output = Span;
    /// Zero if `earlier` is actually later.
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Sub<Span> for Instant {
    type Output = Instant;
    /// The start, if that would be before it.
    fn sub(self, span: Span) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

/// Prints in a form that can be parsed again: `1m30s`, `20ms`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, nanos) in UNITS.iter().filter(|(unit, _)| *unit != "µs") {
            if rest >= *nanos {
                write!(f, "{}{unit}", rest / nanos)?;
                rest %= nanos;
            }
        }
        Ok(())
    }
}

/// Why a text is not a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpanError {
    /// No unit, as in `30`.
    #[error("`{0}` has no unit: write a time as \"30s\", \"20ms\" or \"1m30s\"")]
    NoUnit(String),
    /// An unknown unit, as in `3 fortnights`.
    #[error("`{0}` is not a unit of time: the units are d, h, m, s, ms, us and ns")]
    Unit(String),
    /// Not a number, as in `soon`.
    #[error("`{0}` is not a time: write it as \"30s\", \"20ms\" or \"1m30s\"")]
    NotATime(String),
    /// Longer than 584 years.
    #[error("`{0}` is longer than any run can be")]
    TooLong(String),
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Span, SpanError> {
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SpanError::NotATime(text.into()));
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let tail = tail.trim_start();
            let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            if number.is_empty() {
                return Err(SpanError::NotATime(text.into()));
            }
            if unit.is_empty() {
                return Err(SpanError::NoUnit(text.into()));
            }
            let nanos = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(|| SpanError::Unit(unit.into()))?.1;
            let part = scaled(number, nanos).map_err(|wrong| wrong(text.into()))?;
            total = total.checked_add(part).ok_or_else(|| SpanError::TooLong(text.into()))?;
            rest = tail.trim_start();
        }
        Ok(Span(total))
    }
}

/// `number` (digits, perhaps with one point) times `unit`, exactly; otherwise the constructor of the error.
fn scaled(number: &str, unit: u64) -> Result<u64, fn(String) -> SpanError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return Err(SpanError::NotATime);
    }
    let mut nanos = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(unit));
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.and_then(|n| n.checked_add(u64::from(digit - b'0') * place));
    }
    nanos.ok_or(SpanError::TooLong)
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"30s\", \"20ms\" or \"1m30s\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, nanos) in [
            ("30s", 30_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("1.5s", 1_500_000_000),
            ("20ms", 20_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("7 ns", 7),
            ("0s", 0),
            ("1d", 86_400_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(nanos)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("", "not a time"),
            ("30", "no unit"),
            ("soon", "not a time"),
            ("-1s", "not a time"),
            ("3 fortnights", "not a unit"),
            ("1.2.3s", "not a time"),
            ("1.s", "not a time"),
            ("99999999999999999999s", "longer than any run"),
            ("10000000000h", "longer than any run"),
        ] {
            let error = text.parse::<Span>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn printing_reads_back(nanos: u64) {
            let span = Span(nanos);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        /// Parts to a thousandth of their unit, with or without spaces between them.
        #[test]
        fn parts_add_up(
            parts in prop::collection::vec((0u64..1_000, 0u64..1_000, 0..UNITS.len(), " {0,2}"), 1..5),
        ) {
            let mut text = String::new();
            let mut nanos = 0;
            for (whole, thousandths, unit, space) in parts {
                let (name, unit) = UNITS[unit];
                text += &format!("{space}{whole}.{thousandths:03}{space}{name}");
                nanos += whole * unit + thousandths * unit / 1_000;
            }
            prop_assert_eq!(text.parse(), Ok(Span(nanos)), "{:?}", text);
        }

        /// Nothing but digits, points and the letters of units makes a time, and no time is without a digit and a unit.
        #[test]
        fn what_is_no_time_is_refused(text in ".{0,20}|[0-9.]{0,6}|[a-z]{0,3}[0-9]{1,3}[a-z]{2,3}") {
            let known = |c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace() || "dhmsunµ".contains(c);
            let could_be = text.chars().all(known)
                && text.contains(|c: char| c.is_ascii_digit())
                && text.trim().starts_with(|c: char| c.is_ascii_digit())
                && text.trim().ends_with(['d', 'h', 'm', 's']);
            prop_assert!(could_be || text.parse::<Span>().is_err(), "{:?}: {:?}", text, text.parse::<Span>());
        }
    }
}
