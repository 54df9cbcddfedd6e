//! What is wrong with a scenario that is well formed.

/// What is wrong with a scenario that is well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: `faults[0].crash`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
}

impl Violation {
    /// Whether it is about this key of the scenario, or something in it.
    pub(super) fn is_about(&self, key: &str) -> bool {
        self.path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

pub(super) type Checked = Result<(), Violation>;

/// Everything that several checks find.
pub(super) fn found<const N: usize>(checks: [Checked; N]) -> Vec<Violation> {
    checks.into_iter().filter_map(Result::err).collect()
}

pub(super) fn wrong(path: impl Into<String>, message: impl Into<String>) -> Checked {
    Err(Violation { path: path.into(), message: message.into(), help: None })
}

pub(super) fn wrong_but(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Checked {
    Err(Violation { path: path.into(), message: message.into(), help: Some(help.into()) })
}

/// Checks a text that must fit on one line.
///
/// # Errors
///
/// It is empty, or has line breaks or other control characters.
pub fn line(path: &str, text: &str) -> Result<(), Violation> {
    if text.trim().is_empty() {
        return wrong(path, "this must not be empty");
    }
    if text.chars().any(char::is_control) {
        return wrong(path, "this must be a single line, without control characters");
    }
    Ok(())
}
