//! What an operator does to the pool: slots are added and retired, servers are stopped and started in them.

use super::{Health, Member, Pool, ProcessRecord, Role, lives, runs};
use crate::base::{ProcessId, ServerId, ServerState};

impl Pool {
    /// Adds a slot, whose server boots. The balancer uses it once it has passed its checks.
    pub fn add(&mut self, weight: u32) -> ServerId {
        let server = ServerId(u32::try_from(self.members.len()).expect("fewer than 2^32 slots"));
        let process = self.new_process(server);
        self.members.push(Member { state: ServerState::Booting, process, host: 1, slow: 1, failing: 0 });
        self.health.push(Health::unproven(self.rules.phase(server, self.seed)));
        self.roles.push(Role::Serve);
        self.view.add(weight);
        server
    }

    pub(super) fn new_process(&mut self, server: ServerId) -> ProcessId {
        let process = ProcessId(u32::try_from(self.processes.len()).expect("fewer than 2^32 processes"));
        self.processes.push(ProcessRecord { server, killed_by: None });
        process
    }

    /// Tells the balancer to check a server but not to use it, until [`Pool::admit`].
    pub fn hold_back(&mut self, server: ServerId) {
        self.assign(server, Role::Standby);
    }

    /// Tells the balancer that it may use a server that was held back.
    pub fn admit(&mut self, server: ServerId) {
        self.assign(server, Role::Serve);
    }

    /// Ends a process, whatever it is doing. `fault` is to blame for the loss of its memory. If the server was
    /// drained, the balancer knows that it is down, and the drain is over; otherwise the health checks have to detect
    /// it. Returns whether the process took requests until now.
    pub fn stop(&mut self, server: ServerId, fault: u32) -> bool {
        let member = &mut self.members[server.index()];
        let isolated = self.isolated.remove(&server).is_some();
        let lived = isolated || lives(member.state);
        member.state = ServerState::Down;
        self.processes[member.process.0 as usize].killed_by.get_or_insert(fault);
        if matches!(self.roles[server.index()], Role::Drain | Role::Terminate | Role::Standby) {
            self.roles[server.index()] = Role::Serve;
            self.believe_down(server);
        }
        lived
    }

    fn believe_down(&mut self, server: ServerId) {
        self.health[server.index()].mistrust();
        self.view.believe(server, ServerState::Down);
    }

    /// A running server takes no new requests from now on, and finishes those it has. False if it does not run.
    pub fn close(&mut self, server: ServerId) -> bool {
        let state = &mut self.members[server.index()].state;
        let closes = runs(*state);
        if closes {
            *state = ServerState::Terminating;
        }
        closes
    }

    /// The balancer learns that a process which has ended is gone. False if it knows that, or if another process takes
    /// requests there by now.
    pub fn learn_of_end(&mut self, server: ServerId) -> bool {
        let news = self.passes_checks(server) && !runs(self.members[server.index()].state);
        if news {
            self.believe_down(server);
        }
        news
    }

    /// A stopped server will never come back, even if a fault announced that it would.
    pub fn decommission(&mut self, server: ServerId) {
        self.roles[server.index()] = Role::Decommissioned;
    }

    /// Starts a new, empty process in the slot of a server that is down. Returns its life, for [`Pool::booted`].
    pub fn boot(&mut self, server: ServerId, new_host: bool) -> ProcessId {
        let process = self.new_process(server);
        let member = &mut self.members[server.index()];
        member.state = ServerState::Booting;
        member.process = process;
        member.failing = 0;
        if new_host {
            member.host += 1;
            member.slow = 1;
        }
        process
    }

    /// A process has booted and takes requests. False if something else has happened to it in the meantime.
    pub fn booted(&mut self, server: ServerId, process: ProcessId) -> bool {
        let member = &self.members[server.index()];
        if member.state != ServerState::Booting || member.process != process {
            return false;
        }
        self.members[server.index()].state = self.usual_state(server);
        true
    }

    /// Whether the server that this fault killed is still in the state in which the fault left it.
    #[must_use]
    pub fn is_left_dead(&self, server: ServerId, fault: u32) -> bool {
        self.left_dead_by(server) == Some(fault)
    }

    /// The fault that killed this server, if it is dead and stays in the pool.
    #[must_use]
    pub fn left_dead_by(&self, server: ServerId) -> Option<u32> {
        let Member { state, process, .. } = self.members[server.index()];
        let dead = matches!(state, ServerState::Down | ServerState::Silent);
        let stays = self.roles[server.index()] != Role::Decommissioned;
        self.killed_by(process).filter(|_| dead && stays)
    }

    /// Removes a slot for good, and with it the host and its disk. Its server must have been stopped.
    pub fn retire(&mut self, server: ServerId) {
        let member = &mut self.members[server.index()];
        member.state = ServerState::Retired;
        member.host += 1;
        self.health[server.index()].mistrust();
        self.view.believe(server, ServerState::Retired);
    }

    /// The state of a server from the operator's point of view: a server that is held back does not count yet, and one
    /// that gets no requests does not count any more.
    #[must_use]
    pub fn as_planned(&self, server: ServerId) -> ServerState {
        match (self.members[server.index()].state, self.roles[server.index()]) {
            (ServerState::Up, Role::Standby) => ServerState::Booting,
            (ServerState::Draining, Role::Terminate) => ServerState::Terminating,
            (state, _) => state,
        }
    }

    /// Whether the health checks say that the server is up, no matter whether it is used, held back or drained.
    #[must_use]
    pub fn passes_checks(&self, server: ServerId) -> bool {
        self.health[server.index()].up
    }

    /// Whether it takes requests and passes its checks.
    #[must_use]
    pub fn is_ready(&self, server: ServerId) -> bool {
        runs(self.members[server.index()].state) && self.passes_checks(server)
    }

    /// All slots, in order.
    pub fn servers(&self) -> impl Iterator<Item = ServerId> + use<> {
        (0..u32::try_from(self.members.len()).expect("fewer than 2^32 slots")).map(ServerId)
    }

    /// The slots that have not been retired, in order.
    pub fn present(&self) -> impl Iterator<Item = ServerId> + '_ {
        let here = |(_, member): &(u32, &Member)| member.state != ServerState::Retired;
        (0u32..).zip(&self.members).filter(here).map(|(id, _)| ServerId(id))
    }
}
