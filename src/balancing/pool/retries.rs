//! The retry budget: how many retries the balancer may have in flight.

use crate::scenario::Share;

/// This many retries are always allowed: Envoy's minimum.
const ALWAYS: u32 = 3;

/// Retries in flight, and their budget as a share of all requests in flight.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retries {
    under_way: u32,
    /// In billionths; no limit when `None`.
    budget: Option<u32>,
}

impl Retries {
    /// No retries are in flight yet.
    #[must_use]
    pub fn new(budget: Option<Share>) -> Retries {
        Retries { under_way: 0, budget: budget.map(Share::billionths) }
    }

    /// A retry was sent.
    pub fn begin(&mut self) {
        self.under_way += 1;
    }

    /// A retry was answered, or given up.
    pub fn end(&mut self) {
        self.under_way -= 1;
    }

    /// Whether another retry is allowed, with this many requests in flight.
    #[must_use]
    pub fn may_begin(&self, requests: impl FnOnce() -> u32) -> bool {
        self.budget.is_none_or(|share| {
            let within = u64::from(share) * u64::from(requests()) / u64::from(Share::ALL);
            u64::from(self.under_way) < within.max(u64::from(ALWAYS))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_all_and_three_at_least() {
        let mut retries = Retries::new(serde_json::from_str("0.2").ok());
        for (requests, most) in [(1, 3), (10, 3), (19, 3), (20, 4), (100, 20)] {
            while retries.may_begin(|| requests) {
                retries.begin();
            }
            assert_eq!(retries.under_way, most, "of {requests}");
        }
        retries.end();
        assert!(retries.may_begin(|| 100) && !retries.may_begin(|| 50));
        assert!(Retries::new(None).may_begin(|| 0));
    }

    #[test]
    fn a_budget_is_kept_to_one_in_a_million() {
        for (budget, most) in [("0.0004", 4), ("0.0005", 5), ("0.000501", 5), ("0.0014", 14), ("0.999999", 9_999)] {
            let mut retries = Retries::new(serde_json::from_str(budget).ok());
            while retries.may_begin(|| 10_000) {
                retries.begin();
            }
            assert_eq!(retries.under_way, most, "{budget}");
        }
    }
}
