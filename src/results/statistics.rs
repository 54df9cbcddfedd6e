//! Statistics over several runs: means, 95 % intervals, and paired differences between designs over the same seeds.
//!
//! No platform-dependent function is used, so every machine prints the same digits.

mod student;

use std::collections::BTreeMap;

use super::tree::Tree;
use super::{Figures, RunReport, VariantReport};
use crate::base::words::{count, listed};
use crate::scenario::DesignNumber;

/// A mean and its precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean of the runs.
    pub mean: f64,
    /// Half the width of the 95 % interval around it (Student's t); `None` for a single run, which says nothing about
    /// precision.
    pub half: Option<f64>,
    /// How many runs it is based on.
    pub runs: usize,
}

impl Estimate {
    /// The estimate from the values of independent runs; `None` without any.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let runs = values.len();
        let mean = mean(values)?;
        let half =
            deviation(values).map(|deviation| student::quantile(runs - 1, 0.025) * deviation / (runs as f64).sqrt());
        Some(Estimate { mean, half, runs })
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.mean - self.half.unwrap_or(0.0)
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.mean + self.half.unwrap_or(0.0)
    }
}

/// The prediction interval for the mean of `new` further runs, given the values of similar runs: `mean ± t * s *
/// sqrt(1/new + 1/n)`, missed with probability `tail` at each end. `None` with fewer than two values.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "numbers of runs")]
pub fn prediction(values: &[f64], new: usize, tail: f64) -> Option<(f64, f64)> {
    let (mean, deviation) = (mean(values)?, deviation(values)?);
    let apart = (1.0 / new as f64 + 1.0 / values.len() as f64).sqrt();
    let half = student::quantile(values.len() - 1, tail) * deviation * apart;
    Some((mean - half, mean + half))
}

/// The mean; `None` without values.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a number of values")]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample standard deviation; `None` with fewer than two values.
#[expect(clippy::cast_precision_loss, reason = "a number of values")]
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Every figure of one variant over its runs.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The number of the variant.
    pub number: DesignNumber,
    /// For each run, its seed and all figures by path.
    pub each: Vec<(u64, BTreeMap<String, f64>)>,
    /// The mean of every figure, by path. A figure that some runs lack is averaged over the others.
    pub estimates: BTreeMap<String, Estimate>,
    /// The structure of the figures, and the order of their fields.
    pub shape: Tree,
    /// Whether these are figures of runs that went to their end. Others are left out of comparisons.
    pub whole: bool,
}

impl Summary {
    /// Summarises the runs of one variant, as if it were the only one.
    #[must_use]
    pub fn of(runs: &[RunReport]) -> Summary {
        let whole = !runs.is_empty() && runs.iter().all(|run| run.cut_at.is_none());
        Summary { whole, ..Summary::of_figures(runs.iter().map(|run| (run.seed, &run.figures))) }
    }

    /// Summarises figures of complete runs, given with their seeds.
    pub fn of_figures<'a>(runs: impl Iterator<Item = (u64, &'a Figures)>) -> Summary {
        let (seeds, trees): (Vec<u64>, Vec<Tree>) = runs.map(|(seed, figures)| (seed, Tree::of(figures))).unzip();
        let each: Vec<_> = seeds.into_iter().zip(&trees).map(|(seed, tree)| (seed, tree.by_path())).collect();
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (path, value) in each.iter().flat_map(|(_, figures)| figures) {
            values.entry(path.clone()).or_default().push(*value);
        }
        let estimates = values.into_iter().filter_map(|(path, values)| Some((path, Estimate::of(&values)?))).collect();
        let fullest = trees.iter().enumerate().max_by_key(|(_, tree)| tree.leaves().len()).map(|(i, _)| i);
        let shape = fullest.map_or(Tree::Absent, |i| trees[i].clone());
        let shape = trees.into_iter().fold(shape, Tree::with);
        let whole = !each.is_empty();
        Summary { number: DesignNumber::of(1), each, estimates, shape, whole }
    }

    /// The summaries of all variants.
    #[must_use]
    pub fn all(variants: &[VariantReport]) -> Vec<Summary> {
        variants.iter().map(|variant| Summary { number: variant.number, ..Summary::of(&variant.runs) }).collect()
    }

    /// A figure's estimate, if this variant has the figure.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Estimate> {
        self.estimates.get(path).copied()
    }

    /// A figure's mean; 0 if this variant lacks it.
    #[must_use]
    pub fn mean(&self, path: &str) -> f64 {
        self.get(path).map_or(0.0, |estimate| estimate.mean)
    }
}

/// The summaries that can be compared.
pub fn comparable(summaries: &[Summary]) -> impl Iterator<Item = &Summary> + Clone {
    summaries.iter().filter(|summary| summary.whole)
}

/// How much larger a figure is in `other` than in `first`, paired by seed. Seeds that only one of them ran are left
/// out.
#[must_use]
pub fn paired(first: &Summary, other: &Summary, path: &str) -> Option<Estimate> {
    let firsts: BTreeMap<u64, &BTreeMap<String, f64>> = first.each.iter().map(|(seed, map)| (*seed, map)).collect();
    let differences: Vec<f64> = other
        .each
        .iter()
        .filter_map(|(seed, figures)| Some(figures.get(path)? - firsts.get(seed)?.get(path)?))
        .collect();
    Estimate::of(&differences)
}

/// A sentence about how designs differ from the first, in the figure at `path`; `None` with a single run or design.
/// Designs are called by their numbers, as in the table.
///
/// `verbs` and `things` name the figure: "design 2 *loses* 48 to 61 fewer *carts*", "designs 2 and 3 *lose* …".
#[must_use]
pub fn comparison(summaries: &[Summary], path: &str, verbs: [&str; 2], things: &str) -> Option<String> {
    let (first, others) = summaries.split_first()?;
    if !first.whole || first.each.len() < 2 {
        return None;
    }
    let (mut least, mut most) = (usize::MAX, 0);
    let mut apart: Vec<(String, Vec<String>)> = Vec::new();
    let mut alike = Vec::new();
    for other in others.iter().filter(|other| other.whole) {
        let number = other.number;
        let Some(found) = paired(first, other, path).filter(|found| found.half.is_some()) else { continue };
        (least, most) = (least.min(found.runs), most.max(found.runs));
        if found.low() <= 0.0 && found.high() >= 0.0 {
            alike.push(format!("{number}"));
            continue;
        }
        let amount = amount(found);
        match apart.iter_mut().find(|(known, _)| *known == amount) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None => apart.push((amount, vec![format!("{number}")])),
        }
    }
    let runs = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    let mut sentences = Vec::new();
    if !apart.is_empty() {
        let part = |(amount, designs): &(String, Vec<String>)| {
            format!("{} {} {amount} {things}", named(designs), verbs[usize::from(designs.len() > 1)])
        };
        let parts: Vec<String> = apart.iter().map(part).collect();
        let interval = format!("95 % interval of the paired difference over {runs} runs");
        sentences.push(format!("Compared with design {}, {} ({interval}).", first.number, parts.join("; ")));
    }
    if !alike.is_empty() {
        let alike = named(&alike);
        sentences.push(format!("These {runs} runs do not tell {alike} from design {} in {things}.", first.number));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// `design 2`, `designs 3 and 4`.
fn named(designs: &[String]) -> String {
    let word = if designs.len() == 1 { "design" } else { "designs" };
    format!("{word} {}", listed(designs))
}

/// `48 to 61 fewer`, `5 more`.
fn amount(difference: Estimate) -> String {
    let word = if difference.mean < 0.0 { "fewer" } else { "more" };
    let ends = [difference.low().abs(), difference.high().abs()];
    // Rounded outwards to whole numbers if that loses little, so that an interval never looks narrower than it is.
    let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let (low, high) = if high >= 10.0 { (low.floor(), high.ceil()) } else { (low, high) };
    let (low, high) = (count(low), count(high));
    if low == high { format!("{low} {word}") } else { format!("{low} to {high} {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Carts, FaultFigures};

    fn summary(lost: &[u64]) -> Summary {
        let run = |(seed, lost): (u64, &u64)| RunReport {
            seed,
            figures: Figures { carts: Carts { lost: *lost, ..Carts::default() }, ..Figures::default() },
            ..RunReport::default()
        };
        let runs: Vec<RunReport> = (1..).zip(lost).map(run).collect();
        Summary::of(&runs)
    }

    const LOSE: [&str; 2] = ["loses", "lose"];

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-3, "{found}, not {wanted}");
    }

    #[test]
    fn mean_and_interval() {
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0]).expect("four values");
        near(estimate.mean, 2.5);
        near(estimate.half.expect("four runs"), 3.182 * (5.0f64 / 3.0 / 4.0).sqrt());
        assert_eq!(Estimate::of(&[7.0]).and_then(|one| one.half), None);
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn the_next_run_is_foretold_less_surely_than_the_mean() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let (low, high) = prediction(&values, 1, 0.025).expect("four values");
        near(high - 2.5, 3.182_45 * (5.0f64 / 3.0 * 1.25).sqrt());
        near(high - 2.5, 2.5 - low);
        let (_, of_ten) = prediction(&values, 10, 0.025).expect("four values");
        assert!(of_ten < high);
        assert_eq!(prediction(&[1.0], 1, 0.025), None);
    }

    #[test]
    fn faults_of_several_runs_are_joined_by_name() {
        let run = |seed, faults: &[(&str, u64)]| {
            let met = |(name, open_carts): &(&str, u64)| {
                ((*name).to_owned(), FaultFigures { open_carts: *open_carts, ..FaultFigures::default() })
            };
            let figures = Figures { faults: faults.iter().map(met).collect(), ..Figures::default() };
            RunReport { seed, figures, ..RunReport::default() }
        };
        let summary = Summary::of(&[run(1, &[("b", 7)]), run(2, &[("the crash", 10), ("b", 9)])]);
        near(summary.mean("faults.b.open_carts"), 8.0);
        near(summary.mean("faults.\"the crash\".open_carts"), 10.0);
        let paths: Vec<String> = summary.shape.leaves().into_iter().map(|(path, _)| path).collect();
        assert!(summary.estimates.keys().all(|path| paths.contains(path)), "what only some runs have is told as well");
    }

    #[test]
    fn pairs_by_seed() {
        // The effect of the seed is large and the same in both: only pairing reveals the difference.
        let (a, b) = (summary(&[100, 200, 300, 400]), summary(&[95, 194, 295, 394]));
        let difference = paired(&a, &b, "carts.lost").expect("same seeds");
        near(difference.mean, -5.5);
        assert!(difference.high() < 0.0, "{difference:?}");
        let shorter = summary(&[95, 194]);
        assert_eq!(paired(&a, &shorter, "carts.lost").map(|d| d.runs), Some(2));
    }

    #[test]
    fn words() {
        let first = summary(&[100, 120, 110, 90]);
        let others = [summary(&[40, 55, 49, 30]), summary(&[101, 119, 110, 90]), summary(&[0, 20, 10, 140])];
        let others = (2..).map(DesignNumber::of).zip(others).map(|(number, other)| Summary { number, ..other });
        let all: Vec<Summary> = [first].into_iter().chain(others).collect();
        insta::assert_snapshot!(comparison(&all, "carts.lost", LOSE, "carts").expect("four runs"), @"Compared with design 1, design 2 loses 57 to 66 fewer carts (95 % interval of the paired difference over 4 runs). These 4 runs do not tell designs 3 and 4 from design 1 in carts.");
        assert_eq!(comparison(&all[..1], "carts.lost", LOSE, "carts"), None);
        assert_eq!(comparison(&[summary(&[1]), summary(&[2])], "carts.lost", LOSE, "carts"), None);
    }
}
