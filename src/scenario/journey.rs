//! The steps of a visit, some of them concurrent.

use std::fmt;
use std::ops::{Deref, Range};

use serde::de::value::StrDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::violation::{Checked, wrong, wrong_but};
use crate::base::MAX_ITEMS;
use crate::base::Step;
use crate::base::words::thousands;

const MOST_STEPS: usize = 1_000;
const MOST_AT_ONCE: usize = 6;

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

/// A journey must make sense.
pub(super) fn check(journey: &Journey) -> Checked {
    let path = "users.journey";
    if journey.is_empty() {
        return wrong_but(path, "a visit needs at least one step", "such as [\"login\", \"add\", \"checkout\"]");
    }
    if journey.len() > MOST_STEPS {
        return wrong(
            path,
            format!("a visit has at most 1,000 steps; this one has {}", thousands(journey.len() as u64)),
        );
    }
    for moment in journey.moments().filter(|moment| moment.len() > 1) {
        at_once(journey, moment)?;
    }
    in_order(journey)?;
    files(journey)?;
    let adds = || journey.iter().enumerate().filter(|(_, step)| **step == Step::Add).map(|(i, _)| i);
    if let Some(first) = adds().nth(MAX_ITEMS) {
        let added = adds().count();
        return wrong(
            format!("{path}{}", journey.place(first)),
            format!("a visit adds at most {MAX_ITEMS} items; this one adds {added}, and here is the first too many"),
        );
    }
    if adds().next().is_some() && !journey.contains(&Step::Checkout) {
        let help = "end the journey with \"checkout\": a cart is judged only there";
        return wrong_but(path, "this journey fills a cart but never checks out", help);
    }
    Ok(())
}

/// A user can only download files uploaded in this visit or an earlier one.
fn files(journey: &Journey) -> Checked {
    let path = "users.journey";
    let uploads = journey.iter().filter(|step| **step == Step::Upload).count();
    if let Some(i) = journey.iter().position(|step| *step == Step::Download)
        && uploads == 0
    {
        let help = "put \"upload\" into the journey, anywhere: files outlive visits";
        let here = format!("{path}{}", journey.place(i));
        return wrong_but(here, "this journey downloads files but never uploads any", help);
    }
    if uploads > MAX_ITEMS {
        return wrong(
            path,
            format!("a user keeps at most {MAX_ITEMS} files; one visit of this journey uploads {uploads}"),
        );
    }
    Ok(())
}

/// Whether each step makes sense after those before it. Concurrent steps do not see each other's effects.
fn in_order(journey: &Journey) -> Checked {
    let (mut in_cart, mut checked_out) = (0_usize, false);
    for moment in journey.moments() {
        let (mut to_remove, mut checks_out) = (in_cart, checked_out);
        for i in moment.clone() {
            let here = || format!("users.journey{}", journey.place(i));
            match journey[i] {
                Step::Add | Step::Remove if checked_out => {
                    return wrong(here(), "the cart is gone after checkout: this step comes too late");
                }
                Step::Remove if to_remove == 0 => {
                    return wrong(here(), "there is nothing in the cart to remove at this step");
                }
                Step::Remove => to_remove -= 1,
                Step::Checkout if checks_out => {
                    return wrong(here(), "a visit checks out only once; this is the second time");
                }
                Step::Checkout => checks_out = true,
                _ => {}
            }
        }
        in_cart = to_remove + journey[moment].iter().filter(|step| **step == Step::Add).count();
        checked_out = checks_out;
    }
    Ok(())
}

/// Checks concurrent steps: a few requests of a user who is logged in.
fn at_once(journey: &Journey, moment: Range<usize>) -> Checked {
    if moment.len() > MOST_AT_ONCE {
        let path = format!("users.journey{}", journey.place(moment.start + MOST_AT_ONCE));
        let help = "a browser opens six connections to a site";
        return wrong_but(path, format!("at most {MOST_AT_ONCE} steps can be concurrent"), help);
    }
    let alone = |step: Step| !matches!(step, Step::Browse | Step::Add | Step::Remove | Step::View | Step::Checkout);
    match moment.clone().find(|i| alone(journey[*i])) {
        None => Ok(()),
        Some(i) => {
            let message = "this step cannot be concurrent: only browsing and cart steps can";
            wrong_but(format!("users.journey{}", journey.place(i)), message, "put it before or after the list")
        }
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
