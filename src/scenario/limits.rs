//! Values with built-in limits: a value out of range is refused when it is read.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::base::time::Span;
use crate::base::words::thousands;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// The least share, and the least number above 0: one in a million. What is smaller would hardly ever make a difference,
/// and is refused rather than rounded.
pub(super) const LEAST: f64 = 1e-6;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const MIN: u64, const MAX: u64>(u64);

/// A span of time from `MIN` to `MAX` nanoseconds, written as `"30s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Time<const MIN: u64, const MAX: u64>(Span);

/// A duration from zero to a day.
pub type Pause = Time<0, DAY>;
/// A duration above zero, up to a day.
pub type Duration = Time<1, DAY>;
/// The length of a run.
pub type RunTime = Time<SECOND, DAY>;

/// A number from a millionth to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Positive<const MAX: u32 = 1_000_000>(f64);

/// A share from 0 (nothing) to 1 (all); the least that is not nothing is a millionth. Whoever computes with it in whole
/// numbers has it to a billionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// A constant default; fails to compile in a const context if out of range.
    #[must_use]
    pub const fn of(value: u64) -> Self {
        assert!(MIN <= value && value <= MAX, "out of range");
        Whole(value)
    }

    /// The number, if it is in range.
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        if MIN <= value && value <= MAX { Some(Whole(value)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as an index. It has at most 32 bits, so it fits everywhere.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "limits keep it in 32 bits")]
    pub const fn index(self) -> usize {
        assert!(MAX <= u32::MAX as u64, "an index has 32 bits");
        self.0 as usize
    }

    /// The number as 32 bits.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "limits keep it in 32 bits")]
    pub const fn get32(self) -> u32 {
        assert!(MAX <= u32::MAX as u64, "this number has 32 bits");
        self.0 as u32
    }
}

impl<const MIN: u64, const MAX: u64> Time<MIN, MAX> {
    /// A constant default; fails to compile in a const context if out of range.
    #[must_use]
    pub const fn of(span: Span) -> Self {
        assert!(MIN <= span.as_nanos() && span.as_nanos() <= MAX, "out of range");
        Time(span)
    }

    /// The span.
    #[must_use]
    pub const fn get(self) -> Span {
        self.0
    }
}

/// Never NaN, so equality is total.
impl<const MAX: u32> Eq for Positive<MAX> {}

impl<const MAX: u32> Positive<MAX> {
    /// A constant default; fails to compile in a const context if out of range.
    #[must_use]
    pub const fn of(value: f64) -> Self {
        assert!(value >= LEAST && value <= MAX as f64, "out of range");
        Positive(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The number in billionths, rounded: for those who compute with whole numbers.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0, and at most a million")]
    pub fn billionths(self) -> u64 {
        (self.0 * 1e9).round() as u64
    }
}

impl Share {
    /// A constant default in thousandths; fails to compile in a const context if out of range.
    #[must_use]
    pub const fn of_thousand(thousandths: u16) -> Self {
        assert!(thousandths <= 1_000, "out of range");
        Share(thousandths as f64 / 1_000.0)
    }

    /// All of it, in billionths.
    pub const ALL: u32 = 1_000_000_000;

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The number in thousandths, rounded, for integer arithmetic.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1")]
    pub fn billionths(self) -> u32 {
        (self.0 * f64::from(Share::ALL)).round() as u32
    }
}

/// A share that is given in billionths, in percent, as people write it: `12.5 %`.
#[must_use]
pub fn percent(billionths: u32) -> String {
    format!("{} %", f64::from(billionths) / 1e7)
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounds<const MIN: u64, const MAX: u64>;
        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Bounds<MIN, MAX> {
            type Value = Whole<MIN, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {} to {}", thousands(MIN), thousands(MAX))
            }
            /// JSON has its own numbers above zero.
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                match i64::try_from(value) {
                    Ok(value) => self.visit_i64(value),
                    Err(_) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
                }
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                let found = Unexpected::Signed(value);
                u64::try_from(value)
                    .ok()
                    .filter(|value| (MIN..=MAX).contains(value))
                    .map(Whole)
                    .ok_or_else(|| E::invalid_value(found, &self))
            }
        }
        deserializer.deserialize_i64(Bounds)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Time<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let span = Span::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&span.as_nanos()) {
            return Ok(Time(span));
        }
        let most = Span::from_nanos(MAX);
        Err(D::Error::custom(match MIN {
            0 => format_args!("{span} is too long: at most {most}").to_string(),
            1 => format_args!("{span} is out of range: above zero and at most {most}").to_string(),
            _ => format_args!("{span} is out of range: from {} to {most}", Span::from_nanos(MIN)).to_string(),
        }))
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for Positive<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Finite<const MAX: u32>;
        impl<const MAX: u32> Visitor<'_> for Finite<MAX> {
            type Value = Positive<MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number above 0 and at most {}", thousands(u64::from(MAX)))
            }
            /// JSON has its own numbers above zero.
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                match i64::try_from(value) {
                    Ok(value) => self.visit_i64(value),
                    Err(_) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
                }
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                #[expect(clippy::cast_precision_loss, reason = "in range it is exact")]
                self.visit_f64(value as f64)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                if value > 0.0 && value < LEAST {
                    return Err(too_small(value, "at least"));
                }
                if (LEAST..=f64::from(MAX)).contains(&value) {
                    return Ok(Positive(value));
                }
                Err(E::invalid_value(Unexpected::Float(value), &self))
            }
        }
        deserializer.deserialize_f64(Finite)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ZeroToOne;
        impl Visitor<'_> for ZeroToOne {
            type Value = Share;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share from 0 to 1")
            }
            /// JSON has its own numbers above zero.
            fn visit_u64<E: Error>(self, value: u64) -> Result<Share, E> {
                match i64::try_from(value) {
                    Ok(value) => self.visit_i64(value),
                    Err(_) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
                }
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Share, E> {
                match value {
                    0 => Ok(Share(0.0)),
                    1 => Ok(Share(1.0)),
                    _ => Err(E::invalid_value(Unexpected::Signed(value), &self)),
                }
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Share, E> {
                if value > 0.0 && value < LEAST {
                    return Err(too_small(value, "0, or at least"));
                }
                if (0.0..=1.0).contains(&value) {
                    return Ok(Share(value));
                }
                Err(E::invalid_value(Unexpected::Float(value), &self))
            }
        }
        deserializer.deserialize_f64(ZeroToOne)
    }
}

/// A number that is nearly nothing, and what it may be instead.
fn too_small<E: Error>(value: f64, least: &str) -> E {
    E::custom(format_args!("{value} is too small: {least} {LEAST} (one in a million)"))
}

/// The default of times that may be zero.
pub(super) fn no_time() -> Pause {
    Time::of(Span::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: for<'de> Deserialize<'de>>(number: &str) -> Result<T, String> {
        serde_json::from_str(number).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_numbers_of_json_are_numbers() {
        assert_eq!(read::<Whole<2, 10>>("10").map(Whole::get), Ok(10));
        assert_eq!(read::<Positive>("3").map(Positive::get), Ok(3.0));
        assert!(read::<Share>("1").is_ok());
        for too_large in ["11", "18446744073709551615"] {
            assert!(read::<Whole<2, 10>>(too_large).unwrap_err().contains("from 2 to 10"), "{too_large}");
        }
    }

    #[test]
    fn shares_are_kept_to_a_billionth() {
        for (text, billionths, percent) in [
            ("0.0", 0, "0 %"),
            ("0.000001", 1_000, "0.0001 %"),
            ("0.0005", 500_000, "0.05 %"),
            ("0.0014", 1_400_000, "0.14 %"),
            ("0.123456789", 123_456_789, "12.3456789 %"),
            ("0.29", 290_000_000, "29 %"),
            ("0.999999", 999_999_000, "99.9999 %"),
            ("1.0", 1_000_000_000, "100 %"),
        ] {
            let share: Share = read(text).expect(text);
            assert_eq!((share.billionths(), &*super::percent(share.billionths())), (billionths, percent), "{text}");
        }
        assert_eq!(read::<Positive>("1.234567891").map(Positive::billionths), Ok(1_234_567_891));
        assert_eq!(read::<Positive>("1000000.0").map(Positive::billionths), Ok(1_000_000_000_000_000));
    }

    #[test]
    fn what_is_nearly_nothing_is_refused_with_the_limit() {
        for text in ["0.0000009", "1e-9", "1e-300"] {
            let [share, positive] = [read::<Share>(text).map(Share::get), read::<Positive>(text).map(Positive::get)];
            let (share, positive) = (share.expect_err(text), positive.expect_err(text));
            assert!(share.contains("is too small: 0, or at least 0.000001 (one in a million)"), "{share}");
            assert!(positive.contains("is too small: at least 0.000001 (one in a million)"), "{positive}");
        }
        for text in ["-0.1", "1.000001", "2.0"] {
            let told = read::<Share>(text).map(Share::get).expect_err(text);
            assert!(told.contains("expected a share from 0 to 1"), "{told}");
        }
    }
}
