//! Carts, wherever they live.

use std::sync::Arc;

use dashmap::Entry;
use tokio::sync::Mutex;

use super::replica;
use super::request::{Job, counted};
use crate::base::time::Span;
use crate::base::{Command, Items, Reply};
use crate::http::log::CommitRecord;
use crate::http::store::StoreError;
use crate::http::token::Carried;
use crate::http::wire;
use crate::scenario::{CartHome, CartPath, HiddenState, StoreUpdate};
use crate::state::shop::{Basket, Order};

/// Most orders that the book takes: beyond that a guest cannot check out.
const MOST_ORDERS: usize = 1_000_000;

/// What one request did to a cart.
#[derive(Clone, Debug)]
pub struct CartEffect {
    /// The shop's answer.
    pub reply: Reply,
    /// Whether the cart was known where it was looked for.
    pub knew: bool,
    /// What it held after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// For the post-mortem.
    pub kept: CommitRecord,
    /// The cart as it travels on.
    pub token: Option<String>,
    /// Bytes of the token, on the way back.
    pub carried: usize,
    /// Copies that are sent to other servers.
    pub copies: u32,
}

impl CartEffect {
    /// What came of a command, in a place that knew the cart or not.
    pub fn of(applied: Applied, knew: bool) -> CartEffect {
        let Applied { reply, held, billed } = applied;
        CartEffect {
            reply,
            knew,
            held,
            kept: CommitRecord { billed, ..CommitRecord::default() },
            token: None,
            carried: 0,
            copies: 0,
        }
    }
}

/// What a command did to one copy.
#[derive(Clone, Copy)]
pub struct Applied {
    reply: Reply,
    held: Items,
    billed: Option<Items>,
}

/// Does a command to one copy; a checkout by way of the order book. Where only the process knows that a cart is bought,
/// the cart itself does not tell.
pub fn apply(job: &Job, basket: &mut Basket, command: Command, order: Option<&mut Order>) -> Applied {
    if let Some(order) = order {
        let held = basket.items;
        let (reply, billed) = order.charge(basket);
        if keeps_orders(job) {
            basket.items = held;
        }
        return Applied { reply, held, billed };
    }
    let reply = basket.apply(command);
    Applied { reply, held: basket.items, billed: None }
}

/// Whether each process remembers only what it has charged itself.
fn keeps_orders(job: &Job) -> bool {
    job.shop.hidden == HiddenState::IdempotencyKey
}

/// The order of a visit, for a checkout: who holds it keeps others from charging at the same time.
pub fn open_order(job: &Job, command: Command) -> Result<Option<Arc<Mutex<Order>>>, StoreError> {
    if command != Command::Checkout {
        return Ok(None);
    }
    let given = job.request.headers.get(wire::IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let orders = if keeps_orders(job) { &job.process.secrets.orders } else { &job.shop.orders };
    let key = match (job.request.id, given) {
        (Some(_), Some(visit)) => visit.to_owned(),
        (Some(_), None) => job.cart.to_string(),
        (None, Some(key)) => format!("guest {}: {key}", job.cart),
        // Who gives no key means a new order every time.
        (None, None) => return Ok(Some(Arc::default())),
    };
    if job.request.id.is_none() && orders.len() >= MOST_ORDERS {
        return Err(StoreError::Full);
    }
    Ok(Some(Arc::clone(&orders.entry(key).or_default())))
}

/// How a cart in the store is changed.
#[derive(Clone, Copy, Debug)]
pub enum StoreWrite {
    /// All at once, after the work.
    Atomic,
    /// From this copy, which was read before the work.
    From(Option<Items>),
}

/// The copy that a read-modify-write begins with.
pub async fn read_first(job: &Job<'_>, command: Command, calls: &mut u32) -> Result<StoreWrite, StoreError> {
    let shop = job.shop;
    let reads = shop.homes.cart == CartHome::SharedStore && shop.update == StoreUpdate::ReadModifyWrite;
    if !reads || !command.touches_cart() {
        return Ok(StoreWrite::Atomic);
    }
    let read = shop.store.look(job.store_times.0, |store| store.read_cart(job.cart)).await;
    counted(calls, read).map(StoreWrite::From)
}

/// The effect on a cart in the shared store. `None` when it does not live there.
pub async fn in_store(
    job: &Job<'_>,
    command: Command,
    way: StoreWrite,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<Option<CartEffect>, StoreError> {
    if !command.touches_cart() {
        return Ok(None);
    }
    match job.path {
        CartPath::Store => return update(job, command, order, calls).await.map(Some),
        CartPath::StoreThenMemory => return read_through(job, command, order, calls).await.map(Some),
        CartPath::Both => return write_too(job, command, order, calls).await.map(|()| None),
        CartPath::Usual | CartPath::Memory => {}
    }
    if job.shop.homes.cart != CartHome::SharedStore {
        return Ok(None);
    }
    match way {
        StoreWrite::Atomic => update(job, command, order, calls).await,
        StoreWrite::From(copy) => modify_and_write(job, command, copy, order, calls).await,
    }
    .map(Some)
}

/// All at once, in the store.
async fn update(
    job: &Job<'_>,
    command: Command,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<CartEffect, StoreError> {
    update_within(job.store_times.1, job, command, order, calls).await
}

async fn update_within(
    span: Span,
    job: &Job<'_>,
    command: Command,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<CartEffect, StoreError> {
    // What was charged before is not taken out again.
    let again = order.as_ref().is_some_and(|order| order.is_charged());
    let stays = again || (keeps_orders(job) && command == Command::Checkout);
    let asked = if stays { Command::View } else { command };
    let store = &job.shop.store;
    let updated = match command {
        Command::View => store.look(span, |store| store.update_cart(job.cart, asked)).await,
        _ => store.call(span, |store| store.update_cart(job.cart, asked)).await,
    };
    let updated = counted(calls, updated)?;
    let mut basket = Basket { items: updated.before.unwrap_or_default() };
    Ok(CartEffect::of(apply(job, &mut basket, command, order), updated.before.is_some()))
}

/// What this process has in its memory.
fn remembered(job: &Job) -> Option<Items> {
    job.process.memory.carts.get(&job.cart).map(|cart| *cart)
}

/// In the store; a cart that is not there yet is looked for in this process's memory, and copied.
async fn read_through(
    job: &Job<'_>,
    command: Command,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<CartEffect, StoreError> {
    let found = job.shop.store.call(job.store_times.1, |store| store.read_cart(job.cart)).await?;
    let Some(items) = remembered(job).filter(|_| found.is_none()) else {
        // One call does it all: what a script in the store would do.
        return update_within(Span::ZERO, job, command, order, calls).await;
    };
    *calls += 2;
    let mut basket = Basket { items };
    let effect = CartEffect::of(apply(job, &mut basket, command, order), true);
    job.shop.store.call(job.store_times.0, |store| store.write_cart(job.cart, basket.items)).await?;
    Ok(effect)
}

/// Before a change is made in memory, all of the cart as it will be then is written to the store.
async fn write_too(
    job: &Job<'_>,
    command: Command,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<(), StoreError> {
    if command == Command::View {
        return Ok(());
    }
    *calls += 1;
    let mut basket = Basket { items: remembered(job).unwrap_or_default() };
    // What was charged before is not taken out again.
    if order.is_none_or(|order| !order.is_charged()) {
        basket.apply(command);
    }
    job.shop.store.call(job.store_times.1, |store| store.write_cart(job.cart, basket.items)).await.map(drop)
}

/// What was read at the start is changed here and written back, whatever happened to it meanwhile.
async fn modify_and_write(
    job: &Job<'_>,
    command: Command,
    copy: Option<Items>,
    order: Option<&mut Order>,
    calls: &mut u32,
) -> Result<CartEffect, StoreError> {
    let mut basket = Basket { items: copy.unwrap_or_default() };
    // Nothing is charged unless the write gets through.
    let mut charged = order.as_deref().copied();
    let mut effect = CartEffect::of(apply(job, &mut basket, command, charged.as_mut()), copy.is_some());
    if command == Command::View {
        return Ok(effect);
    }
    let write = job.shop.store.call(job.store_times.1, |store| store.write_cart(job.cart, basket.items)).await;
    let replaced = counted(calls, write)?;
    if let (Some(order), Some(charged)) = (order, charged) {
        *order = charged;
    }
    let mut meant = Basket { items: replaced.unwrap_or_default() };
    meant.apply(command);
    effect.kept.overwritten = meant.items.minus(basket.items);
    Ok(effect)
}

/// The effect on a cart that this process has at hand: in its memory, or in the request's token.
pub fn here(job: &Job, command: Command, order: Option<&mut Order>) -> Option<CartEffect> {
    if !command.touches_cart() {
        return None;
    }
    match job.shop.homes.cart {
        CartHome::ServerMemory => Some(in_memory(job, command, order)),
        CartHome::ReplicatedMemory => Some(replica::in_copy(job, command, order)),
        CartHome::SignedToken => Some(in_token(job, command, order)),
        CartHome::SharedStore => None,
    }
}

/// Bytes of the cart that a request carries: all requests do, whatever they ask.
pub fn carried(job: &Job) -> usize {
    match job.shop.homes.cart {
        CartHome::SignedToken => wire::cookie(&job.request.headers, wire::CART).map_or(0, str::len),
        CartHome::ServerMemory | CartHome::SharedStore | CartHome::ReplicatedMemory => 0,
    }
}

fn in_memory(job: &Job, command: Command, order: Option<&mut Order>) -> CartEffect {
    let place = job.process.memory.carts.entry(job.cart);
    let before = match &place {
        Entry::Occupied(cart) => Some(*cart.get()),
        Entry::Vacant(_) => None,
    };
    let mut basket = Basket { items: before.unwrap_or_default() };
    let mut effect = CartEffect::of(apply(job, &mut basket, command, order), before.is_some());
    place.insert(basket.items);
    effect.kept.copy = Some(basket.items);
    effect
}

fn in_token(job: &Job, command: Command, order: Option<&mut Order>) -> CartEffect {
    let now = job.shop.clock.now();
    let token = wire::cookie(&job.request.headers, wire::CART);
    let carried = token.and_then(|token| job.shop.signer.carried(token, job.cart, now));
    let (before, expired) = match carried {
        Some(Carried::Good(items)) => (Some(items), Items::NONE),
        Some(Carried::Expired(items)) => (None, items),
        None => (None, Items::NONE),
    };
    let mut basket = Basket { items: before.unwrap_or_default() };
    let mut effect = CartEffect::of(apply(job, &mut basket, command, order), before.is_some());
    let new = job.shop.signer.cart(job.cart, basket.items, now);
    effect.carried = new.len();
    effect.token = Some(new);
    effect.kept.token = Some(basket.items);
    effect.kept.expired = expired;
    effect
}
