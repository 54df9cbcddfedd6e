//! The steps of a visit, some of them concurrent.

use std::fmt;
use std::ops::{Deref, Range};

use serde::de::value::StrDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::base::Step;

/// The steps of a visit, in order. The steps of a nested list are sent at the same moment, each in its own tab; the
/// tabs share one cart: `["login", ["add", "add"], "checkout"]`.
///
/// It dereferences to the slice of all its steps in order; [`Journey::moments`] tells which of them are concurrent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    steps: Vec<Step>,
    /// The index of the first step of each moment.
    begins: Vec<usize>,
}

impl Journey {
    /// Appends one step.
    pub fn push(&mut self, step: Step) {
        self.push_at_once(&[step]);
    }

    /// Appends steps that are sent at the same moment.
    pub fn push_at_once(&mut self, steps: &[Step]) {
        self.begins.push(self.steps.len());
        self.steps.extend_from_slice(steps);
    }

    /// The steps of each moment. Most moments have one.
    pub fn moments(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.begins.iter().skip(1).copied().chain([self.steps.len()]);
        self.begins.iter().copied().zip(ends).map(|(begin, end)| begin..end)
    }

    /// Whether some moment has several steps.
    #[must_use]
    pub fn is_simultaneous(&self) -> bool {
        self.begins.len() < self.steps.len()
    }

    /// Where a step is written: `[3]`, or `[3][1]` in a nested list.
    #[must_use]
    pub fn place(&self, step: usize) -> String {
        let moment = self.begins.partition_point(|begin| *begin <= step).saturating_sub(1);
        let within = step - self.begins.get(moment).copied().unwrap_or_default();
        match self.moments().nth(moment) {
            Some(range) if range.len() > 1 => format!("[{moment}][{within}]"),
            _ => format!("[{moment}]"),
        }
    }
}

impl Deref for Journey {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        &self.steps
    }
}

impl From<Vec<Step>> for Journey {
    /// Creates a journey without concurrent steps.
    fn from(steps: Vec<Step>) -> Journey {
        Journey { begins: (0..steps.len()).collect(), steps }
    }
}

/// One entry of the list.
enum Moment {
    One(Step),
    ConcurrentSteps(Vec<Step>),
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step, or a list of concurrent steps")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Moment, E> {
                let name: StrDeserializer<'_, E> = name.into_deserializer();
                Step::deserialize(name).map(Moment::One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Moment, A::Error> {
                let mut steps = Vec::new();
                while let Some(step) = list.next_element()? {
                    steps.push(step);
                }
                if steps.len() < 2 {
                    return Err(A::Error::custom(
                        "a nested list in a journey needs at least two steps, sent at the same moment",
                    ));
                }
                Ok(Moment::ConcurrentSteps(steps))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl<'de> Deserialize<'de> for Journey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut journey = Journey::default();
        for moment in Vec::<Moment>::deserialize(deserializer)? {
            match moment {
                Moment::One(step) => journey.push(step),
                Moment::ConcurrentSteps(steps) => journey.push_at_once(&steps),
            }
        }
        Ok(journey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Step::{Add, Checkout, Login, View};

    #[derive(Deserialize)]
    struct File {
        journey: Journey,
    }

    #[test]
    fn a_list_within_the_list_is_one_moment() {
        let file: File = toml::from_str(r#"journey = ["login", ["add", "add", "view"], "checkout"]"#).expect("sound");
        let journey = file.journey;
        assert_eq!(journey[..], [Login, Add, Add, View, Checkout]);
        assert_eq!(journey.moments().collect::<Vec<_>>(), [0..1, 1..4, 4..5]);
        assert!(journey.is_simultaneous());
        assert_eq!([0, 1, 3, 4].map(|step| journey.place(step)), ["[0]", "[1][0]", "[1][2]", "[2]"]);
        let plain = Journey::from(vec![Login, Add, Checkout]);
        assert!(!plain.is_simultaneous());
        assert_eq!(plain.moments().collect::<Vec<_>>(), [0..1, 1..2, 2..3]);
        assert_eq!(Journey::default().moments().count(), 0);
    }
}
