//! Carrying out what the operator decides: what happens to the pool, what is recorded, and what is left for the engine to
//! do with its servers.

use super::operator::Action;
use crate::balancing::pool::Pool;
use crate::base::{ProcessId, ServerId};
use crate::history::PoolEvent;

/// What came of an action. The engine records the event first, and then does its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarriedOut {
    /// What to record now. Nothing if the pool was as demanded already.
    pub event: Option<PoolEvent>,
    /// What the engine has to do with its servers.
    pub task: Option<Task>,
}

/// What the engine has to do with its servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Open a slot for one more server, and start a process in it.
    OpenSlot {
        /// The server.
        server: ServerId,
        /// Its first process.
        process: ProcessId,
    },
    /// Start a process in a slot whose server was stopped.
    StartProcess {
        /// The server.
        server: ServerId,
        /// Its new process.
        process: ProcessId,
        /// Whether it starts on a new host, with an empty disk.
        new_host: bool,
    },
    /// Take no new connections at a server, and close idle ones. Requests in flight are finished.
    StopAccepting(ServerId),
    /// End the process of a server, if it still lives.
    EndProcess(ProcessEnd),
    /// Close a slot for good, together with its host.
    CloseSlot(ServerId),
}

/// The end of a process. Requests that it cuts off are known only when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEnd {
    /// The server.
    pub server: ServerId,
    /// The plan that demands it.
    pub fault: u32,
    /// Users who are still bound to the server by a cookie.
    pub cut_off_users: u32,
    /// Whether the process took requests until now.
    pub lived: bool,
    /// Whether the balancer, which believed that the server is up, is told that it is down.
    pub told: bool,
}

impl ProcessEnd {
    /// What to record at that moment. `cut_requests`: requests that the process held and that somebody waited for.
    pub fn events(self, cut_requests: u32) -> impl Iterator<Item = PoolEvent> {
        let ProcessEnd { server, fault, cut_off_users, .. } = self;
        let stopped = PoolEvent::Stopped { server, fault, cut_off_users, cut_requests };
        std::iter::once(stopped).chain(self.told.then_some(PoolEvent::Believed { server, up: false }))
    }
}

/// Applies an action to the pool.
pub fn carry_out(pool: &mut Pool, action: Action) -> CarriedOut {
    let event = |event| CarriedOut { event: Some(event), task: None };
    match action {
        Action::Begin { fault, memory_lost } => event(PoolEvent::Struck { fault, server: None, memory_lost }),
        Action::Finished(fault) => event(PoolEvent::Finished { fault }),
        Action::Launch { weight, held_back } => launch(pool, weight, held_back),
        Action::Admit(server) => {
            pool.admit(server);
            event(turned(pool, server))
        }
        Action::Drain { server, waits_for } => {
            let begins = pool.drain(server, waits_for);
            CarriedOut { event: begins.then(|| turned(pool, server)), task: None }
        }
        Action::Close(server) => close(pool, server),
        Action::Learn(server) => {
            let news = pool.learn_of_end(server);
            CarriedOut { event: news.then_some(PoolEvent::Believed { server, up: false }), task: None }
        }
        Action::Stop { server, fault, bound } => stop(pool, server, fault, bound),
        Action::Boot { server, new_host } => {
            let process = pool.boot(server, new_host);
            let task = Task::StartProcess { server, process, new_host };
            CarriedOut { event: Some(turned(pool, server)), task: Some(task) }
        }
        Action::Decommission(server) => {
            pool.decommission(server);
            event(turned(pool, server))
        }
        Action::Retire(server) => {
            pool.retire(server);
            CarriedOut { event: Some(turned(pool, server)), task: Some(Task::CloseSlot(server)) }
        }
    }
}

/// A process has booted and takes requests. Returns what to record; `None` if something else has happened to the process
/// in the meantime.
pub fn booted(pool: &mut Pool, server: ServerId, process: ProcessId) -> Option<[PoolEvent; 2]> {
    pool.booted(server, process).then(|| [turned(pool, server), PoolEvent::Ready { server }])
}

fn launch(pool: &mut Pool, weight: u32, held_back: bool) -> CarriedOut {
    let server = pool.add(weight);
    if held_back {
        pool.hold_back(server);
    }
    let process = pool.process_on(server);
    CarriedOut { event: Some(turned(pool, server)), task: Some(Task::OpenSlot { server, process }) }
}

fn close(pool: &mut Pool, server: ServerId) -> CarriedOut {
    let before = pool.as_planned(server);
    let closes = pool.close(server);
    let turned = turned(pool, server);
    let event = (pool.as_planned(server) != before).then_some(turned);
    CarriedOut { event, task: closes.then_some(Task::StopAccepting(server)) }
}

fn stop(pool: &mut Pool, server: ServerId, fault: u32, bound: u32) -> CarriedOut {
    let trusted = pool.passes_checks(server);
    let lived = pool.stop(server, fault);
    let told = trusted && !pool.passes_checks(server);
    let end = ProcessEnd { server, fault, cut_off_users: bound, lived, told };
    CarriedOut { event: None, task: Some(Task::EndProcess(end)) }
}

/// What a server does now, as the operator sees it.
#[must_use]
pub fn turned(pool: &Pool, server: ServerId) -> PoolEvent {
    PoolEvent::Turned { server, state: pool.as_planned(server) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ServerState;
    use crate::base::seed::Seed;
    use crate::scenario::{DrainFor, Scenario};

    const SERVER: ServerId = ServerId(1);
    const DRAIN: Action = Action::Drain { server: SERVER, waits_for: DrainFor::BoundUsers };

    fn pool() -> Pool {
        Pool::new(&Scenario::house(), Seed(1))
    }

    #[test]
    fn a_server_that_is_drained_already_is_not_recorded_again() {
        let mut pool = pool();
        let draining = PoolEvent::Turned { server: SERVER, state: ServerState::Draining };
        assert_eq!(carry_out(&mut pool, DRAIN).event, Some(draining));
        assert_eq!(carry_out(&mut pool, DRAIN), CarriedOut { event: None, task: None });
    }

    /// The balancer learns of the end of a server that it drained; checks have to detect any other.
    #[test]
    fn the_balancer_is_told_of_the_end_of_a_drained_server() {
        let stopped = PoolEvent::Stopped { server: SERVER, fault: 7, cut_off_users: 2, cut_requests: 5 };
        for (drained, want) in [(false, vec![stopped]), (true, vec![stopped, believed_down()])] {
            let mut pool = pool();
            if drained {
                carry_out(&mut pool, DRAIN);
            }
            let out = carry_out(&mut pool, Action::Stop { server: SERVER, fault: 7, bound: 2 });
            let Some(Task::EndProcess(end)) = out.task else { panic!("{out:?}") };
            assert!(end.lived);
            assert_eq!(end.events(5).collect::<Vec<_>>(), want);
        }
    }

    fn believed_down() -> PoolEvent {
        PoolEvent::Believed { server: SERVER, up: false }
    }

    #[test]
    fn a_process_that_was_replaced_while_it_booted_never_becomes_ready() {
        let mut pool = pool();
        carry_out(&mut pool, Action::Stop { server: SERVER, fault: 7, bound: 0 });
        let boot = |pool: &mut Pool| match carry_out(pool, Action::Boot { server: SERVER, new_host: true }).task {
            Some(Task::StartProcess { process, new_host: true, .. }) => process,
            task => panic!("{task:?}"),
        };
        let first = boot(&mut pool);
        carry_out(&mut pool, Action::Stop { server: SERVER, fault: 8, bound: 0 });
        let second = boot(&mut pool);
        assert_eq!(booted(&mut pool, SERVER, first), None);
        let up = PoolEvent::Turned { server: SERVER, state: ServerState::Up };
        assert_eq!(booted(&mut pool, SERVER, second), Some([up, PoolEvent::Ready { server: SERVER }]));
    }
}
