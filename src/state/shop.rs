//! What the shop does, wherever its state lives: it maps a command and a state to a reply and a state.

use crate::base::{Command, Items, Reply};

/// One copy of a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Basket {
    /// The items in it.
    pub items: Items,
}

impl Basket {
    /// Executes a command atomically. A checkout empties the basket.
    #[inline]
    pub fn apply(&mut self, command: Command) -> Reply {
        match command {
            Command::Add(item) => self.items = self.items.with(item),
            Command::Remove(item) => self.items = self.items.without(item),
            Command::View => return Reply::Cart(self.items),
            Command::Checkout => return Reply::Charged(std::mem::take(&mut self.items)),
            // Sessions and files are kept elsewhere.
            Command::Login
            | Command::Logout
            | Command::ForgeSession
            | Command::ReplayToken
            | Command::Browse
            | Command::Upload(_)
            | Command::Download(_) => {}
        }
        Reply::Done
    }
}

/// What a visit was charged: its entry in the order book, where the visit is the idempotency key of its checkout.
///
/// The order book is durable and shared in every design, like that of a payment provider: a retried checkout is
/// answered with the first charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order(Option<Items>);

impl Order {
    /// Whether the visit has been charged (possibly for nothing).
    #[must_use]
    pub fn is_charged(&self) -> bool {
        self.0.is_some()
    }

    /// Checks out a basket. Returns the reply, and what was charged now (`None` if it had been charged before).
    #[inline]
    pub fn charge(&mut self, basket: &mut Basket) -> (Reply, Option<Items>) {
        if let Some(before) = self.0 {
            return (Reply::Charged(before), None);
        }
        let items = basket.items;
        let reply = basket.apply(Command::Checkout);
        self.0 = Some(items);
        (reply, Some(items))
    }
}

/// Whether the effect of a request, at the end of its service, reaches a cart. A user who leaves cancels nothing, but when
/// the whole visit is over by then, nobody will look into that cart again, and it stays as it is.
#[inline]
#[must_use]
pub fn reaches_cart(command: Command, visit_is_open: bool) -> bool {
    command.touches_cart() && visit_is_open
}

/// What a command did to one copy of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The answer.
    pub reply: Reply,
    /// What the cart held after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// A charge that appears on the statement.
    pub billed: Option<Items>,
}

/// Applies a command to one copy of a cart, a checkout by way of the order book. `own_book`: each process knows only what
/// it has charged itself. Then the cart does not tell that it is bought, and is not emptied.
#[inline]
pub fn apply(basket: &mut Basket, command: Command, order: Option<&mut Order>, own_book: bool) -> Applied {
    let Some(order) = order.filter(|_| command == Command::Checkout) else {
        let reply = basket.apply(command);
        return Applied { reply, held: basket.items, billed: None };
    };
    let held = basket.items;
    let (reply, billed) = order.charge(basket);
    if own_book {
        basket.items = held;
    }
    Applied { reply, held, billed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Item;

    #[test]
    fn a_cart_fills_shows_and_empties() {
        let [mug, lamp] = [1, 2].map(|n| Item::new(n).expect("in range"));
        let mut basket = Basket::default();
        assert_eq!(basket.apply(Command::Add(mug)), Reply::Done);
        assert_eq!(basket.apply(Command::Add(lamp)), Reply::Done);
        assert_eq!(basket.apply(Command::Remove(mug)), Reply::Done);
        assert_eq!(basket.apply(Command::Remove(mug)), Reply::Done);
        assert_eq!(basket.apply(Command::View), Reply::Cart(Items::of(lamp)));
        assert_eq!(basket.apply(Command::Browse), Reply::Done);
        assert_eq!(basket.apply(Command::Checkout), Reply::Charged(Items::of(lamp)));
        assert_eq!(basket.apply(Command::View), Reply::Cart(Items::NONE));
    }

    #[test]
    fn nothing_reaches_the_cart_of_a_visit_that_is_over() {
        assert!(reaches_cart(Command::Checkout, true) && !reaches_cart(Command::Checkout, false));
        assert!(!reaches_cart(Command::Browse, true));
    }

    #[test]
    fn a_checkout_that_is_tried_again_charges_once() {
        let mug = Items::of(Item::new(1).expect("in range"));
        let mut order = Order::default();
        assert!(!order.is_charged());
        let mut basket = Basket { items: mug };
        assert_eq!(order.charge(&mut basket), (Reply::Charged(mug), Some(mug)));
        assert!(order.is_charged());
        let mut elsewhere = Basket::default();
        assert_eq!(order.charge(&mut elsewhere), (Reply::Charged(mug), None));
    }

    #[test]
    fn a_process_with_a_book_of_its_own_leaves_the_cart_as_it_is() {
        let mug = Items::of(Item::new(1).expect("in range"));
        for (own_book, left) in [(false, Items::NONE), (true, mug)] {
            let mut basket = Basket { items: mug };
            let applied = apply(&mut basket, Command::Checkout, Some(&mut Order::default()), own_book);
            assert_eq!(applied, Applied { reply: Reply::Charged(mug), held: mug, billed: Some(mug) });
            assert_eq!(basket.items, left);
        }
    }
}
