//! What happens between two keyframes.

use serde::Serialize;

use super::keyframe::{LoadRow, ServerRow, StoreRow, UserRow};
use super::tally::Tally;
use super::units::{ItemSet, Place, RequestName, Seconds};
use crate::base::Command;

/// Something that happened.
#[derive(Debug, Serialize)]
pub struct Happening {
    pub t: Seconds,
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of what can happen.
#[derive(Debug, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum What {
    /// A visit begins.
    Began { client: u32, user: u32, visit: u32 },
    /// A visit is over.
    Left { client: u32, finished: bool },
    /// A request goes to the balancer, which sends it to the server `to`; to none if it answers itself.
    Sent { id: RequestName, what: Command, to: Option<u32> },
    /// An attempt at the server `from` failed; the balancer goes on to `to`.
    Retried { id: RequestName, from: u32, to: Option<u32> },
    /// A server has done it, and its effect is there.
    Served {
        id: RequestName,
        by: u32,
        /// When a worker began with it.
        taken: Seconds,
        /// What the server sees in the cart; nothing if it did not look.
        cart: Option<ItemSet>,
        /// Calls to the store.
        calls: u32,
        /// Bytes that tokens carried, both ways.
        bytes: u32,
        /// Copies of the cart sent to other servers.
        copies: u32,
        /// The server does not know a cart that its user has.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<&'static str>,
    },
    /// It was given up before any effect.
    Dropped { id: RequestName, by: Option<u32> },
    /// Its user is told. `words` is given when it is news.
    Told {
        id: RequestName,
        ok: bool,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<&'static str>,
    },
    /// A place holds these items of a client's cart now; none: no cart any more.
    Holds { place: Place, client: u32, items: ItemSet },
    /// A user's step or belief, or what exists of the cart, has changed.
    User { row: UserRow },
    /// A server has changed, or what the balancer believes of it.
    Server { row: ServerRow },
    /// What a server does or holds has changed, and nothing else about it.
    Load {
        server: u32,
        #[serde(flatten)]
        load: LoadRow,
    },
    /// The store has changed.
    Store { row: StoreRow },
    /// A fault struck; its number in the timeline.
    Struck { fault: u32 },
    /// Items of an open cart have ceased to exist; its user does not know.
    Gone { client: u32, items: ItemSet, cause: &'static str },
    /// A checkout was answered, and these items were missing: the checker's verdict.
    Lost { client: u32, items: ItemSet, cause: &'static str },
    /// Carts by what has become of them.
    Tally { tally: Tally },
    /// A sentence: for the caption, and for screen readers.
    Say { about: About, text: String },
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    Fault,
    Belief,
    Pool,
    Loss,
    User,
    End,
}
