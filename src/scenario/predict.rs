//! A question that a class answers before it looks.

use serde::Deserialize;

/// A question with choices, one of which comes true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// What is asked, in a sentence or two that can be answered by mental arithmetic.
    pub ask: String,
    /// Two to six answers to choose from.
    pub choices: Vec<String>,
    /// The one that comes true, word for word.
    pub answer: String,
    /// Why it does.
    pub why: String,
}

impl Predict {
    /// The place of the right answer among the choices.
    #[must_use]
    pub fn right(&self) -> Option<usize> {
        self.choices.iter().position(|choice| *choice == self.answer)
    }
}
