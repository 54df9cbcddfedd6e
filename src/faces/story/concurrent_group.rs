//! Requests of a user that are out at the same moment.

/// Requests that are out at the same moment.
#[derive(Default)]
pub(super) struct ConcurrentGroup {
    out: u32,
    /// How often two were out at once after none was.
    groups: u32,
    /// Answers of such a group are still to come.
    together: bool,
}

impl ConcurrentGroup {
    pub(super) fn sent(&mut self) {
        self.out += 1;
        if self.out > 1 && !self.together {
            self.together = true;
            self.groups += 1;
        }
    }

    /// An answer comes: to which group it belongs, if it was not alone.
    pub(super) fn told(&mut self) -> Option<u32> {
        self.out = self.out.saturating_sub(1);
        let group = self.together.then_some(self.groups);
        self.together &= self.out > 0;
        group
    }
}
