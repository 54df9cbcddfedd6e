//! Carts, wherever they live.

use std::sync::Arc;

use dashmap::Entry;
use tokio::sync::Mutex;

use super::cart_effect::{CartEffect, apply, keeps_orders};
use super::job::Job;
use super::progress::Serving;
use super::replica;
use crate::base::{Command, Items};
use crate::http::store::{Backend, StoreError, Updated};
use crate::http::token::Carried;
use crate::http::wire::{self, CartId};
use crate::scenario::{CartHome, CartPath, StoreUpdate};
use crate::state::evidence;
use crate::state::shop::{Basket, Order};
use crate::state::store::StoreCall;

/// Most orders that the book takes: beyond that a guest cannot check out.
const MOST_ORDERS: usize = 1_000_000;

/// The order of a visit, for a checkout.
///
/// # Errors
///
/// [`StoreError::Full`] when the book takes no more orders of guests.
pub fn order_of(job: &Job) -> Result<Option<Arc<Mutex<Order>>>, StoreError> {
    if job.command != Command::Checkout {
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

/// The store is asked for the cart that will be written back.
pub async fn read(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let cart = serving.job.cart;
    serving.copy = serving.ask(StoreCall::Before, |store| store.read_cart(cart)).await?;
    Ok(())
}

/// The store changes the cart, shows it, or takes what was made of a copy.
pub async fn update(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    match (serving.job.path, serving.job.shop.serving.update) {
        (CartPath::Both, _) => write_too(serving).await,
        (CartPath::StoreThenMemory, _) => read_through(serving).await,
        (CartPath::Usual, StoreUpdate::ReadModifyWrite) => write_back(serving).await,
        (CartPath::Usual, StoreUpdate::Atomic) | (CartPath::Store | CartPath::Memory, _) => change(serving).await,
    }
}

/// What the store is told to do to the cart. What was charged before is not taken out again.
fn told(serving: &Serving) -> Command {
    let again = serving.order.as_ref().is_some_and(|order| order.is_charged());
    let stays = again || (keeps_orders(serving.job) && serving.job.command == Command::Checkout);
    if stays { Command::View } else { serving.job.command }
}

/// The cart was changed in the store; there it had held this.
fn changed(serving: &mut Serving, before: Option<Items>) {
    let mut basket = Basket { items: before.unwrap_or_default() };
    let applied = apply(serving.job, &mut basket, serving.order.as_deref_mut());
    serving.cart = Some(CartEffect::of(applied, before.is_some()));
}

/// All at once, in the store.
async fn change(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (cart, command) = (serving.job.cart, told(serving));
    let updated = serving.ask(StoreCall::After, |store| store.update_cart(cart, command)).await?;
    changed(serving, updated.before);
    Ok(())
}

/// What this process has in its memory.
fn remembered(job: &Job) -> Option<Items> {
    job.process.memory.carts.get(&job.cart).map(|cart| *cart)
}

/// The same, by one call, if the cart is there. One that is only in this process's memory will be copied.
async fn read_through(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (cart, command, in_memory) = (serving.job.cart, told(serving), remembered(serving.job));
    let anyway = in_memory.is_none();
    let found = serving.ask(StoreCall::After, |store| Box::pin(change_if_there(store, cart, command, anyway))).await?;
    if let Some(updated) = found {
        changed(serving, updated.before);
    } else {
        serving.copy = in_memory;
        serving.copies_over();
    }
    Ok(())
}

/// What a script in the store would do. `anyway`: also when the cart is not there.
async fn change_if_there(
    store: &dyn Backend,
    cart: CartId,
    command: Command,
    anyway: bool,
) -> Result<Option<Updated>, StoreError> {
    if !anyway && store.read_cart(cart).await?.is_none() {
        return Ok(None);
    }
    store.update_cart(cart, command).await.map(Some)
}

/// The store takes a cart that was found only in memory, changed.
pub async fn copy_over(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let copy = serving.copy;
    write_changed(serving, copy).await.map(drop)
}

/// Before a change is made in memory, all of the cart as it will be then is written to the store.
async fn write_too(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (cart, command) = (serving.job.cart, told(serving));
    let mut basket = Basket { items: remembered(serving.job).unwrap_or_default() };
    basket.apply(command);
    serving.ask(StoreCall::After, |store| store.write_cart(cart, basket.items)).await.map(drop)
}

/// What was read at the start is changed here and written back, whatever happened to it meanwhile.
async fn write_back(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let copy = serving.copy;
    let (written, replaced) = write_changed(serving, copy).await?;
    if let Some(effect) = &mut serving.cart {
        let there = replaced.unwrap_or_default();
        effect.kept.overwritten = evidence::overwritten(there, serving.job.command, effect.held, written);
    }
    Ok(())
}

/// Writes to the store what the command makes of a copy. Nothing is charged unless the write gets through. Returns what was
/// written, and what it replaced.
async fn write_changed(serving: &mut Serving<'_>, copy: Option<Items>) -> Result<(Items, Option<Items>), StoreError> {
    let cart = serving.job.cart;
    let mut basket = Basket { items: copy.unwrap_or_default() };
    let mut order = serving.order.as_deref().copied();
    let applied = apply(serving.job, &mut basket, order.as_mut());
    let replaced = serving.ask(StoreCall::After, |store| store.write_cart(cart, basket.items)).await?;
    if let (Some(book), Some(order)) = (serving.order.as_deref_mut(), order) {
        *book = order;
    }
    serving.cart = Some(CartEffect::of(applied, copy.is_some()));
    Ok((basket.items, replaced))
}

/// What a request does to its cart: done already, in the store; or now, in this process's memory or in the request's token.
pub fn effect(serving: &mut Serving) -> Option<CartEffect> {
    if serving.cart.is_some() || !serving.job.command.touches_cart() {
        return serving.cart.take();
    }
    let job = serving.job;
    let order = serving.order.as_deref_mut();
    Some(match job.shop.serving.homes.cart {
        CartHome::ServerMemory => in_memory(job, order),
        CartHome::ReplicatedMemory => replica::in_copy(job, order),
        CartHome::SignedToken => in_token(job, order),
        CartHome::SharedStore => shown(job, serving.copy),
    })
}

/// A view of the copy that was read.
fn shown(job: &Job, copy: Option<Items>) -> CartEffect {
    let mut basket = Basket { items: copy.unwrap_or_default() };
    CartEffect::of(apply(job, &mut basket, None), copy.is_some())
}

/// Bytes of the cart that a request carries: all requests do, whatever they ask.
pub fn carried(job: &Job) -> usize {
    let travels = job.shop.serving.homes.cart.travels();
    wire::cookie(&job.request.headers, wire::CART).filter(|_| travels).map_or(0, str::len)
}

fn in_memory(job: &Job, order: Option<&mut Order>) -> CartEffect {
    let place = job.process.memory.carts.entry(job.cart);
    let before = match &place {
        Entry::Occupied(cart) => Some(*cart.get()),
        Entry::Vacant(_) => None,
    };
    let mut basket = Basket { items: before.unwrap_or_default() };
    let mut effect = CartEffect::of(apply(job, &mut basket, order), before.is_some());
    place.insert(basket.items);
    effect.kept.copy = Some(basket.items);
    effect
}

fn in_token(job: &Job, order: Option<&mut Order>) -> CartEffect {
    let now = job.shop.clock.now();
    let token = wire::cookie(&job.request.headers, wire::CART);
    let carried = token.and_then(|token| job.shop.signer.carried(token, job.cart, now));
    let (before, expired) = match carried {
        Some(Carried::Good(items)) => (Some(items), Items::NONE),
        Some(Carried::Expired(items)) => (None, items),
        None => (None, Items::NONE),
    };
    let mut basket = Basket { items: before.unwrap_or_default() };
    let mut effect = CartEffect::of(apply(job, &mut basket, order), before.is_some());
    let new = job.shop.signer.cart(job.cart, basket.items, now);
    effect.carried = new.len();
    effect.token = Some(new);
    effect.kept.token = Some(basket.items);
    effect.kept.expired = expired;
    effect
}
