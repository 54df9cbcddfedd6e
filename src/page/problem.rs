//! Why a call was refused, for programs.

use serde::Serialize;

use crate::live;
use crate::scenario::{ScenarioError, Violation};

/// Why a call was refused. `message` is for people; with a scenario, line and column say where it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `request`, `scenario`, `size`, `session` or `defect`: who can do something about it.
    kind: Kind,
    /// What was found, and what was expected.
    message: Box<str>,
    /// More context, such as the design in which it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Box<str>>,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Box<str>>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Box<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Request,
    Scenario,
    Size,
    Session,
    Defect,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Place {
    /// The text: a file's name, or `--set`.
    source: String,
    /// Counted from 1.
    line: usize,
    /// In characters, counted from 1.
    column: usize,
    /// How many characters are meant.
    length: usize,
    /// The whole line.
    text: String,
}

impl Problem {
    fn new(kind: Kind, message: impl Into<String>, help: Option<String>) -> Problem {
        Problem { kind, message: message.into().into(), note: None, help: help.map(Into::into), place: None }
    }

    /// The caller's mistake.
    pub fn request(message: impl Into<String>, help: Option<String>) -> Problem {
        Problem::new(Kind::Request, message, help)
    }

    /// More than this interface plays.
    pub fn size(message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem::new(Kind::Size, message, Some(help.into()))
    }
}

impl From<ScenarioError> for Problem {
    fn from(error: ScenarioError) -> Problem {
        // A page shows one problem at a time: the first.
        let ScenarioError { message, note, help, place, more: _ } = error;
        let place = place.map(|place| {
            let (line, column) = place.line_and_column();
            Box::new(Place {
                line,
                column,
                length: place.source_text[place.range.clone()].chars().count(),
                text: place.source_text.lines().nth(line - 1).unwrap_or_default().into(),
                source: place.source_name,
            })
        });
        Problem { note: note.map(Into::into), place, ..Problem::new(Kind::Scenario, message, help) }
    }
}

impl From<Violation> for Problem {
    fn from(violation: Violation) -> Problem {
        Problem::request(violation.message, violation.help)
    }
}

impl From<live::Error> for Problem {
    fn from(error: live::Error) -> Problem {
        let kind = if matches!(error, live::Error::Stuck(_)) { Kind::Defect } else { Kind::Session };
        Problem::new(kind, error.to_string(), None)
    }
}
