//! A short text by which two people can tell that they saw the same run.

use std::fmt;

use super::{Report, SCHEMA};
use crate::base::fnv::Fnv;

/// A hash of what was run (the scenario's text, its changes, the seed) and of everything that came out. It is no
/// protection against forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of a report; `None` if the same run would not give it again: real requests never do, and neither does
    /// an interruption.
    ///
    /// # Panics
    ///
    /// Never: figures are plain data.
    #[must_use]
    pub fn of(report: &Report) -> Option<Digest> {
        if report.engine != "sim" || report.interrupted {
            return None;
        }
        let mut hash = Fnv::default();
        hash.number(SCHEMA.into());
        hash.number(report.written);
        hash.number(report.seed);
        for variant in &report.variants {
            hash.text(&variant.name);
            for run in &variant.runs {
                hash.number(run.seed);
                hash.text(&serde_json::to_string(&run.figures).expect("figures are plain data"));
            }
        }
        Some(Digest(hash.hash()))
    }
}

/// `5c1f-9a02-77d4-e3b8`
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32| (self.0 >> shift) & 0xffff;
        write!(f, "{:04x}-{:04x}-{:04x}-{:04x}", part(48), part(32), part(16), part(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::{cut_short, several_runs, sticky_crash};

    #[test]
    fn whatever_differs_shows() {
        let told = |change: &dyn Fn(&mut Report)| {
            let mut report = sticky_crash();
            change(&mut report);
            Digest::of(&report).expect("it can be repeated")
        };
        let same = told(&|_| {});
        assert_eq!(same, told(&|report| report.scenario.lesson = "Another.".into()));
        for changed in [
            told(&|report| report.seed += 1),
            told(&|report| report.written += 1),
            told(&|report| report.variants[3].runs[0].figures.views += 1),
            told(&|report| drop(report.variants.pop())),
            told(&|report| report.variants.swap(0, 1)),
            Digest::of(&several_runs()).expect("it can be repeated"),
        ] {
            assert_ne!(changed, same);
        }
    }

    #[test]
    fn what_cannot_be_repeated_has_none() {
        assert_eq!(Digest::of(&cut_short()), None);
        assert_eq!(Digest::of(&Report { engine: "http", ..sticky_crash() }), None);
    }

    #[test]
    fn it_is_printed_with_its_zeros() {
        assert_eq!(Digest(0x000f_0000_0a00_0001).to_string(), "000f-0000-0a00-0001");
    }
}
