//! Where state lives, and the rules of each home: pure functions, without a clock or a socket, that both engines call.

pub mod evidence;
pub mod files;
pub mod hidden;
pub mod plan;
pub mod replication;
pub mod session;
pub mod shop;
pub mod store;
pub mod tokens;
