//! Migration: carts move from server memory to the shared store while users shop.

use super::Shop;
use super::cart_slot::CartSlot;
use super::carts::{Call, CartResult, Carts, apply_to};
use crate::balancing::pool::Pool;
use crate::base::{Command, ProcessId};
use crate::history::Evidence;
use crate::operations::faults::{self, Fault};
use crate::scenario::CartPath;
use crate::sim::requests::InFlight;
use crate::state::evidence;
use crate::state::shop::Basket;

impl Shop {
    /// Decides, when a worker takes a request, how its cart is looked up and which store calls that needs.
    #[cold]
    pub(super) fn choose_path(&self, request: &mut InFlight, slot: &CartSlot, process: ProcessId, path: CartPath) {
        let copies_over = path == CartPath::StoreThenMemory
            && !self.carts.moved.contains_key(&request.client)
            && self.carts.in_memory(slot, process).is_some();
        request.path = path;
        request.plan = request.plan.moving(path, request.command, request.refused.is_none(), copies_over);
    }

    /// What happened to the items of a cart during a migration.
    pub(super) fn evidence_moving(
        &self,
        slot: &CartSlot,
        here: (ProcessId, CartPath),
        pool: &Pool,
        faults: &[Fault],
    ) -> Evidence {
        let migration = faults::migration(faults).unwrap_or(u32::MAX);
        let killed_by = |process: ProcessId| pool.processes[process.0 as usize].killed_by;
        evidence::of_moving_cart(self.carts.memories(slot), here, migration, killed_by)
    }
}

impl Carts {
    /// Applies a command to a cart during a migration.
    #[cold]
    pub fn apply_moving(&mut self, slot: &mut CartSlot, path: CartPath, call: Call) -> CartResult {
        if matches!(path, CartPath::Usual | CartPath::Memory | CartPath::Both) {
            let result = self.apply(slot, call);
            if path == CartPath::Both && call.command != Command::View {
                let items = self.in_memory(slot, call.by).unwrap_or_default();
                self.moved.insert(call.client, items);
            }
            return result;
        }
        let mut found = self.moved.get(&call.client).copied();
        if path == CartPath::StoreThenMemory && found.is_none() {
            found = self.in_memory(slot, call.by);
        }
        let mut basket = Basket { items: found.unwrap_or_default() };
        let result = apply_to(&mut basket, found.is_some(), call, &mut self.orders);
        self.moved.insert(call.client, basket.items);
        result
    }
}
