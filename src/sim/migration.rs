//! Carts that move from the memory of servers to the shared store while users shop.

use super::World;
use super::carts::{Call, CartResult, apply_to};
use super::requests::{InFlight, RequestId};
use crate::base::{Command, ServerId};
use crate::faults::FaultKind;
use crate::history::Evidence;
use crate::scenario::{CartPath, Migration};
use crate::state::home::{self, CartEvidence};
use crate::state::shop::Basket;

impl World {
    /// A server begins to work on a request: which way it will go, and the calls that takes.
    #[cold]
    pub(super) fn choose_path(&mut self, id: RequestId, migration: Migration) {
        let path = migration.path(self.now);
        let InFlight { client, server, command, refused, .. } = self.requests[id];
        let copies_over = path == CartPath::StoreThenMemory
            && !self.carts.moved.contains_key(&client)
            && self.carts.in_memory(&self.clients[client.index()].carts_here, self.life_of(server)).is_some();
        let request = &mut self.requests[id];
        request.path = path;
        request.calls.after += home::moving_calls(path, command, refused.is_none(), copies_over);
    }

    fn life_of(&self, server: ServerId) -> crate::base::ProcessId {
        self.pool.members[server.index()].process
    }

    /// A server applies a command to a cart that moves.
    #[cold]
    pub(super) fn apply_moving(&mut self, id: RequestId, call: Call) -> CartResult {
        let InFlight { client, server, path, .. } = self.requests[id];
        let process = self.life_of(server);
        let carts_here = &mut self.clients[client.index()].carts_here;
        if matches!(path, CartPath::Usual | CartPath::Memory | CartPath::Both) {
            let result = self.carts.apply(carts_here, call);
            if path == CartPath::Both && call.command != Command::View {
                let items = self.carts.in_memory(carts_here, process).unwrap_or_default();
                self.carts.moved.insert(client, items);
            }
            return result;
        }
        let mut found = self.carts.moved.get(&client).copied();
        if path == CartPath::StoreThenMemory && found.is_none() {
            found = self.carts.in_memory(carts_here, process);
        }
        let mut basket = Basket { items: found.unwrap_or_default() };
        let result = apply_to(&mut basket, found.is_some(), call, &mut self.carts.orders);
        self.carts.moved.insert(client, basket.items);
        result
    }

    /// What became of the items of a cart that moves.
    pub(super) fn evidence_moving(&self, request: &InFlight) -> Evidence {
        let carts_here = &self.clients[request.client.index()].carts_here;
        let migration = self.faults.iter().position(|fault| matches!(fault.kind, FaultKind::Migrate { .. }));
        let migration = migration.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX);
        let killed_by = |process: crate::base::ProcessId| self.pool.processes[process.0 as usize].killed_by;
        let here = (self.life_of(request.server), request.path);
        let CartEvidence { elsewhere, died, killed_by, .. } =
            home::left_behind(self.carts.memories(carts_here), here, migration, killed_by);
        Evidence { elsewhere, died, killed_by, ..Evidence::default() }
    }
}
