//! The foundation: time in whole nanoseconds, keyed random draws, and the shop's vocabulary.

pub mod seed;
pub mod time;
mod vocabulary;

pub use vocabulary::{
    ClientId, Command, File, Item, Items, MAX_ITEMS, Outcome, ProcessId, Refusal, RegionId, Reply, ServerId,
    ServerState, Step, UserId, Visit,
};
