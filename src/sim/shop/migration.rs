//! Migration: carts move from server memory to the shared store while users shop.

use super::carts::{Call, CartResult, apply_to};
use crate::base::{Command, ProcessId};
use crate::history::Evidence;
use crate::operations::faults;
use crate::scenario::{CartPath, Migration};
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestId};
use crate::state::evidence;
use crate::state::shop::Basket;

impl Sim {
    /// Decides, when a worker takes a request, how its cart is looked up and which store calls that needs.
    #[cold]
    pub(in crate::sim) fn choose_path(&mut self, id: RequestId, migration: Migration) {
        let path = migration.path(self.now);
        let InFlight { client, server, command, refused, .. } = self.requests[id];
        let copies_over = path == CartPath::StoreThenMemory
            && !self.shop.carts.moved.contains_key(&client)
            && self
                .shop
                .carts
                .in_memory(&self.users.clients[client.index()].carts_here, self.process_of(server))
                .is_some();
        let request = &mut self.requests[id];
        request.path = path;
        request.plan = request.plan.moving(path, command, refused.is_none(), copies_over);
    }

    /// Applies a command to a cart during a migration.
    #[cold]
    pub(in crate::sim) fn apply_moving(&mut self, id: RequestId, call: Call) -> CartResult {
        let InFlight { client, server, path, .. } = self.requests[id];
        let process = self.process_of(server);
        let carts_here = &mut self.users.clients[client.index()].carts_here;
        if matches!(path, CartPath::Usual | CartPath::Memory | CartPath::Both) {
            let result = self.shop.carts.apply(carts_here, call);
            if path == CartPath::Both && call.command != Command::View {
                let items = self.shop.carts.in_memory(carts_here, process).unwrap_or_default();
                self.shop.carts.moved.insert(client, items);
            }
            return result;
        }
        let mut found = self.shop.carts.moved.get(&client).copied();
        if path == CartPath::StoreThenMemory && found.is_none() {
            found = self.shop.carts.in_memory(carts_here, process);
        }
        let mut basket = Basket { items: found.unwrap_or_default() };
        let result = apply_to(&mut basket, found.is_some(), call, &mut self.shop.carts.orders);
        self.shop.carts.moved.insert(client, basket.items);
        result
    }

    /// What happened to the items of a cart during a migration.
    pub(in crate::sim) fn evidence_moving(&self, request: &InFlight) -> Evidence {
        let carts_here = &self.users.clients[request.client.index()].carts_here;
        let migration = faults::migration(&self.operations.faults).unwrap_or(u32::MAX);
        let killed_by = |process: ProcessId| self.balancer.pool.processes[process.0 as usize].killed_by;
        let here = (self.process_of(request.server), request.path);
        evidence::of_moving_cart(self.shop.carts.memories(carts_here), here, migration, killed_by)
    }
}
