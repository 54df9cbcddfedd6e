//! A question that a class answers before it sees the result.

use serde::Deserialize;

use super::prose;
use super::violation::{Checked, line, wrong, wrong_but};
use crate::base::seed::{Key, Purpose, Seed};

/// A multiple-choice question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// The question, in a sentence or two; it can be answered by mental arithmetic.
    pub ask: String,
    /// Two to six answers to choose from.
    pub choices: Vec<String>,
    /// The right choice, word for word. As in a lesson it may say what it rests on: `{about 50: 40 < carts.lost < 60 of
    /// "sticky, server memory"}`.
    pub answer: String,
    /// Why it is right.
    pub why: String,
}

impl Predict {
    /// The choices in the order in which they are offered: shuffled, so that their order tells nothing. The same seed
    /// gives the same order.
    #[must_use]
    pub fn offered(&self, seed: u64) -> Vec<&str> {
        let question = self.ask.bytes().fold(0, |sum: u64, byte| (31 * sum + u64::from(byte)) & 0xffff_ffff);
        let mut draw = Seed(seed).draw(Purpose::Choices, Key { entity: question, ..Key::default() });
        let mut offered: Vec<&str> = self.choices.iter().map(String::as_str).collect();
        for (at, bound) in (1..offered.len()).zip(2..) {
            offered.swap(at, draw.below(bound) as usize);
        }
        offered
    }

    /// The right choice, as it is spoken.
    #[must_use]
    pub fn answer(&self) -> String {
        prose::plain(&self.answer)
    }

    /// The index of the right answer among the choices.
    #[must_use]
    pub fn right(&self) -> Option<usize> {
        let answer = prose::plain(&self.answer);
        self.choices.iter().position(|choice| *choice == answer)
    }
}

/// The texts fit on a line, and one of the choices is right.
pub(super) fn check(predict: &Predict) -> Checked {
    for (path, text) in [("predict.ask", &predict.ask), ("predict.why", &predict.why)] {
        line(path, text.replace('\n', " ").trim_end())?;
    }
    if !(2..=6).contains(&predict.choices.len()) {
        return wrong("predict.choices", format!("two to six choices, not {}", predict.choices.len()));
    }
    for (i, choice) in predict.choices.iter().enumerate() {
        line(&format!("predict.choices[{i}]"), choice)?;
    }
    prose::check("predict.answer", &predict.answer)?;
    prose::check("predict.why", &predict.why)?;
    if predict.right().is_none() {
        let choices: Vec<String> = predict.choices.iter().map(|choice| format!("\"{choice}\"")).collect();
        let help = format!("copy one of them, word for word: {}", choices.join(", "));
        return wrong_but("predict.answer", "the answer is none of the choices", help);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{library, load};

    /// Where the right answer stands, counted from 0, in each scenario that has a question.
    fn places(order: impl Fn(&Predict, u64) -> Option<usize>) -> Vec<usize> {
        let place = |entry: &library::Entry| {
            let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect("sound");
            order(loaded.base.predict.as_ref()?, loaded.base.seed.get())
        };
        library::all().iter().filter_map(place).collect()
    }

    #[test]
    fn the_place_of_an_answer_tells_nothing() {
        let offered =
            |predict: &Predict, seed| predict.offered(seed).iter().position(|choice| *choice == predict.answer());
        let places = places(offered);
        let early = places.iter().filter(|place| **place < 2).count();
        assert!(3 * early > places.len() && 3 * early < 2 * places.len() + 3, "{places:?}");
    }

    #[test]
    fn the_same_choices_are_offered_in_an_order_of_the_seeds() {
        let choices: Vec<String> = ["a", "b", "c", "d"].map(Into::into).into();
        let predict = Predict { ask: "?".into(), choices, answer: "{a: carts.lost > 0}".into(), why: "!".into() };
        assert_eq!(predict.right(), Some(0));
        assert_eq!(predict.offered(1), predict.offered(1));
        assert!((2..9).any(|seed| predict.offered(seed) != predict.offered(1)));
        let mut all = predict.offered(7);
        all.sort_unstable();
        assert_eq!(all, ["a", "b", "c", "d"]);
    }
}
