//! What a scenario claims about its figures: `lost_by.wiped > 0`, `40 < carts.lost < 0.05 * carts.opened`.
//!
//! A claim is one comparison, or a chain of two in the same direction, between sums of numbers and figures. A figure is
//! a path into the summary of the variant that the claim is about, or of another variant named in brackets: `carts.lost
//! < 0.1 * carts.lost["round robin, server memory"]`. A part of a path with characters other than letters, digits and
//! `_`, such as the name of a fault, is quoted: `faults."the crash".lost_of_open > 0`.

mod former_paths;
mod judge;
mod parse;

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

pub use self::judge::{ClaimVerdict, Observed, judge, over_seeds, verdicts};
pub use self::parse::{expression, parse};
use super::tree::Tree;
use super::{
    DeployFigures, FaultFigures, Figures, FileFigures, HiddenFigures, Latency, Load, Recovery, RegionFigures, Scaling,
    Seconds, ServerLoad, ServerlessFigures,
};
use crate::base::Step;
use crate::operations::faults::{Fault, FaultKind, of_processes, timeline};
use crate::scenario::{HiddenState, Loaded, Scenario, Variant, nearest};

/// The names of the columns that a table can have. Paths into the summary are columns, too.
pub const COLUMNS: [&str; 42] = [
    "unfinished",
    "lost",
    "intact",
    "open",
    "overcharged",
    "unknown",
    "abandoned-carts",
    "abandoned",
    "failed",
    "errors",
    "logged-out",
    "impostors",
    "zombies",
    "overwritten",
    "ghosts",
    "wrong-views",
    "not-found",
    "destroyed",
    "forbidden",
    "charged-twice",
    "over-limit",
    "stale-pages",
    "busiest",
    "busy",
    "requests-by-server",
    "latency",
    "neighbours",
    "add-by-region",
    "instances",
    "cold-starts",
    "losses-lasted",
    "servers",
    "price",
    "store-calls",
    "deploy-took",
    "cut-off",
    "cut-requests",
    "capacity-lost",
    "fair-share",
    "noticed",
    "capacity-back",
    "users-well",
];

/// A parsed claim: sums, and the comparisons between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    first: Sum,
    rest: Vec<(Comparison, Sum)>,
}

/// An expression on one side of a comparison.
#[derive(Clone, Debug, PartialEq)]
enum Sum {
    Number(f64),
    Figure(Figure),
    Minus(Box<Sum>),
    Of(Box<Sum>, Operator, Box<Sum>),
}

/// A figure named in a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its path into the summary: `carts.lost`.
    pub path: String,
    /// The variant named in brackets; `None` for the one that the claim is about.
    pub of: Option<String>,
    /// The column at which the claim names it, counted from 1.
    column: usize,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            None => f.write_str(&self.path),
            Some(of) => write!(f, "{}[\"{of}\"]", self.path),
        }
    }
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

/// Why a claim cannot be parsed or judged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at character {column}: {message}")]
pub struct ClaimError {
    /// The column of the error, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A part of a scenario's `expect` or `columns` that no run could satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its place in the scenario: `expect[0].that`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Claim {
    /// Whether the claim holds. An absent figure makes it fail.
    #[must_use]
    pub fn holds(&self, value: &impl Fn(&Figure) -> Option<f64>) -> bool {
        let mut left = self.first.value(value);
        let mut holds = true;
        for (comparison, side) in &self.rest {
            let right = side.value(value);
            holds &= left.zip(right).is_some_and(|(left, right)| comparison.holds(left, right));
            left = right;
        }
        holds
    }

    /// The value of a sum that is compared with nothing; `None` for a comparison, or if a figure is absent.
    #[must_use]
    pub fn value(&self, of: &impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        if self.rest.is_empty() { self.first.value(of) } else { None }
    }

    /// Whether something is compared.
    #[must_use]
    pub fn compares(&self) -> bool {
        !self.rest.is_empty()
    }

    /// All figures that it names, in order.
    #[must_use]
    pub fn figures(&self) -> Vec<&Figure> {
        let mut figures = Vec::new();
        self.first.collect(&mut figures);
        self.rest.iter().for_each(|(_, side)| side.collect(&mut figures));
        figures
    }
}

impl Sum {
    fn value(&self, of: &impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Sum::Number(number) => *number,
            Sum::Figure(figure) => of(figure)?,
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

    fn collect<'a>(&'a self, figures: &mut Vec<&'a Figure>) {
        match self {
            Sum::Number(_) => {}
            Sum::Figure(figure) => figures.push(figure),
            Sum::Minus(sum) => sum.collect(figures),
            Sum::Of(left, _, right) => {
                left.collect(figures);
                right.collect(figures);
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

    /// Both comparisons of a chain must point the same way; equality cannot be chained.
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
fn nearest_figure(path: &str, known: &BTreeSet<String>) -> String {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    match nearest(path, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "figures are named as in `--format json`: carts.lost, lost_by.wiped, load.peak_to_mean, …".into(),
    }
}

/// The name that was probably meant: its last part is the same, or few letters differ.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let tail = format!(".{word}");
    names.iter().copied().find(|name| name.ends_with(&tail)).or_else(|| nearest::nearest(word, names.iter().copied()))
}

/// Every figure that a run of this scenario can have.
fn possible(scenario: &Scenario) -> Tree {
    let mut figures = Figures::default();
    let servers = if scenario.serverless.is_some() { 0 } else { scenario.most_slots() };
    figures.load.per_server = vec![ServerLoad::default(); usize::try_from(servers).unwrap_or(usize::MAX)];
    let serverless = || ServerlessFigures { cold_share: Some(0.0), ..ServerlessFigures::default() };
    figures.serverless = scenario.serverless.as_ref().map(|_| serverless());
    figures.load = Load {
        peak_to_mean: Some(1.0),
        cv: Some(0.0),
        jain: Some(1.0),
        worst_window_peak_to_mean: Some(1.0),
        fair_share_after_s: Some(0.0),
        ..figures.load
    };
    let latency = || Some(Latency::default());
    figures.latency_ms = latency();
    figures.step_latency_ms = latency();
    figures.neighbours_latency_ms = latency();
    figures.price.store_calls_per_request = Some(0.0);
    figures.price.bytes_carried_per_request = Some(0.0);
    figures.files = scenario.users.upload().then(FileFigures::default);
    let hides = scenario.servers.hidden != HiddenState::None;
    figures.hidden = hides.then(HiddenFigures::default);
    figures.price.object_calls_per_request = scenario.users.upload().then_some(0.0);
    figures.replays = scenario.users.journey.contains(&Step::ReplayToken).then_some(0);
    let region = || RegionFigures { add_ms: latency(), step_latency_ms: latency(), ..RegionFigures::default() };
    figures.regions =
        scenario.regions.as_ref().map(|regions| regions.names.iter().map(|name| (name, region())).collect());
    figures.ejections = scenario.balancer.outlier.as_ref().map(|_| 0);
    for fault in timeline(scenario) {
        add_fault(&mut figures, &fault);
    }
    for process in of_processes(scenario) {
        figures.faults.push(&process, FaultFigures { strikes: Some(0), ..FaultFigures::default() });
    }
    let seconds = || Some(Seconds::default());
    figures.recovery = Some(Recovery { noticed_s: seconds(), capacity_back_s: seconds(), ..Recovery::default() });
    Tree::of(&figures)
}

/// The figures that a fault can have.
fn add_fault(figures: &mut Figures, fault: &Fault) {
    let losses_lasted_s = matches!(fault.kind, FaultKind::Migrate { .. }).then_some(0.0);
    let struck = FaultFigures { at_s: Some(0.0), losses_lasted_s, ..FaultFigures::default() };
    figures.faults.push(&fault.name, struck);
    if matches!(fault.kind, FaultKind::Deploy(_)) {
        figures.deploys.push(&fault.name, DeployFigures::default());
    }
    if fault.kind.changes_size() {
        figures.scaling.push(&fault.name, Scaling::default());
        figures.price.most_servers = Some(0);
    }
}

/// Checks `expect` and `columns` before anything runs, as far as possible.
#[must_use]
pub fn validate(loaded: &Loaded) -> Vec<Problem> {
    let known = Known::all(loaded);
    let mut problems = Vec::new();
    for (i, expect) in loaded.base.expect.iter().enumerate() {
        let errors = match parse(&expect.that) {
            // `--vary` renames variants, so the file's names may no longer exist.
            Ok(claim) => check(&claim, expect.variant.as_deref(), &known, loaded.patched),
            Err(error) => vec![error],
        };
        problems.extend(errors.into_iter().map(|error| problem(format!("expect[{i}].that"), error)));
    }
    for (i, column) in loaded.base.columns.iter().enumerate() {
        problems.extend(check_column(column, &known).map(|(message, help)| Problem {
            place: format!("columns[{i}]"),
            message,
            help: Some(help),
        }));
    }
    problems
}

/// The figures that a variant can have.
pub(super) struct Known<'a> {
    pub(super) variant: &'a str,
    figures: BTreeSet<String>,
    /// The same figures in document order.
    in_order: Vec<String>,
}

impl<'a> Known<'a> {
    pub(super) fn all(loaded: &'a Loaded) -> Vec<Known<'a>> {
        let of = |variant: &'a Variant| Known::of(&variant.name, possible(&variant.scenario).leaves());
        loaded.variants.iter().map(of).collect()
    }

    fn of(variant: &'a str, leaves: Vec<(String, f64)>) -> Known<'a> {
        let in_order: Vec<String> = leaves.into_iter().map(|(path, _)| path).collect();
        Known { variant, figures: in_order.iter().cloned().collect(), in_order }
    }
}

/// Finds the figures of a claim that do not exist: of an unknown variant, or with an unknown path.
pub(super) fn check(claim: &Claim, about: Option<&str>, known: &[Known], renamed: bool) -> Vec<ClaimError> {
    let wrong = |figure: &Figure| {
        let wanted = figure.of.as_deref().or(about);
        let mut variants = known.iter().filter(|known| wanted.is_none_or(|wanted| wanted == known.variant)).peekable();
        match (variants.peek(), &figure.of) {
            (None, Some(of)) if !renamed => Some(no_variant(figure, of, known)),
            _ => variants.find(|known| !known.figures.contains(&figure.path)).map(|known| no_figure(figure, known)),
        }
    };
    claim.figures().into_iter().filter_map(wrong).collect()
}

fn no_figure(figure: &Figure, known: &Known) -> ClaimError {
    if let Some((message, help)) = former_paths::path(&figure.path, &known.in_order) {
        return ClaimError { column: figure.column, message, help: Some(help) };
    }
    ClaimError {
        column: figure.column,
        message: format!("there is no figure `{}`", figure.path),
        help: Some(nearest_figure(&figure.path, &known.figures)),
    }
}

fn no_variant(figure: &Figure, of: &str, known: &[Known]) -> ClaimError {
    let names = known.iter().map(|known| known.variant);
    ClaimError {
        // The name follows the path, in brackets and quotes.
        column: figure.column + figure.path.chars().count() + 2,
        message: format!("there is no variant `{of}`"),
        help: nearest::suggest(of, "the variants are", names),
    }
}

fn problem(place: String, error: ClaimError) -> Problem {
    Problem { place, message: error.to_string(), help: error.help }
}

fn check_column(column: &str, known: &[Known]) -> Option<(String, String)> {
    let column = &*super::path::canonical(column);
    if COLUMNS.contains(&column) || known.iter().any(|known| known.figures.contains(column)) {
        return None;
    }
    if let Some(former) = known.iter().find_map(|known| former_paths::path(column, &known.in_order)) {
        return Some(former);
    }
    let paths: Vec<&str> = known.iter().flat_map(|known| known.figures.iter().map(String::as_str)).collect();
    let help = match nearest(column, &COLUMNS) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("write a figure's path, or one of {}", COLUMNS.join(", ")),
    };
    let by_figure = nearest(column, &paths);
    let help = by_figure.map_or(help, |path| format!("did you mean `{path}`?"));
    Some((format!("there is no column `{column}`"), help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    fn holds(claim: &str) -> bool {
        let figures = [("carts.lost", 49.0), ("carts.opened", 2416.0), ("carts.lost[\"round robin\"]", 2333.0)];
        let value =
            |figure: &Figure| figures.iter().find(|(name, _)| *name == figure.to_string()).map(|(_, value)| *value);
        parse(claim).expect(claim).holds(&value)
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
            ("carts.lost < 0.1 * carts.lost[\"round robin\"]", true),
            ("carts.lost [ 'round robin' ] / carts.lost < 40", false),
            ("carts.lost < carts.lost['sticky']", false),
        ] {
            assert_eq!(self::holds(claim), holds, "{claim}");
        }
    }

    #[test]
    fn unknown_figures_and_variants_have_a_nearest_name() {
        let mut figures = Figures::default();
        figures.load.per_server.push(ServerLoad::default());
        let known = ["round robin", "sticky"].map(|variant| Known::of(variant, Tree::of(&figures).leaves()));
        let checked = |claim: &str| check(&parse(claim).expect(claim), Some("sticky"), &known, false);
        let error = |claim: &str| checked(claim).remove(0);
        let wrong = error("0 < lost_by.wipd");
        assert_eq!(wrong.to_string(), "at character 5: there is no figure `lost_by.wipd`");
        assert_eq!(wrong.help.as_deref(), Some("did you mean `lost_by.wiped`?"));
        assert_eq!(error("lost > 0").help.as_deref(), Some("did you mean `carts.lost`?"));
        assert!(error("banana > 0").help.expect("help").starts_with("figures are named"));
        let wrong = error("carts.lost < carts.lost['round robbin']");
        assert_eq!(wrong.to_string(), "at character 26: there is no variant `round robbin`");
        assert_eq!(wrong.help.as_deref(), Some("did you mean `round robin`?"));
        assert_eq!(error("carts.lots['round robin'] > 0").help.as_deref(), Some("did you mean `carts.lost`?"));
        assert_eq!(checked("load.per_server.0.busy < carts.lost['round robin']"), []);
        assert_eq!(checked("carts.lots < carts.lost['nobody'] + carts.opnd").len(), 3);
    }

    #[test]
    fn paths_by_number_are_told_their_names() {
        let told = |more: &str| {
            let text = format!("title = 'x'\nduration = '2m'\n{more}");
            let loaded = load("a test", "test.toml", &text, &[], &[]).expect("a scenario");
            let told = |problem: Problem| {
                format!("{}: {}: {}", problem.place, problem.message, problem.help.unwrap_or_default())
            };
            validate(&loaded).into_iter().map(told).collect::<Vec<_>>().join("\n")
        };
        let of_faults = told(
            "faults = [
                { at = '40s', crash = 'server-2' },
                { at = '20s', name = 'the crash', crash = 'server-2' },
                { at = '30s', deploy = {} },
                { at = '50s', name = 'more', scale = 5 },
            ]
            columns = ['faults.1.open_carts']
            expect = [
                { that = 'carts.lost == faults.1.lost_of_open' },
                { that = 'faults.0.at_s > 0' },
                { that = 'deploys.0.took_s > 0' },
                { that = 'faults.7.open_carts > 0' },
                { that = 'scaling.taken_out == 0' },
                { that = 'scaling.most_servers == 0' },
                { that = 'faults.\"the crash\".open_carts > deploys.deploy.took_s' },
            ]",
        );
        let of_regions = told(
            "regions = { names = ['here', 'far off'], round_trip = { 'here-far off' = '80ms' } }
            expect = [{ that = 'regions.1.add_ms.p50 < 90' }, { that = 'regions.\"far off\".add_ms.p50 < 90' }]",
        );
        insta::assert_snapshot!(of_faults, @r#"
        expect[0].that: at character 15: `faults.1.lost_of_open` is a path of former versions: faults are named now: write `faults."the crash".lost_of_open`
        expect[1].that: at character 1: `faults.0.at_s` is a path of former versions: faults are named now: write `faults."crash server-2".at_s`
        expect[2].that: at character 1: `deploys.0.took_s` is a path of former versions: faults are named now: write `deploys.deploy.took_s`
        expect[3].that: at character 1: `faults.7.open_carts` is a path of former versions: faults are named now: write a name instead of the number: `faults."…".open_carts`
        expect[4].that: at character 1: `scaling.taken_out` is a path of former versions: faults are named now: write `scaling.more.taken_out`
        expect[5].that: at character 1: `scaling.most_servers` is a path of former versions: faults are named now: write `price.most_servers`
        columns[0]: `faults.1.open_carts` is a path of former versions: faults are named now: write `faults."the crash".open_carts`
        "#);
        insta::assert_snapshot!(of_regions, @r#"expect[0].that: at character 1: `regions.1.add_ms.p50` is a path of former versions: regions are named now: write `regions."far off".add_ms.p50`"#);
    }
}
