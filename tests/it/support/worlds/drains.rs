//! How servers leave.

use proptest::prelude::*;
use whatcart::scenario::{Drain, DrainFor};

use super::time;

/// None, one for bound users, or one for requests.
pub fn drain(most: u64) -> impl Strategy<Value = Drain> {
    let bound = |timeout| Drain::from(time(timeout));
    let requests = (50..most, 0u64..100, 0u64..2_000).prop_map(|(timeout, percent, learns_after)| {
        let pre_stop = time(timeout * percent / 100);
        Drain { timeout: time(timeout), waits_for: DrainFor::Requests, pre_stop, learns_after: time(learns_after) }
    });
    prop_oneof![1 => Just(bound(0)), 1 => (50..most).prop_map(bound), 1 => requests]
}
