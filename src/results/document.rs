//! A report's results as plain data: the content of its JSON, which can be written and read back.
//!
//! Only measured values are read. Means, intervals and differences follow from the runs and are recomputed on writing.

mod first_schema;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::agreement::{Conformity, Judgement, Predicted};
use super::statistics::{Estimate, Summary, paired};
use super::tree::Tree;
use super::{Agreement, Digest, Expectation, Figures, Report, RunReport, SCHEMA};

/// The content of a report's JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// `sim` or `http`.
    pub engine: String,
    /// The root seed.
    pub seed: u64,
    /// The version of the program that measured them.
    pub version: String,
    /// The [`Digest`]; `None` if the run cannot be repeated, and in earlier reports.
    pub digest: Option<String>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// How many runs were asked for, over all variants.
    pub planned: usize,
    /// How many simulations real runs were compared with; `None` without a comparison.
    pub simulations: Option<usize>,
    /// Whether the real runs agree with the simulations; `None` without a comparison.
    pub agrees: Option<bool>,
    /// One entry per variant.
    pub variants: Vec<VariantResults>,
    /// The scenario's expectations, and whether they hold.
    pub expectations: Vec<Expectation>,
}

/// One variant with all of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantResults {
    /// Its name.
    pub name: String,
    /// One entry per complete run, in the order in which they were made. If none is complete: the run that came
    /// furthest, or nothing if none began.
    pub runs: Vec<RunResults>,
    /// Its figures compared with simulations; `None` without a comparison.
    pub agreement: Option<Vec<Judged>>,
}

/// One run of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResults {
    /// Its seed.
    pub seed: u64,
    /// When it was cut short, in seconds of the scenario; `None` if it went to its end.
    pub cut_short_at_s: Option<f64>,
    /// The figures.
    pub figures: Figures,
}

/// One figure, predicted and observed: a [`Judgement`] without its description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its path or formula: `lost_by.wiped`, `carts.lost / carts.opened`.
    pub figure: String,
    /// What the simulations predict.
    pub predicted: Predicted,
    /// The mean of the simulations.
    pub mean: f64,
    /// The minimum over the simulations, or the lower end of the interval.
    pub low: f64,
    /// The maximum over the simulations, or the upper end of the interval.
    pub high: f64,
    /// The mean over the real runs.
    pub observed: f64,
    /// Whether it is as predicted.
    pub verdict: Conformity,
}

impl From<&Judgement> for Judged {
    fn from(one: &Judgement) -> Judged {
        Judged {
            figure: one.figure.clone(),
            predicted: one.predicted,
            mean: one.mean,
            low: one.low,
            high: one.high,
            observed: one.observed,
            verdict: one.verdict,
        }
    }
}

/// Why a text cannot be read as a report.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not JSON.
    #[error("this is no JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, but something is missing or invalid.
    #[error("this is not the JSON of a report: {0}")]
    NotAReport(#[source] serde_json::Error),
    /// Its schema is not known to this version of the program.
    #[error("this report has schema {0}; known are 1 to {SCHEMA}")]
    UnknownSchema(u32),
}

/// Reads a report's JSON, in this schema or an earlier one.
///
/// From schema 1, several faults with one name become a single entry with that many `strikes`, and the cost of all
/// changes of the pool's size is found under [`ALL_CHANGES`].
///
/// # Errors
///
/// If it is not a report, or has a later schema.
pub fn read(json: &str) -> Result<Results, ReadError> {
    serde_json::from_str::<IgnoredAny>(json).map_err(ReadError::NotJson)?;
    let Head { schema } = serde_json::from_str(json).map_err(ReadError::NotAReport)?;
    if !(1..=SCHEMA).contains(&schema) {
        return Err(ReadError::UnknownSchema(schema));
    }
    results(json, schema).map_err(ReadError::NotAReport)
}

pub use self::first_schema::ALL_CHANGES;

#[derive(Deserialize)]
struct Head {
    schema: u32,
}

/// A report's JSON, without the parts that depend on the schema.
#[derive(Deserialize)]
struct ReportIn {
    scenario: String,
    title: String,
    engine: String,
    seed: u64,
    version: String,
    digest: Option<String>,
    interrupted: bool,
    /// Absent in earlier reports, in which every run counts.
    runs: Option<Runs>,
    simulations: Option<usize>,
    agrees: Option<bool>,
    variants: Vec<Box<RawValue>>,
    expectations: Vec<Expectation>,
}

/// A variant's JSON, without its figures.
#[derive(Deserialize)]
struct VariantIn {
    name: String,
    runs: usize,
    seed: Option<u64>,
    cut_short_at_s: Option<f64>,
    each: Option<Vec<Box<RawValue>>>,
    agreement: Option<Vec<Judged>>,
}

#[derive(Deserialize)]
struct RunIn {
    seed: u64,
}

fn results(json: &str, schema: u32) -> Result<Results, serde_json::Error> {
    let report: ReportIn = serde_json::from_str(json)?;
    let variants = report.variants.iter().map(|variant| self::variant(variant.get(), report.seed, schema));
    let variants: Vec<VariantResults> = variants.collect::<Result<_, _>>()?;
    Ok(Results {
        planned: report.runs.map_or_else(|| complete(&variants), |runs| runs.planned),
        variants,
        scenario: report.scenario,
        title: report.title,
        engine: report.engine,
        seed: report.seed,
        version: report.version,
        digest: report.digest,
        interrupted: report.interrupted,
        simulations: report.simulations,
        agrees: report.agrees,
        expectations: report.expectations,
    })
}

fn variant(json: &str, seed: u64, schema: u32) -> Result<VariantResults, serde_json::Error> {
    let VariantIn { name, runs, seed: own, cut_short_at_s, each, agreement } = serde_json::from_str(json)?;
    let runs = match each {
        Some(each) => each.iter().map(|run| self::run(run.get(), schema)).collect::<Result<_, _>>()?,
        None if runs == 0 && cut_short_at_s.is_none() => Vec::new(),
        // The variant of a single run contains the run's figures itself, and the run usually has the root seed.
        None => vec![RunResults { seed: own.unwrap_or(seed), cut_short_at_s, figures: figures(json, schema)? }],
    };
    Ok(VariantResults { name, runs, agreement })
}

fn run(json: &str, schema: u32) -> Result<RunResults, serde_json::Error> {
    let RunIn { seed } = serde_json::from_str(json)?;
    Ok(RunResults { seed, cut_short_at_s: None, figures: figures(json, schema)? })
}

fn figures(json: &str, schema: u32) -> Result<Figures, serde_json::Error> {
    match schema {
        1 => serde_json::from_str(&first_schema::in_todays_schema(json)?),
        _ => serde_json::from_str(json),
    }
}

impl From<&RunReport> for RunResults {
    fn from(run: &RunReport) -> RunResults {
        let cut_short_at_s = run.cut_at.map(|at| at.since_start().as_secs_f64());
        RunResults { seed: run.seed, cut_short_at_s, figures: run.figures.clone() }
    }
}

impl From<&Report> for Results {
    fn from(report: &Report) -> Results {
        let agreement = |i: usize| report.agreement.as_ref().and_then(|agreement| agreement.variants.get(i));
        let variants = report.variants.iter().enumerate().map(|(i, variant)| VariantResults {
            name: variant.name.clone(),
            runs: variant.runs.iter().map(RunResults::from).collect(),
            agreement: agreement(i).map(|all| all.iter().map(Judged::from).collect()),
        });
        Results {
            scenario: report.name.clone(),
            title: report.scenario.title.clone(),
            engine: report.engine.into(),
            seed: report.seed,
            version: env!("CARGO_PKG_VERSION").into(),
            digest: Digest::of(report).map(|digest| digest.to_string()),
            interrupted: report.interrupted,
            planned: report.planned(),
            simulations: report.agreement.as_ref().map(|agreement| agreement.simulations),
            agrees: report.agreement.as_ref().map(Agreement::agrees),
            variants: variants.collect(),
            expectations: report.expectations.clone(),
        }
    }
}

impl Results {
    /// Writes indented JSON in the current schema, with a newline at the end.
    ///
    /// `runs` at the top says how many runs were asked for and how many went to their end; only these are in means. A
    /// variant without a complete run has `runs: 0`, and the figures of the run that came furthest, with
    /// `cut_short_at_s`; or no figures, if none began.
    ///
    /// The figures of a single run are the variant's own. With several runs the variant holds the means, the 95 %
    /// intervals, those of the paired difference from the first variant, and each run. If real runs were compared with
    /// simulations, every variant has an `agreement`, and the report has `agrees`.
    ///
    /// # Panics
    ///
    /// Never: figures are plain data.
    #[must_use]
    pub fn json(&self) -> String {
        let summaries: Vec<Summary> = self.variants.iter().map(VariantResults::summary).collect();
        let variants = self.variants.iter().zip(&summaries).enumerate();
        let variants = variants.map(|(i, (variant, summary))| VariantOut {
            variant,
            summary,
            seed: self.seed,
            first: (i > 0 && summaries[0].whole).then_some(&summaries[0]),
        });
        let out = ReportOut {
            schema: SCHEMA,
            scenario: &self.scenario,
            title: &self.title,
            engine: &self.engine,
            seed: self.seed,
            version: &self.version,
            digest: self.digest.as_deref(),
            interrupted: self.interrupted,
            runs: Runs { planned: self.planned, complete: complete(&self.variants) },
            simulations: self.simulations,
            agrees: self.agrees,
            variants: variants.collect(),
            expectations: &self.expectations,
        };
        serde_json::to_string_pretty(&out).expect("figures are plain data") + "\n"
    }
}

impl VariantResults {
    /// Every figure over all runs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let whole = self.complete() > 0;
        Summary { whole, ..Summary::of_figures(self.runs.iter().map(|run| (run.seed, &run.figures))) }
    }

    /// How many of its runs went to their end.
    #[must_use]
    pub fn complete(&self) -> usize {
        self.runs.iter().filter(|run| run.cut_short_at_s.is_none()).count()
    }
}

fn complete(variants: &[VariantResults]) -> usize {
    variants.iter().map(VariantResults::complete).sum()
}

/// How many runs were asked for and how many went to their end, over all variants.
#[derive(Serialize, Deserialize)]
struct Runs {
    planned: usize,
    complete: usize,
}

#[derive(Serialize)]
struct ReportOut<'a> {
    schema: u32,
    scenario: &'a str,
    title: &'a str,
    engine: &'a str,
    seed: u64,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    interrupted: bool,
    runs: Runs,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulations: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agrees: Option<bool>,
    variants: Vec<VariantOut<'a>>,
    expectations: &'a [Expectation],
}

struct VariantOut<'a> {
    variant: &'a VariantResults,
    summary: &'a Summary,
    /// The report's.
    seed: u64,
    /// What it is compared with.
    first: Option<&'a Summary>,
}

#[derive(Serialize)]
struct RunOut<'a> {
    seed: u64,
    #[serde(flatten)]
    figures: &'a Figures,
}

#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    runs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_short_at_s: Option<f64>,
    #[serde(flatten)]
    figures: &'a Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<&'a [Judged]>,
}

impl Serialize for VariantOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let VariantResults { name, runs, agreement } = self.variant;
        match &**runs {
            [] => {
                let mut out = serializer.serialize_map(None)?;
                out.serialize_entry("name", name)?;
                out.serialize_entry("runs", &0)?;
                out.end()
            }
            [RunResults { seed, cut_short_at_s, figures }] => {
                let runs = self.variant.complete();
                let (seed, cut_short_at_s) = (Some(*seed).filter(|seed| *seed != self.seed), *cut_short_at_s);
                let agreement = agreement.as_deref();
                One { name, runs, seed, cut_short_at_s, figures, agreement }.serialize(serializer)
            }
            runs => self.several(runs, serializer),
        }
    }
}

impl VariantOut<'_> {
    fn several<S: Serializer>(&self, runs: &[RunResults], serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("name", &self.variant.name)?;
        out.serialize_entry("runs", &runs.len())?;
        let means = self.summary.shape.map(&mut |path, _| Tree::Number(self.summary.mean(path)));
        if let Tree::Map(fields) = means {
            fields.iter().try_for_each(|(name, tree)| out.serialize_entry(name, tree))?;
        }
        out.serialize_entry("interval95", &self.intervals(|path| self.summary.get(path)))?;
        if let Some(first) = self.first {
            out.serialize_entry("paired_difference95", &self.intervals(|path| paired(first, self.summary, path)))?;
        }
        let each: Vec<RunOut> = runs.iter().map(|run| RunOut { seed: run.seed, figures: &run.figures }).collect();
        out.serialize_entry("each", &each)?;
        if let Some(agreement) = &self.variant.agreement {
            out.serialize_entry("agreement", agreement)?;
        }
        out.end()
    }

    /// The tree of figures with `[low, high]` at each leaf, or nothing where too few runs have the figure.
    fn intervals(&self, of: impl Fn(&str) -> Option<Estimate>) -> Tree {
        self.summary.shape.map(&mut |path, _| match of(path).filter(|estimate| estimate.half.is_some()) {
            Some(estimate) => Tree::List(vec![Tree::Number(estimate.low()), Tree::Number(estimate.high())]),
            None => Tree::Absent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::{both_engines, cut_short, several_runs, sticky_crash};

    #[test]
    fn what_is_written_is_read_and_written_again() {
        for report in [sticky_crash(), several_runs(), both_engines(), cut_short()] {
            let results = Results::from(&report);
            let json = results.json();
            let read = read(&json).expect("a report");
            assert_eq!(read, results);
            assert_eq!(read.json(), json);
        }
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let json = Results::from(&sticky_crash()).json();
        let told = |text: &str| read(text).expect_err(text).to_string();
        assert!(told("{").starts_with("this is no JSON: "));
        assert!(told("[1]").starts_with("this is not the JSON of a report: "));
        assert_eq!(
            told(&json.replacen("\"schema\": 2", "\"schema\": 3", 1)),
            "this report has schema 3; known are 1 to 2"
        );
        let lacking = json.replacen("\"wrong_views\"", "\"wrong_view\"", 1);
        assert!(told(&lacking).contains("missing field `wrong_views`"), "{}", told(&lacking));
    }
}
