//! A question that a class answers before it sees the result.

use serde::Deserialize;

/// A multiple-choice question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// The question, in a sentence or two; it can be answered by mental arithmetic.
    pub ask: String,
    /// Two to six answers to choose from.
    pub choices: Vec<String>,
    /// The right choice, word for word.
    pub answer: String,
    /// Why it is right.
    pub why: String,
}

impl Predict {
    /// The index of the right answer among the choices.
    #[must_use]
    pub fn right(&self) -> Option<usize> {
        self.choices.iter().position(|choice| *choice == self.answer)
    }
}
