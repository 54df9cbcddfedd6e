//! What requests do to carts, in every home.

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
use crate::state::moving_carts::MovingEffect;
use crate::state::shop::{self, Basket, Order};
use crate::state::store::StoreCall;

/// The most orders that the order book takes. When it is full, guests cannot check out.
const MOST_ORDERS: usize = 1_000_000;

/// For a checkout: the order of its visit.
///
/// # Errors
///
/// [`StoreError::Full`] when the order book has no room for another guest.
pub fn order_of(job: &Job) -> Result<Option<Arc<Mutex<Order>>>, StoreError> {
    if job.command != Command::Checkout {
        return Ok(None);
    }
    let given = job.request.headers.get(wire::IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let orders = if keeps_orders(job) { &job.process.local.orders } else { &job.shop.orders };
    let key = match (job.request.id, given) {
        (Some(_), Some(visit)) => visit.to_owned(),
        (Some(_), None) => job.cart.to_string(),
        (None, Some(key)) => format!("guest {}: {key}", job.cart),
        // Without an idempotency key, each checkout is a new order.
        (None, None) => return Ok(Some(Arc::default())),
    };
    if job.request.id.is_none() && orders.len() >= MOST_ORDERS {
        return Err(StoreError::Full);
    }
    Ok(Some(Arc::clone(&orders.entry(key).or_default())))
}

/// Whether the effect of a request reaches a cart. Guests' visits never end.
fn reaches_cart(job: &Job) -> bool {
    let is_open = job.request.id.is_none_or(|id| !job.shop.log.is_over(id.visit()));
    shop::reaches_cart(job.command, is_open)
}

/// Reads the cart that will be changed and written back.
pub async fn read(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let cart = serving.job.cart;
    serving.copy = serving.ask(StoreCall::Before, |store| store.read_cart(cart)).await?;
    Ok(())
}

/// Changes or reads the cart in the store, or writes back a changed copy.
pub async fn update(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    if !reaches_cart(serving.job) {
        // The call takes its time, and finds nothing to do.
        return serving.ask(StoreCall::After, |_| Box::pin(std::future::ready(Ok(())))).await;
    }
    match (serving.job.path, serving.job.shop.serving.update) {
        (CartPath::Usual, StoreUpdate::ReadModifyWrite) => write_back(serving).await,
        (CartPath::Usual, StoreUpdate::Atomic) => change(serving).await,
        (path, _) if path.asks_memory() => write_too(serving).await,
        _ => change_or_move_over(serving).await,
    }
}

/// The command for the store. A checkout that has already been charged only looks at the cart.
fn store_command(serving: &Serving) -> Command {
    let again = serving.order.as_ref().is_some_and(|order| order.is_charged());
    let stays = again || (keeps_orders(serving.job) && serving.job.command == Command::Checkout);
    if stays { Command::View } else { serving.job.command }
}

/// Notes that the store has changed the cart, which held `before`.
fn changed(serving: &mut Serving, before: Option<Items>) {
    let mut basket = Basket { items: before.unwrap_or_default() };
    let applied = apply(serving.job, &mut basket, serving.order.as_deref_mut());
    serving.cart = Some(CartEffect::of(applied, before.is_some()));
}

/// Changes the cart in the store, atomically.
async fn change(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (cart, command) = (serving.job.cart, store_command(serving));
    let updated = serving.ask(StoreCall::After, |store| store.update_cart(cart, command)).await?;
    changed(serving, updated.before);
    Ok(())
}

/// The cart in this process's memory, if it is there.
fn remembered(job: &Job) -> Option<Items> {
    job.process.memory.carts.get(&job.cart).map(|cart| *cart)
}

/// The same during a migration, in one call. A cart that is only in this process's memory is moved over instead.
async fn change_or_move_over(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (job, command, in_memory) = (serving.job, store_command(serving), remembered(serving.job));
    let moves =
        move |stored| MovingEffect::of(job.path, job.command, stored, in_memory.is_some()) == MovingEffect::MovesOver;
    let cart = job.cart;
    let found = serving.ask(StoreCall::After, |store| Box::pin(change_unless(store, cart, command, moves))).await?;
    if let Some(updated) = found {
        changed(serving, updated.before);
    } else {
        serving.copy = in_memory;
        serving.moves_over();
    }
    Ok(())
}

/// What a script in the store would do: it changes the cart, unless `moves` says otherwise, given whether the store has
/// the cart.
async fn change_unless(
    store: &dyn Backend,
    cart: CartId,
    command: Command,
    moves: impl Fn(bool) -> bool + Send,
) -> Result<Option<Updated>, StoreError> {
    if moves(store.read_cart(cart).await?.is_some()) {
        return Ok(None);
    }
    store.update_cart(cart, command).await.map(Some)
}

/// Changes a cart that was found only in memory, and writes it to the store.
pub async fn copy_over(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let copy = serving.copy;
    write_changed(serving, copy).await.map(drop)
}

/// Dual write: before the cart is changed in memory, the whole changed cart is written to the store.
async fn write_too(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let (cart, command) = (serving.job.cart, store_command(serving));
    let mut basket = Basket { items: remembered(serving.job).unwrap_or_default() };
    basket.apply(command);
    serving.ask(StoreCall::After, |store| store.write_cart(cart, basket.items)).await.map(drop)
}

/// Changes the copy that was read at the start and writes it back, whatever the store holds by now.
async fn write_back(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let copy = serving.copy;
    let (written, replaced) = write_changed(serving, copy).await?;
    if let Some(effect) = &mut serving.cart {
        let there = replaced.unwrap_or_default();
        effect.kept.overwritten = evidence::overwritten(there, serving.job.command, effect.held, written);
    }
    Ok(())
}

/// Applies the command to a copy and writes the result to the store. Nothing is charged if the write fails. Returns
/// what was written, and what it replaced.
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

/// The effect of a request on its cart: either the store has already applied it, or it happens now, in this process's
/// memory or in the token.
pub fn effect(serving: &mut Serving) -> Option<CartEffect> {
    if serving.cart.is_some() || !reaches_cart(serving.job) {
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

/// Shows the copy that was read.
fn shown(job: &Job, copy: Option<Items>) -> CartEffect {
    let mut basket = Basket { items: copy.unwrap_or_default() };
    CartEffect::of(apply(job, &mut basket, None), copy.is_some())
}

/// The size in bytes of the cart token in a request. Every request carries it, whatever it asks for.
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
