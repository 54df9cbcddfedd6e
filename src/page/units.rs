//! How times, sets of items, places and requests are written in answers.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::time::Instant;
use crate::base::{ClientId, Items, Visit};
use crate::history::Request;
use crate::sim::snapshot::Holder;

/// A moment in seconds since the start. It reads back exactly: below 26 days a nanosecond is more than the rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Instant);

/// More than any run lasts.
const LONGEST: f64 = 1e6;

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.since_start().as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
        Seconds::of(f64::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("a time is a number of seconds from 0 to 1,000,000"))
    }
}

impl Seconds {
    /// This many seconds, if a run could last that long.
    pub fn of(seconds: f64) -> Option<Seconds> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits")]
        let nanos = |seconds: f64| (seconds * 1e9).round() as u64;
        (0.0..=LONGEST).contains(&seconds).then(|| Seconds(Instant::from_nanos(nanos(seconds))))
    }

    /// The moment, if it ever comes.
    pub fn known(at: Instant) -> Option<Seconds> {
        (at < Instant::NEVER).then_some(Seconds(at))
    }
}

/// A set of items as a number whose bit n - 1 is item n; as a text of digits when it has more than 53 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemSet(pub Items);

impl Serialize for ItemSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ItemSet(Items(bits)) = *self;
        if bits < 1 << 53 { serializer.serialize_u64(bits) } else { serializer.collect_str(&bits) }
    }
}

/// A place that holds something: a server by its index, or one of `store`, `objects`, `token`, `replica-0`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub Holder);

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Holder::Server(server) => serializer.serialize_u32(server.0),
            Holder::Store => serializer.serialize_str("store"),
            Holder::Objects => serializer.serialize_str("objects"),
            Holder::Token => serializer.serialize_str("token"),
            Holder::Replica(region) => serializer.collect_str(&format_args!("replica-{}", region.0)),
        }
    }
}

/// Which request: client, visit, step and attempt, as `41.1.3.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestName {
    pub client: ClientId,
    visit: u32,
    step: u16,
    attempt: u16,
}

impl RequestName {
    pub fn new(visit: Visit, step: u16, attempt: u16) -> RequestName {
        RequestName { client: visit.client, visit: visit.number, step, attempt }
    }

    pub fn of(visit: Visit, request: Request) -> RequestName {
        RequestName::new(visit, request.step, request.attempt)
    }
}

impl Serialize for RequestName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RequestName { client, visit, step, attempt } = self;
        serializer.collect_str(&format_args!("{}.{visit}.{step}.{attempt}", client.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_moment_of_a_run_reads_back(nanos in 0u64..1_000_000_000_000_000) {
            let moment = Seconds(Instant::from_nanos(nanos));
            let json = serde_json::to_string(&moment).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Seconds>(&json).expect("a moment"), moment, "{}", json);
        }

        #[test]
        fn no_set_of_items_is_rounded(bits: u64) {
            let json = serde_json::to_value(ItemSet(Items(bits))).expect("a set");
            let read = json.as_str().map_or_else(
                // As JavaScript reads numbers.
                || json.as_f64().map(|number| format!("{number:.0}")),
                |digits| Some(digits.to_owned()),
            );
            prop_assert_eq!(read, Some(bits.to_string()));
        }
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        for wrong in ["-1", "1e7", "\"30\"", "null"] {
            assert!(serde_json::from_str::<Seconds>(wrong).is_err(), "{wrong}");
        }
    }
}
