//! Verdicts on carts, based only on what users sent and what they were told.
//!
//! For every visit the checker keeps what must be in the cart and what may be in it. `must`: adds that were
//! acknowledged before the checkout was sent and have not been removed since, not even possibly. `may`: `must` plus
//! items whose adds or removes have an unknown outcome or are concurrent with the checkout. An unknown outcome is
//! never a loss.

mod files;
mod hidden;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ClientId, Command, Item, Items, Outcome, Refusal, Reply, UserId, Visit};
use crate::history::{AbandonReason, Ending, Request, Seen};

pub use files::FileCounts;
pub use hidden::{Allowance, HiddenCounts};

/// What became of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartVerdict {
    /// Charged correctly.
    Intact,
    /// These items were acknowledged but not charged.
    Lost(Items),
    /// Nothing was missing, but these items, which cannot have been in the cart, were charged.
    Overcharged(Items),
    /// Given up before checkout.
    Abandoned(AbandonReason),
    /// Checkout was sent and never answered.
    Unknown,
}

/// A finding of the checker about one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A first add was sent.
    Opened,
    /// A cart ended.
    Cart(CartVerdict),
    /// A view lacked an item that must be there, or showed one that cannot be.
    WrongView,
    /// A user with a session was told 401.
    LoggedOut,
    /// A forged session was accepted.
    Impostor,
    /// A file whose upload was acknowledged was not found.
    MissingFile,
    /// A copy of a session was accepted after its user had logged out.
    Zombie,
    /// A form was refused.
    Forbidden,
    /// A page was older than one that its user had already seen.
    StalePage,
}

/// Counts of everything the checker judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::Figures")]
pub struct Counts {
    pub opened: u64,
    pub intact: u64,
    pub lost: u64,
    pub overcharged: u64,
    pub abandoned: u64,
    pub unknown: u64,
    pub views: u64,
    pub wrong_views: u64,
    pub logged_out: u64,
    pub impostors: u64,
    pub impostors_accepted: u64,
    pub replays: u64,
    pub zombie_logins: u64,
    pub ghosts: u64,
    pub double_charges: u64,
    pub users: u64,
    pub users_hurt: u64,
    pub files: FileCounts,
    pub hidden: HiddenCounts,
    pub retried_checkouts: u64,
}

impl Counts {
    /// Carts that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.intact + self.lost + self.overcharged + self.abandoned + self.unknown
    }
}

/// What the checker keeps for each open visit: 16 bytes, because there may be millions.
#[derive(Clone, Copy, Debug, Default)]
struct Cart {
    /// Items with an acknowledged add and no acknowledged remove. After the charge: what was bought.
    held: Items,
    /// The item of the add or remove in flight; 0 if there is none. Further ones are in the doubts.
    pending: u8,
    flags: u8,
    /// Views in flight.
    views_out: u8,
    /// Checkouts in flight.
    checkouts_out: u8,
    bills: u8,
}

const OPENED: u8 = 1;
const ENDED: u8 = 2;
const PENDING_IS_REMOVE: u8 = 4;
/// A checkout was sent and may have had an effect, or it was answered.
const CHECKOUT_OUT: u8 = 8;
const CHECKOUT_UNKNOWN: u8 = 16;
const CHARGED: u8 = 32;
const IN_DOUBT: u8 = 64;
/// A checkout was retried after one with an unknown outcome.
const CHECKOUT_RETRIED: u8 = 128;

/// Rarely needed data about a visit, kept separately.
#[derive(Clone, Copy, Debug, Default)]
struct Doubts {
    /// Adds whose effect is unknown, or whose order relative to other requests for the same item is unknown.
    adds: Items,
    /// The same for removes.
    removes: Items,
    /// Acknowledged removes: none of these may come back.
    removed: Items,
    /// Adds in flight, beyond the first.
    pending_adds: Items,
    pending_removes: Items,
    /// Adds acknowledged while a checkout was in flight.
    added_during_checkout: Items,
    removed_during_checkout: Items,
    /// Items added while a checkout was in flight and not removed since: it may have left them in the cart.
    left_over: Items,
    /// Adds acknowledged while a view was in flight.
    added_during_view: Items,
    /// Removes acknowledged, or items bought, while a view was in flight.
    removed_during_view: Items,
    /// Ghosts that have already been counted.
    ghosts: Items,
}

/// The streaming checker.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    carts: Vec<Cart>,
    doubts: BTreeMap<u32, Doubts>,
    users: UserSet,
    hurt: UserSet,
    files: files::Files,
    /// Absent if servers have no hidden state.
    hidden: Option<Box<hidden::Hidden>>,
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
        Checker { hidden: Some(Box::new(hidden::Hidden::new(allowance))), ..Checker::default() }
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

    #[cold]
    fn observe_hidden(&mut self, visit: Visit, seen: &Seen) -> Option<Finding> {
        let hidden = self.hidden.as_mut()?;
        let found = hidden.observe(visit, seen);
        self.counts.hidden = hidden.counts;
        if found == Some(Finding::Forbidden) {
            self.hurt(visit.user);
        }
        found
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
            Seen::Told { request, outcome, .. } => self.told(visit, request, outcome),
            Seen::Left(ending) => self.left(visit, ending),
        }
    }

    fn began(&mut self, visit: Visit) {
        let index = visit.client.index();
        if index >= self.carts.len() {
            self.carts.resize(index + 1, Cart::default());
        }
        self.carts[index] = Cart::default();
        self.counts.users += u64::from(self.users.insert(visit.user));
    }

    #[inline(always)]
    fn sent(&mut self, visit: Visit, request: Request) -> Option<Finding> {
        let cart = &mut self.carts[visit.client.index()];
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
        let (must, may) = self.view_bounds(visit, cart);
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

    /// What a view that is answered now must show, and what it may show.
    fn view_bounds(&mut self, visit: Visit, cart: Cart) -> (Items, Items) {
        let (mut must, mut may) = if cart.flags & CHARGED == 0 { (cart.held, cart.held) } else { Default::default() };
        if let Some(item) = Item::new(cart.pending) {
            may = may.with(item);
            if cart.flags & PENDING_IS_REMOVE != 0 {
                must = must.without(item);
            }
        }
        if cart.flags & IN_DOUBT != 0 {
            let doubts = self.doubts(visit);
            must = must.minus(doubts.removes).minus(doubts.pending_removes).minus(doubts.added_during_view);
            may = may.union(doubts.adds).union(doubts.pending_adds).union(doubts.removed_during_view);
            if cart.flags & CHARGED != 0 {
                may = may.union(doubts.left_over);
            }
            if cart.views_out == 0 {
                doubts.added_during_view = Items::NONE;
                doubts.removed_during_view = Items::NONE;
            }
        }
        if cart.flags & (CHECKOUT_OUT | CHECKOUT_UNKNOWN) != 0 {
            must = Items::NONE; // a checkout may have emptied it
        }
        (must, may)
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

    /// What a checkout that is answered now must charge, and what it may charge.
    fn charge_bounds(&mut self, visit: Visit, cart: Cart) -> (Items, Items) {
        let (mut must, mut may) = (cart.held, cart.held);
        if let Some(item) = Item::new(cart.pending) {
            may = may.with(item);
            if cart.flags & PENDING_IS_REMOVE != 0 {
                must = must.without(item);
            }
        }
        if cart.flags & IN_DOUBT != 0 {
            let doubts = self.doubts(visit);
            let during = doubts.added_during_checkout.union(doubts.removed_during_checkout);
            must = must.minus(doubts.removes).minus(doubts.pending_removes).minus(during);
            may = may.union(doubts.adds).union(doubts.pending_adds).union(during);
        }
        if cart.views_out > 0 {
            // The view may still show the items that were bought.
            let doubts = self.doubts(visit);
            doubts.removed_during_view = doubts.removed_during_view.union(cart.held);
        }
        (must, may)
    }

    fn judge(&mut self, visit: Visit, charged: Items) -> Option<Finding> {
        let cart = self.carts[visit.client.index()];
        if cart.flags & ENDED != 0 || cart.flags & OPENED == 0 {
            return None;
        }
        let (must, may) = self.charge_bounds(visit, cart);
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

    #[cold]
    fn file_told(&mut self, user: UserId, command: Command, outcome: Outcome) -> Option<Finding> {
        let missing = self.files.told(user, command, outcome);
        self.counts.files = self.files.counts();
        if !missing {
            return None;
        }
        self.hurt(user);
        Some(Finding::MissingFile)
    }

    /// After the end of the run: all files of a user that still exist anywhere.
    pub fn audited(&mut self, user: UserId, found: Items) {
        let gone = self.files.audited(user, found);
        self.counts.files = self.files.counts();
        if gone {
            self.hurt(user);
        }
    }

    fn forgery_told(&mut self, outcome: Outcome) -> Option<Finding> {
        self.counts.impostors += 1;
        if !matches!(outcome, Outcome::Ok(_)) {
            return None;
        }
        self.counts.impostors_accepted += 1;
        Some(Finding::Impostor)
    }

    /// A journey replays a session only after the logout was acknowledged.
    fn replay_told(&mut self, outcome: Outcome) -> Option<Finding> {
        self.counts.replays += 1;
        if !matches!(outcome, Outcome::Ok(_)) {
            return None;
        }
        self.counts.zombie_logins += 1;
        Some(Finding::Zombie)
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

    #[cold]
    fn doubts(&mut self, visit: Visit) -> &mut Doubts {
        self.carts[visit.client.index()].flags |= IN_DOUBT;
        self.doubts.entry(visit.client.0).or_default()
    }

    fn hurt(&mut self, user: UserId) {
        self.counts.users_hurt += u64::from(self.hurt.insert(user));
    }
}

/// A set of users, one bit each.
#[derive(Clone, Debug, Default)]
struct UserSet(Vec<u64>);

impl UserSet {
    /// True if the user was not in the set.
    #[inline]
    fn insert(&mut self, user: UserId) -> bool {
        let (word, bit) = (user.0 as usize / 64, 1 << (user.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_users_has_a_bit_for_each() {
        let mut set = UserSet::default();
        assert!((0..1_000).map(UserId).all(|user| set.insert(user)), "each of them is new");
        assert!(!(0..1_000).map(UserId).any(|user| set.insert(user)), "and then known");
        assert_eq!(set.0.len(), 16);
    }

    #[test]
    fn a_cart_that_has_ended_has_ended_in_one_way() {
        let counts =
            Counts { opened: 64, intact: 1, lost: 2, overcharged: 4, abandoned: 8, unknown: 16, ..Counts::default() };
        assert_eq!(counts.ended(), 31);
    }
}
