//! Verdicts on carts, based only on what users sent and what they were told.
//!
//! For every visit the checker keeps what must be in the cart and what may be in it. `must`: adds that were
//! acknowledged before the checkout was sent and have not been removed since, not even possibly. `may`: `must` plus
//! items whose adds or removes have an unknown outcome or are concurrent with the checkout. An unknown outcome is
//! never a loss.

mod beside_carts;
mod cart;
mod counts;
mod findings;
mod inconsistencies;
mod missing_files;
mod user_set;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ClientId, Command, Item, Items, Outcome, Refusal, Reply, UserId, Visit};
use crate::history::{AbandonReason, Ending, Request, Seen};

use cart::{
    CHARGED, CHECKOUT_OUT, CHECKOUT_RETRIED, CHECKOUT_UNKNOWN, Cart, Doubts, ENDED, IN_DOUBT, OPENED, PENDING_IS_REMOVE,
};
pub use counts::Counts;
pub use findings::{CartVerdict, Finding};
use inconsistencies::Inconsistencies;
pub use inconsistencies::{Allowance, HiddenCounts};
pub use missing_files::FileCounts;
use missing_files::Files;
use user_set::UserSet;

/// The streaming checker.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    carts: Vec<Cart>,
    doubts: BTreeMap<u32, Doubts>,
    /// Whose cart it is, by client.
    owners: Vec<UserId>,
    users: UserSet,
    hurt: UserSet,
    files: Files,
    /// Absent if servers have no hidden state.
    hidden: Option<Box<Inconsistencies>>,
    counts: Counts,
}

impl Checker {
    /// A checker that has seen no events.
    #[must_use]
    pub fn new() -> Checker {
        Checker::default()
    }

    /// A checker for a pool that may have hidden state. `allowance`: what a rate limiter should allow each user.
    #[must_use]
    pub fn of_hidden_state(allowance: Option<Allowance>) -> Checker {
        Checker { hidden: Some(Box::new(Inconsistencies::new(allowance))), ..Checker::default() }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The number of open carts, counted one by one.
    #[must_use]
    pub fn open_carts(&self) -> u64 {
        self.carts.iter().filter(|cart| cart.flags & (OPENED | ENDED) == OPENED).count() as u64
    }

    /// How many users whom nothing else has hurt wait for the answer to a step, at whatever attempt. At the end of a run
    /// they have waited in vain.
    #[must_use]
    pub fn users_without_answer(&self) -> u64 {
        let mut hurt = self.hurt.clone();
        let waiting = self.carts.iter().zip(&self.owners).filter(|(cart, _)| cart.open_steps > 0);
        waiting.filter(|(_, user)| hurt.insert(**user)).count() as u64
    }

    /// The clients of carts that are open.
    #[must_use]
    pub fn clients_with_open_carts(&self) -> BTreeSet<ClientId> {
        let open = |cart: &Cart| cart.flags & (OPENED | ENDED) == OPENED;
        (0u32..).zip(&self.carts).filter(|(_, cart)| open(cart)).map(|(client, _)| ClientId(client)).collect()
    }

    /// Prefetches the data that the next events of these clients will need.
    #[inline]
    pub fn prefetch(&self, clients: impl Iterator<Item = ClientId>) {
        let carts = clients.filter_map(|client| self.carts.get(client.index()));
        std::hint::black_box(carts.fold(0, |sum, cart| sum ^ cart.held.0));
    }

    /// Records one event.
    #[inline(always)]
    pub fn observe(&mut self, visit: Visit, seen: &Seen) -> Option<Finding> {
        let found = self.observe_cart(visit, seen);
        if self.hidden.is_some() { found.or(self.observe_hidden(visit, seen)) } else { found }
    }

    #[inline(always)]
    fn observe_cart(&mut self, visit: Visit, seen: &Seen) -> Option<Finding> {
        match *seen {
            Seen::Began => {
                self.began(visit);
                None
            }
            Seen::Sent(request) => self.sent(visit, request),
            Seen::Billed(_) => {
                self.billed(visit);
                None
            }
            Seen::Told { request, outcome, settled, .. } => {
                let cart = &mut self.carts[visit.client.index()];
                cart.open_steps = cart.open_steps.saturating_sub(u8::from(settled));
                self.told(visit, request, outcome)
            }
            Seen::Left(ending) => self.left(visit, ending),
        }
    }

    fn began(&mut self, visit: Visit) {
        let index = visit.client.index();
        if index >= self.carts.len() {
            self.carts.resize(index + 1, Cart::default());
            self.owners.resize(index + 1, visit.user);
        }
        self.carts[index] = Cart::default();
        self.owners[index] = visit.user;
        self.counts.users += u64::from(self.users.insert(visit.user));
    }

    #[inline(always)]
    fn sent(&mut self, visit: Visit, request: Request) -> Option<Finding> {
        let cart = &mut self.carts[visit.client.index()];
        cart.open_steps = cart.open_steps.saturating_add(u8::from(request.attempt == 0));
        match request.command {
            Command::Add(item) => {
                if cart.pending == 0 {
                    cart.pending = item.number();
                    cart.flags &= !PENDING_IS_REMOVE;
                } else {
                    self.one_more_pending(visit, item, false);
                }
                return self.open(visit);
            }
            Command::Remove(item) => {
                if cart.pending == 0 {
                    cart.pending = item.number();
                    cart.flags |= PENDING_IS_REMOVE;
                } else {
                    self.one_more_pending(visit, item, true);
                }
            }
            Command::View => cart.views_out = cart.views_out.saturating_add(1),
            Command::Checkout => {
                if cart.flags & (CHECKOUT_UNKNOWN | CHECKOUT_RETRIED) == CHECKOUT_UNKNOWN {
                    cart.flags |= CHECKOUT_RETRIED;
                    self.counts.retried_checkouts += 1;
                }
                cart.flags |= CHECKOUT_OUT;
                cart.checkouts_out = cart.checkouts_out.saturating_add(1);
            }
            _ => {}
        }
        None
    }

    #[inline]
    fn open(&mut self, visit: Visit) -> Option<Finding> {
        let cart = &mut self.carts[visit.client.index()];
        if cart.flags & OPENED != 0 {
            return None;
        }
        cart.flags |= OPENED;
        self.counts.opened += 1;
        Some(Finding::Opened)
    }

    /// Two requests for the same item are in flight, so their order is unknown.
    #[cold]
    fn one_more_pending(&mut self, visit: Visit, item: Item, remove: bool) {
        let pending = self.carts[visit.client.index()].pending;
        let doubts = self.doubts(visit);
        if pending == item.number() || doubts.pending_adds.union(doubts.pending_removes).contains(item) {
            doubts.adds = doubts.adds.with(item);
            doubts.removes = doubts.removes.with(item);
        }
        let side = if remove { &mut doubts.pending_removes } else { &mut doubts.pending_adds };
        *side = side.with(item);
    }

    /// An order on the user's statement. A second one for the same visit is a double charge.
    fn billed(&mut self, visit: Visit) {
        let cart = &mut self.carts[visit.client.index()];
        cart.bills = cart.bills.saturating_add(1);
        if cart.bills == 2 {
            self.counts.double_charges += 1;
            self.hurt(visit.user);
        }
    }

    #[inline(always)]
    fn told(&mut self, visit: Visit, request: Request, outcome: Outcome) -> Option<Finding> {
        match request.command {
            Command::Add(item) => self.add_told(visit, item, outcome),
            Command::Remove(item) => self.remove_told(visit, item, outcome),
            Command::View => {
                if let Some(finding) = self.view_told(visit, outcome) {
                    return Some(finding);
                }
            }
            Command::Checkout => {
                if let Some(finding) = self.checkout_told(visit, outcome) {
                    return Some(finding);
                }
            }
            Command::ForgeSession => return self.forgery_told(outcome),
            Command::Upload(_) | Command::Download(_) => {
                if let Some(finding) = self.file_told(visit.user, request.command, outcome) {
                    return Some(finding);
                }
            }
            Command::ReplayToken => return self.replay_told(outcome),
            Command::Login | Command::Browse | Command::Logout => {}
        }
        if outcome == Outcome::Refused(Refusal::Unauthorized) {
            self.counts.logged_out += 1;
            self.hurt(visit.user);
            return Some(Finding::LoggedOut);
        }
        None
    }

    #[inline]
    fn add_told(&mut self, visit: Visit, item: Item, outcome: Outcome) {
        self.settle(visit, item, false);
        match outcome {
            Outcome::Ok(_) => {
                let cart = &mut self.carts[visit.client.index()];
                if cart.flags & CHARGED == 0 {
                    cart.held = cart.held.with(item);
                }
                if cart.views_out > 0 || cart.flags & (CHECKOUT_OUT | CHARGED) != 0 {
                    self.added_meanwhile(visit, item);
                }
            }
            Outcome::Failed | Outcome::TimedOut => {
                let doubts = self.doubts(visit);
                doubts.adds = doubts.adds.with(item);
            }
            Outcome::Refused(_) => {}
        }
    }

    /// An add was acknowledged while a checkout or a view was in flight, so their order is unknown.
    #[cold]
    fn added_meanwhile(&mut self, visit: Visit, item: Item) {
        let Cart { flags, views_out, .. } = self.carts[visit.client.index()];
        let doubts = self.doubts(visit);
        if flags & (CHECKOUT_OUT | CHARGED) != 0 {
            doubts.added_during_checkout = doubts.added_during_checkout.with(item);
            doubts.left_over = doubts.left_over.with(item);
        }
        if views_out > 0 {
            doubts.added_during_view = doubts.added_during_view.with(item);
        }
    }

    fn remove_told(&mut self, visit: Visit, item: Item, outcome: Outcome) {
        self.settle(visit, item, true);
        match outcome {
            Outcome::Ok(_) => {
                let cart = &mut self.carts[visit.client.index()];
                if cart.flags & CHARGED == 0 {
                    cart.held = cart.held.without(item);
                }
                let (checking_out, viewing) = (cart.flags & CHECKOUT_OUT != 0, cart.views_out > 0);
                let doubts = self.doubts(visit);
                doubts.removed = doubts.removed.with(item);
                doubts.left_over = doubts.left_over.without(item);
                if checking_out {
                    doubts.removed_during_checkout = doubts.removed_during_checkout.with(item);
                }
                if viewing {
                    doubts.removed_during_view = doubts.removed_during_view.with(item);
                }
            }
            Outcome::Failed | Outcome::TimedOut => {
                let doubts = self.doubts(visit);
                doubts.removes = doubts.removes.with(item);
            }
            Outcome::Refused(_) => {}
        }
    }

    /// A request for this item is no longer in flight.
    #[inline]
    fn settle(&mut self, visit: Visit, item: Item, remove: bool) {
        let cart = &mut self.carts[visit.client.index()];
        if cart.pending == item.number() && (cart.flags & PENDING_IS_REMOVE != 0) == remove {
            cart.pending = 0;
        } else {
            let doubts = self.doubts(visit);
            let side = if remove { &mut doubts.pending_removes } else { &mut doubts.pending_adds };
            *side = side.without(item);
        }
    }

    fn view_told(&mut self, visit: Visit, outcome: Outcome) -> Option<Finding> {
        let cart = &mut self.carts[visit.client.index()];
        cart.views_out = cart.views_out.saturating_sub(1);
        let cart = *cart;
        let (must, may) = cart.view_bounds(self.known_doubts(visit));
        let Outcome::Ok(Reply::Cart(shown)) = outcome else { return None };
        self.counts.views += 1;
        let wrong = !must.minus(shown).is_empty() || !shown.minus(may).is_empty();
        if !shown.minus(may).is_empty() {
            self.count_ghosts(visit, cart, shown.minus(may));
        }
        if !wrong {
            return None;
        }
        self.counts.wrong_views += 1;
        self.hurt(visit.user);
        Some(Finding::WrongView)
    }

    fn checkout_told(&mut self, visit: Visit, outcome: Outcome) -> Option<Finding> {
        let cart = &mut self.carts[visit.client.index()];
        cart.checkouts_out = cart.checkouts_out.saturating_sub(1);
        match outcome {
            Outcome::Ok(Reply::Charged(charged)) => {
                cart.flags &= !CHECKOUT_OUT;
                self.judge(visit, charged)
            }
            Outcome::Ok(_) => None,
            Outcome::Failed | Outcome::TimedOut => {
                cart.flags |= CHECKOUT_UNKNOWN;
                None
            }
            Outcome::Refused(_) => {
                let sure = cart.flags & CHECKOUT_UNKNOWN == 0 && cart.checkouts_out == 0;
                if sure {
                    cart.flags &= !CHECKOUT_OUT;
                }
                if sure && cart.flags & (IN_DOUBT | CHARGED) == IN_DOUBT {
                    self.reopen(visit);
                }
                None
            }
        }
    }

    /// The checkout certainly had no effect: whatever was acknowledged in the meantime counts for the next one.
    fn reopen(&mut self, visit: Visit) {
        let doubts = self.doubts(visit);
        doubts.added_during_checkout = Items::NONE;
        doubts.removed_during_checkout = Items::NONE;
        doubts.left_over = Items::NONE;
    }

    fn judge(&mut self, visit: Visit, charged: Items) -> Option<Finding> {
        let cart = self.carts[visit.client.index()];
        if cart.flags & ENDED != 0 || cart.flags & OPENED == 0 {
            return None;
        }
        let (must, may) = cart.charge_bounds(self.known_doubts(visit));
        if cart.views_out > 0 {
            // The view may still show the items that were bought.
            let doubts = self.doubts(visit);
            doubts.removed_during_view = doubts.removed_during_view.union(cart.held);
        }
        let (missing, extra) = (must.minus(charged), charged.minus(may));
        if !extra.is_empty() {
            self.count_ghosts(visit, cart, extra);
        }
        let cart = &mut self.carts[visit.client.index()];
        cart.held = charged;
        cart.flags |= CHARGED;
        let verdict = if !missing.is_empty() {
            CartVerdict::Lost(missing)
        } else if !extra.is_empty() {
            CartVerdict::Overcharged(extra)
        } else {
            CartVerdict::Intact
        };
        Some(self.end(visit, verdict))
    }

    /// Items that cannot be there, but had been removed or bought, are ghosts. Each counts once.
    #[cold]
    fn count_ghosts(&mut self, visit: Visit, cart: Cart, impossible: Items) {
        let bought = if cart.flags & CHARGED == 0 { Items::NONE } else { cart.held };
        let doubts = self.doubts(visit);
        let ghosts = impossible.intersection(doubts.removed.union(bought)).minus(doubts.ghosts);
        doubts.ghosts = doubts.ghosts.union(ghosts);
        self.counts.ghosts += u64::from(ghosts.len());
    }

    fn end(&mut self, visit: Visit, verdict: CartVerdict) -> Finding {
        let cart = &mut self.carts[visit.client.index()];
        cart.flags |= ENDED;
        let count = match verdict {
            CartVerdict::Intact => &mut self.counts.intact,
            CartVerdict::Lost(_) => &mut self.counts.lost,
            CartVerdict::Overcharged(_) => &mut self.counts.overcharged,
            CartVerdict::Abandoned(_) => &mut self.counts.abandoned,
            CartVerdict::Unknown => &mut self.counts.unknown,
        };
        *count += 1;
        if matches!(verdict, CartVerdict::Lost(_) | CartVerdict::Overcharged(_)) {
            self.hurt(visit.user);
        }
        Finding::Cart(verdict)
    }

    fn left(&mut self, visit: Visit, ending: Ending) -> Option<Finding> {
        if matches!(ending, Ending::GaveUp(_)) {
            self.hurt(visit.user);
        }
        let flags = self.carts[visit.client.index()].flags;
        let finding = (flags & (OPENED | ENDED) == OPENED).then(|| {
            let verdict = match ending {
                _ if flags & CHECKOUT_UNKNOWN != 0 => CartVerdict::Unknown,
                Ending::GaveUp(trouble) => CartVerdict::Abandoned(trouble),
                // Only a journey without a checkout ends like this: its cart was abandoned.
                Ending::Finished => CartVerdict::Abandoned(AbandonReason::Refused),
            };
            self.end(visit, verdict)
        });
        if flags & IN_DOUBT != 0 {
            self.doubts.remove(&visit.client.0);
        }
        self.carts[visit.client.index()] = Cart::default();
        finding
    }

    /// The doubts about a cart, if there are any.
    #[inline]
    fn known_doubts(&mut self, visit: Visit) -> Option<&mut Doubts> {
        let in_doubt = self.carts[visit.client.index()].flags & IN_DOUBT != 0;
        in_doubt.then(|| self.doubts(visit))
    }

    #[cold]
    fn doubts(&mut self, visit: Visit) -> &mut Doubts {
        self.carts[visit.client.index()].flags |= IN_DOUBT;
        self.doubts.entry(visit.client.0).or_default()
    }

    fn hurt(&mut self, user: UserId) {
        self.counts.users_hurt += u64::from(self.hurt.insert(user));
    }
}
