//! What servers, stores and tokens remember.

use super::people::{believed_cart, note_carts};
use super::{CartCounts, HeldCart, HeldFiles, HeldLogin, Holder, Memory, MemoryCounts, Snapshot};
use crate::base::{ClientId, Items, ProcessId, RegionId, UserId};
use crate::history::Evidence;
use crate::scenario::{CartHome, CartPath};
use crate::sim::Sim;
use crate::state::file_locations::FileLocation;
use crate::state::tokens;
use crate::traffic::SessionCookie;

impl Snapshot {
    fn counts_of(&mut self, holder: Holder) -> Option<&mut MemoryCounts> {
        match holder {
            Holder::Server(server) => self.servers.get_mut(server.index()).map(|server| &mut server.memory),
            Holder::Store => Some(&mut self.store.memory),
            Holder::Replica(region) => self.store.replicas.get_mut(region.index()),
            Holder::Token => Some(&mut self.tokens),
            Holder::Objects => None,
        }
    }

    fn forget_counts(&mut self, replicas: usize) {
        for server in &mut self.servers {
            (server.memory, server.bound_users) = (MemoryCounts::default(), 0);
        }
        self.store.memory = MemoryCounts::default();
        self.store.replicas.clear();
        self.store.replicas.resize(replicas, MemoryCounts::default());
        self.store.objects = 0;
        self.tokens = MemoryCounts::default();
        self.carts = CartCounts::default();
    }
}

/// Counts what each place remembers. Servers and clients must have been filled in.
pub(super) fn count_memory(sim: &Sim, into: &mut Snapshot) {
    into.forget_counts(replica_count(sim));
    let mut copies = std::mem::take(&mut into.scratch.copies);
    for index in 0..into.clients.len() {
        copies_of(sim, into.clients[index].client, &mut copies);
        compare_with_belief(sim, index, &copies, into);
        for (holder, items) in copies.iter().filter(|(_, items)| !items.is_empty()) {
            if let Some(counts) = into.counts_of(*holder) {
                counts.carts += 1;
                counts.items += items.len();
            }
        }
        if let Some((holder, _)) = login_of(sim, into.clients[index].client)
            && let Some(counts) = into.counts_of(holder)
        {
            counts.logins += 1;
        }
        let client = &into.clients[index];
        if let (Some(server), 0) = (client.bound_to, client.tab) {
            into.servers[server.index()].bound_users += 1;
        }
    }
    into.scratch.copies = copies;
    for (holder, _, files) in files_held(sim) {
        match into.counts_of(holder) {
            Some(counts) => counts.files += files.len(),
            None => into.store.objects += u64::from(files.len()),
        }
    }
    let replicas = into.store.replicas.iter();
    let (carts, items) = replicas.fold((0, 0), |sum, here| (sum.0 + here.carts, sum.1 + here.items));
    into.store.memory.carts += carts;
    into.store.memory.items += items;
}

/// Compares what a user believes is in the cart with the copies that exist.
fn compare_with_belief(sim: &Sim, index: usize, copies: &[(Holder, Items)], into: &mut Snapshot) {
    let client = &mut into.clients[index];
    if client.cart.is_empty() {
        return;
    }
    let counts = |holder: Holder| !is_passed_over(sim, holder);
    for (_, items) in copies.iter().filter(|(holder, _)| counts(*holder)) {
        client.exists = client.exists.union(items.intersection(client.cart));
        client.whole |= client.cart.minus(*items).is_empty();
    }
    let carts = &mut into.carts;
    carts.believed += 1;
    let fate = match (client.whole, client.exists == client.cart) {
        (true, _) => &mut carts.whole,
        (false, true) => &mut carts.split,
        (false, false) => &mut carts.gone,
    };
    *fate += 1;
}

/// Whether carts have moved away from this holder, and nobody looks there any more.
fn is_passed_over(sim: &Sim, holder: Holder) -> bool {
    let moved = sim.shop.migration.is_some_and(|migration| migration.path(sim.events.now) == CartPath::Store);
    moved && matches!(holder, Holder::Server(_))
}

/// Fills in what the wanted holders remember.
pub(super) fn recall(sim: &Sim, into: &mut Memory, wanted: impl Fn(Holder) -> bool) {
    let Memory { carts, logins, files, scratch } = into;
    carts.clear();
    logins.clear();
    files.clear();
    note_carts(&sim.users, &mut scratch.carts_before);
    for (id, slot) in (0u32..).map(ClientId).zip(&sim.users.clients) {
        copies_of(sim, id, &mut scratch.copies);
        let believed = believed_cart(&sim.users, id, &scratch.carts_before);
        let copies = scratch.copies.iter().filter(|(holder, items)| wanted(*holder) && !items.is_empty());
        let visit = slot.client.visit(id);
        carts.extend(copies.map(|(holder, items)| HeldCart { holder: *holder, visit, items: *items, believed }));
        let login = login_of(sim, id).filter(|(holder, _)| wanted(*holder));
        logins.extend(login.map(|(holder, user)| HeldLogin { holder, user }));
    }
    let held = files_held(sim).filter(|(holder, ..)| wanted(*holder));
    files.extend(held.map(|(holder, user, files)| HeldFiles { holder, user, files }));
    logins.sort_by_key(|login| login.user);
}

/// What has happened to the items of a client's open cart so far, whichever server looks.
pub(super) fn evidence_so_far(sim: &Sim, client: ClientId) -> Evidence {
    let slot = &sim.users.clients[client.index()].carts;
    let path = sim.shop.migration.map_or(CartPath::Usual, |migration| migration.path(sim.events.now));
    let nowhere = (ProcessId(u32::MAX), path);
    let pool = &sim.balancer.pool;
    let mut evidence = sim.shop.evidence_at(client, slot, nowhere, pool, &sim.operations.faults);
    // What has expired is only noted when somebody looks.
    let expired = match sim.shop.rules.homes.cart {
        CartHome::SharedStore => sim.store.has_expired(slot, sim.events.now),
        CartHome::SignedToken => !tokens::is_current(slot.expires(), sim.events.now),
        CartHome::ServerMemory | CartHome::ReplicatedMemory => false,
    };
    if expired {
        evidence.expired = evidence.expired.union(slot.copy().unwrap_or_default());
    }
    evidence
}

/// The number of the shared store's replicas; 0 if it is in one place.
fn replica_count(sim: &Sim) -> usize {
    let network = sim.network.as_ref().filter(|_| sim.shop.rules.homes.cart == CartHome::SharedStore);
    network.map_or(0, |network| if network.replicas.is_some() { network.map.count() } else { 0 })
}

/// The surviving copies of a client's cart, one entry per holder.
fn copies_of(sim: &Sim, id: ClientId, copies: &mut Vec<(Holder, Items)>) {
    copies.clear();
    let slot = &sim.users.clients[id.index()];
    if slot.client.is_away() {
        return;
    }
    match sim.shop.rules.homes.cart {
        CartHome::ServerMemory => add_memories(sim, sim.shop.carts.memories(&slot.carts), copies),
        CartHome::ReplicatedMemory => add_memories(sim, sim.shop.carts.replicas.copies(id), copies),
        CartHome::SharedStore if replica_count(sim) > 0 => add_replicas(sim, id, copies),
        CartHome::SharedStore => {
            let expired = sim.store.has_expired(&slot.carts, sim.events.now);
            copies.extend(slot.carts.copy().filter(|_| !expired).map(|items| (Holder::Store, items)));
        }
        CartHome::SignedToken => {
            let good = tokens::is_current(slot.carts.expires(), sim.events.now);
            copies.extend(slot.carts.copy().filter(|_| good).map(|items| (Holder::Token, items)));
        }
    }
    copies.extend(sim.shop.carts.moved.get(&id).map(|items| (Holder::Store, *items)));
}

/// Adds the copies in the memory of live processes.
fn add_memories(sim: &Sim, memories: impl Iterator<Item = (ProcessId, Items)>, copies: &mut Vec<(Holder, Items)>) {
    for (process, items) in memories.filter(|(process, _)| sim.balancer.pool.lives_on(*process)) {
        let holder = Holder::Server(sim.balancer.pool.server_of(process));
        match copies.iter_mut().find(|(known, _)| *known == holder) {
            Some((_, held)) => *held = held.union(items),
            None => copies.push((holder, items)),
        }
    }
}

fn add_replicas(sim: &Sim, id: ClientId, copies: &mut Vec<(Holder, Items)>) {
    let Some(replicas) = sim.network.as_ref().and_then(|network| network.replicas.as_ref()) else { return };
    let regions = (0..replica_count(sim)).filter_map(|region| u8::try_from(region).ok()).map(RegionId);
    let known = |region| Some((Holder::Replica(region), replicas.read(id, region, sim.events.now)?));
    copies.extend(regions.filter_map(known));
}

/// The login of a client's user and what holds it; `None` except for the user's first tab.
fn login_of(sim: &Sim, id: ClientId) -> Option<(Holder, UserId)> {
    let slot = &sim.users.clients[id.index()];
    let first = slot.client.key().entity >> 32 == 0;
    let jar = sim.users.jar(&slot.client).filter(|_| first)?;
    let logouts = sim.users.logouts(id);
    let session = jar.session.filter(|session| !sim.store.logins.is_ended(*session, logouts))?;
    let holder = match session {
        SessionCookie::Memory(process, _) => {
            sim.balancer.pool.lives_on(process).then(|| Holder::Server(sim.balancer.pool.server_of(process)))?
        }
        SessionCookie::Stored(login) | SessionCookie::Renewable { login, .. } => {
            sim.store.logins.knows(login).then_some(Holder::Store)?
        }
        SessionCookie::Until(until) | SessionCookie::Signed(_, until) => {
            tokens::is_current(until, sim.events.now).then_some(Holder::Token)?
        }
    };
    Some((holder, slot.client.user))
}

/// All files, with where they are.
fn files_held(sim: &Sim) -> impl Iterator<Item = (Holder, UserId, Items)> + '_ {
    let copies = sim.shop.files.iter().flat_map(|files| files.copies(&sim.balancer.pool));
    copies.map(|(user, place, files)| {
        let holder = match place {
            FileLocation::Memory(process) => Holder::Server(sim.balancer.pool.server_of(process)),
            FileLocation::Disk(server, _) => Holder::Server(server),
            FileLocation::Objects => Holder::Objects,
        };
        (holder, user, files)
    })
}
