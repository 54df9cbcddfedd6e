//! Requests of a user that are out at the same moment.

/// The group of concurrent requests.
#[derive(Default)]
pub(super) struct ConcurrentGroup {
    out: u32,
    /// The number of groups so far.
    groups: u32,
    /// Whether answers of the current group are still to come.
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

    /// An answer comes. Returns the number of its group, if it was not alone.
    pub(super) fn told(&mut self) -> Option<u32> {
        self.out = self.out.saturating_sub(1);
        let group = self.together.then_some(self.groups);
        self.together &= self.out > 0;
        group
    }
}
