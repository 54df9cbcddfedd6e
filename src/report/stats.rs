//! What several runs tell: means, 95 % intervals, and differences between designs over the same seeds.
//!
//! Only `+ - * /` and the square root are used, so that every machine prints the same digits.

use std::collections::BTreeMap;

use super::text::{count, listed};
use super::tree::Tree;
use super::{RunReport, VariantReport};

/// A mean and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean of the runs.
    pub mean: f64,
    /// Half the width of the 95 % interval around it (Student's t); `None` with a single run, which tells nothing
    /// about certainty.
    pub half: Option<f64>,
    /// How many runs it rests on.
    pub runs: usize,
}

impl Estimate {
    /// Of the values of independent runs; `None` without any.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let runs = values.len();
        if runs == 0 {
            return None;
        }
        let n = runs as f64;
        let mean = values.iter().sum::<f64>() / n;
        let half = (runs > 1).then(|| {
            let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
            student_t(runs - 1) * (squares / (n - 1.0) / n).sqrt()
        });
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

/// The 97.5 % quantile of Student's t: a table, then the Cornish-Fisher expansion around the normal quantile.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "degrees of freedom")]
fn student_t(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    if let Some(t) = TABLE.get(freedom.wrapping_sub(1)) {
        return *t;
    }
    let z = 1.959_964;
    let v = freedom as f64;
    let cube = z * z * z;
    z + (cube + z) / (4.0 * v) + (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * v * v)
}

/// Every figure of one variant over its runs.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Run by run: every figure by its path.
    pub each: Vec<(u64, BTreeMap<String, f64>)>,
    /// Every figure's mean, by path. A figure that some runs lack is the mean of those that have it.
    pub estimates: BTreeMap<String, Estimate>,
    /// The shape of the figures, and the order of their fields.
    pub shape: Tree,
}

impl Summary {
    /// Of the runs of one variant.
    #[must_use]
    pub fn of(runs: &[RunReport]) -> Summary {
        let trees: Vec<Tree> = runs.iter().map(|run| Tree::of(&run.figures)).collect();
        let each: Vec<_> = runs.iter().zip(&trees).map(|(run, tree)| (run.seed, tree.by_path())).collect();
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (path, value) in each.iter().flat_map(|(_, figures)| figures) {
            values.entry(path.clone()).or_default().push(*value);
        }
        let estimates = values.into_iter().filter_map(|(path, values)| Some((path, Estimate::of(&values)?))).collect();
        let shape = trees.into_iter().max_by_key(|tree| tree.leaves().len()).unwrap_or(Tree::Absent);
        Summary { each, estimates, shape }
    }

    /// The summaries of all variants.
    #[must_use]
    pub fn all(variants: &[VariantReport]) -> Vec<Summary> {
        variants.iter().map(|variant| Summary::of(&variant.runs)).collect()
    }

    /// A figure, if this variant has it.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Estimate> {
        self.estimates.get(path).copied()
    }

    /// A figure's mean; 0 when this variant lacks it.
    #[must_use]
    pub fn mean(&self, path: &str) -> f64 {
        self.get(path).map_or(0.0, |estimate| estimate.mean)
    }
}

/// How much larger a figure is in `other` than in `first`, seed by seed. Seeds that only one of them ran are left out.
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

/// What the runs say about designs compared with the first, on the figure at `path`, in words; `None` with a single
/// run or design. Designs are numbered from 1, as in the table.
///
/// `verbs` and `things` name the figure: "2 *loses* 48 to 61 fewer *carts*", "2 and 3 *lose* …".
#[must_use]
pub fn comparison(summaries: &[Summary], path: &str, verbs: [&str; 2], things: &str) -> Option<String> {
    let (first, others) = summaries.split_first()?;
    let runs = first.each.len();
    if runs < 2 || others.is_empty() {
        return None;
    }
    let mut apart: Vec<(String, Vec<String>)> = Vec::new();
    let mut alike = Vec::new();
    for (number, other) in (2..).zip(others) {
        let Some(found) = paired(first, other, path).filter(|found| found.half.is_some()) else { continue };
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
    let mut sentences = Vec::new();
    if !apart.is_empty() {
        let part = |(amount, designs): &(String, Vec<String>)| {
            format!("{} {} {amount} {things}", listed(designs), verbs[usize::from(designs.len() > 1)])
        };
        let parts: Vec<String> = apart.iter().map(part).collect();
        let interval = format!("95 % interval of the paired difference over {runs} runs");
        sentences.push(format!("Compared with design 1, {} ({interval}).", parts.join("; ")));
    }
    if !alike.is_empty() {
        let designs = if alike.len() == 1 { "design" } else { "designs" };
        sentences
            .push(format!("These {runs} runs do not tell {designs} {} from design 1 in {things}.", listed(&alike)));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// `48 to 61 fewer`, `5 more`.
fn amount(difference: Estimate) -> String {
    let word = if difference.mean < 0.0 { "fewer" } else { "more" };
    let ends = [difference.low().abs(), difference.high().abs()];
    // Widened to whole numbers where that loses little, so that an interval never looks narrower than it is.
    let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let (low, high) = if high >= 10.0 { (low.floor(), high.ceil()) } else { (low, high) };
    let (low, high) = (count(low), count(high));
    if low == high { format!("{low} {word}") } else { format!("{low} to {high} {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Carts, Figures, Series};

    fn summary(lost: &[u64]) -> Summary {
        let run = |(seed, lost): (u64, &u64)| RunReport {
            seed,
            figures: Figures { carts: Carts { lost: *lost, ..Carts::default() }, ..Figures::default() },
            series: Series::default(),
            hurt: Vec::new(),
            tape: None,
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
    fn t_meets_the_tables() {
        for (freedom, t) in
            [(1, 12.706), (30, 2.042), (31, 2.0395), (40, 2.0211), (60, 2.0003), (120, 1.9799), (999, 1.9623)]
        {
            near(student_t(freedom), t);
        }
    }

    #[test]
    fn pairs_by_seed() {
        // Luck of the seed is large and the same in both: only pairing shows the difference.
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
        let all =
            [first.clone(), summary(&[40, 55, 49, 30]), summary(&[101, 119, 110, 90]), summary(&[0, 20, 10, 140])];
        insta::assert_snapshot!(comparison(&all, "carts.lost", LOSE, "carts").expect("four runs"), @"Compared with design 1, 2 loses 57 to 66 fewer carts (95 % interval of the paired difference over 4 runs). These 4 runs do not tell designs 3 and 4 from design 1 in carts.");
        assert_eq!(comparison(&all[..1], "carts.lost", LOSE, "carts"), None);
        assert_eq!(comparison(&[summary(&[1]), summary(&[2])], "carts.lost", LOSE, "carts"), None);
    }
}
