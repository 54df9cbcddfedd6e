//! The foundation: time in whole nanoseconds, keyed random draws, and the shop's vocabulary.

pub mod fnv;
mod ids;
mod items;
pub mod layout;
mod requests;
pub mod seed;
pub mod time;
pub mod words;

pub use ids::{ClientId, ProcessId, RegionId, ServerId, UserId, Visit};
pub use items::{File, Item, Items, MAX_ITEMS};
pub use requests::{Command, Outcome, Refusal, Reply, ServerState, Step};
