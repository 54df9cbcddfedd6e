//! A question that a class answers before it sees the result.

use serde::Deserialize;

use super::nearest::suggest;
use super::violation::{Checked, Violation, line, wrong};

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
    if predict.right().is_none() {
        let help = suggest(&predict.answer, "the choices are", predict.choices.iter().map(String::as_str));
        let message = "the answer is none of the choices";
        return Err(Violation { path: "predict.answer".into(), message: message.into(), help });
    }
    Ok(())
}
