//! Carts in replicated memory: each change reaches other servers a little later.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dashmap::Entry;

use super::cart_effect::{CartEffect, apply};
use super::job::Job;
use super::{ServerProcess, Shop, Slot};
use crate::base::{Command, ProcessId, ServerId, Visit};
use crate::http::log::ReplicaAccess;
use crate::http::wire::CartId;
use crate::state::replication::{Change, delivered, receivers};
use crate::state::shop::{Basket, Order};

/// A change in transit.
struct Message {
    cart: CartId,
    /// The servers that it is sent to.
    to: Vec<ServerId>,
    /// The visit whose cart it is; `None` for a guest.
    visit: Option<Visit>,
    change: Change,
}

/// The effect of a request on this server's copy of a cart.
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
    let change = Change::new(before, basket.items, version);
    place.insert(change);
    effect.kept.replica = Some(ReplicaAccess::Changed(change));
    let present: Vec<ServerId> = job.shop.peers().iter().map(|peer| peer.id).collect();
    let to: Vec<ServerId> = receivers(&present, job.process.slot.id, job.shop.replication.copies.index()).collect();
    effect.copies = u32::try_from(to.len()).unwrap_or(u32::MAX);
    let message = Message { cart: job.cart, to, visit: job.request.id.map(|id| id.visit()), change };
    let from = (job.process.slot.id, job.process.process);
    tokio::spawn(deliver(Arc::clone(&job.process.shop), from, message));
    effect
}

/// Delivers a change to other servers after the lag, if both ends can be reached by then.
async fn deliver(shop: Arc<Shop>, sender: (ServerId, ProcessId), message: Message) {
    shop.clock.sleep_until(shop.clock.now() + shop.replication.lag.get()).await;
    let peers = shop.peers();
    let reached = |server| peers.iter().find(|peer| peer.id == server).and_then(within_reach);
    for (_, receiver) in delivered(sender, message.to.iter().copied(), reached) {
        receiver.while_alive(|| receiver.take_in(&message));
    }
}

/// The process that runs on a server, if it can be reached.
fn within_reach(slot: &Arc<Slot>) -> Option<(ProcessId, Arc<ServerProcess>)> {
    let process = slot.running().filter(|process| process.is_within_reach())?;
    Some((process.process, process))
}

impl ServerProcess {
    /// Stores a change, unless this process has a later one.
    fn take_in(&self, message: &Message) {
        let Message { cart, visit, change, .. } = *message;
        match self.memory.copies.entry(cart) {
            Entry::Occupied(copy) if change.yields_to(copy.get().version) => return,
            place => drop(place.insert(change)),
        }
        if let Some(visit) = visit {
            self.shop.log.copied(visit, self.process, change);
        }
    }
}
