//! One user's visit as a row of frames.

use serde::Serialize;

use super::units::{ItemSet, Seconds};
use crate::faces::story::{Deed, Line};

/// A frame of a film.
#[derive(Debug, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Frame {
    /// Something the user did, and the answer.
    Did {
        t: Seconds,
        action: String,
        server: String,
        answer: String,
        /// What the server sees in the cart; nothing if it did not look.
        cart: Option<ItemSet>,
        /// What the user has put in and not taken out.
        added: ItemSet,
        /// For the checkout: what was missing from the charge.
        missing: Option<ItemSet>,
        wrong: bool,
    },
    /// Something that happened to the shop meanwhile.
    Broke { t: Seconds, words: String },
    /// Frames that were left out.
    Skipped { words: String },
}

impl From<&Line> for Frame {
    fn from(line: &Line) -> Frame {
        match line {
            Line::Did(Deed { at, action, server, answer, cart, added, missing, wrong, .. }) => Frame::Did {
                t: Seconds(*at),
                action: action.clone(),
                server: server.clone(),
                answer: answer.clone(),
                cart: cart.map(ItemSet),
                added: ItemSet(*added),
                missing: missing.map(ItemSet),
                wrong: *wrong,
            },
            Line::Broke(at, words) => Frame::Broke { t: Seconds(*at), words: words.clone() },
            Line::Skipped(words) => Frame::Skipped { words: words.clone() },
        }
    }
}
