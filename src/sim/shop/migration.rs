//! Migration: carts move from server memory to the shared store while users shop.

use super::Shop;
use super::cart_slot::CartSlot;
use super::carts::{Call, CartResult, Carts};
use crate::balancing::pool::Pool;
use crate::base::{ClientId, Command, ProcessId};
use crate::history::Evidence;
use crate::operations::faults::{self, Fault};
use crate::scenario::CartPath;
use crate::sim::requests::InFlight;
use crate::state::evidence;
use crate::state::moving_carts::MovingEffect;

impl Shop {
    /// Decides, when a worker takes a request, how its cart is looked up and which store calls that needs.
    #[cold]
    pub(super) fn choose_path(&self, request: &mut InFlight, slot: &CartSlot, process: ProcessId, path: CartPath) {
        let effect = self.carts.moving_effect(slot, path, request.client, request.command, process);
        request.path = path;
        request.plan = request.plan.moving(effect, request.command, request.refused.is_none());
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
        evidence::of_moving_cart(self.carts.memories(slot), here, migration, |process| pool.killed_by(process))
    }
}

impl Carts {
    /// What a request does to its cart on this path, as things are now.
    fn moving_effect(
        &self,
        slot: &CartSlot,
        path: CartPath,
        client: ClientId,
        command: Command,
        process: ProcessId,
    ) -> MovingEffect {
        let remembered = self.in_memory(slot, process).is_some();
        MovingEffect::of(path, command, self.moved.contains_key(&client), remembered)
    }

    /// Applies a command to a cart during a migration.
    #[cold]
    pub fn apply_moving(&mut self, slot: &mut CartSlot, path: CartPath, call: Call) -> CartResult {
        let effect = self.moving_effect(slot, path, call.client, call.command, call.by);
        let (result, items) = match effect {
            MovingEffect::InMemory | MovingEffect::InBoth => {
                let result = self.apply(slot, call);
                (result, self.in_memory(slot, call.by).unwrap_or_default())
            }
            MovingEffect::InStore => self.apply_to_copy(self.moved.get(&call.client).copied(), call),
            MovingEffect::MovesOver => self.apply_to_copy(self.in_memory(slot, call.by), call),
        };
        if effect.writes_store(call.command) {
            self.moved.insert(call.client, items);
        }
        result
    }
}
