//! Users who are busier than the others: which they are, and how much busier.

use crate::base::UserId;
use crate::base::time::Span;
use crate::scenario::Heavy;

/// Which users are heavy, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeavyUsers {
    which: HeavyRule,
    activity: u64,
    cost: u64,
    parallel: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeavyRule {
    /// This many of this many users, spread evenly.
    Of(u64, u64),
    OneIn(u32),
}

impl HeavyUsers {
    /// The heavy users among so many, as a scenario describes them.
    pub(super) fn new(heavy: &Heavy, users: u32) -> HeavyUsers {
        let which = match (heavy.count, heavy.one_in) {
            (Some(count), _) => HeavyRule::Of(count.get(), u64::from(users)),
            (None, Some(n)) => HeavyRule::OneIn(n.get32()),
            (None, None) => HeavyRule::Of(0, 1),
        };
        let parallel = u16::try_from(heavy.parallel.get()).expect("limited to 10,000");
        HeavyUsers { which, activity: heavy.activity.get(), cost: heavy.cost.get(), parallel }
    }

    /// How many tabs each of them has.
    #[must_use]
    pub fn tabs(self) -> u64 {
        u64::from(self.parallel)
    }

    pub(super) fn tabs_each(self) -> u16 {
        self.parallel
    }

    /// How many times more work their requests take.
    #[inline]
    pub(super) fn cost(self) -> u64 {
        self.cost
    }

    /// How long they think where others think for this long.
    #[inline]
    pub(super) fn think(self, others: Span) -> Span {
        Span::from_nanos(others.as_nanos() / self.activity)
    }

    /// Whether this user is a heavy user.
    #[inline]
    #[must_use]
    pub fn include(self, user: UserId) -> bool {
        let number = u64::from(user.0);
        match self.which {
            HeavyRule::Of(heavy, users) => number * heavy / users > (number - 1) * heavy / users,
            HeavyRule::OneIn(n) => user.0.is_multiple_of(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Whole;

    #[test]
    fn heavy_users_are_as_many_as_asked_for() {
        let heavy =
            |count, one_in| Heavy { count, one_in, activity: Whole::of(1), cost: Whole::of(1), parallel: Whole::of(1) };
        for (users, count) in [(301, 1), (300, 7), (10, 10), (1_000_003, 333)] {
            let rule = HeavyUsers::new(&heavy(Some(Whole::of(count)), None), users);
            let n = (1..=users).filter(|u| rule.include(UserId(*u))).count();
            assert_eq!(n as u64, count);
        }
        let rule = HeavyUsers::new(&heavy(None, Some(Whole::of(20))), 1);
        assert_eq!((1..=100).filter(|u| rule.include(UserId(*u))).count(), 5);
    }
}
