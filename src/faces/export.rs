//! The report for programs: JSON, and with the program's features CSV and Markdown.

#[cfg(feature = "cli")]
mod csv;
#[cfg(feature = "cli")]
mod markdown;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::results::agreement::Judgement;
use crate::results::statistics::{Summary, paired};
use crate::results::tree::Tree;
use crate::results::{Agreement, Expectation, Figures, Report, RunReport, SCHEMA, VariantReport};

#[cfg(feature = "cli")]
pub use self::csv::{csv, series_csv};
#[cfg(feature = "cli")]
pub use markdown::markdown;

/// The report as JSON, indented, ending with a newline.
///
/// A single run's figures stand in its variant; with several runs the means stand there, and beside them the 95 %
/// intervals, those of the paired difference to the first variant, and each run. Beside simulations, every variant has
/// the `agreement` of its figures with them, and the whole says whether it `agrees`.
///
/// # Panics
///
/// Never: figures are plain data.
#[must_use]
pub fn json(report: &Report) -> String {
    let summaries = Summary::all(&report.variants);
    let variants = report.variants.iter().zip(&summaries).enumerate();
    let variants = variants.map(|(i, (variant, summary))| VariantOut {
        variant,
        summary,
        first: (i > 0).then_some(&summaries[0]),
        agreement: report.agreement.as_ref().and_then(|agreement| agreement.variants.get(i)).map(Vec::as_slice),
    });
    let out = ReportOut {
        schema: SCHEMA,
        scenario: &report.name,
        title: &report.scenario.title,
        engine: report.engine,
        seed: report.seed,
        version: env!("CARGO_PKG_VERSION"),
        interrupted: report.interrupted,
        simulations: report.agreement.as_ref().map(|agreement| agreement.simulations),
        agrees: report.agreement.as_ref().map(Agreement::agrees),
        variants: variants.collect(),
        expectations: &report.expectations,
    };
    serde_json::to_string_pretty(&out).expect("figures are plain data") + "\n"
}

#[derive(Serialize)]
struct ReportOut<'a> {
    schema: u32,
    scenario: &'a str,
    title: &'a str,
    engine: &'a str,
    seed: u64,
    version: &'a str,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulations: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agrees: Option<bool>,
    variants: Vec<VariantOut<'a>>,
    expectations: &'a [Expectation],
}

struct VariantOut<'a> {
    variant: &'a VariantReport,
    summary: &'a Summary,
    first: Option<&'a Summary>,
    agreement: Option<&'a [Judgement]>,
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
    #[serde(flatten)]
    figures: &'a Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<&'a [Judgement]>,
}

impl Serialize for VariantOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = &*self.variant.name;
        match &*self.variant.runs {
            [RunReport { figures, .. }] => {
                One { name, runs: 1, figures, agreement: self.agreement }.serialize(serializer)
            }
            runs => self.several(runs, serializer),
        }
    }
}

impl VariantOut<'_> {
    fn several<S: Serializer>(&self, runs: &[RunReport], serializer: S) -> Result<S::Ok, S::Error> {
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
        if let Some(agreement) = self.agreement {
            out.serialize_entry("agreement", agreement)?;
        }
        out.end()
    }

    /// The tree of figures with `[low, high]` at each place, or nothing where too few runs have the figure.
    fn intervals(&self, of: impl Fn(&str) -> Option<crate::results::statistics::Estimate>) -> Tree {
        self.summary.shape.map(&mut |path, _| match of(path).filter(|estimate| estimate.half.is_some()) {
            Some(estimate) => Tree::List(vec![Tree::Number(estimate.low()), Tree::Number(estimate.high())]),
            None => Tree::Absent,
        })
    }
}

#[cfg(test)]
mod tests;
