//! Faults that concern one server: what they do to the pool, how that ends, and what is recorded.

use crate::balancing::pool::Pool;
use crate::base::ServerId;
use crate::base::time::{Instant, Span};
use crate::history::PoolEvent;
use crate::operations::faults::{self, Comeback, Fault, FaultKind};

/// A fault of the run that strikes, or ends. All functions return what to record, and `None` if nothing has changed.
#[derive(Clone, Copy, Debug)]
pub struct Strike {
    /// Its index among the faults of the run.
    pub fault: u32,
    /// What it does.
    pub kind: FaultKind,
}

impl Strike {
    /// The fault with this index.
    #[must_use]
    pub fn of(faults: &[Fault], fault: u32) -> Strike {
        Strike { fault, kind: faults[fault as usize].kind }
    }

    /// That it has struck.
    #[must_use]
    pub fn struck(self, server: Option<ServerId>) -> PoolEvent {
        PoolEvent::Struck { fault: self.fault, server, memory_lost: self.kind.loses_memory() }
    }

    /// A server becomes slow or failing.
    pub fn afflict(self, pool: &mut Pool, server: ServerId) -> Option<PoolEvent> {
        let affliction = self.kind.affliction()?;
        pool.afflict(server, affliction);
        Some(self.struck(Some(server)))
    }

    /// A process dies, or its host falls silent; one that is dead cannot die again.
    pub fn kill(self, pool: &mut Pool, server: ServerId) -> Option<PoolEvent> {
        pool.kill(server, self.fault, self.kind).then(|| self.struck(Some(server)))
    }

    /// The server that it killed is back with a new, empty process, unless something else has happened in the meantime.
    pub fn revive(self, pool: &mut Pool, server: ServerId) -> Option<PoolEvent> {
        let comeback = self.kind.comeback().filter(|_| pool.is_left_dead(server, self.fault))?;
        pool.revive(server, comeback);
        Some(PoolEvent::Ready { server })
    }

    /// A dead server is started again by this fault, with a new, empty process.
    pub fn start(self, pool: &mut Pool, server: ServerId) -> Option<[PoolEvent; 2]> {
        pool.left_dead_by(server)?;
        pool.revive(server, Comeback { after: Span::ZERO, new_host: false });
        Some([self.struck(Some(server)), PoolEvent::Ready { server }])
    }

    /// A running server is cut off.
    pub fn isolate(self, pool: &mut Pool, server: ServerId) -> Option<PoolEvent> {
        pool.isolate(server, self.fault).then(|| self.struck(Some(server)))
    }

    /// The server that it cut off can be reached again, unless something else has happened in the meantime.
    pub fn reconnect(self, pool: &mut Pool, server: ServerId) -> Option<PoolEvent> {
        pool.reconnect(server, self.fault).then_some(PoolEvent::Ready { server })
    }
}

/// A server that a fault made slow or failing recovers, unless a later fault of the same kind struck it in the meantime.
pub fn recover(pool: &mut Pool, faults: &[Fault], fault: u32, server: ServerId, now: Instant) -> Option<PoolEvent> {
    let affliction = faults[fault as usize].kind.affliction().filter(|_| !faults::struck_anew(faults, fault, now))?;
    pool.recover(server, affliction).then_some(PoolEvent::Ready { server })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;
    use crate::base::time::Span;
    use crate::operations::faults::Comeback;
    use crate::scenario::Scenario;

    const SERVER: ServerId = ServerId(1);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn a_server_that_was_stopped_meanwhile_does_not_come_back() {
        let comeback = Some(Comeback { after: Span::from_secs(5), new_host: false });
        let crash = Strike { fault: 0, kind: FaultKind::Crash { server: SERVER, comeback } };
        let struck = PoolEvent::Struck { fault: 0, server: Some(SERVER), memory_lost: true };
        for decommissioned in [false, true] {
            let mut pool = Pool::new(&Scenario::house(), Seed(1));
            assert_eq!(crash.kill(&mut pool, SERVER), Some(struck));
            assert_eq!(crash.kill(&mut pool, SERVER), None, "it is dead already");
            if decommissioned {
                pool.decommission(SERVER);
            }
            assert_eq!(crash.revive(&mut pool, SERVER).is_none(), decommissioned);
        }
    }

    #[test]
    fn a_server_that_was_slowed_down_anew_stays_slow() {
        let slow = |seconds, factor| {
            let lasting = Some(Span::from_secs(10));
            Fault { name: "slow".into(), at: at(seconds), kind: FaultKind::Slow { server: SERVER, factor, lasting } }
        };
        let faults = [slow(0, 2), slow(5, 3)];
        let mut pool = Pool::new(&Scenario::house(), Seed(1));
        for fault in 0..2 {
            assert!(Strike::of(&faults, fault).afflict(&mut pool, SERVER).is_some());
        }
        assert_eq!(recover(&mut pool, &faults, 0, SERVER, at(10)), None);
        assert_eq!(pool.members[1].slow, 3);
        assert_eq!(recover(&mut pool, &faults, 1, SERVER, at(15)), Some(PoolEvent::Ready { server: SERVER }));
    }
}
