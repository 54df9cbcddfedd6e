//! How much of what was asked for is in a report: only runs that went to their end count.

use super::{Report, RunReport, VariantReport};
use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::operations::faults;
use crate::scenario::Variant;

impl VariantReport {
    /// A variant without any runs yet.
    #[must_use]
    pub fn of(variant: &Variant) -> VariantReport {
        VariantReport {
            number: variant.number,
            name: variant.name.clone(),
            scenario: variant.scenario.clone(),
            runs: Vec::new(),
            cut_short: Vec::new(),
        }
    }

    /// Takes in further runs, in the order in which they were made.
    ///
    /// Complete runs are the ones that count. If there are none, the one that came furthest stands in for them: its
    /// figures can be shown, but not averaged or compared.
    pub fn take_in(&mut self, runs: impl IntoIterator<Item = RunReport>) {
        let stand_in = if self.is_whole() { Vec::new() } else { std::mem::take(&mut self.runs) };
        let (cut, complete): (Vec<RunReport>, Vec<RunReport>) =
            stand_in.into_iter().chain(runs).partition(|run| run.cut_at.is_some());
        self.runs.extend(complete);
        self.cut_short.extend(cut);
        if self.runs.is_empty()
            && let Some(furthest) = (0..self.cut_short.len()).max_by_key(|i| self.cut_short[*i].cut_at)
        {
            self.runs.push(self.cut_short.remove(furthest));
        }
    }

    /// Whether its figures are those of complete runs.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.complete() > 0
    }

    /// How many runs went to their end.
    #[must_use]
    pub fn complete(&self) -> usize {
        self.runs.iter().filter(|run| run.cut_at.is_none()).count()
    }

    /// When the run was cut short whose figures stand in for complete ones.
    #[must_use]
    pub fn cut_at(&self) -> Option<Instant> {
        self.runs.iter().find_map(|run| run.cut_at)
    }

    /// The first fault, by name and time, that had not struck yet when its run was cut short.
    #[must_use]
    pub fn still_to_come(&self) -> Option<(String, Instant)> {
        let run = self.runs.iter().find(|run| run.cut_at.is_some())?;
        let ends = self.scenario.ends();
        let ahead = |fault: &faults::Fault| run.cut_at < Some(fault.at) && fault.at <= ends;
        let next =
            faults::of_run(&self.scenario, Seed(run.seed)).into_iter().filter(ahead).min_by_key(|fault| fault.at);
        next.map(|fault| (fault.name, fault.at))
    }
}

impl Report {
    /// How many runs were asked for, over all variants.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.runs as usize * self.variants.len()
    }

    /// How many runs went to their end, over all variants.
    #[must_use]
    pub fn complete(&self) -> usize {
        self.variants.iter().map(VariantReport::complete).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::results::sample::sticky_crash;

    fn run(seed: u64, cut_at: Option<u64>) -> RunReport {
        RunReport { seed, cut_at: cut_at.map(|s| Instant::ZERO + Span::from_secs(s)), ..RunReport::default() }
    }

    fn seeds(runs: &[RunReport]) -> Vec<u64> {
        runs.iter().map(|run| run.seed).collect()
    }

    #[test]
    fn only_complete_runs_count_and_without_any_the_furthest_is_shown() {
        let mut variant = VariantReport { runs: Vec::new(), ..sticky_crash().variants.remove(1) };
        assert_eq!((variant.is_whole(), variant.cut_at()), (false, None));
        variant.take_in([run(1, Some(7)), run(2, Some(29)), run(3, Some(3))]);
        assert_eq!((seeds(&variant.runs), variant.complete(), variant.is_whole()), (vec![2], 0, false));
        let crash = variant.still_to_come();
        assert_eq!(crash, Some(("the crash".into(), Instant::ZERO + Span::from_secs(30))));
        variant.take_in([run(4, None), run(5, Some(31)), run(6, None)]);
        assert_eq!((seeds(&variant.runs), variant.complete(), variant.cut_at()), (vec![4, 6], 2, None));
        variant.take_in([run(7, Some(99))]);
        assert_eq!(seeds(&variant.runs), [4, 6]);
        assert_eq!(variant.cut_short.len(), 5);
    }
}
