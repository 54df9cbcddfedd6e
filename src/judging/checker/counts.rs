//! What the checker counts.

use super::inconsistencies::HiddenCounts;
use super::missing_files::FileCounts;

/// Counts of everything the checker judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::Figures")]
pub struct Counts {
    pub opened: u64,
    pub intact: u64,
    pub lost: u64,
    pub overcharged: u64,
    pub abandoned: u64,
    pub unknown: u64,
    pub views: u64,
    pub wrong_views: u64,
    pub logged_out: u64,
    pub impostors: u64,
    pub impostors_accepted: u64,
    pub replays: u64,
    pub zombie_logins: u64,
    pub ghosts: u64,
    pub double_charges: u64,
    pub users: u64,
    pub users_hurt: u64,
    pub files: FileCounts,
    pub hidden: HiddenCounts,
    pub retried_checkouts: u64,
}

impl Counts {
    /// Carts that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.intact + self.lost + self.overcharged + self.abandoned + self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_that_has_ended_has_ended_in_one_way() {
        let counts =
            Counts { opened: 64, intact: 1, lost: 2, overcharged: 4, abandoned: 8, unknown: 16, ..Counts::default() };
        assert_eq!(counts.ended(), 31);
    }
}
