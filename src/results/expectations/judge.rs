//! Whether claims hold: in one run, on the means of several, or in each of many seeds.

use std::collections::BTreeMap;

use super::{ClaimError, Figure, parse};
use crate::base::words::count;
use crate::results::statistics::Summary;
use crate::results::tree::Tree;
use crate::results::{Expectation, Figures, Report};
use crate::scenario::Expect;

/// The figures of one variant.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The variant's name.
    pub variant: &'a str,
    /// Every figure by its path.
    pub figures: BTreeMap<String, f64>,
}

impl<'a> Observed<'a> {
    /// The figures of one run.
    #[must_use]
    pub fn of(variant: &'a str, figures: &Figures) -> Observed<'a> {
        Observed { variant, figures: Tree::of(figures).by_path() }
    }

    /// The means of each design's runs.
    #[must_use]
    pub fn all(report: &'a Report, summaries: &[Summary]) -> Vec<Observed<'a>> {
        let means = |summary: &Summary| {
            summary.estimates.iter().map(|(path, estimate)| (path.clone(), estimate.mean)).collect()
        };
        let designs = report.variants.iter().zip(summaries);
        designs.map(|(variant, summary)| Observed { variant: &variant.name, figures: means(summary) }).collect()
    }
}

/// The verdict on one claim about one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimVerdict {
    /// The variant it is about.
    pub variant: String,
    /// The claim as written.
    pub what: String,
    /// Whether it holds.
    pub passed: bool,
    /// The figures that the claim names, each once, with their values.
    pub observed: Vec<(String, Option<f64>)>,
}

/// Judges the scenario's expectations of the variants that ran, on the means of their runs.
///
/// # Errors
///
/// If a claim cannot be parsed; [`super::validate`] finds those before a run.
pub fn judge(report: &Report) -> Result<Vec<Expectation>, ClaimError> {
    let summaries = Summary::all(&report.variants);
    let observed = Observed::all(report, &summaries);
    Ok(over_seeds(&[(report.seed, verdicts(&report.scenario.expect, &observed)?)]))
}

/// Judges every claim about every variant that ran. Comparisons with a variant that did not run are left out.
///
/// # Errors
///
/// If a claim cannot be parsed.
pub fn verdicts(expect: &[Expect], ran: &[Observed]) -> Result<Vec<ClaimVerdict>, ClaimError> {
    let mut verdicts = Vec::new();
    for Expect { variant: about, that } in expect {
        let claim = parse(that)?;
        let has_run = |name: &String| ran.iter().any(|ran| ran.variant == name);
        if !claim.figures().iter().filter_map(|figure| figure.of.as_ref()).all(has_run) {
            continue;
        }
        for this in ran.iter().filter(|ran| about.as_ref().is_none_or(|about| about == ran.variant)) {
            let value = |figure: &Figure| {
                let of = ran.iter().find(|ran| figure.of.as_ref().is_some_and(|of| of == ran.variant));
                of.unwrap_or(this).figures.get(&figure.path).copied()
            };
            let mut observed: Vec<(String, Option<f64>)> = Vec::new();
            for figure in claim.figures() {
                let name = figure.to_string();
                if !observed.iter().any(|(known, _)| *known == name) {
                    observed.push((name, value(figure)));
                }
            }
            let passed = claim.holds(&value);
            verdicts.push(ClaimVerdict { variant: this.variant.into(), what: that.clone(), passed, observed });
        }
    }
    Ok(verdicts)
}

/// `carts.lost = 49, load.cv is absent`
fn values(observed: &[(String, Option<f64>)]) -> String {
    let value = |(name, value): &(String, Option<f64>)| match value {
        Some(number) => format!("{name} = {}", count(*number)),
        None => format!("{name} is absent"),
    };
    observed.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// Combines the verdicts of many seeds: a claim holds if it holds for each of them. Each entry of `seeds` has the
/// verdicts of the same claims in the same order.
#[must_use]
pub fn over_seeds(seeds: &[(u64, Vec<ClaimVerdict>)]) -> Vec<Expectation> {
    let Some((_, first)) = seeds.first() else { return Vec::new() };
    if let [(_, only)] = seeds {
        return only.iter().map(|verdict| expectation(verdict, verdict.passed, values(&verdict.observed))).collect();
    }
    let over = |(i, verdict): (usize, &ClaimVerdict)| {
        let each = || seeds.iter().filter_map(move |(seed, verdicts)| Some((*seed, verdicts.get(i)?)));
        let failed: Vec<(u64, &ClaimVerdict)> = each().filter(|(_, verdict)| !verdict.passed).collect();
        let mut observed = ranges(verdict, || each().map(|(_, verdict)| verdict));
        if let Some((seed, verdict)) = failed.first() {
            let share = format!("fails in {} of {} seeds", failed.len(), seeds.len());
            observed = format!("{share}, as in seed {seed}: {}; in all: {observed}", values(&verdict.observed));
        }
        expectation(verdict, failed.is_empty(), observed)
    };
    first.iter().enumerate().map(over).collect()
}

fn expectation(verdict: &ClaimVerdict, passed: bool, observed: String) -> Expectation {
    Expectation { variant: verdict.variant.clone(), what: verdict.what.clone(), observed, passed }
}

/// `carts.lost = 38 to 62`
fn ranges<'a, V: Iterator<Item = &'a ClaimVerdict>>(verdict: &ClaimVerdict, each: impl Fn() -> V) -> String {
    let range = |(at, (name, _)): (usize, &(String, Option<f64>))| {
        let values = || each().filter_map(|verdict| verdict.observed.get(at)?.1);
        let (least, most) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let absent = if values().count() < each().count() { ", or absent" } else { "" };
        match (least < most, least > most) {
            (_, true) => format!("{name} is absent"),
            (true, _) => format!("{name} = {} to {}{absent}", count(least), count(most)),
            _ => format!("{name} = {}{absent}", count(least)),
        }
    };
    verdict.observed.iter().enumerate().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(variant: &'static str, figures: &[(&str, f64)]) -> Observed<'static> {
        Observed { variant, figures: figures.iter().map(|(path, value)| ((*path).into(), *value)).collect() }
    }

    fn expect(variant: Option<&str>, that: &str) -> Expect {
        Expect { variant: variant.map(Into::into), that: that.into() }
    }

    /// The results, one per line, of claims about two designs in runs where the second lost these numbers of carts.
    fn told(expects: &[Expect], lost: &[f64]) -> String {
        let seed = |lost: &f64| {
            let both = [ran("a", &[("carts.lost", 2_333.0), ("load.cv", 0.5)]), ran("b", &[("carts.lost", *lost)])];
            verdicts(expects, &both).expect("claims")
        };
        let seeds: Vec<_> = (1..).zip(lost).map(|(number, lost)| (number, seed(lost))).collect();
        let line = |e: &Expectation| {
            format!("{} {}: {} | {}", if e.passed { "ok" } else { "NO" }, e.variant, e.what, e.observed)
        };
        over_seeds(&seeds).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn observed_shows_every_figure_once() {
        let claims = [
            expect(Some("b"), "0 < carts.lost / carts.lost['a'] < carts.lost"),
            expect(Some("b"), "load.cv < 1"),
            expect(None, "carts.lost > 49"),
            expect(Some("b"), "carts.lost < carts.lost['not run']"),
        ];
        insta::assert_snapshot!(told(&claims, &[49.0]), @r#"
        ok b: 0 < carts.lost / carts.lost['a'] < carts.lost | carts.lost = 49, carts.lost["a"] = 2,333
        NO b: load.cv < 1 | load.cv is absent
        ok a: carts.lost > 49 | carts.lost = 2,333
        NO b: carts.lost > 49 | carts.lost = 49
        "#);
    }

    #[test]
    fn of_many_seeds_each_must_hold() {
        let claims = [
            expect(Some("b"), "carts.lost < 0.1 * carts.lost['a']"),
            expect(Some("b"), "carts.lost < 60"),
            expect(None, "load.cv < 1"),
        ];
        insta::assert_snapshot!(told(&claims, &[49.0, 70.0, 38.0]), @r#"
        ok b: carts.lost < 0.1 * carts.lost['a'] | carts.lost = 38 to 70, carts.lost["a"] = 2,333
        NO b: carts.lost < 60 | fails in 1 of 3 seeds, as in seed 2: carts.lost = 70; in all: carts.lost = 38 to 70
        ok a: load.cv < 1 | load.cv = 0.50
        NO b: load.cv < 1 | fails in 3 of 3 seeds, as in seed 1: load.cv is absent; in all: load.cv is absent
        "#);
    }
}
