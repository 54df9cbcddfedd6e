//! The cart that a user has filled last, as it ought to be.

use crate::base::{Command, Items};

/// What should be in the cart that was begun last, and what should no longer be.
#[derive(Default)]
pub(super) struct NewestCart {
    held: Items,
    removed: Items,
}

/// What a server's cart shows to be after an acknowledged change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is the one that the user has filled so far, or another one.
    Kept,
    /// It was begun by this change, though the user has a cart already.
    Began,
    /// It is the one that the user has filled, as it was earlier.
    Older,
}

impl NewestCart {
    /// What the user has taken out of it.
    pub(super) fn removed(&self) -> Items {
        self.removed
    }

    /// A change was acknowledged, after which the server's cart is `cart`. `forgotten`: the server did not know it before.
    pub(super) fn changed(&mut self, command: Command, cart: Option<Items>, forgotten: bool) -> Change {
        let before = self.held;
        match command {
            Command::Add(item) => (self.held, self.removed) = (before.with(item), self.removed.without(item)),
            Command::Remove(item) => (self.held, self.removed) = (before.without(item), self.removed.with(item)),
            _ => return Change::Kept,
        }
        let Some(cart) = cart else { return Change::Kept };
        let alone =
            matches!(command, Command::Add(item) if cart == Items::of(item) && !before.without(item).is_empty());
        if forgotten || alone {
            *self = NewestCart { held: cart, removed: Items::NONE };
            return Change::Began;
        }
        let lacks = !self.held.minus(cart).is_empty() && !before.intersection(cart).is_empty();
        if lacks || !self.removed.intersection(cart).is_empty() { Change::Older } else { Change::Kept }
    }
}
