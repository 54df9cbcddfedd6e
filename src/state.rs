//! Where state lives, and what living there means: rules without a clock or a socket, which both engines call.

pub mod evidence;
pub mod files;
pub mod hidden;
pub mod plan;
pub mod replication;
pub mod session;
pub mod shop;
pub mod store;
pub mod tokens;
