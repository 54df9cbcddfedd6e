//! What is known about the cart of an open visit.

use crate::base::{Item, Items};

/// What the checker keeps for each open visit: 16 bytes, because there may be millions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cart {
    /// Items with an acknowledged add and no acknowledged remove. After the charge: what was bought.
    pub(super) held: Items,
    /// The item of the add or remove in flight; 0 if there is none. Further ones are in the doubts.
    pub(super) pending: u8,
    pub(super) flags: u8,
    /// Views in flight.
    pub(super) views_out: u8,
    /// Checkouts in flight.
    pub(super) checkouts_out: u8,
    pub(super) bills: u8,
    /// Steps that were begun and are neither done nor given up: their user waits for an answer, or to try again.
    pub(super) open_steps: u8,
}

pub(super) const OPENED: u8 = 1;
pub(super) const ENDED: u8 = 2;
pub(super) const PENDING_IS_REMOVE: u8 = 4;
/// A checkout was sent and may have had an effect, or it was answered.
pub(super) const CHECKOUT_OUT: u8 = 8;
pub(super) const CHECKOUT_UNKNOWN: u8 = 16;
pub(super) const CHARGED: u8 = 32;
pub(super) const IN_DOUBT: u8 = 64;
/// A checkout was retried after one with an unknown outcome.
pub(super) const CHECKOUT_RETRIED: u8 = 128;

/// Rarely needed data about a visit, kept separately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    /// Adds whose effect is unknown, or whose order relative to other requests for the same item is unknown.
    pub(super) adds: Items,
    /// The same for removes.
    pub(super) removes: Items,
    /// Acknowledged removes: none of these may come back.
    pub(super) removed: Items,
    /// Adds in flight, beyond the first.
    pub(super) pending_adds: Items,
    pub(super) pending_removes: Items,
    /// Adds acknowledged while a checkout was in flight.
    pub(super) added_during_checkout: Items,
    pub(super) removed_during_checkout: Items,
    /// Items added while a checkout was in flight and not removed since: it may have left them in the cart.
    pub(super) left_over: Items,
    /// Adds acknowledged while a view was in flight.
    pub(super) added_during_view: Items,
    /// Removes acknowledged, or items bought, while a view was in flight.
    pub(super) removed_during_view: Items,
    /// Ghosts that have already been counted.
    pub(super) ghosts: Items,
}

impl Cart {
    /// What a view that is answered now must show, and what it may show. `doubts`: if there are any about this cart.
    pub(super) fn view_bounds(self, doubts: Option<&mut Doubts>) -> (Items, Items) {
        let (mut must, mut may) = if self.flags & CHARGED == 0 { (self.held, self.held) } else { Default::default() };
        self.allow_pending(&mut must, &mut may);
        if let Some(doubts) = doubts {
            must = must.minus(doubts.removes).minus(doubts.pending_removes).minus(doubts.added_during_view);
            may = may.union(doubts.adds).union(doubts.pending_adds).union(doubts.removed_during_view);
            if self.flags & CHARGED != 0 {
                may = may.union(doubts.left_over);
            }
            if self.views_out == 0 {
                doubts.added_during_view = Items::NONE;
                doubts.removed_during_view = Items::NONE;
            }
        }
        if self.flags & (CHECKOUT_OUT | CHECKOUT_UNKNOWN) != 0 {
            must = Items::NONE; // a checkout may have emptied it
        }
        (must, may)
    }

    /// What a checkout that is answered now must charge, and what it may charge.
    pub(super) fn charge_bounds(self, doubts: Option<&mut Doubts>) -> (Items, Items) {
        let (mut must, mut may) = (self.held, self.held);
        self.allow_pending(&mut must, &mut may);
        if let Some(doubts) = doubts {
            let during = doubts.added_during_checkout.union(doubts.removed_during_checkout);
            must = must.minus(doubts.removes).minus(doubts.pending_removes).minus(during);
            may = may.union(doubts.adds).union(doubts.pending_adds).union(during);
        }
        (must, may)
    }

    /// The add or remove in flight may have had its effect, or not.
    fn allow_pending(self, must: &mut Items, may: &mut Items) {
        if let Some(item) = Item::new(self.pending) {
            *may = may.with(item);
            if self.flags & PENDING_IS_REMOVE != 0 {
                *must = must.without(item);
            }
        }
    }
}
