//! Session affinity: a cookie that sends users back to the server they used before. It works with any policy.

use super::policy::PoolView;
use crate::base::time::Instant;
use crate::base::{ServerId, ServerState};
use crate::scenario::{Affinity, CookieLife, PinnedDown};

/// A user's affinity cookie, packed so that a user's cookie jar takes half a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
pub struct Pin {
    server: u32,
    since: Instant,
}

const NOBODY: u32 = u32::MAX;

/// What the cookie says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Not bound: the policy picks a server.
    Free,
    /// Bound to this server.
    To(ServerId),
    /// 503: the server is believed to be down, and the balancer may not choose another.
    Fail,
}

impl Default for Pin {
    fn default() -> Pin {
        Pin { server: NOBODY, since: Instant::ZERO }
    }
}

impl Pin {
    /// A cookie that names a server and was set at `since`.
    #[must_use]
    pub fn to(server: ServerId, since: Instant) -> Pin {
        Pin { server: server.0, since }
    }

    /// When it was first set for the current server.
    #[must_use]
    pub fn since(self) -> Instant {
        self.since
    }

    /// The server it names, if any.
    #[must_use]
    pub fn server(self) -> Option<ServerId> {
        (self.server != NOBODY).then_some(ServerId(self.server))
    }

    /// Where the cookie sends a request, given the balancer's belief about the pool.
    #[inline]
    #[must_use]
    pub fn bound(self, affinity: Affinity, when_down: PinnedDown, now: Instant, pool: &PoolView) -> Bound {
        let Affinity::Cookie(life) = affinity else { return Bound::Free };
        let Some(server) = self.server() else { return Bound::Free };
        if let CookieLife::For(span) = life
            && now >= self.since + span
        {
            return Bound::Free;
        }
        match (pool.states[server.index()], when_down) {
            // A draining server keeps the users it has.
            (ServerState::Up | ServerState::Draining, _) => Bound::To(server),
            // A cookie that names a server the balancer no longer knows, or that gets nothing more, is ignored.
            (ServerState::Retired | ServerState::Terminating, _) | (_, PinnedDown::Redispatch) => Bound::Free,
            (_, PinnedDown::Fail) => Bound::Fail,
        }
    }

    /// Whether it would send its user to this server if the server is up.
    #[must_use]
    pub fn binds(self, affinity: Affinity, server: ServerId, now: Instant) -> bool {
        let Affinity::Cookie(life) = affinity else { return false };
        let expired = matches!(life, CookieLife::For(span) if now >= self.since + span);
        self.server == server.0 && !expired
    }

    /// A server answered: the cookie now names it. Its lifetime counts from when it was first set for this server.
    #[inline]
    pub fn answered(&mut self, affinity: Affinity, server: ServerId, now: Instant) {
        let Affinity::Cookie(life) = affinity else { return };
        let expired = matches!(life, CookieLife::For(span) if now >= self.since + span);
        if self.server != server.0 || expired {
            *self = Pin { server: server.0, since: now };
        }
    }

    /// The user's browser closes.
    #[inline]
    pub fn browser_closes(&mut self, affinity: Affinity) {
        if matches!(affinity, Affinity::Cookie(life) if life.ends_with_the_browser()) {
            *self = Pin::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    const NOW: Instant = Instant::from_nanos(100);

    #[test]
    fn a_cookie_binds_until_its_life_ends() {
        let pool = PoolView::new(vec![1; 3]);
        let server = ServerId(1);
        let bound = |life, at| {
            let affinity = Affinity::Cookie(life);
            let mut pin = Pin::default();
            assert_eq!(pin.bound(affinity, PinnedDown::Redispatch, NOW, &pool), Bound::Free);
            pin.answered(affinity, server, NOW);
            pin.browser_closes(affinity);
            pin.bound(affinity, PinnedDown::Redispatch, at, &pool)
        };
        assert_eq!(bound(CookieLife::Visit, NOW), Bound::Free);
        assert_eq!(bound(CookieLife::User, Instant::NEVER), Bound::To(server));
        let life = CookieLife::For(Span::from_nanos(50));
        assert_eq!(bound(life, Instant::from_nanos(149)), Bound::To(server));
        assert_eq!(bound(life, Instant::from_nanos(150)), Bound::Free);
    }

    #[test]
    fn a_drained_server_keeps_those_it_has() {
        let mut pool = PoolView::new(vec![1; 3]);
        let affinity = Affinity::Cookie(CookieLife::Visit);
        let mut pin = Pin::default();
        pool.believe(ServerId(1), ServerState::Draining);
        assert_eq!(pin.bound(affinity, PinnedDown::Redispatch, NOW, &pool), Bound::Free, "nobody new");
        assert_eq!(pool.up, [ServerId(0), ServerId(2)]);
        pin.answered(affinity, ServerId(1), NOW);
        for when_down in [PinnedDown::Redispatch, PinnedDown::Fail] {
            assert_eq!(pin.bound(affinity, when_down, NOW, &pool), Bound::To(ServerId(1)));
        }
        pin.browser_closes(affinity);
        assert_eq!(pin.bound(affinity, PinnedDown::Fail, NOW, &pool), Bound::Free);
    }

    #[test]
    fn a_dead_server_frees_its_users_or_fails_them() {
        let mut pool = PoolView::new(vec![1; 3]);
        let affinity = Affinity::Cookie(CookieLife::Visit);
        let mut pin = Pin::default();
        pin.answered(affinity, ServerId(1), NOW);
        pool.believe(ServerId(1), ServerState::Down);
        assert_eq!(pin.bound(affinity, PinnedDown::Redispatch, NOW, &pool), Bound::Free);
        assert_eq!(pin.bound(affinity, PinnedDown::Fail, NOW, &pool), Bound::Fail);
        assert_eq!(pin.bound(Affinity::None, PinnedDown::Fail, NOW, &pool), Bound::Free);
        for gone in [ServerState::Retired, ServerState::Terminating] {
            pool.believe(ServerId(1), gone);
            assert_eq!(pin.bound(affinity, PinnedDown::Fail, NOW, &pool), Bound::Free, "nobody waits for what is gone");
        }
    }

    #[test]
    fn a_cookie_that_comes_back_says_what_it_said() {
        let mut pin = Pin::default();
        pin.answered(Affinity::Cookie(CookieLife::User), ServerId(1), NOW);
        assert_eq!(Pin::to(ServerId(1), NOW), pin);
        assert_eq!((pin.server(), pin.since()), (Some(ServerId(1)), NOW));
    }
}
