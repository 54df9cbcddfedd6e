//! Users who are still waiting for an answer.

use crate::base::{ClientId, UserId, Visit};

/// Clients whose step has failed and has not been answered since, with their users.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered {
    by_client: Vec<Option<UserId>>,
    number: usize,
}

impl Unanswered {
    /// A step failed, and the user will try it again.
    #[cold]
    pub(super) fn failed(&mut self, visit: Visit) {
        let index = visit.client.index();
        if index >= self.by_client.len() {
            self.by_client.resize(index + 1, None);
        }
        self.number += usize::from(self.by_client[index].replace(visit.user).is_none());
    }

    /// A step was answered, or its visit is over.
    #[inline]
    pub(super) fn settled(&mut self, client: ClientId) {
        if self.number > 0
            && let Some(user) = self.by_client.get_mut(client.index())
        {
            self.number -= usize::from(user.take().is_some());
        }
    }

    /// The users, some of them more than once.
    pub(super) fn users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.by_client.iter().flatten().copied()
    }
}
