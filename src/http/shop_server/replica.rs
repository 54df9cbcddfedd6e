//! Carts in replicated memory: changes are sent to other servers a little later.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dashmap::Entry;

use super::cart::{CartEffect, apply};
use super::serving::Job;
use super::{ServerProcess, Shop, Slot};
use crate::base::{Command, ProcessId, ServerId, Visit};
use crate::http::log::ReplicaAccess;
use crate::http::wire::CartId;
use crate::state::replication::Change;
use crate::state::shop::{Basket, Order};

/// A change on its way.
struct Message {
    cart: CartId,
    /// Whose cart it is, when it is a user's of the run.
    visit: Option<Visit>,
    change: Change,
}

/// The effect on this server's copy of a cart.
pub fn in_copy(job: &Job, order: Option<&mut Order>) -> CartEffect {
    let place = job.process.memory.copies.entry(job.cart);
    let known = match &place {
        Entry::Occupied(copy) => Some(copy.get().items),
        Entry::Vacant(_) => None,
    };
    let before = known.unwrap_or_default();
    let mut basket = Basket { items: before };
    let mut effect = CartEffect::of(apply(job, &mut basket, order), known.is_some());
    effect.kept.replica = Some(ReplicaAccess::Looked);
    if job.command == Command::View {
        return effect;
    }
    let version = job.shop.versions.fetch_add(1, Ordering::Relaxed) + 1;
    let change = Change { items: basket.items, taken: before.minus(basket.items), version };
    place.insert(change);
    effect.kept.replica = Some(ReplicaAccess::Changed(change));
    effect.copies =
        u32::try_from(job.shop.replication.copies.index().min(job.shop.peers().len().saturating_sub(1))).unwrap_or(0);
    let message = Message { cart: job.cart, visit: job.request.id.map(|id| id.visit()), change };
    let from = (job.process.slot.id, job.process.process);
    tokio::spawn(deliver(Arc::clone(&job.process.shop), from, message));
    effect
}

/// Brings a change to the next servers in the order of the pool, if its sender and they can be reached by then.
async fn deliver(shop: Arc<Shop>, (server, process): (ServerId, ProcessId), message: Message) {
    shop.clock.sleep_until(shop.clock.now() + shop.replication.lag.get()).await;
    let peers = shop.peers();
    if within_reach(&peers[server.index()]).is_none_or(|sender| sender.process != process) {
        return;
    }
    let after = (1..peers.len()).map(|step| &peers[(server.index() + step) % peers.len()]);
    for receiver in after.take(shop.replication.copies.index()).filter_map(within_reach) {
        receiver.while_alive(|| receiver.take_in(&message));
    }
}

fn within_reach(slot: &Arc<Slot>) -> Option<Arc<ServerProcess>> {
    slot.running().filter(|incarnation| incarnation.is_within_reach())
}

impl ServerProcess {
    /// Keeps a change, unless a later one is known.
    fn take_in(&self, message: &Message) {
        let Message { cart, visit, change } = *message;
        match self.memory.copies.entry(cart) {
            Entry::Occupied(copy) if copy.get().version > change.version => return,
            place => drop(place.insert(change)),
        }
        if let Some(visit) = visit {
            self.shop.log.copied(visit, self.process, change);
        }
    }
}
