//! Passive health checks: a server that keeps failing is not used for a while.

use crate::base::ServerId;
use crate::base::time::{Instant, Span};
use crate::scenario::{self, Share};

/// The failures of each server, and which servers are ejected.
///
/// A number of failures in a row ejects a server, for the base time multiplied by the number of its ejections so far.
/// At most a share of the pool is ejected at once; some balancers always allow one. When the time is over, the server is
/// used again unless the active checks say that it is down.
#[derive(Clone, Debug)]
pub struct Outliers {
    consecutive: u32,
    ejection: Span,
    longest: Span,
    /// In billionths.
    at_most: u32,
    /// Whether one server may be ejected whatever that share is.
    always_one: bool,
    /// By server; servers beyond the end have not answered yet.
    records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Failures in a row.
    failures: u32,
    /// The number of its ejections.
    ejections: u32,
    ejected_until: Option<Instant>,
}

impl Outliers {
    /// No server has answered yet.
    #[must_use]
    pub fn new(rules: &scenario::Outlier) -> Outliers {
        Outliers {
            consecutive: rules.consecutive.get32(),
            ejection: rules.ejection.get(),
            longest: rules.longest.get(),
            at_most: rules.at_most.billionths(),
            always_one: rules.always_one,
            records: Vec::new(),
        }
    }

    /// A server answered successfully.
    #[inline]
    pub fn succeeded(&mut self, server: ServerId) {
        if let Some(record) = self.records.get_mut(server.index()) {
            record.failures = 0;
        }
    }

    /// A server of a pool of this size failed. Returns the end of the ejection if this failure ejects it.
    pub fn failed(&mut self, server: ServerId, pool: usize, now: Instant) -> Option<Instant> {
        if server.index() >= self.records.len() {
            self.records.resize(server.index() + 1, Record::default());
        }
        let record = &mut self.records[server.index()];
        record.failures = record.failures.saturating_add(1);
        if record.failures < self.consecutive || record.ejected_until.is_some() || !self.may_eject_another(pool) {
            return None;
        }
        let record = &mut self.records[server.index()];
        record.ejections += 1;
        let until = now + (self.ejection * u64::from(record.ejections)).min(self.longest);
        record.failures = 0;
        record.ejected_until = Some(until);
        Some(until)
    }

    fn may_eject_another(&self, pool: usize) -> bool {
        let ejected = self.records.iter().filter(|record| record.ejected_until.is_some()).count() as u64;
        let first = self.always_one && ejected == 0;
        first || (ejected + 1) * u64::from(Share::ALL) <= u64::from(self.at_most) * pool as u64
    }

    /// Whether the server is ejected.
    #[must_use]
    pub fn has_ejected(&self, server: ServerId) -> bool {
        self.records.get(server.index()).is_some_and(|record| record.ejected_until.is_some())
    }

    /// Readmits a server with a clean record if its time is over. False if it is not over, or the server was not
    /// ejected.
    pub fn readmit(&mut self, server: ServerId, now: Instant) -> bool {
        let Some(record) = self.records.get_mut(server.index()) else { return false };
        if record.ejected_until.is_none_or(|until| now < until) {
            return false;
        }
        record.ejected_until = None;
        record.failures = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ServerId = ServerId(0);
    const B: ServerId = ServerId(1);

    fn at_secs(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn outliers() -> Outliers {
        Outliers::new(&scenario::Outlier::default())
    }

    fn fail(outliers: &mut Outliers, server: ServerId, times: u32, pool: usize, now: Instant) -> Option<Instant> {
        (0..times).fold(None, |_, _| outliers.failed(server, pool, now))
    }

    #[test]
    fn five_failures_in_a_row_eject_for_thirty_seconds() {
        let mut outliers = outliers();
        assert_eq!(fail(&mut outliers, A, 4, 10, at_secs(1)), None);
        outliers.succeeded(A);
        assert_eq!(fail(&mut outliers, A, 4, 10, at_secs(2)), None, "an answer in between clears the record");
        assert_eq!(fail(&mut outliers, A, 1, 10, at_secs(3)), Some(at_secs(33)));
        assert!(outliers.has_ejected(A) && !outliers.has_ejected(B));
        assert_eq!(fail(&mut outliers, A, 9, 10, at_secs(4)), None, "it is out already");
        assert!(
            !outliers.readmit(A, at_secs(32)) && outliers.readmit(A, at_secs(33)) && !outliers.readmit(A, at_secs(33))
        );
        assert!(!outliers.has_ejected(A));
    }

    #[test]
    fn each_ejection_is_longer_up_to_five_minutes() {
        let mut outliers = outliers();
        for times in 1..=12 {
            let until = fail(&mut outliers, A, 5, 10, at_secs(0)).expect("five are enough");
            assert_eq!(until, at_secs((30 * times).min(300)));
            assert!(outliers.readmit(A, until));
        }
    }

    #[test]
    fn a_share_at_most_holds_for_the_first_server_too() {
        let tenth =
            [(1, 0), (3, 0), (9, 0), (10, 1), (19, 1), (20, 2), (30, 3)].map(|(pool, most)| ("0.1", pool, most));
        let of_three = [("0.0", 3, 0), ("0.3", 3, 0), ("0.5", 3, 1), ("0.67", 3, 2), ("1.0", 3, 3)];
        let fine = [("0.0004", 5_000, 2), ("0.0006", 5_000, 3), ("0.000599", 5_000, 2)];
        for (share, pool, most) in tenth.into_iter().chain(of_three).chain(fine) {
            for always_one in [false, true] {
                let at_most = serde_json::from_str(share).expect("a share");
                let rules = scenario::Outlier { at_most, always_one, ..scenario::Outlier::default() };
                let mut outliers = Outliers::new(&rules);
                let servers = || (0..u32::try_from(pool).expect("few").min(40)).map(ServerId);
                for server in servers() {
                    fail(&mut outliers, server, 20, pool, at_secs(0));
                }
                let ejected = servers().filter(|server| outliers.has_ejected(*server)).count();
                assert_eq!(ejected, most.max(usize::from(always_one)), "{share} of {pool}, {always_one}");
            }
        }
    }
}
