//! What a scenario claims about its figures: `lost_by.wiped > 0`, `40 < carts.lost < 0.05 * carts.opened`.
//!
//! A claim is one comparison, or a chain of two in the same direction, between sums of numbers and paths into the
//! summary.

mod parse;

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

pub use self::parse::parse;
use super::stats::Summary;
use super::text::count;
use super::tree::Tree;
use super::{DeployFigures, Expectation, FaultFigures, Figures, FileFigures, Latency, Report, Scaling, ServerLoad};
use crate::model::Step;
use crate::scenario::{Loaded, Scenario, nearest};

/// Names of the columns that a table can have, beside paths into the summary.
pub const COLUMNS: [&str; 24] = [
    "lost",
    "intact",
    "open",
    "overcharged",
    "unknown",
    "abandoned-carts",
    "abandoned",
    "logged-out",
    "impostors",
    "zombies",
    "wrong-views",
    "not-found",
    "destroyed",
    "busiest",
    "busy",
    "latency",
    "neighbours",
    "servers",
    "price",
    "deploy-took",
    "cut-off",
    "cut-requests",
    "capacity-lost",
    "fair-share",
];

/// A claim that was read: sides and the comparisons between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    first: Sum,
    rest: Vec<(Comparison, Sum)>,
}

/// What is computed on one side.
#[derive(Clone, Debug, PartialEq)]
enum Sum {
    Number(f64),
    Path { path: String, column: usize },
    Minus(Box<Sum>),
    Of(Box<Sum>, Operator, Box<Sum>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Unequal,
}

/// Why a claim cannot be read or judged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at character {column}: {message}")]
pub struct ClaimError {
    /// Where, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Something in a scenario's `expect` or `columns` that no run could satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the scenario: `expect[0].that`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Claim {
    /// Whether it holds, and the values of all its paths. A figure that is absent makes it fail.
    #[must_use]
    pub fn judge(&self, value: &impl Fn(&str) -> Option<f64>) -> (bool, String) {
        let mut left = self.first.value(value);
        let mut holds = true;
        for (comparison, side) in &self.rest {
            let right = side.value(value);
            holds &= left.zip(right).is_some_and(|(left, right)| comparison.holds(left, right));
            left = right;
        }
        let mut observed: Vec<String> = Vec::new();
        for (path, _) in self.paths() {
            let text = match value(path) {
                Some(number) => format!("{path} = {}", count(number)),
                None => format!("{path} is absent"),
            };
            if !observed.contains(&text) {
                observed.push(text);
            }
        }
        (holds, observed.join(", "))
    }

    /// Every path with its place in the text, counted from 1.
    #[must_use]
    pub fn paths(&self) -> Vec<(&str, usize)> {
        let mut paths = Vec::new();
        self.first.collect(&mut paths);
        self.rest.iter().for_each(|(_, side)| side.collect(&mut paths));
        paths
    }

    /// Finds the first path that is not among the known ones.
    ///
    /// # Errors
    ///
    /// When there is one.
    pub fn check(&self, known: &BTreeMap<String, f64>) -> Result<(), ClaimError> {
        match self.paths().into_iter().find(|(path, _)| !known.contains_key(*path)) {
            None => Ok(()),
            Some((path, column)) => Err(ClaimError {
                column,
                message: format!("there is no figure `{path}`"),
                help: Some(nearest_figure(path, known)),
            }),
        }
    }
}

impl Sum {
    fn value(&self, of: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Sum::Number(number) => *number,
            Sum::Path { path, .. } => of(path)?,
            Sum::Minus(sum) => -sum.value(of)?,
            Sum::Of(left, operator, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                }
            }
        })
    }

    fn collect<'a>(&'a self, paths: &mut Vec<(&'a str, usize)>) {
        match self {
            Sum::Number(_) => {}
            Sum::Path { path, column } => paths.push((path, *column)),
            Sum::Minus(sum) => sum.collect(paths),
            Sum::Of(left, _, right) => {
                left.collect(paths);
                right.collect(paths);
            }
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "the author asked for exactly this")]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::More => left > right,
            Comparison::AtLeast => left >= right,
            Comparison::Equal => left == right,
            Comparison::Unequal => left != right,
        }
    }

    /// Chains must point one way; equality points nowhere.
    fn chains_with(self, next: Comparison) -> bool {
        use Comparison::{AtLeast, AtMost, Less, More};
        matches!((self, next), (Less | AtMost, Less | AtMost) | (More | AtLeast, More | AtLeast))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
        })
    }
}

/// `did you mean …?`, or where to find the names.
fn nearest_figure(path: &str, known: &BTreeMap<String, f64>) -> String {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    match nearest(path, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "figures are named as in `--format json`: carts.lost, lost_by.wiped, load.peak_to_mean, …".into(),
    }
}

/// The name that is likely to be meant: the last part is the same, or few letters differ.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let tail = format!(".{word}");
    names.iter().copied().find(|name| name.ends_with(&tail)).or_else(|| nearest::nearest(word, names.iter().copied()))
}

/// Every figure that a run of this scenario can have.
#[must_use]
pub fn figures_of(scenario: &Scenario) -> BTreeMap<String, f64> {
    let mut figures = Figures::default();
    figures.load.per_server = vec![ServerLoad::default(); usize::try_from(scenario.most_slots()).unwrap_or(usize::MAX)];
    figures.load.fair_share_after_s = Some(0.0);
    figures.neighbours_latency_ms = Some(Latency::default());
    figures.files = scenario.users.upload().then(FileFigures::default);
    figures.price.object_calls_per_request = scenario.users.upload().then_some(0.0);
    figures.replays = scenario.users.journey.contains(&Step::ReplayToken).then_some(0);
    figures.faults = vec![FaultFigures::default(); scenario.faults.len()];
    figures.deploys = vec![DeployFigures::default(); scenario.faults.iter().filter(|f| f.deploy.is_some()).count()];
    let scaled = scenario.autoscaler.is_some() || scenario.faults.iter().any(|fault| fault.scale.is_some());
    figures.scaling = scaled.then(Scaling::default);
    Tree::of(&figures).by_path()
}

/// Checks what can be checked of `expect` and `columns` before anything runs.
#[must_use]
pub fn validate(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, expect) in loaded.base.expect.iter().enumerate() {
        let claim = match parse(&expect.that) {
            Ok(claim) => claim,
            Err(error) => {
                problems.push(problem(format!("expect[{i}].that"), error));
                continue;
            }
        };
        let named = |name: &str| expect.variant.as_deref().is_none_or(|wanted| wanted == name);
        let error = loaded
            .variants
            .iter()
            .filter(|variant| named(&variant.name))
            .find_map(|variant| claim.check(&figures_of(&variant.scenario)).err());
        problems.extend(error.map(|error| problem(format!("expect[{i}].that"), error)));
    }
    for (i, column) in loaded.base.columns.iter().enumerate() {
        problems.extend(check_column(column, &loaded.variants[..]).map(|(message, help)| Problem {
            place: format!("columns[{i}]"),
            message,
            help: Some(help),
        }));
    }
    problems
}

fn problem(place: String, error: ClaimError) -> Problem {
    Problem { place, message: error.to_string(), help: error.help }
}

fn check_column(column: &str, variants: &[crate::scenario::Variant]) -> Option<(String, String)> {
    let mut known = BTreeMap::new();
    for variant in variants {
        known.extend(figures_of(&variant.scenario));
    }
    if COLUMNS.contains(&column) || known.contains_key(column) {
        return None;
    }
    let help = match nearest(column, &COLUMNS) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("write a figure's path, or one of {}", COLUMNS.join(", ")),
    };
    let by_figure = nearest(column, &known.keys().map(String::as_str).collect::<Vec<_>>());
    let help = by_figure.map_or(help, |path| format!("did you mean `{path}`?"));
    Some((format!("there is no column `{column}`"), help))
}

/// What the scenario expected of the variants that ran, judged on the means of their runs.
///
/// # Errors
///
/// When a claim cannot be read; [`validate`] finds those before a run.
pub fn judge(report: &Report) -> Result<Vec<Expectation>, ClaimError> {
    let summaries = Summary::all(&report.variants);
    let mut expectations = Vec::new();
    for expect in &report.scenario.expect {
        let claim = parse(&expect.that)?;
        for (variant, summary) in report.variants.iter().zip(&summaries) {
            if expect.variant.as_ref().is_some_and(|wanted| *wanted != variant.name) {
                continue;
            }
            let (passed, observed) = claim.judge(&|path| summary.get(path).map(|estimate| estimate.mean));
            expectations.push(Expectation {
                variant: variant.name.clone(),
                what: expect.that.clone(),
                observed,
                passed,
            });
        }
    }
    Ok(expectations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(claim: &str) -> (bool, String) {
        let figures = [("carts.lost", 49.0), ("carts.opened", 2416.0), ("price.store_calls_per_request", 0.625)];
        parse(claim).expect(claim).judge(&|path| figures.iter().find(|(name, _)| *name == path).map(|(_, x)| *x))
    }

    #[test]
    fn claims_are_judged() {
        for (claim, holds) in [
            ("carts.lost > 0", true),
            ("40 < carts.lost <= 49", true),
            ("carts.opened >= carts.lost >= 50", false),
            ("carts.lost == 49", true),
            ("carts.lost != 49", false),
            ("carts.lost / carts.opened < 0.021", true),
            ("-carts.lost + 2 * (carts.lost - 9) == 31", true),
            ("carts.lost / 0 > 0", true),
            ("0 / 0 == 0 / 0", false),
            ("load.cv < 1", false),
            ("1_000 < carts.opened", true),
            ("100 - 50 - 25 == 25", true),
        ] {
            assert_eq!(judged(claim).0, holds, "{claim}");
        }
    }

    #[test]
    fn observed_shows_every_path_once() {
        let (_, observed) = judged("0 < carts.lost / carts.opened < carts.lost");
        assert_eq!(observed, "carts.lost = 49, carts.opened = 2,416");
        assert_eq!(
            judged("price.store_calls_per_request < load.cv").1,
            "price.store_calls_per_request = 0.62, load.cv is absent"
        );
    }

    #[test]
    fn unknown_paths_have_a_nearest_name() {
        let mut known = Tree::of(&Figures::default()).by_path();
        known.insert("load.per_server.0.busy".into(), 0.0);
        let error = |claim: &str| parse(claim).expect(claim).check(&known).expect_err(claim);
        let wrong = error("0 < lost_by.wipd");
        assert_eq!(wrong.to_string(), "at character 5: there is no figure `lost_by.wipd`");
        assert_eq!(wrong.help.as_deref(), Some("did you mean `lost_by.wiped`?"));
        assert_eq!(error("lost > 0").help.as_deref(), Some("did you mean `carts.lost`?"));
        assert!(error("banana > 0").help.expect("help").starts_with("figures are named"));
        assert!(parse("load.per_server.0.busy < 1").expect("claim").check(&known).is_ok());
    }
}
