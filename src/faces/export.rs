//! Reports for other programs: JSON and, with the `cli` feature, CSV and Markdown.

#[cfg(feature = "cli")]
mod csv;
#[cfg(feature = "cli")]
mod markdown;

use crate::results::Report;
use crate::results::document::Results;

#[cfg(feature = "cli")]
pub use self::csv::{csv, series_csv};
#[cfg(feature = "cli")]
pub use markdown::markdown;

/// The report as JSON: see [`Results::json`].
#[must_use]
pub fn json(report: &Report) -> String {
    Results::from(report).json()
}

#[cfg(test)]
mod tests;
