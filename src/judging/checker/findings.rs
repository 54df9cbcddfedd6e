//! What the checker finds.

use crate::base::Items;
use crate::history::AbandonReason;

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
