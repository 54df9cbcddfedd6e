//! A set of users.

use crate::base::UserId;

/// A set of users, one bit each.
#[derive(Clone, Debug, Default)]
pub(super) struct UserSet(Vec<u64>);

impl UserSet {
    /// True if the user was not in the set.
    #[inline]
    pub(super) fn insert(&mut self, user: UserId) -> bool {
        let (word, bit) = (user.0 as usize / 64, 1 << (user.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_users_has_a_bit_for_each() {
        let mut set = UserSet::default();
        assert!((0..1_000).map(UserId).all(|user| set.insert(user)), "each of them is new");
        assert!(!(0..1_000).map(UserId).any(|user| set.insert(user)), "and then known");
        assert_eq!(set.0.len(), 16);
    }
}
